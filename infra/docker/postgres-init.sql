-- The second database beside `app`: persons, as the source system has them apart.
CREATE DATABASE persons;

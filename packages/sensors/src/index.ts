/** The sensors that launch the job families, one file each. */

export {};

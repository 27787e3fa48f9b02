import { createScrub } from '../../src/telemetry/scrub.ts';

const scrub = createScrub({
  SKEIN_APP_DB_URL: 'postgres://skein:p%40ss-word1@127.0.0.1:5432/app',
  DUCKLING_7_PASSWORD: 'hunter2hunter2',
  AWS_SESSION_TOKEN: 'FwoGZXIvYXdzEXAMPLE/+==',
  SKEIN_PORT: '3070',
  SHORT_PASSWORD: 'abc',
});

test.each([
  [
    'connect to postgres://skein:p%40ss-word1@127.0.0.1:5432/app failed',
    'connect to postgres://skein:***@127.0.0.1:5432/app failed',
  ],
  ['password "p@ss-word1" refused', 'password "***" refused'],
  ['hunter2hunter2', '***'],
  ['token=FwoGZXIvYXdzEXAMPLE%2F%2B%3D%3D', 'token=***'],
  ['nothing to hide on port 3070', 'nothing to hide on port 3070'],
])('%s', (text, expected) => expect(scrub(text)).toBe(expected));

import { createScrub, hideSecret, scrubJson } from '../../src/telemetry/scrub.ts';

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

const SECRET = 'can"ary/4711+do\nnot show';
const hidesAll = createScrub({ EVENTS_DB_PASSWORD: SECRET });

test.each([
  ['in JSON', JSON.stringify({ note: SECRET })],
  ['percent-encoded', `?p=${encodeURIComponent(SECRET)}`],
  ['percent-encoded by others', `?p=${encodeURIComponent(SECRET).replaceAll(/%../g, (code) => code.toLowerCase())}`],
  ['as a form', `p=${encodeURIComponent(SECRET).replaceAll('%20', '+')}`],
  ['in hex', Buffer.from(SECRET).toString('hex')],
  ...['', 'u:', 'us:', 'use:', 'user:'].flatMap((before): [string, string][] => [
    [`in Base64 behind “${before}”`, Buffer.from(`${before}${SECRET}`).toString('base64')],
    [`in Base64 behind “${before}” and before more`, Buffer.from(`${before}${SECRET}@host`).toString('base64url')],
  ]),
  ['cut off', `failed: ${SECRET.slice(0, 20)}`],
])('a secret %s is hidden', (_how, text) => {
  const shown = hidesAll(text);
  expect(shown).toContain('***');
  // Nothing of it is left that is long enough to be a secret.
  for (let at = 0; at + 10 <= SECRET.length; at++) expect(shown).not.toContain(SECRET.slice(at, at + 10));
  expect(shown.length).toBeLessThan(30);
});

test('passwords of every URL in a value are learnt, also those that should have been escaped', () => {
  const hide = createScrub({
    BROKERS: 'redis://:first-one@a:1,redis://u:sec@ond-one@b:2',
    SKEIN_AUTH_ADMIN_TOKEN_FILE: '/run/secrets/token',
  });
  expect(hide('first-one, sec@ond-one')).toBe('***, ***');
  expect(hide('/run/secrets/token cannot be read')).toBe('/run/secrets/token cannot be read');
});

test('JSON stays JSON where a secret of digits is also a number', () => {
  const hide = createScrub({ PIN_PASSWORD: '123456' });
  expect(scrubJson(hide, '{"rows":1234567,"pin":"123456","a123456":[null,true]}')).toBe(
    '{"rows":1234567,"pin":"***","a***":[null,true]}',
  );
  expect(scrubJson(hide, 'no JSON: 123456')).toBe('no JSON: ***');
});

test('what is learnt while a process lives is hidden by all that it made before', () => {
  const temporary = 'temporary-session-token-1';
  expect(scrub(temporary)).toBe(temporary);
  hideSecret(temporary);
  expect(scrub(`token ${temporary}`)).toBe('token ***');
  // The oldest go; temporary keys have ended by then.
  for (let i = 0; i < 200; i++) hideSecret(`another-secret-${i}-of-many`);
  expect(scrub(temporary)).toBe(temporary);
});

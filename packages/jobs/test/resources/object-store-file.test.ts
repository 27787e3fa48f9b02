/** Keys that try to leave their bucket, on a real directory. */

import { mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';

import fc from 'fast-check';

import { createFileBucket, fileUrl } from '../../src/resources/object-store-file.ts';
import type { StoredObject } from '../../src/resources/object-store.ts';

let dir: string;
let root: string;
beforeEach(() => {
  dir = mkdtempSync(path.join(tmpdir(), 'skein-objects-'));
  root = path.join(dir, 'data');
  for (const folder of ['data/team-a', 'data/team-ab', 'data2/team-a'])
    mkdirSync(path.join(dir, folder), { recursive: true });
  for (const file of ['secret.txt', 'data/team-ab/theirs.txt', 'data2/team-a/theirs.txt'])
    writeFileSync(path.join(dir, file), 'secret');
});
afterEach(() => rmSync(dir, { recursive: true, force: true }));

const TRAVERSALS = [
  '../team-ab/theirs.txt',
  '../../secret.txt',
  'a/../../team-ab/theirs.txt',
  'a/..',
  '..',
  '.',
  './theirs.txt',
  '/etc/passwd',
  '//etc/passwd',
  'a//b',
  'a\u0000b',
  'link/secret.txt',
  'link/new.txt',
  'link',
  'file',
  'x'.repeat(1_025),
  'é'.repeat(513),
];

test('no key reads, writes, lists or deletes outside of its bucket', async () => {
  symlinkSync(dir, path.join(root, 'team-a/link'));
  symlinkSync(path.join(dir, 'secret.txt'), path.join(root, 'team-a/file'));
  const bucket = createFileBucket(root, 'team-a');
  const listed = async (prefix: string) => {
    const found: StoredObject[] = [];
    for await (const object of bucket.list(prefix)) found.push(object);
    return found.map(({ key }) => key);
  };
  for (const key of TRAVERSALS) {
    for (const attempt of [
      async () => bucket.get(key),
      async () => bucket.put(key, 'mine'),
      async () => bucket.bytes(key),
      async () => bucket.delete(key),
      async () => listed(`${key}/`),
    ])
      await expect(attempt().then((answer) => [key, answer])).rejects.toMatchObject({ code: 'REFUSED' });
  }
  expect(readFileSync(path.join(dir, 'secret.txt'), 'utf8')).toBe('secret');
  // What only looks like a way out is a name.
  for (const key of ['%2e%2e/x', '..%2fx', '...', 'a/.../b', '..a', 'team-ab', 'x'.repeat(200)]) {
    await bucket.put(key, 'mine');
    expect([key, await bucket.get(key), await listed(key)]).toEqual([key, 'mine', [key]]);
  }
  expect(await listed('')).not.toContain('theirs.txt');
});

test.each(['../data2/team-a', '..', '.', '', 'team-a/../team-ab', '/etc', 'team-a/deeper', 'a\u0000b'])(
  'the bucket “%s” is refused',
  (bucket) => expect(() => fileUrl(root, bucket, 'theirs.txt')).toThrow('leads out of the bucket'),
);

test('whatever a key holds, it is refused or lies in its bucket', () => {
  const part = fc.constantFrom(
    '..',
    '.',
    '',
    'a',
    'team-ab',
    '%2e%2e',
    '..\\',
    '\u0000',
    '~',
    '$HOME',
    'é',
    '‥',
    '．．',
  );
  fc.assert(
    fc.property(fc.array(part, { maxLength: 6 }), fc.constantFrom('/', '\\', '//'), (parts, slash) => {
      const key = parts.join(slash);
      let url;
      try {
        url = fileUrl(root, 'team-a', key);
      } catch {
        return;
      }
      expect(`${url}/`.startsWith(`${path.join(root, 'team-a')}/`)).toBe(true);
    }),
    { numRuns: Number(process.env.SKEIN_FUZZ_RUNS ?? 2_000) },
  );
});

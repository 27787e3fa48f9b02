/** What a browser must load before it shows anything, from Vite's manifest, as gzip sends it. */

import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { gzipSync } from 'node:zlib';

import { buildOnce } from './build-once.ts';

const UI = path.resolve(__dirname, '..');
const KB = 1_000;

interface Chunk {
  readonly file: string;
  readonly imports?: readonly string[];
  readonly css?: readonly string[];
}

function entry(): { js: number; css: number; files: string[] } {
  const manifest = JSON.parse(readFileSync(path.join(UI, 'dist/.vite/manifest.json'), 'utf8')) as Record<string, Chunk>;
  const seen = new Set<string>();
  const styles = new Set<string>();
  const visit = (name: string) => {
    const chunk = manifest[name];
    if (!chunk || seen.has(name)) return;
    seen.add(name);
    for (const css of chunk.css ?? []) styles.add(css);
    for (const next of chunk.imports ?? []) visit(next);
  };
  visit('index.html');
  const sizeOf = (file: string) => gzipSync(readFileSync(path.join(UI, 'dist', file))).length;
  const files = [...seen].map((name) => manifest[name]?.file ?? '');
  return {
    js: files.reduce((sum, file) => sum + sizeOf(file), 0),
    css: [...styles].reduce((sum, file) => sum + sizeOf(file), 0),
    files,
  };
}

beforeAll(() => buildOnce());

test('the entry stays under 190 KB of scripts and 15 KB of styles', () => {
  const { js, css, files } = entry();
  expect(js).toBeGreaterThan(50 * KB); // it was found at all
  expect(js).toBeLessThanOrEqual(190 * KB);
  expect(css).toBeGreaterThan(KB);
  expect(css).toBeLessThanOrEqual(15 * KB);
  expect(files.join(' ')).not.toMatch(/JsonEditor|AssetGraph|HourBars/);
});

test('the client is made from the OpenAPI document as it is now', () => {
  const script = path.join(UI, 'scripts/generate-client.mjs');
  const { status, stderr } = spawnSync(process.execPath, [script, '--check'], { encoding: 'utf8' });
  expect(stderr).toBe('');
  expect(status).toBe(0);
});

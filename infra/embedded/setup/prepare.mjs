// Prepares what a target needs besides npm packages, all at once: programs, extensions, jars, a browser, and the
// dashboard's files. Gives what cannot be had here, with the reason; the target decides whether that matters.
import { existsSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import path from 'node:path';

import { capture, ROOT, say, TYPESCRIPT } from './ground.mjs';

/** @returns { [name]: reason } for what this machine cannot have */
export async function prepare(names) {
  const services = names.filter((name) => name !== 'dashboard');
  const [missing, dashboard] = await Promise.all([
    prepareServices(services),
    names.includes('dashboard') ? buildDashboard() : undefined,
  ]);
  const all = { ...missing, ...(dashboard === undefined ? {} : { dashboard }) };
  for (const [name, reason] of Object.entries(all)) say(`${name} cannot be had here: ${reason}`);
  return all;
}

async function prepareServices(names) {
  const script = path.join(ROOT, 'infra', 'embedded', 'src', 'prepare.ts');
  const { code, stdout, stderr } = await capture(process.execPath, [...TYPESCRIPT, script, ...names], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  if (code === 0) return JSON.parse(stdout);
  throw new Error(`The services could not be prepared. ${stderr}`);
}

const UI = path.join(ROOT, 'packages', 'ui');
/** Holds the time of the newest source that the built files contain. */
const BUILT = path.join(UI, 'dist', '.built');

/** @returns why the dashboard could not be built, or undefined */
async function buildDashboard() {
  const config = ['vite.config.ts', 'vite.config.mts', 'vite.config.mjs'].map((name) => path.join(UI, name));
  if (!config.some(existsSync)) return undefined;
  const newest = String(newestChange(UI));
  if (existsSync(BUILT) && readFileSync(BUILT, 'utf8') === newest) return undefined;
  say('building the dashboard');
  const { code, stdout, stderr } = await capture(process.platform === 'win32' ? 'npm.cmd' : 'npm', ['run', 'build'], {
    cwd: UI,
  });
  if (code !== 0) return `its build failed:\n${(stderr || stdout).trim().slice(-2_000)}`;
  writeFileSync(BUILT, newest);
  return undefined;
}

function newestChange(folder) {
  let newest = 0;
  for (const entry of readdirSync(folder, { withFileTypes: true })) {
    if (['node_modules', 'dist', 'test'].includes(entry.name)) continue;
    const file = path.join(folder, entry.name);
    newest = Math.max(newest, entry.isDirectory() ? newestChange(file) : statSync(file).mtimeMs);
  }
  return newest;
}

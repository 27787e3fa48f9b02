// Installs what package-lock.json names, when it is not there: `npm install`, because `npm ci` refuses a lock behind
// registries that lack other platforms' packages. The committed lock must come out unchanged.
import { createHash } from 'node:crypto';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';

import { capture, ROOT, say, SetupError } from './ground.mjs';

const LOCK = path.join(ROOT, 'package-lock.json');
const INSTALLED = path.join(ROOT, 'node_modules', '.package-lock.json');
/** Remembers for which lock the installation was last found complete. */
const MARK = path.join(ROOT, 'node_modules', '.skein-installed');

export async function installDependencies() {
  const lock = readFileSync(LOCK, 'utf8');
  const wanted = createHash('sha256').update(lock).digest('hex');
  if (existsSync(MARK) && readFileSync(MARK, 'utf8') === wanted) return;
  if (!agrees(JSON.parse(lock))) await install(lock);
  writeFileSync(MARK, wanted);
}

async function install(lock) {
  say('installing npm packages (once; some 700 MB with the ClickHouse engine)');
  const begun = performance.now();
  const npm = process.platform === 'win32' ? 'npm.cmd' : 'npm';
  const { code, stdout, stderr } = await capture(npm, ['install', '--no-audit', '--no-fund', '--loglevel', 'error']);
  if (code !== 0) throw new SetupError(`npm install failed:\n${(stderr || stdout).trim().slice(-2_000)}`);
  say(`npm packages are installed (${((performance.now() - begun) / 1000).toFixed(0)} s)`);
  if (readFileSync(LOCK, 'utf8') === lock) return;
  writeFileSync(LOCK, lock);
  say(
    'npm wanted to change package-lock.json; the committed one was put back. It may not fit a package.json any more: run “npm install” and commit its lock.',
  );
}

/** True when everything that the lock names for this machine is installed in that version. */
function agrees(lock) {
  if (!existsSync(INSTALLED)) return false;
  const installed = JSON.parse(readFileSync(INSTALLED, 'utf8')).packages;
  return Object.entries(lock.packages).every(([name, entry]) => {
    if (!name.includes('node_modules/') || entry.link || installed[name]?.version === entry.version) return true;
    return installed[name] === undefined && entry.optional === true;
  });
}

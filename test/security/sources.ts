/** Source files of the packages, by their path below `packages/`. */

import { readFileSync, readdirSync } from 'node:fs';
import path from 'node:path';

const PACKAGES = path.resolve(__dirname, '../../packages');

export function sourcesOf(packages: readonly string[]): ReadonlyMap<string, string> {
  const files = packages.flatMap((name) =>
    (readdirSync(path.join(PACKAGES, name, 'src'), { recursive: true }) as string[])
      .filter((file) => file.endsWith('.ts'))
      .map((file) => `${name}/src/${file}`),
  );
  return new Map(files.sort().map((file) => [file, readFileSync(path.join(PACKAGES, file), 'utf8')]));
}

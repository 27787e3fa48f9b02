/** Finds `skein.config.ts` in the working directory or the nearest folder above it, and loads its deployment. */

import { existsSync } from 'node:fs';
import path from 'node:path';
import { pathToFileURL } from 'node:url';

import type { Deployment } from '../definitions/deployment.ts';
import { DefinitionInvalidError, SkeinError } from '../definitions/errors.ts';

const FILE = 'skein.config.ts';

/** Undefined when there is none up to the root. */
export function findConfig(from: string): string | undefined {
  for (let folder = path.resolve(from); ; folder = path.dirname(folder)) {
    const file = path.join(folder, FILE);
    if (existsSync(file)) return file;
    if (folder === path.dirname(folder)) return undefined;
  }
}

/** @throws DefinitionInvalidError when there is none, it cannot be loaded, or its definitions contradict each other */
export async function loadDeployment(from: string): Promise<Deployment> {
  const file = findConfig(from);
  if (file === undefined) {
    throw new DefinitionInvalidError(`There is no ${FILE} here or in a folder above.`, {
      hint: `Run skein inside a project, or write a ${FILE} that exports “deployment”, made with defineDeployment.`,
    });
  }
  let loaded: { readonly deployment?: Deployment };
  try {
    loaded = (await import(pathToFileURL(file).href)) as typeof loaded;
  } catch (error) {
    if (error instanceof SkeinError) throw error;
    const what = error instanceof Error ? `${error.name}: ${error.message}` : String(error);
    throw new DefinitionInvalidError(`${shown(file)} cannot be loaded. ${what}`, { cause: error });
  }
  if (loaded.deployment === undefined) {
    throw new DefinitionInvalidError(`${shown(file)} exports no “deployment”.`, {
      hint: 'Write: export const deployment = defineDeployment({ definitions: … });',
    });
  }
  return loaded.deployment;
}

function shown(file: string): string {
  const relative = path.relative(process.cwd(), file);
  return relative === '' ? FILE : relative;
}

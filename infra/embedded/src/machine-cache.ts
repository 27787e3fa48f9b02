/** Owns the folder where downloads are kept between checkouts: `SKEIN_CACHE_DIR`, `~/.cache/skein`, or `.cache` here. */

import { accessSync, constants, mkdirSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';

export function machineCache(...parts: string[]): string {
  return path.join(cacheRoot(), ...parts);
}

function cacheRoot(): string {
  const given = process.env.SKEIN_CACHE_DIR;
  if (given) return path.resolve(given);
  const shared = path.join(process.env.XDG_CACHE_HOME || path.join(os.homedir(), '.cache'), 'skein');
  try {
    mkdirSync(shared, { recursive: true });
    accessSync(shared, constants.W_OK);
    return shared;
  } catch {
    return path.resolve('.cache');
  }
}

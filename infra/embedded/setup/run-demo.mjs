// Hands over to the demo itself.
import path from 'node:path';

import { ROOT, runInTerminal, TYPESCRIPT } from './ground.mjs';

export function runDemo(args) {
  const main = path.join(ROOT, 'infra', 'embedded', 'src', 'demo', 'main.ts');
  return runInTerminal(process.execPath, [...TYPESCRIPT, main, ...args]);
}

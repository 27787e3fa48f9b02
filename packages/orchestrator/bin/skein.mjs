#!/usr/bin/env -S node --max-semi-space-size=32 -C source --import tsx
// What a page of rows needs on its way through is larger than Node’s young generation of 16 MB: it would grow old, and
// collecting the old costs a job that reads and sends a tenth of its time (npm run bench -- raw-events).
import module from 'node:module';

// Where Node can (22 and later), code that was compiled once is compiled no more: the command starts faster.
module.enableCompileCache?.();
const { main } = await import('../src/cli/main.ts');

await main(process.argv.slice(2));
// Everything is closed by now; a connection that somebody forgot must not keep the command alive.
setTimeout(() => process.exit(), 2_000).unref();

#!/usr/bin/env -S node -C source --import tsx
import module from 'node:module';

// Where Node can (22 and later), code that was compiled once is compiled no more: the command starts faster.
module.enableCompileCache?.();
const { main } = await import('../src/cli/main.ts');

await main(process.argv.slice(2));
// Everything is closed by now; a connection that somebody forgot must not keep the command alive.
setTimeout(() => process.exit(), 2_000).unref();

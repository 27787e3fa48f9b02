#!/usr/bin/env -S node -C source --import tsx
import { main } from '../src/cli/main.ts';

await main(process.argv.slice(2));

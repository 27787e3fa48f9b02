/** Flags that every command takes, wherever they stand on the line. Pure. */

export interface GlobalFlags {
  readonly json: boolean;
  readonly allowUnsafeRedis: boolean;
  /** What is left for the command; `--json` stays, behind the command, where its own parser expects it. */
  readonly rest: readonly string[];
}

export function readGlobalFlags(argv: readonly string[]): GlobalFlags {
  const end = argv.indexOf('--');
  const [ours, theirs] = end < 0 ? [argv, []] : [argv.slice(0, end), argv.slice(end)];
  const json = ours.includes('--json');
  const words = ours.filter((word) => word !== '--json' && word !== '--allow-unsafe-redis');
  // Without a command there is nothing that would take it: `skein --json --help`.
  const named = words.some((word) => !word.startsWith('-'));
  return {
    json,
    allowUnsafeRedis: ours.includes('--allow-unsafe-redis'),
    rest: [...words, ...(json && named ? ['--json'] : []), ...theirs],
  };
}

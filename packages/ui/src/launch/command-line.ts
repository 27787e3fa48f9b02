/** The same launch as a command. Every value is quoted for a POSIX shell. Pure. */

export interface Launch {
  readonly job: string;
  readonly partitions: readonly string[];
  readonly config: object;
  readonly priority?: number;
  readonly dry_run: boolean;
}

export function commandLine({ job, partitions, config, priority, dry_run: dryRun }: Launch): string {
  return [
    `skein run ${quote(job)}`,
    ...partitions.map((key) => `--partition ${quote(key)}`),
    ...(Object.keys(config).length > 0 ? [`--config ${quote(JSON.stringify(config))}`] : []),
    ...(priority === undefined ? [] : [`--priority ${priority}`]),
    ...(dryRun ? ['--dry-run'] : []),
    '--wait',
  ].join(' ');
}

function quote(text: string): string {
  return /^[\w@%+=:,./-]+$/.test(text) ? text : `'${text.replaceAll("'", `'\\''`)}'`;
}

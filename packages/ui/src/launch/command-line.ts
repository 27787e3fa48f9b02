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

/** The same as a call of the API. The token is the reader's own, from their environment. */
export function curlLine(launch: Launch, origin: string): string {
  const { job, partitions, config, priority, dry_run: dryRun } = launch;
  const body = {
    job,
    partitions,
    config,
    ...(priority === undefined ? {} : { priority }),
    ...(dryRun ? { dry_run: true } : {}),
  };
  return [
    `curl -X POST ${quote(`${origin}/api/v1/launch`)}`,
    `-H 'content-type: application/json' -H "authorization: Bearer $SKEIN_TOKEN"`,
    `-d ${quote(JSON.stringify(body))}`,
  ].join(' ');
}

function quote(text: string): string {
  return /^[\w@%+=:,./-]+$/.test(text) ? text : `'${text.replaceAll("'", `'\\''`)}'`;
}

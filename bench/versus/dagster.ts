/** Dagster's side: `dagster dev` (webserver, daemon, code server) on PostgreSQL, and everything through its GraphQL API. */

import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';

import { freePort } from '../../infra/embedded/src/ports.ts';
import { ensurePythonProgram } from '../../infra/embedded/src/python.ts';
import { testDatabase } from '../../infra/embedded/test-services/database.ts';
import { type Contestant, DAYS, TEAMS, dayOf } from './contestant.ts';
import { startGroup, until } from './processes.ts';

const DAGSTER_VERSION = '1.13.27';
const PROGRAM = {
  folder: `dagster-${DAGSTER_VERSION}`,
  program: 'dagster',
  packages: [`dagster==${DAGSTER_VERSION}`, `dagster-webserver==${DAGSTER_VERSION}`, 'dagster-postgres==0.29.27'],
  purpose: 'Dagster (the other side of this comparison)',
};
const DEFINITIONS = path.join(import.meta.dirname, 'definitions.py');
const SELECTOR = { repositoryLocationName: 'definitions.py', repositoryName: '__repository__' };
const ENDED = new Set(['SUCCESS', 'FAILURE', 'CANCELED']);

interface Run {
  readonly status: string;
  readonly creationTime: number;
  readonly endTime: number | null;
}
interface Tick {
  readonly status: string;
  readonly timestamp: number;
  readonly endTimestamp: number | null;
  readonly runIds: readonly string[];
}
interface Ranges {
  readonly ranges: readonly {
    readonly primaryDimStartKey: string;
    readonly primaryDimEndKey: string;
    readonly secondaryDim: { readonly materializedPartitions: readonly string[] };
  }[];
}

export async function startDagster(note: (line: string) => void): Promise<Contestant> {
  const program = await ensurePythonProgram(PROGRAM, note);
  const database = await testDatabase('empty');
  const home = mkdtempSync(path.join(tmpdir(), 'versus-'));
  // Production storage, and nothing sent to anybody. The password stays in the environment.
  const settings = ['storage:', '  postgres:', '    postgres_url:', '      env: VERSUS_DATABASE'];
  writeFileSync(path.join(home, 'dagster.yaml'), [...settings, 'telemetry:', '  enabled: false', ''].join('\n'));
  const port = await freePort();
  const { PATH, HOME } = process.env;
  const bin = path.dirname(program);
  const env = {
    PATH: `${bin}:${PATH}`,
    HOME,
    DAGSTER_HOME: home,
    VERSUS_DATABASE: database.url.replace(/^postgres:/, 'postgresql+psycopg2:'),
  };
  const group = startGroup(program, ['dev', '-f', DEFINITIONS, '-h', '127.0.0.1', '-p', String(port)], home, env);

  async function ask<T>(query: string, variables: object = {}): Promise<T> {
    const response = await fetch(`http://127.0.0.1:${port}/graphql`, {
      method: 'POST',
      body: JSON.stringify({ query, variables }),
      headers: { 'content-type': 'application/json' },
    });
    const { data, errors } = (await response.json()) as { data: T; errors?: { message: string }[] };
    if (errors?.[0]) throw new TypeError(`Dagster refused: ${errors[0].message}`);
    return data;
  }

  await until(
    async () => {
      const ready = await ask<{ repositoryOrError: { name?: string } }>(
        'query($s: RepositorySelector!) { repositoryOrError(repositorySelector: $s) { ... on Repository { name } } }',
        { s: SELECTOR },
      ).catch(() => undefined);
      return ready?.repositoryOrError.name;
    },
    'dagster dev',
    500,
    group,
  );

  let launched = 0;
  return {
    async emptyRun() {
      const partition = `${dayOf(90)}|${(launched++ % TEAMS) + 1}`;
      const { launchRun } = await ask<{ launchRun: { run?: { runId: string }; message?: string } }>(
        `mutation($p: ExecutionParams!) { launchRun(executionParams: $p) {
          ... on LaunchRunSuccess { run { runId } } ... on PythonError { message } } }`,
        {
          p: {
            selector: { ...SELECTOR, jobName: 'noop_job' },
            executionMetadata: { tags: multiPartitionTags(partition) },
          },
        },
      );
      if (!launchRun.run) throw new TypeError(`Dagster did not launch: ${JSON.stringify(launchRun)}`);
      const { runId } = launchRun.run;
      const run = await until(async () => {
        const { runOrError } = await ask<{ runOrError: Run }>(
          'query($id: ID!) { runOrError(runId: $id) { ... on Run { status creationTime endTime } } }',
          { id: runId },
        );
        return ENDED.has(runOrError.status) ? runOrError : undefined;
      }, 'the run');
      if (run.status !== 'SUCCESS') throw new TypeError(`Dagster's run ended as ${run.status}`);
      return (run.endTime ?? 0) - run.creationTime;
    },
    async backfill(partitions) {
      const days = Math.ceil(partitions / TEAMS);
      const names = Array.from({ length: days }, (_, day) => day)
        .flatMap((day) => Array.from({ length: TEAMS }, (_, team) => `${dayOf(day)}|${team + 1}`))
        .slice(0, partitions);
      const began = performance.now();
      const { launchPartitionBackfill } = await ask<{ launchPartitionBackfill: { backfillId?: string } }>(
        `mutation($p: LaunchBackfillParams!) { launchPartitionBackfill(backfillParams: $p) {
          ... on LaunchBackfillSuccess { backfillId } ... on PythonError { message } } }`,
        { p: { assetSelection: [{ path: ['noop'] }], partitionNames: names } },
      );
      const id = launchPartitionBackfill.backfillId;
      if (!id) throw new TypeError(`Dagster did not launch: ${JSON.stringify(launchPartitionBackfill)}`);
      await until(async () => {
        const { partitionBackfillOrError } = await ask<{ partitionBackfillOrError: { status: string } }>(
          'query($id: String!) { partitionBackfillOrError(backfillId: $id) { ... on PartitionBackfill { status } } }',
          { id },
        );
        if (partitionBackfillOrError.status.includes('FAIL')) throw new TypeError('Dagster’s backfill failed');
        return partitionBackfillOrError.status === 'COMPLETED_SUCCESS' || undefined;
      }, 'the backfill');
      return (performance.now() - began) / 1_000;
    },
    async fanOut() {
      const selector = { ...SELECTOR, sensorName: 'fan_out' };
      await ask('mutation($s: SensorSelector!) { startSensor(sensorSelector: $s) { __typename } }', { s: selector });
      const tick = await until(async () => {
        const { sensorOrError } = await ask<{ sensorOrError: { sensorState: { ticks: Tick[] } } }>(
          `query($s: SensorSelector!) { sensorOrError(sensorSelector: $s) {
            ... on Sensor { sensorState { ticks { status timestamp endTimestamp runIds } } } } }`,
          { s: selector },
        );
        return sensorOrError.sensorState.ticks.find(({ status }) => status === 'SUCCESS');
      }, 'the tick');
      if (tick.runIds.length !== TEAMS) throw new TypeError(`the tick asked for ${tick.runIds.length} runs`);
      return (tick.endTimestamp ?? 0) - tick.timestamp;
    },
    async fillPartitions() {
      for (let day = 0; day < DAYS / 2; day++) {
        await ask(
          'mutation($e: ReportRunlessAssetEventsParams!) { reportRunlessAssetEvents(eventParams: $e) { __typename } }',
          {
            e: {
              ...{ eventType: 'ASSET_MATERIALIZATION', assetKey: { path: ['noop'] } },
              partitionKeys: Array.from({ length: TEAMS }, (_, team) => `${dayOf(day)}|${team + 1}`),
            },
          },
        );
      }
    },
    async partitionStates() {
      const began = performance.now();
      const { assetNodes } = await ask<{ assetNodes: { assetPartitionStatuses: Ranges }[] }>(
        `{ assetNodes(assetKeys: [{ path: ["noop"] }]) { assetPartitionStatuses { ... on MultiPartitionStatuses {
          ranges { primaryDimStartKey primaryDimEndKey secondaryDim {
            ... on DefaultPartitionStatuses { materializedPartitions } } } } } } }`,
      );
      const seconds = (performance.now() - began) / 1_000;
      const ranges = assetNodes[0]?.assetPartitionStatuses.ranges ?? [];
      const made = ranges.reduce(
        (sum, { primaryDimStartKey: from, primaryDimEndKey: to, secondaryDim }) =>
          sum + ((Date.parse(to) - Date.parse(from)) / 86_400_000 + 1) * secondaryDim.materializedPartitions.length,
        0,
      );
      if (made < (TEAMS * DAYS) / 2) throw new TypeError(`only ${made} partitions are shown as made`);
      return seconds;
    },
    memoryBytes: group.memoryBytes,
    async stop() {
      await group.stop();
      await database.drop();
      rmSync(home, { recursive: true, force: true });
    },
  };
}

/** A multi-partition key travels as a tag for each dimension beside its own. */
function multiPartitionTags(key: string): { key: string; value: string }[] {
  const [day = '', team = ''] = key.split('|');
  return [
    { key: 'dagster/partition', value: key },
    { key: 'dagster/partition/day', value: day },
    { key: 'dagster/partition/team', value: team },
  ];
}

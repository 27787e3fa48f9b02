/**
 * Raw events: the transformer alone, in events for each second of CPU, beside the published figures of what it
 * replaces; the whole path from ClickHouse to Kafka beside reading alone and publishing alone; memory beside the amount.
 */

import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

import {
  type ClickHouse,
  type Message,
  openRowMapper,
  publishEach,
  readRawEventsSettings,
  transformRawEvent,
} from '@skein/jobs';

import { ROWS_PER_QUERY } from '../packages/jobs/src/raw-events/asset.ts';
import { RawEventsConfig } from '../packages/jobs/src/raw-events/config.ts';
import { mapRows } from '../packages/jobs/src/raw-events/map-rows.ts';
import { type Page, readPages, rowsOf } from '../packages/jobs/src/raw-events/read-pages.ts';
import { type PageWork, messagesOf, transformPage } from '../packages/jobs/src/raw-events/transform-page.ts';
import { type Bench, type BenchOptions, type BenchRow, row } from './bench.ts';
import { bentoPerCpuSecond, findBento } from './raw-events/bento.ts';
import { openKafkaJs } from './raw-events/kafkajs.ts';
import { type Order, type Outcome, wholePath } from './raw-events/whole-path.ts';
import {
  type BenchWorld,
  FIRST_DAY,
  ROWS_PER_DAY,
  TENANT,
  insertRawEvents,
  openBenchWorld,
} from './raw-events/world.ts';

/** Measured once with the original's own code and with Bento 1.4.1, one thread, on a machine of this size. */
const GO_PER_CPU_SECOND = 34_300;
const BENTO_PER_CPU_SECOND = 8_300;
/** 35,000 a second, as a share of the former. */
const TRANSFORMER_TARGET = '≥ 1.0204';
const TRANSFORMS = 200_000;
const CONTEXT = { tenant_id: TENANT, environment_id: 'e1' };
/** The rest of the memory row's larger run; with --scale 5 it is five million. */
const MEMORY_ROWS = 1_000_000;

export const bench: Bench = {
  name: 'raw-events',
  summary: 'the transformer, and the whole path beside read-only and publish-only',
  async run(options) {
    const world = await openBenchWorld();
    try {
      options.note(`inserting ${ROWS_PER_DAY} raw events of 1 KB`);
      await insertRawEvents(world.clickhouse, ROWS_PER_DAY);
      const sample = await pages(world.clickhouse, 5);
      return [...transformer(sample, options), ...(await path(world, options)), await memory(world, options)];
    } finally {
      await world.close();
    }
  },
};

/** From the bytes that come from ClickHouse to those that go to Kafka, as the path does it. */
function transformer(sample: readonly Page[], { rounds, note }: BenchOptions): BenchRow[] {
  const payloads = sample.flatMap((page) => rowsOf(page).map(({ payload }) => payload));
  const bytes = payloads.reduce((sum, payload) => sum + payload.length, 0) / payloads.length;
  note(`transformer: payloads of ${Math.round(bytes)} bytes`);
  const speeds: number[] = [];
  const spare: Uint8Array<ArrayBuffer>[] = [];
  for (let round = 0; round <= rounds; round++) {
    const before = process.cpuUsage();
    let done = 0;
    while (done < TRANSFORMS) {
      for (const { environment, blocks, size } of sample) {
        const { texts } = mapRows({ tenant: TENANT, environment, profile: 'seed', blocks }, spare);
        spare.push(...texts.map((chunk) => chunk.bytes));
        done += size;
      }
    }
    const { user, system } = process.cpuUsage(before);
    // The first round warms up.
    if (round > 0) speeds.push(done / ((user + system) / 1e6));
  }
  const beside = (figures: readonly number[], otherIs: string, target?: string) =>
    row('transformer: parse, map, serialise 1 KB', speeds, figures, {
      otherIs,
      unit: 'events/CPU-s',
      ...(target ? { target } : {}),
    });
  const bento = findBento();
  if (bento === undefined)
    note('bento: not at hand (SKEIN_BENTO, see bench/raw-events/bento.ts); its published figure');
  return [
    beside([GO_PER_CPU_SECOND], 'the original compiled service, published figure', TRANSFORMER_TARGET),
    bento === undefined
      ? beside([BENTO_PER_CPU_SECOND], 'Bento with the collector’s mappings, published figure')
      : beside(bentoPerCpuSecond(bento, payloads, eventOf, rounds), 'Bento with the same mapping'),
  ];
}

function eventOf(payload: string): object | undefined {
  const result = transformRawEvent(payload, CONTEXT, 'seed');
  return result.kind === 'event' ? result.event : undefined;
}

/** Sent again and again: a whole day of messages in memory would slow down whatever is measured beside it. */
const PAGES_HELD = 10;

async function path(world: BenchWorld, { rounds, note }: BenchOptions): Promise<BenchRow[]> {
  const { clickhouse, publisher, topic } = world;
  const kafkaJs = await openKafkaJs(world);
  const mapper = openRowMapper();
  const work: PageWork[] = [];
  for (const page of await pages(clickhouse, PAGES_HELD)) work.push(await transformPage(page, TENANT, 'seed', mapper));
  const [whole, reading, publishing, byKafkaJs]: [number[], number[], number[], number[]] = [[], [], [], []];
  const sendAll = async (send: (messages: readonly Message[]) => Promise<unknown>) => {
    for (let sent = 0; sent < ROWS_PER_DAY;) {
      for (const one of work) {
        // As the path does it: a message that is sent again has another identity.
        await send(messagesOf(one));
        sent += one.page.size;
      }
    }
  };
  for (let round = 0; round <= rounds; round++) {
    const seconds = {
      reading: await timed(() => drain(clickhouse)),
      publishing: await timed(() => sendAll((messages) => publishEach(publisher, topic, messages))),
      byKafkaJs: await timed(() => sendAll(kafkaJs.send)),
      whole: await wholePath(clickhouse, publisher, mapper, topic, ROWS_PER_DAY),
    };
    note(
      `path, round ${round}: ${Object.entries(seconds)
        .map(([what, s]) => `${what} ${Math.round(ROWS_PER_DAY / s)}/s`)
        .join(', ')}`,
    );
    // The first round warms up.
    if (round === 0) continue;
    whole.push(ROWS_PER_DAY / seconds.whole);
    reading.push(ROWS_PER_DAY / seconds.reading);
    publishing.push(ROWS_PER_DAY / seconds.publishing);
    byKafkaJs.push(ROWS_PER_DAY / seconds.byKafkaJs);
  }
  await mapper.close();
  await kafkaJs.close();
  const slower = reading.map((speed, i) => Math.min(speed, publishing[i] ?? Infinity));
  const facts = { unit: 'events/s' };
  return [
    row('ClickHouse → transform → Kafka', whole, slower, {
      otherIs: 'the slower of reading alone and publishing alone',
      target: '≥ 0.6',
      ...facts,
    }),
    row('ClickHouse → transform → Kafka', whole, reading, { otherIs: 'reading alone', ...facts }),
    row('ClickHouse → transform → Kafka', whole, publishing, { otherIs: 'publishing alone', ...facts }),
    row('ClickHouse → transform → Kafka', whole, byKafkaJs, { otherIs: 'publishing alone with kafkajs', ...facts }),
    row('publishing alone', publishing, byKafkaJs, { otherIs: 'publishing alone with kafkajs', ...facts }),
  ];
}

async function memory(world: BenchWorld, { scale, note }: BenchOptions): Promise<BenchRow> {
  const many = Math.ceil((MEMORY_ROWS * scale) / ROWS_PER_DAY) * ROWS_PER_DAY;
  const few = await inChild(world, ROWS_PER_DAY);
  note(`memory: ${ROWS_PER_DAY} events took ${Math.round(few.maxRssMb)} MB; inserting ${many}`);
  await world.clickhouse.command('TRUNCATE TABLE raw_events');
  await insertRawEvents(world.clickhouse, many);
  const lots = await inChild(world, many);
  note(`memory: ${many} events took ${Math.round(lots.maxRssMb)} MB, ${Math.round(many / lots.seconds)}/s`);
  return row(`largest resident set, ${many} events`, [lots.maxRssMb], [few.maxRssMb], {
    otherIs: `${ROWS_PER_DAY} events`,
    unit: 'MB',
    target: '≤ 1.1',
  });
}

async function inChild({ clickhouseUrl, brokers, topic }: BenchWorld, rows: number): Promise<Outcome> {
  const order: Order = { clickhouseUrl, brokers, topic, rows };
  const script = fileURLToPath(new URL('raw-events/whole-path.ts', import.meta.url));
  const { stdout } = await promisify(execFile)(process.execPath, [
    '-C',
    'source',
    '--import',
    'tsx',
    script,
    JSON.stringify(order),
  ]);
  return JSON.parse(stdout) as Outcome;
}

function reader(clickhouse: ClickHouse): AsyncGenerator<Page> {
  const fromMs = Date.parse(`${FIRST_DAY}T00:00:00Z`);
  const config = { ...RawEventsConfig.parse({}), tenant_id: TENANT };
  const scope = { settings: readRawEventsSettings({}), config, range: { fromMs, toMs: fromMs + 86_399_999 } };
  return readPages(
    { clickhouse, scope, rowsPerQuery: ROWS_PER_QUERY, signal: new AbortController().signal },
    undefined,
  );
}

async function pages(clickhouse: ClickHouse, count: number): Promise<Page[]> {
  const found: Page[] = [];
  for await (const page of reader(clickhouse)) {
    found.push(page);
    if (found.length >= count) break;
  }
  return found;
}

async function drain(clickhouse: ClickHouse): Promise<void> {
  let rows = 0;
  for await (const page of reader(clickhouse)) rows += page.size;
  if (rows !== ROWS_PER_DAY) throw new RangeError(`read ${rows} of ${ROWS_PER_DAY} rows`);
}

async function timed(work: () => Promise<unknown>): Promise<number> {
  const started = performance.now();
  await work();
  return (performance.now() - started) / 1_000;
}

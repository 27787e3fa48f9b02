/**
 * Every code block of every page. A command must be one that the program parses, its config one that the job's schema
 * takes, its partitions and cursors ones that exist; what needs only Redis is run. The guide and the pages of families
 * whose commands need data have tests of their own, which the comment above a block names.
 */

import { spawn, spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';

import { Redis } from 'ioredis';
import { parse } from 'yaml';

import { testClickHouse, testRedis } from '../infra/embedded/test-services/index.ts';
import { readRawEventsSettings } from '../packages/jobs/src/raw-events/settings.ts';
import { assetOfJob, expandKeys } from '../packages/orchestrator/src/cli/partition-arguments.ts';
import { buildProgram } from '../packages/orchestrator/src/cli/program.ts';
import { parseConfig } from '../packages/orchestrator/src/definitions/config.ts';
import { deployment } from '../skein.config.ts';
import { codeBlocks } from './markdown.ts';
import { shellCommands } from './shell-words.ts';

const ROOT = path.resolve(__dirname, '..');
/** The guide is followed word by word by guide.test.ts; cli.md is the program's own help. */
const ELSEWHERE = new Set(['docs/guide.md', 'docs/cli.md']);
const pages = [
  ...['README.md', 'CONTRIBUTING.md'],
  ...readdirSync(path.join(ROOT, 'docs'), { recursive: true, encoding: 'utf8' })
    .filter((file) => file.endsWith('.md'))
    .map((file) => `docs/${file}`),
].filter((page) => !ELSEWHERE.has(page));
const blocks = pages.flatMap((page) =>
  codeBlocks(readFileSync(path.join(ROOT, page), 'utf8')).map((block) => ({ page, ...block })),
);
const inLanguage = (...languages: string[]) => blocks.filter(({ language }) => languages.includes(language));
const commands = inLanguage('sh', 'bash', 'text').flatMap(({ page, code }) =>
  shellCommands(code.replace(/^npx /gm, '')).map((words) => ({ page, words, line: words.join(' ').slice(0, 100) })),
);
const skein = commands.filter(({ words }) => words[0] === 'skein');

test('no block has a language that nothing here looks at, or none', () => {
  const known = new Set(['sh', 'bash', 'text', 'json', 'yaml', 'sql', 'ts']);
  expect(blocks.filter(({ language }) => !known.has(language)).map(({ page, language }) => [page, language])).toEqual(
    [],
  );
  const fences = pages.map((page) => [page, /^```\n(?!\n|$)/m.exec(withoutBlocks(page))?.[0]]);
  expect(fences.filter(([, bare]) => bare !== undefined)).toEqual([]);
  expect(skein.length).toBeGreaterThan(50);
});

test.each(skein)('$page: $line', async ({ words }) => {
  let reached = 0;
  const program = buildProgram(async () => void reached++, deployment);
  await program.parseAsync(words.slice(1), { from: 'user' });
  expect(reached).toBe(1);

  const valuesOf = (flag: string) => words.flatMap((word, i) => (words[i - 1] === flag ? [word] : []));
  if (words[1] === 'run' || words[1] === 'backfill') {
    const asset = assetOfJob(deployment, words[2] ?? '');
    for (const key of valuesOf('--partition')) expect(expandKeys(asset, [key]).length).toBeGreaterThan(0);
    for (const config of valuesOf('--config')) expect(() => parseConfig(asset, JSON.parse(config))).not.toThrow();
  }
  if (words[1] === 'sensors' && words[2] !== 'list') {
    expect([...deployment.sensors.keys()]).toContain(words[2] === 'cursor' ? words[4] : words[3]);
  }
  if (words[1] === 'partitions') expect([...deployment.assets.keys()]).toContain(words[2]);
});

test('npm is asked only for scripts that there are', () => {
  const { scripts } = JSON.parse(readFileSync(path.join(ROOT, 'package.json'), 'utf8')) as { scripts: object };
  const ui = JSON.parse(readFileSync(path.join(ROOT, 'packages/ui/package.json'), 'utf8')) as { scripts: object };
  const asked = commands.filter(({ words }) => words[0] === 'npm');
  expect(asked.length).toBeGreaterThan(5);
  for (const { words } of asked) {
    const script = words[1] === 'run' ? words[2] : words[1];
    expect(Object.keys(words.includes('@skein/ui') ? ui.scripts : scripts)).toContain(script);
  }
});

test.each(inLanguage('json'))('$page: JSON that its sensor takes as a cursor', ({ code, directive, argument }) => {
  expect(directive).toBe('cursor of');
  const cursor: unknown = JSON.parse(code);
  expect(deployment.sensors.get(argument)?.cursor.safeParse(cursor)).toMatchObject({ success: true });
});

test.each(inLanguage('yaml'))('$page: YAML that the settings of raw events take', ({ code }) => {
  expect(parse(code)).toBeTruthy();
  const folder = scratch();
  writeFileSync(path.join(folder, 'settings.yaml'), code);
  const settings = readRawEventsSettings({ SKEIN_RAW_EVENTS_CONFIG: path.join(folder, 'settings.yaml') });
  expect(settings).toMatchObject({ enabled: true });
});

test.each(inLanguage('ts'))(
  '$page: TypeScript that a strict compiler takes',
  ({ code }) => {
    const folder = scratch();
    const imports = [
      "import { composite, daily, defineAsset, dynamic, exponential, materialized, positiveInteger } from '@skein/orchestrator';",
      "import { clickhouse } from '@skein/jobs';",
      "import { z } from 'zod';",
    ];
    writeFileSync(path.join(folder, 'shown.ts'), [...imports, code].join('\n'));
    const extended = path.relative(folder, path.join(ROOT, 'tsconfig.json'));
    const config = {
      extends: extended,
      compilerOptions: { incremental: false, noUnusedLocals: false },
      include: ['shown.ts'],
    };
    writeFileSync(path.join(folder, 'tsconfig.json'), JSON.stringify(config));
    const checked = spawnSync(process.execPath, ['node_modules/typescript/bin/tsc', '-p', folder], {
      cwd: ROOT,
      encoding: 'utf8',
    });
    expect(checked).toMatchObject({ stdout: '', status: 0 });
  },
  120_000,
);

test.each(inLanguage('sql'))('$page: SQL that ClickHouse answers', async ({ code }) => {
  const { client, drop } = await testClickHouse({ schemas: ['raw-events'] });
  try {
    const rejected = (id: string, payload: string) => ({
      ...{ kind: 'dropped', reason: 'missing_id', raw_event_id: id, tenant_id: 't1', payload },
    });
    const values = [rejected('a', '{}'), rejected('a', '{}'), rejected('b', '{}')];
    await client.insert({ table: 'raw_events_dead_letters', values, format: 'JSONEachRow' });
    const answer = await client.query({ query: code, format: 'JSONCompactEachRow' });
    expect(await answer.json()).toEqual([['missing_id', 2, '{}']]);
  } finally {
    await drop();
  }
});

describe('run on a ledger of their own', () => {
  let env: NodeJS.ProcessEnv | undefined;
  beforeAll(() => {
    const { url, prefix } = testRedis();
    const { PATH, HOME } = process.env;
    env = { PATH, HOME, SKEIN_REDIS_URL: url, SKEIN_REDIS_PREFIX: `{${prefix}}`, SKEIN_LOG_LEVEL: 'warn' };
  });
  afterAll(async () => {
    if (env === undefined) return; // there is no Redis, which was said
    const redis = new Redis(env.SKEIN_REDIS_URL ?? '');
    const keys = await redis.keys(`${env.SKEIN_REDIS_PREFIX}:*`);
    if (keys.length > 0) await redis.del(...keys);
    redis.disconnect();
  });

  test.each(skein.filter(({ words }) => words[1] === 'sql'))('$line', ({ words }) => {
    const ran = spawnSync(process.execPath, [...SKEIN, ...words.slice(1)], { cwd: ROOT, env, encoding: 'utf8' });
    expect(ran).toMatchObject({ status: 0, stderr: '' });
  });

  test('docs/api.md: what curl is shown to do', async () => {
    const server = spawn(process.execPath, [...SKEIN, 'server', '--port', '0'], { cwd: ROOT, env });
    try {
      const url = await new Promise<string>((resolve, reject) => {
        let text = '';
        server.stdout.on('data', (chunk: Buffer) => {
          text += chunk.toString();
          const found = /http:\/\/[\w.:]+/.exec(text)?.[0];
          if (found) resolve(found.replace('http://', ''));
        });
        server.once('close', () => reject(new RangeError(`the server ended: ${text}`)));
      });
      const asked = commands.filter(({ page, words }) => page === 'docs/api.md' && words[0] === 'curl');
      expect(asked.length).toBe(4);
      let run = '';
      for (const { words } of asked) {
        const args = words.slice(1).map((word) => word.replace('localhost:3070', url).replace('01K…', run));
        const answer = spawnSync('curl', [...args, '--fail-with-body', '--max-time', '2'], { encoding: 'utf8' });
        // The stream of events does not end; curl's time does.
        expect([answer.status, answer.stdout]).toEqual([words.includes('-sN') ? 28 : 0, expect.anything()]);
        run ||= (JSON.parse(answer.stdout) as { run_id: string }).run_id;
      }
    } finally {
      const ended = new Promise((resolve) => server.once('close', resolve));
      server.kill('SIGTERM');
      await ended;
    }
  });
});

const SKEIN = ['-C', 'source', '--import', 'tsx', path.join(ROOT, 'packages/orchestrator/bin/skein.mjs')];
const folders: string[] = [];
afterAll(() => folders.forEach((folder) => rmSync(folder, { recursive: true, force: true })));

/** Inside the checkout, so that packages are found. */
function scratch(): string {
  mkdirSync(path.join(ROOT, '.cache'), { recursive: true });
  const folder = mkdtempSync(path.join(ROOT, '.cache/docs-'));
  folders.push(folder);
  return folder;
}

function withoutBlocks(page: string): string {
  return readFileSync(path.join(ROOT, page), 'utf8').replace(/```\w+\n[^]*?\n```/g, '');
}

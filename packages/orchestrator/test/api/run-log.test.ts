import { gunzipSync } from 'node:zlib';

import { parseLogPattern } from '../../src/api/reads/log-pattern.ts';
import { LINES_A_LOOK, type Wanted, lookInRunLog, sift } from '../../src/engine/reads/look-in-log.ts';
import { tailRunLog } from '../../src/engine/reads/run-events.ts';
import { closeApis, openApi } from './harness.ts';

afterEach(closeApis);

/** A run with a log of its own making: what a worker would have written, a line a millisecond or several. */
async function withLog(lines: number) {
  const api = await openApi();
  const { run_id: id } = (await api.post('/api/v1/launch', { job: 'events_job', partitions: ['1_2024-01-15'] })).body;
  const pipeline = api.engine.redis.pipeline();
  const key = api.engine.keys.runLog(String(id));
  for (let i = 1; i <= lines; i++) {
    const level = i % 100 === 0 ? 'error' : 'info';
    pipeline.xadd(
      key,
      `${1_000 + Math.floor(i / 3)}-${i % 3}`,
      'l',
      level,
      'm',
      `line ${i}`,
      'f',
      '{}',
      'u',
      'a',
      'at',
      i,
    );
  }
  await pipeline.exec();
  const window = async (query: string) => {
    const { status, body } = await api.get(`/api/v1/runs/${String(id)}/log/window?${query}`);
    expect(status).toBe(200);
    const items = body.items as unknown as { id: string; message: string }[];
    return {
      ids: items.map((one) => one.id),
      numbers: items.map((one) => Number(one.message.slice(5))),
      total: Number(body.total),
      sides: [String(body.has_before), String(body.has_after)],
    };
  };
  return { api, id: String(id), window };
}

const range = (from: number, to: number) => Array.from({ length: to - from + 1 }, (_, i) => from + i);

test('a window is read from the end, backwards, forwards and around a line, without a gap or a repetition', async () => {
  const { window } = await withLog(5_000);
  const end = await window('limit=10');
  expect(end).toMatchObject({ numbers: range(4_991, 5_000), total: 5_000, sides: ['true', 'false'] });
  const older = await window(`limit=10&before=${end.ids[0] ?? ''}`);
  expect(older).toMatchObject({ numbers: range(4_981, 4_990), sides: ['true', 'true'] });
  const newer = await window(`limit=10&after=${older.ids.at(-1) ?? ''}`);
  expect(newer.numbers).toEqual(end.numbers);
  const start = await window('limit=3&start=true');
  expect(start).toMatchObject({ numbers: [1, 2, 3], sides: ['false', 'true'] });
  // The first of its millisecond, and one in the middle.
  for (const line of [start.ids[2] ?? '', older.ids[4] ?? '']) {
    const around = await window(`limit=6&around=${line}`);
    expect(around.ids).toContain(line);
    const [first = 0] = around.numbers;
    expect(around.numbers).toEqual(range(first, first + around.numbers.length - 1));
  }
});

test('a level hides lines on both sides', async () => {
  const { window, api, id } = await withLog(5_000);
  const errors = await window('limit=3&level=error');
  expect(errors.numbers).toEqual([4_800, 4_900, 5_000]);
  expect((await window(`limit=2&level=error&before=${errors.ids[0] ?? ''}`)).numbers).toEqual([4_600, 4_700]);
  expect((await window(`limit=2&level=error&after=${errors.ids[0] ?? ''}`)).numbers).toEqual([4_900, 5_000]);
  for (const place of ['before=nonsense', 'around=02717', 'before=1-01'])
    expect((await api.get(`/api/v1/runs/${id}/log/window?${place}`)).status).toBe(400);
  expect((await window('before=0-0')).numbers).toEqual([]);
  expect((await window('around=0-0&limit=2')).numbers).toEqual([1]);
  expect((await window('around=673363302822&limit=2')).numbers).toEqual([5_000]);
  expect((await api.get('/api/v1/runs/01UNKNOWN/log/window')).status).toBe(404);
});

test('finding in a large log goes on from answer to answer until all of it was looked at', async () => {
  const { api, id } = await withLog(60_000);
  const found: number[] = [];
  let [lines, after]: [number, string | null] = [0, null];
  do {
    const { status, body } = await api.get(
      `/api/v1/runs/${id}/log/find?q=LINE%204999&limit=100${after === null ? '' : `&after=${after}`}`,
    );
    expect(status).toBe(200);
    found.push(...(body.items as unknown as { line: number }[]).map((one) => one.line + lines));
    lines += Number(body.lines);
    after = body.next as unknown as string | null;
  } while (after !== null);
  const [step] = (await api.get(`/api/v1/runs/${id}/log/find?level=error`)).body.stretches as unknown as object[];
  expect(step).toEqual({ last: '1333-1', lines: 1_000, hits: 10 });
  expect(lines).toBe(60_000);
  expect(found).toEqual([4_999, ...range(49_990, 49_999)]);
});

test('Redis sifts lines as lines that were read elsewhere are sifted: by level, by text in any case, in both ways', async () => {
  const { api, id } = await withLog(1_500);
  const { engine } = api;
  const odd = ['ÄRGER im Lager', 'ärger', '100% [a-z]+ (x)', 'שלום', 'line 7 🚀'];
  for (const [i, message] of odd.entries()) {
    const fields = JSON.stringify({ note: `Fields ${i}`, level: 'error' });
    await engine.redis.xadd(
      engine.keys.runLog(id),
      '*',
      ...['l', i === 0 ? 'warn' : 'debug', 'm', message, 'f', fields, 'u', 'a', 'at', '1'],
    );
  }
  const all = await tailRunLog(engine, id, 2_000);
  const asked: Wanted[] = [
    ...([undefined, 'debug', 'info', 'warn', 'error'] as const).map((level) => ({ level })),
    ...['LINE 7', 'Ärger', '% [A-Z]+ (', 'שלום', '🚀', 'FIELDS 3', 'nowhere', '"level"'].map((text) => ({ text })),
    { level: 'warn', text: 'ärger' },
    ...['line \\d00 ', '^line 7 ', '[א-ת]+'].map((q) => ({ pattern: parseLogPattern(q) })),
    ...['a', 'a.', 'b'].map((attempt) => ({ attempt })),
  ];
  const counts: number[] = [];
  for (const wanted of asked) {
    for (const isBackwards of [false, true]) {
      const lines = isBackwards ? all.toReversed() : all;
      const first = await lookInRunLog(engine, id, { from: undefined, isBackwards }, wanted, 20);
      expect(first).toEqual(await sift(lines.slice(0, LINES_A_LOOK), wanted, 20));
      const rest = await lookInRunLog(engine, id, { from: first.last, isBackwards }, wanted, 20);
      expect(rest).toEqual(await sift(lines.slice(LINES_A_LOOK), wanted, 20));
      counts.push(first.wanted + rest.wanted);
    }
  }
  expect(counts).toEqual(
    [1_505, 1_505, 1_501, 16, 15, 112, 2, 1, 1, 1, 1, 0, 5, 1, 9, 2, 1, 1_505, 0, 0].flatMap((n) => [n, n]),
  );
});

test('an expression that holds a backtracking engine up takes no time; one that RE2 has not is refused in words', async () => {
  const { api, id } = await withLog(2_000);
  const find = (q: string) => api.get(`/api/v1/runs/${id}/log/find?regex=true&q=${encodeURIComponent(q)}`);
  const { engine } = api;
  const long = ['l', 'info', 'm', `${'a'.repeat(60_000)}!`, 'f', '{}', 'u', 'a', 'at', '1'];
  for (let i = 0; i < 20; i++) await engine.redis.xadd(engine.keys.runLog(id), '*', ...long);
  expect((await find('(a+)+$')).body).toMatchObject({ hits: 0, lines: 2_020, next: null });
  expect((await find('^line 1\\d{2}9 ')).body).toMatchObject({
    hits: 100,
    stretches: [{ hits: 0 }, { hits: 100 }, {}],
  });
  for (const q of ['(', '(?=x)', '(a)\\1', 'x{1000}{1000}', `${'x{900}'.repeat(4)}`]) {
    const { status, body } = await find(q);
    expect([status, String(body.detail).includes('expression')]).toEqual([400, true]);
  }
});

test('kinds of lines are counted, what varies in them masked', async () => {
  const { api, id } = await withLog(2_500);
  expect((await api.get(`/api/v1/runs/${id}/log/templates`)).body).toEqual({
    lines: 2_500,
    is_whole: true,
    items: [
      { pattern: 'line <n>', level: 'info', count: 2_475, example: 'line 1' },
      { pattern: 'line <n>', level: 'error', count: 25, example: 'line 100' },
    ],
  });
});

test('the whole log comes as a file, piece by piece, as text or JSON lines, and only what is wanted', async () => {
  const { api, id } = await withLog(2_500);
  const text = await api.get(`/api/v1/runs/${id}/log/file`);
  expect(text.headers['content-disposition']).toBe(`attachment; filename="${id}.log.txt"`);
  const lines = text.text.trimEnd().split('\n');
  expect([lines.length, lines[0], lines[2_499]]).toEqual([
    2_500,
    '1970-01-01T00:00:00.001Z info  line 1',
    '1970-01-01T00:00:02.500Z error line 2500',
  ]);
  const packed = await api.get(`/api/v1/runs/${id}/log/file?format=jsonl&level=error`, {
    headers: { 'accept-encoding': 'gzip' },
  });
  const errors = gunzipSync(packed.raw).toString().trimEnd().split('\n');
  expect([packed.headers['content-encoding'], errors.length, JSON.parse(errors[0] ?? '')]).toMatchObject([
    'gzip',
    25,
    { message: 'line 100', level: 'error' },
  ]);
});

import { createProcessLog } from '../../src/telemetry/process-log.ts';

const written = (pretty: boolean, level: 'info' | 'silent' = 'info') => {
  const lines: string[] = [];
  const env = { DB_PASSWORD: 'hunter-two', SKEIN_REDIS_URL: 'redis://u:p%40ssword@h:1' };
  return { lines, log: createProcessLog({ level, env, pretty, write: (line) => void lines.push(line) }) };
};

test('a line is one JSON object with level, time and fields, and no secret in any of its parts', () => {
  const { lines, log } = written(false);
  log.info('connected with hunter-two', { url: 'redis://u:p%40ssword@h:1', deep: { list: ['hunter-two'] }, rows: 10n });
  log.error('failed', { error: new TypeError('bad p@ssword'), message: 'a field of its own' });
  log.debug('not at this level');
  expect(lines).toHaveLength(2);
  expect(JSON.parse(lines[0] ?? '')).toMatchObject({
    level: 'info',
    time: expect.stringMatching(/^\d{4}-.*Z$/),
    message: 'connected with ***',
    deep: { list: ['***'] },
    rows: '10',
  });
  expect(JSON.parse(lines[1] ?? '')).toMatchObject({ level: 'error', error: 'bad ***' });
  expect(lines.join('')).not.toMatch(/hunter|ssword/);
});

test('circles are cut, and control characters cannot forge a line', () => {
  const { lines, log } = written(false);
  const circle: Record<string, unknown> = { name: 'a\n{"level":"error"}' };
  circle.self = circle;
  log.warn('odd', { circle });
  expect(lines.join('').trimEnd().split('\n')).toHaveLength(1);
});

test('on a terminal lines are readable', () => {
  const { lines, log } = written(true);
  log.warn('slow', { ms: 12, what: 'query' });
  expect(lines).toEqual([expect.stringMatching(/^\d\d:\d\d:\d\d\.\d{3} warn {2}slow ms=12 what=query\n$/)]);
  const silent = written(true, 'silent');
  silent.log.error('nothing');
  expect(silent.lines).toEqual([]);
});

test('what is written for people forges no line and moves no cursor; what is too long is cut', () => {
  const { lines, log } = written(true);
  log.error('bad\n00:00:00.000 info  all is well\u001b[2J', { key: '\u001b]8;;https://evil.example\u0007a\nb' });
  expect(lines).toHaveLength(1);
  expect(lines[0]?.trimEnd()).not.toMatch(/[\u0000-\u001f]/);
  const plain = written(false);
  plain.log.error('x'.repeat(10_000_000), {
    text: 'y'.repeat(10_000_000),
    error: new TypeError('z'.repeat(10_000_000)),
  });
  plain.log.info('\u001b[2J\n{"level":"error"}', { key: '\r\n\u009b' });
  expect(plain.lines).toHaveLength(2);
  expect(Buffer.byteLength(plain.lines[0] ?? '')).toBeLessThan(140_000);
  expect(plain.lines[0]).toContain('bytes cut');
  expect(plain.lines[1]?.trimEnd()).not.toMatch(/[\u0000-\u001f]/);
});

import { readFileSync } from 'node:fs';
import path from 'node:path';

import { askedForAtMs } from '../../src/raw-events/reprocess-day.ts';
import { type World, WHOLE_DAY, openWorld } from './world.ts';

const FOLDER = path.resolve(__dirname, '../../../../infra/prometheus');
const RULES = path.join(FOLDER, 'raw-events.rules.yml');
const rules = readFileSync(RULES, 'utf8');

let world: World;
beforeAll(async () => {
  world = await openWorld();
});
afterAll(() => world.close());

test('the rules speak only of counters that a run really counts', async () => {
  await world.insert([{ id: '1' }, { id: '2', payload: '{}' }]);
  const run = await world.run(WHOLE_DAY);
  const named = new Set(rules.match(/skein_raw_events_\w+_total/g));
  expect([...named].filter((name) => !run.counters.has(name))).toEqual([]);
  expect(named.size).toBe(6);
});

test('the four alerts of the original, with its thresholds, by name in the page', () => {
  const page = readFileSync(path.resolve(__dirname, '../../../../docs/jobs/raw-events.md'), 'utf8');
  const names = [...rules.matchAll(/- alert: (\w+)/g)].map(([, name = '']) => name);
  expect(names).toHaveLength(4);
  expect(names.filter((name) => !page.includes(`\`${name}\``))).toEqual([]);
  for (const condition of [
    'success_ratio:rate15m < 0.9',
    'error_ratio:rate15m > 0.05',
    'publish_failure_ratio:rate15m > 0.01',
    'overdue_batches_total[15m])) > 0',
  ]) {
    expect(rules).toContain(condition);
  }
});

test('promtool’s tests, which the deployment’s tests run, expect each alert to fire', () => {
  const tests = readFileSync(path.join(FOLDER, 'raw-events.test.yml'), 'utf8');
  const fired = [...tests.matchAll(/alertname: (\w+)\n\s+exp_alerts:/g)].map(([, name]) => name);
  expect(fired.sort()).toEqual([...rules.matchAll(/- alert: (\w+)/g)].map(([, name]) => name).sort());
});

test('the hour of a run is counted from its id', () => {
  expect(askedForAtMs('01ARZ3NDEKTSV4RRFFQ69G5FAV')).toBe(1_469_922_850_259);
});

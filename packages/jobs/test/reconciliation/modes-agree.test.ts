/** On real ClickHouse: both modes find the same differences in random event histories, and so does the plain model. */

import { randomUUID } from 'node:crypto';

import { canonicalJson } from '../../src/reconciliation/json-text.ts';
import { findDiffs, findDiffsInWindows } from '../../src/reconciliation/find-diffs.ts';
import { createPersonReads } from '../../src/reconciliation/person-reads.ts';
import type { PersonDiff } from '../../src/reconciliation/replay.ts';
import { createTeamLog } from '../../src/reconciliation/team-log.ts';
import { HOUR_MS, NOW, START, eventIds, holdsForMany, load, model, resolvedOperations, scenario } from './histories.ts';
import { type World, openWorld } from './world.ts';

const RUNS = Number(process.env.SKEIN_FUZZ_HISTORIES ?? 25);

let world: World;
beforeAll(async () => void (world = await openWorld()));
afterAll(() => world.close());

test(
  'both modes and the model agree on random histories',
  async () => {
    let teams = 1_000;
    let changes = 0;
    await holdsForMany(scenario, RUNS, async (s) => {
      const team = ++teams;
      const ids = s.persons.map(() => randomUUID());
      await load(world, team, ids, s);
      const expected = model(s);
      const log = createTeamLog({ debug() {}, info() {}, warn() {}, error() {} }, team);
      const signal = new AbortController().signal;
      const search = {
        reads: createPersonReads(world.clickhouse, team, signal),
        log,
        signal,
        start: START,
        now: NOW,
        repairMissingKeys: s.repair,
      };
      const single: PersonDiff[] = [];
      for await (const block of findDiffs(search)) single.push(...block);
      const windowed = async (end: Date) => {
        const found: PersonDiff[] = [];
        for await (const slice of findDiffsInWindows({
          ...search,
          end,
          windowSeconds: s.windowHours * 3600,
          personBatchSize: s.sliceSize,
        }))
          found.push(...slice.diffs);
        return found;
      };
      const plain = (diffs: readonly PersonDiff[]) =>
        Object.fromEntries(
          diffs.map((diff) => [
            (ids as readonly string[]).indexOf(diff.personId),
            {
              version: Number(diff.version),
              changes: diff.changes.map((c) => [
                c.key,
                c.operation,
                c.value === null ? null : canonicalJson(c.value),
                c.at,
              ]),
            },
          ]),
        );
      expect(plain(single)).toEqual(expected);
      changes += single.reduce((sum, diff) => sum + diff.changes.length, 0);
      expect(plain(await windowed(NOW))).toEqual(expected);
      const end = new Date(START.getTime() + (s.endHalf * HOUR_MS) / 2);
      const affected = new Set(
        resolvedOperations(s)
          .filter((o) => o.at < end.toISOString().slice(0, 19).replace('T', ' '))
          .map((o) => o.person),
      );
      expect(plain(await windowed(end))).toEqual(
        Object.fromEntries(Object.entries(expected).filter(([person]) => affected.has(Number(person)))),
      );
    });
    // Histories without differences would prove nothing.
    expect(changes).toBeGreaterThan(0);
  },
  120_000 + RUNS * 10_000,
);

test('the order of event ids in the model is ClickHouse’s', async () => {
  const rows = await world.clickhouse.rows<{ id: string }>(
    'SELECT toString(arrayJoin({ids:Array(UUID)}) AS u) AS id ORDER BY u',
    { params: { ids: eventIds } },
  );
  expect(eventIds).toEqual(rows.map((row) => row.id));
});

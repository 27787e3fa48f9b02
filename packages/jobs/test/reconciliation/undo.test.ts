/**
 * Random histories through the whole asset and back, on real PostgreSQL and ClickHouse: both modes leave every person as
 * a model in memory says, whatever PostgreSQL held meanwhile, ClickHouse follows, and a restore gives the original state.
 */

import { randomUUID } from 'node:crypto';

import { runAsset } from '@skein/orchestrator/testing';
import fc from 'fast-check';

import { canonicalJson, splitMembers } from '../../src/reconciliation/json-text.ts';
import { personPropertyReconciliationRestore } from '../../src/reconciliation/restore/asset.ts';
import { type ExpectedDiff, NOW, holdsForMany, load, members, model, object, scenario } from './histories.ts';
import { type World, openWorld } from './world.ts';

const RUNS = Number(process.env.SKEIN_FUZZ_HISTORIES ?? 5);

let world: World;
beforeAll(async () => void (world = await openWorld()));
afterAll(() => world.close());

type Members = Record<string, string>;

/** What PostgreSQL holds of a person: as ClickHouse, or other keys, or another version, or nothing at all. */
const row = fc.record({
  exists: fc.constantFrom(true, true, true, false),
  /** Over the keys of ClickHouse’s person, of which the first few are removed. */
  differs: fc.option(members),
  removes: fc.nat(2),
  ahead: fc.constantFrom(0, 0, 0, 2, -1),
  metadata: fc.option(members),
});
type Row = typeof row extends fc.Arbitrary<infer T> ? T : never;

interface State {
  readonly properties: Members;
  readonly updatedAt: Members;
  readonly operation: Members;
  readonly version: number;
}

function stateOf(r: Row, ofClickHouse: Members, version: number): State {
  const kept = Object.entries(ofClickHouse).filter((_, i) => r.differs === null || i >= r.removes);
  const metadata = Object.fromEntries(Object.keys(r.metadata ?? {}).map((key) => [key, '"before"']));
  return {
    properties: { ...Object.fromEntries(kept), ...r.differs },
    updatedAt: metadata,
    operation: metadata,
    version: Math.max(0, version + r.ahead),
  };
}

/** The rules of the reference, in plain words; undefined when nothing changes. */
function reconciled(before: State, ofClickHouse: Members, diff: ExpectedDiff): State | undefined {
  const after = {
    properties: { ...before.properties },
    updatedAt: { ...before.updatedAt },
    operation: { ...before.operation },
  };
  let taken = 0;
  for (const [key, operation, value, at] of diff.changes) {
    const theirs = before.properties[key];
    const base = ofClickHouse[key];
    const same = canonicalJson(theirs ?? 'null') === canonicalJson(base ?? 'null');
    // Of another version, what PostgreSQL changed by itself stays; an unset needs something that it can take away.
    if (before.version !== diff.version && (!same || (operation === 'unset' && theirs === undefined))) continue;
    if (operation === 'set_once' && base === undefined && theirs !== undefined) continue;
    taken++;
    if (value === null) {
      for (const map of Object.values(after)) Reflect.deleteProperty(map, key);
      continue;
    }
    after.properties[key] = value;
    after.updatedAt[key] = `"${at.replace(' ', 'T').replace('.000000', '')}+00:00"`;
    after.operation[key] = `"${operation}"`;
  }
  return taken === 0 ? undefined : { ...after, version: Math.max(before.version, diff.version) + 1 };
}

async function store(team: number, uuid: string, state: State): Promise<void> {
  await world.db.query(
    `INSERT INTO posthog_person (created_at, properties, properties_last_updated_at, properties_last_operation, uuid, version, team_id)
     VALUES ('2026-01-01', $1::jsonb, $2::jsonb, $3::jsonb, $4, $5, $6)`,
    [object(state.properties), object(state.updatedAt), object(state.operation), uuid, state.version || null, team],
  );
}

/** As they are in PostgreSQL, by number; values in their canonical form. */
async function stored(team: number, ids: readonly string[]) {
  const { rows } = await world.db.query<{ uuid: string; p: string; u: string; o: string; v: string }>(
    `SELECT uuid, properties::text AS p, properties_last_updated_at::text AS u, properties_last_operation::text AS o,
       coalesce(version, 0) AS v FROM posthog_person WHERE team_id = $1`,
    [team],
  );
  return new Map(rows.map(({ uuid, p, u, o, v }) => [ids.indexOf(uuid), { maps: [p, u, o].map(canonicalJson), v }]));
}

const mapsOf = (state: State) =>
  [state.properties, state.updatedAt, state.operation].map((map) => canonicalJson(object(map)));
/** A null that was taken away is not brought back by `keep_newer`: to it null and missing are the same. */
const withoutNulls = (properties = '') =>
  object(Object.fromEntries([...splitMembers(properties)].filter(([, value]) => value !== 'null')));

const MODES = [
  [{}, 'full_overwrite'],
  [{ team_ch_props_fetch_window_seconds: 36_000, person_batch_size: 2 }, 'keep_newer'],
] as const;

test(
  'random histories: both modes do what the model says, and a restore gives the original state',
  async () => {
    let teams = 5_000;
    let restored = 0;
    const both = fc.tuple(scenario, fc.array(row, { minLength: 6, maxLength: 6 }));
    await holdsForMany(both, RUNS, async ([s, rows]) => {
      const expected = model(s);
      for (const [mode, conflict_resolution] of MODES) {
        const team = ++teams;
        const ids = s.persons.map(() => randomUUID());
        await load(world, team, ids, s);
        const before = new Map<number, State>();
        for (const [i, r] of rows.entries()) {
          const person = s.persons[i];
          if (!r.exists || !person) continue;
          before.set(i, stateOf(r, person.members, person.version));
          await store(team, ids[i] ?? '', stateOf(r, person.members, person.version));
        }
        const original = await stored(team, ids);

        const window = { bug_window_start: '2026-01-01 00:00:00', bug_window_end: '2026-01-04 00:00:00' };
        const config = { ...window, ...mode, team_ids: [team], batch_size: 2, repair_missing_keys: s.repair };
        const run = await world.run(config, { now: NOW, runId: `repair-${team}` });
        const after = await stored(team, ids);
        let updated = 0;
        for (const [i, state] of before) {
          const diff = expected[i];
          const becomes = diff && reconciled(state, s.persons[i]?.members ?? {}, diff);
          if (becomes) updated++;
          expect(after.get(i)).toEqual({ maps: mapsOf(becomes ?? state), v: String((becomes ?? state).version) });
          if (!becomes) continue;
          const seen = await world.chState(ids[i] ?? '');
          expect([canonicalJson(seen?.text ?? ''), seen?.version]).toEqual([mapsOf(becomes)[0], becomes.version]);
        }
        expect(run).toMatchObject({ status: 'SUCCESS', result: { persons_updated: updated } });
        expect(run.result).toMatchObject({ persons_processed: Object.keys(expected).length });
        if (updated === 0) continue;

        const undone = await runAsset(personPropertyReconciliationRestore, {
          config: { job_id: `repair-${team}`, conflict_resolution },
          runId: `undo-${team}`,
          now: NOW,
          resources: { clickhouse: world.clickhouse, personsDb: world.personsDb, kafka: world.publisher },
        });
        expect(undone.status).toBe('SUCCESS');
        for (const [i, { maps }] of await stored(team, ids)) {
          const [is, was] = [maps, original.get(i)?.maps ?? []];
          if (conflict_resolution === 'full_overwrite') expect(is).toEqual(was);
          else expect(withoutNulls(is[0])).toEqual(withoutNulls(was[0]));
        }
        restored += updated;
      }
    });
    // Histories without changes would prove nothing.
    expect(restored).toBeGreaterThan(0);
  },
  120_000 + RUNS * 10_000,
);

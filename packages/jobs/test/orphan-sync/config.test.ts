/** Config, messages, checkpoints and verdicts: what is decided without any service. */

import type { Json } from '@skein/orchestrator';
import { parseBySchema } from '@skein/orchestrator';
import fc from 'fast-check';

import { syncPersonDistinctIds } from '../../src/orphan-sync/asset.ts';
import { OrphanSyncConfig, bindTeam, rehearsalReason, scanOfToday } from '../../src/orphan-sync/config.ts';
import { ZERO, add, asMetadata } from '../../src/orphan-sync/counters.ts';
import { mappingMessage, tombstoneMessage } from '../../src/orphan-sync/messages.ts';
import { judge } from '../../src/orphan-sync/read-back.ts';
import { MAX_PERSONS_IN_FLIGHT, loadResumePoint, storeResumePoint } from '../../src/orphan-sync/resume-point.ts';

const parse = (input: unknown) =>
  parseBySchema(OrphanSyncConfig, input, 'config of sync_person_distinct_ids') as OrphanSyncConfig;

test('the defaults are the seed’s', () => {
  expect(parse({})).toEqual({
    batch_size: 100,
    dry_run: true,
    delete_ch_only_orphans: false,
    categorize_orphans: false,
    limit: null,
    person_ids: null,
  });
});

test.each([
  [{ unknown: 1 }, /unknown: is not a known key/],
  [{ team_id: 0 }, /team_id: must be positive/],
  [{ team_id: '1' }, /team_id: must be a whole number/],
  [{ batch_size: 0 }, /batch_size: must be at least 1/],
  [{ batch_size: 1.5 }, /batch_size: must be a whole number/],
  [{ batch_size: 100_001 }, /batch_size: must be at most 100000/],
  [{ dry_run: 'yes' }, /dry_run: must be true or false/],
  [{ limit: 0 }, /limit: must be at least 1, or null for no limit/],
  [{ person_ids: [] }, /person_ids: must name at least one person, or be null for all/],
  [{ person_ids: ['uuid-1'] }, /person_ids\.0: is not a UUID/],
  [{ person_ids: 'all' }, /person_ids: must be a list of UUIDs or null/],
  [{ delete_ch_only_orphans: true }, /delete_ch_only_orphans: requires categorize_orphans/],
  [
    { delete_ch_only_orphans: true, dry_run: true, limit: 0 },
    /limit: .*; delete_ch_only_orphans: requires categorize_orphans/,
  ],
])('%j is refused by field', (input, message) => {
  expect(() => parse(input)).toThrow(message);
});

test('the team comes from the partition, or names today’s', () => {
  const day = '2026-11-24';
  expect(bindTeam(parse({}), [{ id: 7, day }]).team_id).toBe(7);
  expect(bindTeam(parse({ team_id: 7 }), [{ id: 7, day }]).team_id).toBe(7);
  expect(() => bindTeam(parse({ team_id: 8 }), [{ id: 7, day }])).toThrow(
    /team_id: it is 8, but the partition is of team 7/,
  );
  expect(() =>
    bindTeam(parse({}), [
      { id: 7, day },
      { id: 9, day },
    ]),
  ).toThrow(/team_id: the partitions are of teams 7 and 9/);
  expect(scanOfToday(parse({ team_id: 7 }), new Date('2026-11-24T23:59:59.999Z'))).toEqual(['7_2026-11-24']);
  expect(() => scanOfToday(parse({}), new Date())).toThrow(/team_id: say which team/);
});

test('only a whole, real scan settles the partition', () => {
  const rehearses = (input: Json) => syncPersonDistinctIds.isRehearsal(parse(input));
  expect(rehearses({})).toBe(true);
  expect(rehearses({ dry_run: false })).toBe(false);
  expect(rehearses({ dry_run: false, limit: 3 })).toBe(true);
  expect(rehearses({ dry_run: false, person_ids: ['018f3c5e-0000-7000-8000-000000000001'] })).toBe(true);
  expect(rehearsalReason(parse({ dry_run: false, limit: 3 }))).toBe('limit: at most 3 orphans were treated');
});

test('messages have the fields and types of the topics, and any text survives', () => {
  const personId = '018f3c5e-0000-7000-8000-000000000001';
  fc.assert(
    fc.property(
      fc.string({ unit: 'binary' }).filter((text) => text.isWellFormed()),
      fc.bigInt({ min: 0n, max: 2n ** 63n - 1n }),
      (distinctId, version) => {
        const text = String(mappingMessage(2, { personId, distinctId, version: String(version) }).value);
        expect(text).toMatch(/^[\x00-\x7f]*$/);
        expect(text).toContain(`"version":${version},`);
        expect(JSON.parse(text)).toMatchObject({
          distinct_id: distinctId,
          person_id: personId,
          team_id: 2,
          is_deleted: 0,
        });
      },
    ),
  );
  const state = { personId, version: '9007199254740993', isDeleted: false, createdAt: '2020-02-29 12:00:00.120' };
  expect(tombstoneMessage(2, state, new Date('2026-11-24T01:02:03.456Z')).value).toBe(
    `{"id":"${personId}","team_id":2,"properties":"{}","is_identified":0,"is_deleted":1,"created_at":"2020-02-29 12:00:00.120000","version":9007199254740994,"_timestamp":"2026-11-24 01:02:03"}`,
  );
});

test('a checkpoint reads back as it was, fits, and a foreign one is ignored', () => {
  const position = { created_at: '2024-01-01 00:00:00.001', person_id: '018f3c5e-0000-7000-8000-000000000001' };
  fc.assert(
    fc.property(fc.array(fc.uuid(), { maxLength: 50 }), fc.nat(), (personIds, n) => {
      const point = {
        counters: add(ZERO, { total_orphaned_persons: n }),
        done: position,
        inFlight: { personIds, end: position },
        readBack: null,
      };
      expect(loadResumePoint(JSON.parse(JSON.stringify(storeResumePoint(point))) as Json)).toEqual(point);
    }),
  );
  const full = {
    counters: ZERO,
    done: position,
    inFlight: { personIds: Array.from({ length: MAX_PERSONS_IN_FLIGHT }, () => position.person_id), end: position },
    readBack: position,
  };
  expect(JSON.stringify(storeResumePoint(full)).length).toBeLessThan(64 * 1024);
  for (const foreign of [undefined, null, {}, { v: 2 }, 'x']) expect(loadResumePoint(foreign as Json)).toBeUndefined();
});

test('would-be tombstones are never reported as done', () => {
  const counters = add(ZERO, { tombstones: 3, persons_ch_only: 3 });
  const config = { ...parse({ categorize_orphans: true, delete_ch_only_orphans: true }), team_id: 1 };
  expect(asMetadata(config, counters)).toMatchObject({ persons_marked_deleted: 0, persons_would_be_marked_deleted: 3 });
  expect(asMetadata({ ...config, dry_run: false }, counters)).toMatchObject({ persons_marked_deleted: 3 });
  expect(asMetadata({ ...config, dry_run: false }, counters)).not.toHaveProperty('persons_would_be_marked_deleted');
  expect(asMetadata(config, counters)).not.toHaveProperty('tombstones');
});

test.each([
  ['nothing there', undefined, false, 'missing'],
  ['an older row', { personId: 'p', version: 1n, isDeleted: false }, false, 'missing'],
  ['an older row, late', { personId: 'p', version: 1n, isDeleted: false }, true, 'missing'],
  ['itself', { personId: 'p', version: 2n, isDeleted: false }, false, 'arrived'],
  ['a newer one that says the same', { personId: 'p', version: 3n, isDeleted: false }, false, 'arrived'],
  ['a newer tombstone', { personId: 'p', version: 3n, isDeleted: true }, false, 'superseded'],
  ['a newer move', { personId: 'q', version: 3n, isDeleted: false }, false, 'superseded'],
  ['a tie with a tombstone, in time', { personId: 'p', version: 2n, isDeleted: true }, false, 'missing'],
  ['a tie with a tombstone, late', { personId: 'p', version: 2n, isDeleted: true }, true, 'superseded'],
] as const)('read-back: %s', (_name, state, late, verdict) => {
  expect(judge({ personId: 'p', distinctId: 'd', version: '2' }, state, late)).toBe(verdict);
});

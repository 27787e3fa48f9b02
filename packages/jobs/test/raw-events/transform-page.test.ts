import fc from 'fast-check';

import type { RawRow } from '../../src/raw-events/sql.ts';
import { outgoingAt, transformPage } from '../../src/raw-events/transform-page.ts';
import { CASES, profiles } from './cases.ts';

const PAYLOADS = [...CASES.map(({ payload }) => payload), 'null', '', '{', '\u0000'];

const rowOf = (payload: string, i: number): RawRow => ({
  timestamp_ms: '1774051237092',
  id: `row-${i}`,
  external_customer_id: 'c',
  event_name: 'n',
  payload,
});
const pageOf = (rows: readonly RawRow[]) => ({
  environment: 'e1',
  rows,
  end: { environment_id: 'e1', external_customer_id: 'c', timestamp_ms: 0, event_name: 'n', id: 'x' },
});

test('found = published + dropped + errors + failed: each row of any page is exactly one of them, in its place', async () => {
  const page = fc.array(fc.oneof(fc.constantFrom(...PAYLOADS), fc.string({ unit: 'binary' })), { maxLength: 1_200 });
  const kinds = new Set<string>();
  await fc.assert(
    fc.asyncProperty(page, fc.constantFrom(...profiles), async (payloads, profile) => {
      const work = await transformPage(pageOf(payloads.map(rowOf)), 't1', profile);
      const outgoing = work.messages.map((_, i) => outgoingAt(work, i));
      expect([work.positions.length, work.eventIds.length]).toEqual([outgoing.length, outgoing.length]);
      const placed = [...outgoing, ...work.rejected].sort((a, b) => a.position - b.position);
      expect(placed.map(({ position, row }) => [position, row.payload])).toEqual(
        payloads.map((payload, i) => [i + 1, payload]),
      );
      outgoing.forEach(({ eventId }, i) => {
        const { value, headers } = work.messages[i] ?? { value: null };
        expect(JSON.parse(String(value))).toMatchObject({ id: eventId, tenant_id: 't1', environment_id: 'e1' });
        expect(headers?._watermill_message_uuid?.startsWith(`${eventId}-`)).toBe(true);
      });
      for (const { kind } of work.rejected) kinds.add(kind);
    }),
    // Each known payload for sure, whatever chance brings.
    { numRuns: 60, examples: profiles.map((profile) => [PAYLOADS, profile] as [string[], typeof profile]) },
  );
  expect([...kinds].sort()).toEqual(['dropped', 'error', 'failed']);
});

test('a message’s own identity is another one for each message, and for the same event sent again', async () => {
  const good = CASES[0]?.payload ?? '';
  const page = pageOf(Array.from({ length: 2_500 }, (_, i) => rowOf(good, i)));
  const works = await Promise.all([1, 2].map(() => transformPage(page, 't1', 'seed')));
  const identities = works.flatMap(({ messages }) => messages.map(({ headers }) => headers?._watermill_message_uuid));
  expect(new Set(identities).size).toBe(5_000);
  expect(identities.filter((identity) => !/^evt-1-\d{19}-\d{1,19}$/.test(identity ?? ''))).toEqual([]);
});

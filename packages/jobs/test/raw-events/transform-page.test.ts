import fc from 'fast-check';

import type { Page } from '../../src/raw-events/read-pages.ts';
import { openRowMapper } from '../../src/raw-events/row-mapper.ts';
import { messagesOf, outgoingAt, transformPage } from '../../src/raw-events/transform-page.ts';
import { B0, CASES, profiles } from './cases.ts';

// As ClickHouse sends them: no UTF-8 has half of a character.
const PAYLOADS = [...CASES.map(({ payload }) => payload.toWellFormed()), 'null', '', '{', '\u0000'];

const ESCAPES: Readonly<Record<string, string>> = { '\\': '\\\\', '\t': '\\t', '\n': '\\n' };
/** As ClickHouse writes it, of whose escapes only these matter to whoever splits lines and fields. */
const escaped = (text: string) => text.replace(/[\\\t\n]/g, (c) => ESCAPES[c] ?? c);
const lineOf = (payload: string, i: number) => ['1774051237092', `row-${i}`, 'c', 'n', escaped(payload)].join('\t');
/** Some lines to a block, as they come. */
const pageOf = (payloads: readonly string[], linesOfBlock = 100): Page => {
  const lines = payloads.map(lineOf);
  const blocks = [];
  for (let at = 0; at < lines.length; at += linesOfBlock)
    blocks.push(Buffer.from(lines.slice(at, at + linesOfBlock).join('\n')));
  const end = { environment_id: 'e1', external_customer_id: 'c', timestamp_ms: 0, event_name: 'n', id: 'x' };
  return { environment: 'e1', blocks, size: payloads.length, end };
};

const mapper = openRowMapper();
afterAll(() => mapper.close());

test('found = published + dropped + errors + failed: each row of any page is exactly one of them, in its place', async () => {
  const page = fc.array(fc.oneof(fc.constantFrom(...PAYLOADS), fc.string({ unit: 'binary' })), { maxLength: 1_200 });
  const kinds = new Set<string>();
  await fc.assert(
    fc.asyncProperty(page, fc.constantFrom(...profiles), async (payloads, profile) => {
      const work = await transformPage(pageOf(payloads), 't1', profile, mapper);
      const outgoing = outgoingAt(work, [...work.positions.keys()]);
      expect([work.positions.length, work.eventIds.length]).toEqual([outgoing.length, outgoing.length]);
      const placed = [...outgoing, ...work.rejected].sort((a, b) => a.position - b.position);
      expect(placed.map(({ position, row }) => [position, row.payload])).toEqual(
        payloads.map((payload, i) => [i + 1, payload]),
      );
      const messages = messagesOf(work);
      outgoing.forEach(({ eventId }, i) => {
        const { value, headers } = messages[i] ?? { value: null };
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
  const page = pageOf(Array.from({ length: 2_500 }, () => good));
  const works = await Promise.all([1, 2].map(() => transformPage(page, 't1', 'seed', mapper)));
  const identities = works.flatMap((work) => messagesOf(work).map(({ headers }) => headers?._watermill_message_uuid));
  expect(new Set(identities).size).toBe(5_000);
  expect(identities.filter((identity) => !/^evt-1-\d{19}-\d{1,19}$/.test(identity ?? ''))).toEqual([]);
});

test('pages of many days at once: each gets its own rows, in order', async () => {
  const pages = Array.from({ length: 20 }, (_, day) =>
    pageOf(
      Array.from({ length: 30 }, (_, i) => `${day}-${i}`),
      7,
    ),
  );
  const works = await Promise.all(pages.map((page) => transformPage(page, 't1', 'seed', mapper)));
  expect(works.map(({ rejected }) => rejected.map(({ row }) => row.payload))).toEqual(
    pages.map((_, day) => Array.from({ length: 30 }, (_, i) => `${day}-${i}`)),
  );
});

test('a thread that ends fails the pages that wait for it, as a service does, and the next page has another one', async () => {
  const failing = openRowMapper();
  const page = pageOf(['{']);
  const pages = [1, 2].map(() => transformPage(page, 't1', 'seed', failing));
  await failing.close();
  for (const { status, ...outcome } of await Promise.allSettled(pages)) {
    expect({ status, ...outcome }).toMatchObject({
      status: 'rejected',
      reason: { code: 'SERVICE_UNAVAILABLE', retryable: true, message: expect.stringContaining('ended: exit code') },
    });
  }
  expect((await transformPage(page, 't1', 'seed', failing)).rejected).toHaveLength(1);
  await failing.close();
});

test('memory that is given back holds the texts of later pages, and nothing of earlier ones', async () => {
  const valuesOf = (work: Parameters<typeof messagesOf>[0]) => messagesOf(work).map(({ value }) => String(value));
  const event = (id: string) => JSON.stringify({ ...B0, id, data: { ...B0.data, note: id.repeat(40) } });
  const pages = Array.from({ length: 12 }, (_, i) =>
    pageOf(Array.from({ length: 1 + ((i * 701) % 2_000) }, (_, j) => event(`evt-${i}-${j}`))),
  );
  for (const page of pages) {
    const used = await transformPage(page, 't1', 'seed', mapper);
    const values = valuesOf(used);
    mapper.reuse(used.texts);
    expect(used.texts.every(({ bytes }) => bytes.length === 0)).toBe(true);
    const again = await transformPage(page, 't1', 'seed', mapper);
    expect(valuesOf(again)).toEqual(values);
    mapper.reuse(again.texts);
  }
});

/** What people come for, from the first key to what it did in Skein; the main ones by keyboard alone. */

import type { Locator, Page } from 'playwright-core';

import { type Skein, openSkein, press, tabTo, until } from './harness.ts';

let skein: Skein;
let page: Page;

beforeAll(async () => {
  skein = await openSkein();
});
beforeEach(async () => {
  page = await skein.page();
});
afterEach(async () => {
  await page.context().close();
  expect(skein.faults).toEqual([]);
});
afterAll(async () => {
  await skein?.close();
});

interface Cursor {
  readonly cursor: { readonly next: number; readonly until: number; readonly note: string };
  readonly version: number;
}
const cursor = () => skein.api<Cursor>('GET', '/sensors/feed/cursor');
const open = (path: string) => page.goto(skein.url + path);
const button = (name: string | RegExp) => page.getByRole('button', { name });
const dialog = () => page.getByRole('dialog');

/** Goes to a control by Tab, and presses Enter there. */
const enter = async (target: Locator, key?: 'Shift+Tab') => {
  await tabTo(page, target, key);
  await press(page, 'Enter');
};
/** Into the field that has the focus, over what it holds. */
const typeOver = async (text: string) => {
  await press(page, 'Control+a');
  await page.keyboard.type(text);
};
/** Gives the reason that a dialog asks for, where its focus is at once, and confirms. */
const confirmWith = async (reason: string) => {
  await dialog().getByLabel('Reason').and(page.locator(':focus')).waitFor();
  await page.keyboard.type(reason);
  await dialog().locator('button[type=submit]:not([aria-disabled=true])').waitFor(); // what it would do is shown by now
  await press(page, 'Control+Enter');
};

test('reset a cursor by keyboard: its consequences are shown, and the sensor starts over', async () => {
  const evaluate = async (times: number) => {
    for (let i = 0; i < times; i++) {
      const { tick } = await skein.api<{ tick: string }>('POST', '/sensors/feed/evaluate');
      await until(
        () => skein.api<{ ended_at: string | null }>('GET', `/sensors/feed/ticks/${tick}`),
        (one) => one.ended_at !== null,
      );
    }
  };
  await evaluate(2);
  const first = await skein.api<{ items: { id: string }[] }>('GET', '/runs?partition=acme_2026-01-01');
  await open('/');
  await page.getByText('Latest runs').waitFor();
  await press(page, 'g', 's');
  await page.getByRole('heading', { name: 'Sensors', level: 1 }).waitFor();
  await page.getByRole('link', { name: 'feed' }).waitFor();
  await press(page, 'j', 'Enter');
  await enter(page.getByRole('link', { name: 'Cursor', exact: true }));
  await page.getByLabel('next').waitFor();
  await enter(button('Reset…'));
  await dialog()
    .getByText(/would request 3 runs/)
    .waitFor();
  await dialog().getByText('next', { exact: true }).waitFor();
  await press(page, 'Control+Enter'); // without a reason nothing happens
  expect(await dialog().getByRole('button', { name: 'Reset the cursor' }).isDisabled()).toBe(true);
  await confirmWith('the first days were wrong');
  await page.getByText('The cursor is reset').waitFor();
  await button('Reset…').and(page.locator(':focus')).waitFor(); // back to where the dialog was opened
  expect((await cursor()).cursor).toMatchObject({ next: 1 });
  await page.getByRole('cell', { name: 'the first days were wrong' }).waitFor();

  await enter(button('Evaluate now'), 'Shift+Tab');
  const again = await until(
    () => skein.api<{ items: { id: string }[] }>('GET', '/runs?partition=acme_2026-01-01'),
    ({ items }) => items.length > first.items.length,
  );
  expect(again.items[0]?.id).not.toBe(first.items[0]?.id);
  // And the history brings it back, once the page knows what that tick has stored.
  await button(`Restore version ${(await cursor()).version}`).waitFor();
  await enter(button(/Restore version 3/));
  await confirmWith('it was right');
  await page.getByText('Version 3 is back').waitFor();
  expect((await cursor()).cursor.next).toBe(3);
});

test('edit a cursor by keyboard while it moves: nothing is overwritten unseen, both changes are merged', async () => {
  const status = async () => (await skein.api<{ status: string }>('GET', '/sensors/feed')).status;
  await skein.api('POST', '/sensors/feed/start');
  await until(
    () => skein.api<{ running_tick: string | null; next_due_at: string }>('GET', '/sensors/feed'),
    (one) => one.running_tick === null && Date.parse(one.next_due_at) > Date.now() + 60_000,
  );
  await open('/sensors/feed?tab=cursor');
  await tabTo(page, page.getByLabel('until'));
  await typeOver('5');
  await page.getByText('+2').waitFor(); // the diff says by how much
  // With the first edit it is paused, so that it does not move what is edited.
  await until(status, (one) => one === 'STOPPED');
  await page.getByText('Paused. It runs again when you save').waitFor();
  const before = await cursor();
  await skein.api(
    'PUT',
    '/sensors/feed/cursor',
    { cursor: { ...before.cursor, note: 'theirs' }, reason: 'another' },
    { 'if-match': '*' },
  );
  await enter(button('Save…'), 'Shift+Tab');
  await confirmWith('mine');
  await page.getByText(`Not saved: version ${before.version + 1} was written meanwhile`).waitFor();
  await page.getByText('The changes touch different fields').waitFor();
  expect((await cursor()).cursor.until).toBe(before.cursor.until);
  await enter(button('Merge, then look again'), 'Shift+Tab');
  await enter(button('Save…'));
  await confirmWith('mine, merged');
  await page.getByText('The cursor is saved').waitFor();
  expect((await cursor()).cursor).toMatchObject({ note: 'theirs', until: 5 });
  await until(status, (one) => one === 'RUNNING');
  await skein.api('POST', '/sensors/feed/stop');
});

test('save and apply: the cursor and its runs come together; reset to a point in time moves the watermark only', async () => {
  const before = await cursor();
  await open('/sensors/feed?tab=cursor');
  await page.getByLabel('next').fill('20');
  await page.getByLabel('until').fill('25');
  await button('Save and apply…').click();
  await dialog()
    .getByText(/The next tick: It would request 1 run over 1 partitions.*together, or neither/)
    .waitFor();
  await confirmWith('day 20 is wanted now');
  await page.getByText('1 run is launched').waitFor();
  const after = await cursor();
  expect(after).toMatchObject({ version: before.version + 2, cursor: { next: 21, until: 25 } });
  const { items } = await skein.api<{ items: unknown[] }>('GET', '/runs?partition=acme_2026-01-20');
  expect(items).toHaveLength(1);

  await button('Reset…').click();
  await dialog().getByText('Point in time').click();
  await dialog().getByLabel('Point in time (UTC)').fill('2026-01-02T12:00');
  await dialog().getByText('moves back 2 d 12 h').waitFor();
  await dialog().getByLabel('Reason').fill('the source was repaired');
  await dialog().getByRole('button', { name: 'Reset the cursor' }).click();
  await page.getByText('The cursor is reset').waitFor();
  expect((await cursor()).cursor).toEqual({ ...after.cursor, since: '2026-01-02T12:00:00Z' });
});

test('a tick is opened with what it logged and replayed in preview; the timeline narrows the list', async () => {
  await open('/sensors/feed');
  await page
    .getByRole('row', { name: /requested/ })
    .first()
    .getByRole('link')
    .first()
    .click();
  await page.getByText(/looks at day \d+/).waitFor();
  await button('Replay this tick in preview').click();
  await page
    .getByRole('cell')
    .getByText(/^It would request 1 run over/)
    .waitFor();
  const timeline = page.locator('.tick-timeline svg');
  const box = await timeline.boundingBox();
  if (!box) throw new TypeError('the timeline has no size');
  await page.mouse.move(box.x + 2, box.y + 10);
  await page.mouse.down();
  await page.mouse.move(box.x + box.width / 2, box.y + 10, { steps: 3 });
  await page.mouse.up();
  await page.waitForURL(/range=.*Z\.\..*Z/);
  await page.getByText(/^\d+ ticks? · .* to /).waitFor();
  await page.reload();
  await page.getByText(/^\d+ ticks? · .* to /).waitFor();
});

test('a cursor that is wrong is told where, cannot be saved, and survives a reload', async () => {
  await open('/sensors/feed?tab=cursor&edit=json');
  const editor = page.getByRole('textbox', { name: 'cursor' });
  await editor.fill('{ "next": "soon", "unknown": 1 }');
  await page.locator('ul[role="status"]').getByText('must be an integer').waitFor();
  await button('Save…').focus();
  await page.getByRole('tooltip').getByText('The schema refuses it').waitFor();
  await button('Save…').click({ force: true });
  expect(await dialog().count()).toBe(0);
  await page.reload();
  await page.getByText('"soon"').first().waitFor();
  await editor.fill('{ "next": ');
  await page.getByText(/Not JSON yet/).waitFor();
  await button('Discard edits').click();
  await page.getByText('"until"').waitFor();
});

test('preview before saving, over several ticks, changes nothing', async () => {
  const before = await cursor();
  await open('/sensors/feed?tab=cursor');
  await page.getByLabel('next').fill('1');
  await page.getByLabel('Ticks to preview').fill('3');
  await button('Preview 3 ticks').click();
  await page.getByText(/In 3 ticks it would request 3 runs over 3 partitions/).waitFor();
  await button('Discard edits').click();
  expect(await cursor()).toEqual(before);
});

test('by keyboard: from the map to one partition, its config edited, its log followed to the end', async () => {
  await skein.api('POST', '/launch', { job: 'events_job', partitions: ['solo_2026-01-02'] });
  await open('/');
  await page.getByText('Latest runs').waitFor();
  await press(page, 'g', 'a');
  await page.getByRole('heading', { name: 'Assets', level: 1 }).waitFor();
  await press(page, 'Control+k');
  await page.getByRole('combobox', { name: 'Search or do' }).and(page.locator(':focus')).waitFor();
  await page.keyboard.type('events');
  await page.getByRole('option', { name: /asset events/ }).waitFor();
  while (!(await page.getByRole('option', { selected: true }).textContent())?.startsWith('assetevents'))
    await press(page, 'ArrowDown');
  await press(page, 'Enter');
  await tabTo(page, page.getByRole('textbox', { name: 'Filter by customer' }));
  await page.keyboard.type('solo');
  await page.waitForURL(/q=solo/);
  await tabTo(page, page.getByRole('application', { name: /^Map of 1 rows/ }));
  await press(page, 'End', 'ArrowLeft', 'Shift+ArrowLeft*2');
  await page.getByRole('region', { name: 'Selection' }).getByText('3 partitions').waitFor();
  await press(page, 'Escape', 'Enter');
  await enter(page.getByRole('link', { name: /Materialize/ }));
  await page.getByText('can be launched').waitFor();
  await tabTo(page, page.getByLabel('lines'));
  await typeOver('12');
  await tabTo(page, page.getByLabel('pause_ms'));
  await typeOver('60');
  await page.getByRole('row', { name: /^lines 12 edited/ }).waitFor();
  await press(page, 'Control+Enter');
  await page.waitForURL(/\/runs\/\w+\?tab=log/);
  await page.getByText(/^line 1 of solo_/).waitFor();
  await page.getByText(/^line 12 of solo_/).waitFor();
  await page.getByRole('heading', { level: 1 }).locator('..').getByText('success').waitFor();
  await press(page, 'Control+f');
  await page.keyboard.type('line 7 of');
  await page.getByText(/^1 in 12 lines|1 of 1 in 12 lines/).waitFor();
  await press(page, 'Enter');
  await page.locator('.log-line[data-here]').getByText('line 7 of').waitFor();
  await press(page, 'Tab', '?');
  await dialog().getByText('Keyboard shortcuts').waitFor();
});

test('the palette does things: starts and stops at once, asks before it resets or cancels', async () => {
  const choose = async (words: string, option: RegExp) => {
    await press(page, 'Control+k');
    await page.getByRole('combobox', { name: 'Search or do' }).and(page.locator(':focus')).waitFor();
    await page.keyboard.type(words);
    await page.getByRole('option', { name: option, selected: true }).waitFor();
    await press(page, 'Enter');
  };
  const status = async () => (await skein.api<{ status: string }>('GET', '/sensors/feed')).status;
  await open('/');
  await page.getByText('Latest runs').waitFor();
  await choose('start feed', /Start feed/);
  await until(status, (one) => one === 'RUNNING');
  await choose('stop feed', /Stop feed/);
  await until(status, (one) => one === 'STOPPED');
  const before = await cursor();
  await choose('reset feed', /Reset the cursor of feed/);
  await dialog().getByText('Reset the cursor', { exact: true }).first().waitFor();
  await press(page, 'Escape');
  await dialog().waitFor({ state: 'detached' });
  expect(await cursor()).toEqual(before);
  await choose('switch dark', /Switch between light and dark/);
  await page.locator('html[data-mantine-color-scheme="dark"]').waitFor({ state: 'attached' });
});

test('find a line in a log of 20,000 lines', async () => {
  const { run_id: id } = await skein.api<{ run_id: string }>('POST', '/launch', {
    job: 'events_job',
    partitions: ['long_2026-01-02'],
    config: { lines: 19_990 },
  });
  const ended = () => skein.api<{ ended_at: string | null }>('GET', `/runs/${id}`);
  await until(ended, (run) => run.ended_at !== null);
  await open(`/runs/${id}?tab=log`);
  await page.getByText('line 1 of long_2026-01-02').waitFor();
  await page.keyboard.press('Control+f');
  await page.keyboard.type('line 17654 of');
  // On a busy machine its worker may lose the lease meanwhile; the second attempt then writes its lines too.
  await page.getByText(/^[12] in (19,9|[23]\d,\d)\d\d lines/).waitFor();
  await page.keyboard.press('Enter');
  await page.locator('.log-line[data-here]').getByText('line 17654 of').waitFor();
  // Only what is seen is in the page.
  expect(await page.locator('.log-line').count()).toBeLessThan(120);
});

test('backfill a painted rectangle, by mouse or by keyboard; pause, resume, cancel', async () => {
  for (const id of ['m1', 'm2', 'm3']) {
    await skein.api('POST', '/assets/events/partitions/mark', {
      as: 'skipped',
      partitions: [`${id}_2026-01-31`],
      reason: 'so that it is known',
    });
  }
  await open('/assets/events?q=m&col=0&zoom=20');
  const map = page.getByRole('application');
  await map.waitFor();
  const box = await map.boundingBox();
  if (!box) throw new TypeError('the map has no size');
  // Rows m1…m2, 1 to 10 January: 164 px of labels, 46 px of axis, 20 × 22 px a cell.
  await page.mouse.move(box.x + 174, box.y + 57);
  await page.mouse.down();
  await page.mouse.move(box.x + 164 + 9 * 20 + 10, box.y + 46 + 22 + 11, { steps: 5 });
  await page.mouse.up();
  await page.getByText('2 rows × 2026-01-01 … 2026-01-10').waitFor();
  await page.getByText('20 partitions: 20 missing').waitFor();
  await button('Clear').click();
  await page.getByRole('region', { name: 'Selection' }).waitFor({ state: 'detached' });

  await tabTo(page, map);
  await press(page, 'Home', 'Shift+ArrowRight*9', 'Shift+ArrowDown');
  await page.getByText('2 rows × 2026-01-01 … 2026-01-10').waitFor();
  await enter(button('Backfill…'));
  await dialog().getByText('20 of 20 partitions will run').waitFor();
  await tabTo(page, dialog().getByLabel('Runs at once'), 'Shift+Tab');
  await typeOver('1');
  await tabTo(page, dialog().getByLabel('Config'));
  await page.keyboard.type('{ "pause_ms": 300 }');
  await enter(dialog().getByRole('button', { name: 'Backfill 20 partitions' }));
  await page.waitForURL(/\/backfills\/\w+/);
  const id = page.url().split('/').at(-1) ?? '';
  const status = () => skein.api<{ status: string; succeeded: number }>('GET', `/backfills/${id}`);
  await enter(button('Pause'));
  await until(status, (one) => one.status === 'PAUSED');
  await button('Resume').and(page.locator(':focus')).waitFor();
  await press(page, 'Enter');
  await until(status, (one) => one.status !== 'PAUSED');
  await enter(button('Cancel…'));
  await tabTo(page, dialog().getByLabel('Cancel the runs that are at work too'));
  await press(page, 'Space', 'Control+Enter');
  await until(status, (one) => one.status === 'CANCELED');
  await page.getByRole('heading', { level: 1 }).locator('..').getByText('cancelled').waitFor();
  // When its runs ended, also for those who do not see the chart; and exactly what a retry would take.
  await page
    .getByRole('row', { name: / of 20 done$/ })
    .first()
    .waitFor({ state: 'attached' });
  await button('Retry…').click();
  await dialog()
    .getByText(/^\d+ of 20 partitions will run/)
    .waitFor();
});

test('two people: what one does the other sees, live', async () => {
  const other = await skein.page();
  await other.goto(`${skein.url}/sensors`);
  const theirs = other.getByRole('switch', { name: 'feed is on' });
  await theirs.waitFor();
  await other.getByText('Live', { exact: true }).waitFor();
  await open('/sensors');
  await page.getByRole('switch', { name: 'feed is on' }).click({ force: true });
  await until(
    () => theirs.isChecked(),
    (on) => on,
  );
  await page.getByRole('switch', { name: 'feed is on' }).click({ force: true });
  await until(
    () => theirs.isChecked(),
    (on) => !on,
  );
  await other.context().close();
});

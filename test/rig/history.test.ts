/** The history log: what a process said last comes before its death. */

import { mkdtempSync, rmSync } from 'node:fs';
import net from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';

import { type History, openHistory } from './history.ts';
import { until } from './rig.ts';

let folder: string;
let history: History;
beforeEach(async () => {
  folder = mkdtempSync(path.join(tmpdir(), 'skein-rig-history-'));
  history = await openHistory(path.join(folder, 'history.jsonl'));
});
afterEach(async () => {
  await history.close();
  rmSync(folder, { recursive: true, force: true });
});

test('whoever is killed in the middle of a deed is told of as inside, then as dead, and is inside no longer', async () => {
  const deed = { kind: 'enter', run: 'r1', key: '1_2024-01-01', attempt: 1, epoch: 7 };
  const said = [{ kind: 'hello', pid: 41 }, { kind: 'stalled', ms: 900 }, deed];
  const socket = net.connect(history.port, '127.0.0.1');
  socket.on('error', () => {});
  // Its answers are never read, as those of a process that has just been killed.
  socket.pause();
  socket.end(said.map((one, n) => `${JSON.stringify({ n, ...one })}\n`).join(''));
  await until(() => history.entries.length === 3, 'all of it is told');
  expect(history.entries).toMatchObject([
    { seq: 1, kind: 'stalled', pid: 41, ms: 900 },
    { seq: 2, ...deed, pid: 41, accepted: true },
    { seq: 3, kind: 'death', pid: 41 },
  ]);
  expect(history.busy()).toEqual(new Set());
  socket.destroy();
});

/** People and programs at the API: they launch, cancel, backfill and write cursors while processes die under them. */

import type { History } from './history.ts';
import type { Random } from './random.ts';

export interface Clients {
  /** One thing after another until `over`; a server that dies under a request is nothing unusual. */
  work(url: () => string, over: () => boolean): Promise<void>;
  readonly asked: { launched: number; cancelled: number; backfills: number; cursors: number; broken: number };
}

/** Above all ids of the feeds. */
const FIRST_ID = 100_000;

/** @param ids that they ask for, again and again; without it each is a new one */
export function createClients(history: History, random: Random, ids = Infinity): Clients {
  const asked = { launched: 0, cancelled: 0, backfills: 0, cursors: 0, broken: 0 };
  let last = 0;
  const nextId = () => FIRST_ID + (++last % ids);
  const call = async (url: string, method: string, path: string, body: object): Promise<Record<string, unknown>> => {
    const answer = await fetch(`${url}/api/v1${path}`, {
      method,
      headers: { 'content-type': 'application/json', 'if-match': '*' },
      body: JSON.stringify(body),
      signal: AbortSignal.timeout(10_000),
    });
    if (answer.status === 503) throw new TypeError('The server has no Redis, or it is full.');
    if (answer.status === 404) throw new TypeError('What was made a moment ago went with the power.');
    if (!answer.ok) throw new RangeError(`${method} ${path}: ${answer.status} ${await answer.text()}`);
    return (await answer.json()) as Record<string, unknown>;
  };
  const launch = async (url: string, job: string, partitions: readonly string[], workMs?: number) => {
    const config = workMs === undefined ? {} : { work_ms: workMs };
    const { run_id } = await call(url, 'POST', '/launch', { job, partitions, config });
    history.add({ kind: 'acknowledged', run: String(run_id) });
    asked.launched++;
    return String(run_id);
  };
  /** Who comes back later goes to the server that there is then. */
  const deeds: readonly ((url: () => string) => Promise<unknown>)[] = [
    (url) => launch(url(), 'deed_job', [`${nextId()}_2024-01-01`]),
    (url) =>
      launch(
        url(),
        'pieces_job',
        [1, 2, 3, 4].map((day) => `${nextId()}_2024-01-0${day}`),
      ),
    async (url) => {
      const run = await launch(url(), 'deed_job', [`${nextId()}_2024-01-01`], 2_000);
      await new Promise((resolve) => setTimeout(resolve, random.whole(0, 400)));
      await call(url(), 'POST', `/runs/${run}/cancel`, { reason: 'no longer wanted' });
      asked.cancelled++;
    },
    async (url) => {
      await call(url(), 'POST', '/backfills', {
        job: 'deed_job',
        ids: [String(nextId())],
        from: '2024-01-01',
        to: '2024-01-03',
      });
      asked.backfills++;
    },
    async (url) => {
      await call(url(), 'PUT', '/sensors/spare/cursor', { cursor: { next: ++last }, reason: 'further' });
      asked.cursors++;
    },
  ];
  return {
    asked,
    async work(url, over) {
      while (!over()) {
        const deed = random.pick(deeds);
        try {
          await deed(url);
        } catch (error) {
          // Its server died under it, or is the next to start. A refusal is not that.
          if (error instanceof RangeError) throw error;
          asked.broken++;
          await new Promise((resolve) => setTimeout(resolve, 50));
        }
      }
    },
  };
}

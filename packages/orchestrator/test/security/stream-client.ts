/**
 * A client of the stream of changes as a browser is one: it comes back with the id that it saw last, and reads everything
 * anew when it is told to. What it knows of ends of runs in the end is what is judged.
 */

import { type ClientRequest, type IncomingMessage, get } from 'node:http';

export interface StreamClient {
  /** Runs whose end it knows of. */
  readonly ended: ReadonlySet<string>;
  readonly counts: { connects: number; resets: number; repeated: number };
  /** Stops reading, so that what is sent to it piles up. */
  pause(): void;
  resume(): void;
  /** Goes, and comes back when it is resumed. */
  leave(): void;
  /** Cuts the connection; it comes back by itself. */
  drop(): void;
  close(): void;
}

const ENDS = /"type":"run\.(ended|canceled|cancelled)"/;
const COMES_BACK_MS = 50;

/** @param readAll what a dashboard reads anew: runs that have ended */
export function openClient(url: () => string, readAll: () => Promise<readonly string[]>): StreamClient {
  const ended = new Set<string>();
  const counts = { connects: 0, resets: 0, repeated: 0 };
  let last: string | undefined;
  let request: ClientRequest | undefined;
  let reply: IncomingMessage | undefined;
  let timer: NodeJS.Timeout | undefined;
  let paused = false;
  let away = false;
  let closed = false;

  const hear = (block: string) => {
    const id = /^id: (.*)$/m.exec(block)?.[1];
    if (id === undefined) return;
    if (block.includes('event: reset')) {
      counts.resets++;
      void readAll().then((runs) => runs.forEach((run) => ended.add(run)));
    } else if (block.includes('event: change')) {
      if (id === last) counts.repeated++;
      const run = ENDS.test(block) ? /"run_id":"(\w+)"/.exec(block)?.[1] : undefined;
      if (run !== undefined) ended.add(run);
    }
    last = id;
  };
  const connect = () => {
    if (closed || away) return;
    let text = '';
    const again = () => {
      if (closed || timer !== undefined) return;
      timer = setTimeout(() => {
        timer = undefined;
        connect();
      }, COMES_BACK_MS);
    };
    const headers = last === undefined ? {} : { 'last-event-id': last };
    request = get(`${url()}/api/v1/events`, { headers, agent: false }, (answer) => {
      reply = answer;
      if (answer.statusCode !== 200) {
        answer.resume();
        answer.on('close', again);
        return;
      }
      counts.connects++;
      answer.setEncoding('utf8');
      answer.on('data', (chunk: string) => {
        const blocks = (text + chunk).split('\n\n');
        text = blocks.pop() ?? '';
        blocks.forEach(hear);
      });
      answer.on('error', () => {});
      answer.on('close', again);
      if (paused) answer.pause();
    });
    request.on('error', again);
  };
  connect();
  return {
    ended,
    counts,
    pause() {
      paused = true;
      reply?.pause();
    },
    resume() {
      paused = false;
      reply?.resume();
      if (!away) return;
      away = false;
      clearTimeout(timer);
      timer = undefined;
      connect();
    },
    leave() {
      away = true;
      request?.destroy();
    },
    drop: () => void request?.destroy(),
    close() {
      closed = true;
      clearTimeout(timer);
      request?.destroy();
    },
  };
}

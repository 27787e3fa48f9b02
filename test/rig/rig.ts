/**
 * The rig: a Redis of its own, real server and worker processes over it, the history outside of it, and whoever kills.
 * A test opens one, lets faults loose while the workload runs, and has the checker judge what is left.
 */

import { type ChildProcess, spawn } from 'node:child_process';
import { appendFileSync, closeSync, mkdtempSync, openSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { createInterface } from 'node:readline';

import { type Engine, openEngine } from '../../packages/orchestrator/src/engine/engine.ts';
import { bundleProcess } from './bundle.ts';
import { type Expectation, type Violation, check } from './checker.ts';
import { type History, openHistory } from './history.ts';
import { readLedger, untilQuiet } from './ledger.ts';
import type { Random } from './random.ts';
import { type RedisNode, createRedisNode } from './redis-node.ts';
import { WorkloadSize, createWorkload, feeds } from './workload.ts';

export interface Member {
  readonly role: 'worker' | 'server';
  readonly pid: number;
  /** Of a server. */
  readonly url: string;
  readonly child: ChildProcess;
  /** Resolves when it has ended, with what ended it. */
  readonly ended: Promise<string | number | null>;
  /** Has it say something and gives the answer that begins with `word`. */
  ask(line: string, word: string): Promise<string>;
  tell(line: string): void;
}

export interface Rig {
  readonly folder: string;
  readonly redis: RedisNode;
  readonly history: History;
  readonly engine: Engine;
  readonly size: WorkloadSize;
  readonly members: ReadonlySet<Member>;
  /** Resolves when it is ready, or has died before it was: an armed failpoint may lie on the way. */
  start(role: Member['role'], env?: Readonly<Record<string, string>>): Promise<Member>;
  kill(member: Member, signal?: NodeJS.Signals): Promise<void>;
  /** Turns the workload's sensors on. @param available what each feed holds at first, of all that it will hold */
  begin(available?: number): Promise<void>;
  /** Every item of every feed was asked for. */
  allRequested(): Promise<boolean>;
  /** Workers in the middle of something, chosen by `pick`; waits until there are any, or nothing is left to be done. */
  victim<T>(pick: (members: readonly Member[]) => T, except?: ReadonlySet<Member>): Promise<T>;
  /** Waits until all is quiet, at most a minute, and judges; what is expected may have to be read then. */
  judge(expected?: Partial<Expectation> | (() => Promise<Partial<Expectation>>)): Promise<Violation[]>;
  close(): Promise<void>;
}

export interface RigOptions {
  readonly size?: Partial<WorkloadSize>;
  readonly env?: Readonly<Record<string, string>>;
  readonly redis?: Readonly<Record<string, string>>;
  /** What processes connect to instead of Redis itself. */
  readonly through?: (redis: RedisNode) => Promise<string>;
  /** The rig too, for Redis itself will be another one. */
  readonly rigToo?: boolean;
}

const SHORT_LEASES = {
  SKEIN_REDIS_PREFIX: '{rig}',
  SKEIN_LEASE_MS: '3000',
  SKEIN_LEASE_RENEW_MS: '700',
  SKEIN_PULSE_MS: '250',
  SKEIN_RESEND_MS: '1000',
  SKEIN_CANCEL_GRACE_MS: '500',
  SKEIN_MAX_LOST: '100',
};

/**
 * For attacks that start processes by the dozen beside one another: who is given no core for as long as a lease is taken for
 * dead while it lives, and that is not what they are about.
 */
export const LEASES_OF_CROWDS = { SKEIN_LEASE_MS: '8000', SKEIN_LEASE_RENEW_MS: '1000' };

/** A busy machine may do all that was asked for before anybody looked: then an idle worker is struck. */
const IDLE_MS = 3_000;

/** Once a test file. */
let bundle: { readonly folder: string; readonly script: Promise<string> } | undefined;
function bundled(): Promise<string> {
  if (bundle === undefined) {
    const folder = mkdtempSync(path.join(tmpdir(), 'skein-rig-process-'));
    bundle = { folder, script: bundleProcess(folder) };
  }
  return bundle.script;
}
afterAll(() => bundle && rmSync(bundle.folder, { recursive: true, force: true }));

/** The rig itself does no deeds. */
const NOBODY = { tell: () => Promise.resolve(false), available: () => Promise.resolve(0) };

export async function openRig(options: RigOptions = {}): Promise<Rig> {
  const script = await bundled();
  const folder = mkdtempSync(path.join(tmpdir(), 'skein-rig-'));
  const size = WorkloadSize.parse(options.size ?? {});
  const [redis, history] = await Promise.all([
    createRedisNode(path.join(folder, 'redis'), options.redis),
    openHistory(path.join(folder, 'history.jsonl')),
  ]);
  await redis.start();
  const env = { ...SHORT_LEASES, ...options.env };
  // A worker stops by itself when a fifth of its lease is left, and looks twice between two renewals.
  const stallMs = 0.2 * Number(env.SKEIN_LEASE_MS) - Number(env.SKEIN_LEASE_RENEW_MS) / 2;
  const throughUrl = (await options.through?.(redis)) ?? redis.url;
  const engine = await openEngine(createWorkload(size, NOBODY), {
    env: { ...env, SKEIN_REDIS_URL: options.rigToo === true ? throughUrl : redis.url },
  });
  const members = new Set<Member>();
  const logFile = path.join(folder, 'processes.log');
  const log = openSync(logFile, 'a');
  const witness = witnessEnds(engine, history);
  const expected = feeds(size);
  const sensors = Object.keys(expected);
  /** What the feeds held by the end: an attack whose time was up leaves the rest of them untouched. */
  const due = () =>
    Object.fromEntries(Object.entries(expected).map(([name, keys]) => [name, keys.slice(0, history.available)]));
  const requested = async () => {
    const ledger = await Promise.all(
      sensors.map(
        async (name) =>
          JSON.parse((await engine.redis.hget(engine.keys.sensor(name), 'cursor')) ?? '{}') as { next?: number },
      ),
    );
    return ledger.every(({ next }, i) => next === due()[sensors[i] ?? '']?.length);
  };

  return {
    ...{ folder, redis, history, engine, size, members },
    async start(role, more = {}) {
      const child = spawn(process.execPath, [script, role], {
        cwd: folder,
        env: {
          ...{
            PATH: process.env.PATH,
            HOME: folder,
            SKEIN_REDIS_URL: throughUrl,
            SKEIN_HISTORY_URL: `file://${folder}/archive`,
          },
          ...{ RIG_HISTORY_PORT: String(history.port), RIG_WORKLOAD: JSON.stringify(size) },
          ...env,
          ...more,
        },
        stdio: ['pipe', 'pipe', log],
      });
      const member = await watchMember(child, role);
      if (child.exitCode !== null)
        throw new RangeError(`A ${role} did not start: ${readFileSync(logFile, 'utf8').slice(-2_000)}`);
      members.add(member);
      void member.ended.then(() => members.delete(member));
      return member;
    },
    async kill(member, signal = 'SIGKILL') {
      member.child.kill(signal);
      await member.ended;
    },
    async begin(available = history.available) {
      history.available = available;
      for (const name of sensors) await engine.script('switch-sensor', name, 'RUNNING', 'rig');
    },
    allRequested: requested,
    async victim(pick, except) {
      const workers = () => [...members].filter((member) => member.role === 'worker' && except?.has(member) !== true);
      const candidates = () => {
        const busy = history.busy();
        return workers().filter(({ pid }) => busy.has(pid));
      };
      const since = performance.now();
      const allIdle = async () => performance.now() - since > IDLE_MS && (await requested().catch(() => false));
      let picked: { readonly value: ReturnType<typeof pick> } | undefined;
      await until(async () => {
        const idle = candidates().length === 0 && (await allIdle());
        // From here on at once: a moment later another hand may have taken who is found.
        const found = idle && candidates().length === 0 ? workers() : candidates();
        if (found.length > 0) picked = { value: pick(found) };
        return picked !== undefined;
      }, 'a worker is in the middle of something');
      if (!picked) throw new RangeError('nobody was picked');
      return picked.value;
    },
    async judge(more = {}) {
      await untilQuiet(engine, requested);
      await witness.stop();
      const expectation = typeof more === 'function' ? await more() : more;
      return check(history.entries, await readLedger(engine), { feed: due(), stallMs, ...expectation });
    },
    async close() {
      await witness.stop();
      await Promise.all([...members].map((member) => (member.child.kill('SIGKILL'), member.ended)));
      await engine.close();
      await redis.kill();
      await history.close();
      closeSync(log);
      const keep = process.env.SKEIN_CHAOS_KEEP;
      if (keep !== undefined) appendFileSync(keep, `${folder}\n`);
      else rmSync(folder, { recursive: true, force: true });
    },
  };
}

/** A worker in the middle of something that nobody has `taken` yet; from then on it is. */
export function takeVictim(rig: Rig, random: Random, taken: Set<Member>): Promise<Member> {
  return rig.victim((members) => {
    const member = random.pick(members);
    taken.add(member);
    return member;
  }, taken);
}

async function watchMember(child: ChildProcess, role: Member['role']): Promise<Member> {
  const ended = new Promise<string | number | null>((resolve) =>
    child.once('exit', (code, signal) => resolve(signal ?? code)),
  );
  const { stdin, stdout } = child;
  if (!stdin || !stdout) throw new TypeError('its streams are pipes');
  stdin.on('error', () => {});
  const lines = createInterface(stdout);
  const heard = (word: string) =>
    new Promise<string>((resolve) => {
      const listen = (line: string) => {
        if (!line.startsWith(word)) return;
        lines.off('line', listen);
        resolve(line.slice(word.length).trim());
      };
      lines.on('line', listen);
    });
  const url = await Promise.race([heard('ready'), ended.then(() => '')]);
  return {
    ...{ role, child, url, ended, pid: child.pid ?? 0 },
    ask: (line, word) => {
      const answer = heard(word);
      stdin.write(`${line}\n`);
      return answer;
    },
    tell: (line) => void stdin.write(`${line}\n`),
  };
}

/** Follows the ledger's events and writes down which runs were seen ended, and how. */
function witnessEnds(engine: Engine, history: History): { stop(): Promise<void> } {
  let stopped = false;
  let from = '-';
  const look = async () => {
    const entries = await engine.redis.xrange(engine.keys.events, from, '+', 'COUNT', 5_000);
    for (const [id, flat] of entries) {
      from = `(${id}`;
      const field = (name: string) => flat[flat.indexOf(name) + 1] ?? '';
      if (field('t') !== 'run.ended') continue;
      const { status } = JSON.parse(field('d')) as { status: string };
      history.add({ kind: 'ended', run: field('r'), status });
    }
  };
  const loop = (async () => {
    while (!stopped) {
      // A Redis that is down or comes back is what some of the attacks are about.
      await look().catch(() => {});
      await new Promise((resolve) => setTimeout(resolve, 500));
    }
    await look().catch(() => {});
  })();
  return {
    async stop() {
      stopped = true;
      await loop;
    },
  };
}

/** Waits for what a test is after; a fault that never comes is a failure, not a pass. */
export async function until(holds: () => boolean | Promise<boolean>, what: string, timeoutMs = 60_000): Promise<void> {
  const ends = performance.now() + timeoutMs;
  while (!(await holds())) {
    if (performance.now() > ends) throw new RangeError(`In ${timeoutMs} ms it did not come to: ${what}.`);
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}

/** Figures of an attack, for people and for the page on reliability. */
export function report(name: string, figures: Readonly<Record<string, string | number>>): void {
  const line = `${name}: ${Object.entries(figures)
    .map(([what, value]) => `${value} ${what}`)
    .join(', ')}`;
  if (process.env.SKEIN_CHAOS_REPORT !== undefined) appendFileSync(process.env.SKEIN_CHAOS_REPORT, `${line}\n`);
}

/**
 * Admission and dispatch: asks the ledger which attempts may go, and rings for them. Kicks are coalesced, so a burst
 * of submissions and settlements costs few admissions. Ringing twice is harmless: the attempt id is the job id.
 *
 * Bells keep the order of priorities: the usual one (0) in the queue's plain list, what is above it at the list's head,
 * what is below it (backfills) behind the list, by priority. So what comes late with a high priority begins next.
 */

import type { Queue } from 'bullmq';

import type { ScriptName, ScriptReply } from '../store/scripts.ts';
import { failpoint } from './failpoint.ts';
import type { EngineSettings } from './settings.ts';

interface Bell {
  readonly attempt: string;
  readonly priority: number;
}

export interface Dispatcher {
  /** Something was submitted or has ended: admit what may go now. Never throws; the pulse is the safety net. */
  kick(): void;
  /**
   * Admits once and rings for idle slots; gives how many units were sent.
   * @param freeSlots that the caller itself has: they are free whatever the ledger reckons
   */
  runOnce(freeSlots?: number): Promise<number>;
  /** Rings for attempts that went to the outbox without queueing. */
  ring(bells: readonly Bell[]): Promise<void>;
  /** Lets what nobody has begun wait for a slot again, to be rung for anew; gives how many. */
  resend(): Promise<number>;
  /** Resolves when no kick is under way. */
  idle(): Promise<void>;
}

/** Admissions in one script call; measured: 200 take about 4 ms of Redis. */
const ADMIT_BATCH = 200;
/** The queue's own lowest priority. */
const LOWEST = 2_000_000;

export interface DispatchPorts {
  readonly script: (name: ScriptName, ...args: (string | number)[]) => Promise<ScriptReply>;
  readonly work: Queue;
  readonly settings: EngineSettings;
  /** Asks for the next runs of backfills; gives how many were submitted. */
  readonly expand: () => Promise<number>;
}

export function createDispatcher({ script, work, settings, expand }: DispatchPorts): Dispatcher {
  let running: Promise<void> | undefined;
  let again = false;

  const ring = async (bells: readonly Bell[]) => {
    if (bells.length === 0) return;
    // Each that is put at the head goes before the last one: the first of them is put last.
    const urgent = bells.filter(({ priority }) => priority > 0).reverse();
    await work.addBulk(
      [...bells.filter(({ priority }) => priority <= 0), ...urgent].map(({ attempt, priority }) => ({
        name: 'attempt',
        data: {},
        opts: { jobId: attempt, removeOnComplete: true, removeOnFail: true, ...orderOf(priority) },
      })),
    );
  };
  const runOnce = async (freeSlots = 0) => {
    const reply = await script('admit', ADMIT_BATCH, settings.resendMs, freeSlots);
    const [backfills, sent, ...flat] = reply as [number, number, ...string[]];
    const bells = toBells(flat);
    failpoint('dispatch.admitted');
    await ring(bells);
    failpoint('dispatch.rung');
    if (backfills > 0 && (await expand()) > 0) again = true;
    return sent;
  };
  const loop = async () => {
    try {
      do {
        again = false;
        while ((await runOnce()) === ADMIT_BATCH);
        // `again` is set by kicks that came while this loop was awaiting.
      } while (again);
    } catch {
      // Redis is away; the next pulse admits.
    } finally {
      running = undefined;
    }
  };

  return {
    kick() {
      if (running) again = true;
      else running = loop();
    },
    runOnce,
    ring,
    async resend() {
      const again = (await script('resend', settings.resendMs, ADMIT_BATCH)) as number;
      failpoint('resend.written');
      return again;
    },
    async idle() {
      while (running) await running;
    },
  };
}

function toBells(flat: readonly string[]): Bell[] {
  return Array.from({ length: flat.length / 2 }, (_, i) => ({
    attempt: flat[2 * i] ?? '',
    priority: Number(flat[2 * i + 1]),
  }));
}

function orderOf(priority: number): { lifo?: true; priority?: number } {
  if (priority > 0) return { lifo: true };
  return priority < 0 ? { priority: Math.min(-priority, LOWEST) } : {};
}

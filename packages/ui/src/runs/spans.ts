/** Attempts and their phases, read out of a run's events: what the timeline draws. Pure. */

import type { RunEvent } from '../api/generated/client.ts';

interface Phase {
  readonly name: string;
  readonly from: number;
  /** Undefined while it goes on. */
  readonly to: number | undefined;
}

type Verdict = 'ok' | 'failed' | 'lost' | 'cancelled' | 'handed_on';

export interface Attempt {
  readonly id: string;
  /** What was attempted: the attempt's id without its number. */
  readonly unit: string;
  readonly from: number;
  readonly to: number | undefined;
  readonly verdict: Verdict | undefined;
  readonly worker: string | undefined;
  readonly phases: readonly Phase[];
  /** Until the next attempt, when it is to come after a rest. */
  readonly retryAt: number | undefined;
  readonly marks: readonly { readonly at: number; readonly name: string }[];
}

type Growing = { -readonly [K in keyof Omit<Attempt, 'phases' | 'marks'>]: Attempt[K] } & {
  last: number;
  readonly phases: { name: string; from: number; to: number | undefined }[];
  readonly marks: { at: number; name: string }[];
};

export interface Bounds {
  readonly startedAt: number | undefined;
  /** Of the run; closes what was never closed. */
  readonly endedAt: number | undefined;
}

export function attemptsOf(events: readonly RunEvent[], { startedAt, endedAt }: Bounds): Attempt[] {
  const attempts = new Map<string, Growing>();
  for (const event of events) {
    const [id, unit] = idsOf(event);
    if (id === undefined || unit === undefined) continue;
    const at = Date.parse(event.at);
    // A run of one unit has no event of its beginning: it is that of the run.
    const from = event.type === 'unit.started' ? at : attempts.size === 0 ? Math.min(startedAt ?? at, at) : at;
    const attempt = attempts.get(id) ?? begun(id, unit, from);
    attempts.set(id, attempt);
    attempt.last = Math.max(attempt.last, at);
    take(attempt, event, at);
  }
  return [...attempts.values()].map((attempt) => closed(attempt, endedAt));
}

/** What the worker says names the attempt; what the ledger says its unit and number, or the unit that was given up. */
function idsOf({ fields }: RunEvent): [id: string | undefined, unit: string | undefined] {
  const { attempt, unit } = fields;
  if (typeof attempt === 'string') return [attempt, attempt.slice(0, attempt.lastIndexOf('.'))];
  if (typeof unit !== 'string' || typeof attempt !== 'number') return [undefined, undefined];
  return [`${unit}.${attempt}`, unit];
}

function begun(id: string, unit: string, from: number): Growing {
  const open = { to: undefined, verdict: undefined, worker: undefined, retryAt: undefined };
  return { id, unit, from, last: from, phases: [], marks: [], ...open };
}

function take(attempt: Growing, { type, fields }: RunEvent, at: number): void {
  const phase = String(fields.phase ?? '');
  switch (type) {
    case 'unit.started':
      attempt.worker = typeof fields.worker === 'string' ? fields.worker : undefined;
      return;
    case 'phase.started':
      attempt.phases.push({ name: phase, from: at, to: undefined });
      return;
    case 'phase.ended': {
      const open = attempt.phases.find((one) => one.name === phase && one.to === undefined);
      if (open) open.to = at;
      return;
    }
    case 'attempt.handed_on': // its end has been told
      return;
    case 'unit.ended':
      attempt.to = at;
      attempt.verdict = fields.verdict as Verdict;
      return;
    case 'attempt.failed':
      attempt.to = at;
      attempt.verdict = 'failed';
      attempt.retryAt = at + Number(fields.retry_in_ms ?? 0);
      return;
    case 'attempt.lost':
      attempt.to = at;
      attempt.verdict = 'lost';
      attempt.worker = typeof fields.worker === 'string' && fields.worker !== '' ? fields.worker : attempt.worker;
      return;
    default:
      attempt.marks.push({ at, name: type });
  }
}

/** Before the first phase its worker starts, after the last one the outcome is committed. */
function closed({ last, ...one }: Growing, endedAt: number | undefined): Attempt {
  const to = one.to ?? (endedAt === undefined ? undefined : Math.max(endedAt, last));
  const phases: Phase[] = one.phases.map((phase) => ({ ...phase, to: phase.to ?? to }));
  const [first] = phases;
  const done = Math.max(...phases.map((phase) => phase.to ?? Infinity));
  if (first !== undefined && first.from > one.from)
    phases.unshift({ name: 'starting', from: one.from, to: first.from });
  if (to !== undefined && to > done && Number.isFinite(done)) phases.push({ name: 'committing', from: done, to });
  return { ...one, to, phases };
}

/**
 * What the end waited for: the attempt that ended last, before it the one that ended last before that began, and so on.
 */
export function criticalOf(attempts: readonly Attempt[]): ReadonlySet<string> {
  const path = new Set<string>();
  let before = Infinity;
  for (;;) {
    const earlier = attempts.filter(({ id, to }) => !path.has(id) && (to ?? Infinity) <= before);
    const last = earlier.reduce<Attempt | undefined>(
      (late, one) => (late === undefined || (one.to ?? Infinity) > (late.to ?? Infinity) ? one : late),
      undefined,
    );
    if (last === undefined) return path;
    path.add(last.id);
    before = last.from;
  }
}

/** Attempts and their phases, read out of a run's events: what the timeline draws. Pure. */

import type { RunEvent } from '../api/generated/client.ts';

interface Phase {
  readonly name: string;
  readonly from: number;
  /** Undefined while it goes on. */
  readonly to: number | undefined;
}

export interface Attempt {
  readonly id: string;
  readonly from: number;
  readonly to: number | undefined;
  readonly failed: boolean;
  readonly phases: readonly Phase[];
  readonly marks: readonly { readonly at: number; readonly name: string }[];
}

interface Growing {
  from: number;
  to: number | undefined;
  failed: boolean;
  last: number;
  readonly phases: { name: string; from: number; to: number | undefined }[];
  readonly marks: { at: number; name: string }[];
}

/** @param endedAt of the run; closes what was never closed */
export function attemptsOf(events: readonly RunEvent[], endedAt: number | undefined): Attempt[] {
  const attempts = new Map<string, Growing>();
  for (const event of events) {
    const id = typeof event.fields.attempt === 'string' ? event.fields.attempt : undefined;
    if (id === undefined) continue;
    const at = Date.parse(event.at);
    const attempt: Growing = attempts.get(id) ?? {
      from: at,
      to: undefined,
      failed: false,
      last: at,
      phases: [],
      marks: [],
    };
    attempts.set(id, attempt);
    attempt.last = Math.max(attempt.last, at);
    const phase = String(event.fields.phase ?? '');
    if (event.type === 'phase.started') attempt.phases.push({ name: phase, from: at, to: undefined });
    else if (event.type === 'phase.ended') {
      const open = attempt.phases.find((one) => one.name === phase && one.to === undefined);
      if (open) open.to = at;
    } else if (event.type === 'attempt.failed' || event.type === 'attempt.lost' || event.type === 'unit.failed') {
      attempt.failed = true;
      attempt.to = at;
    } else if (event.type === 'unit.ended') attempt.to = at;
    else attempt.marks.push({ at, name: event.type });
  }
  return [...attempts].map(([id, { last, ...one }]) => {
    const to = one.to ?? (endedAt === undefined ? undefined : Math.max(last, one.from));
    return { id, ...one, to, phases: one.phases.map((phase) => ({ ...phase, to: phase.to ?? to })) };
  });
}

/** What two runs are compared by: how long their steps took, and what only one of their logs says. Pure. */

import type { LogTemplates } from '../api/generated/client.ts';
import { shortAttempt } from './log-text.ts';
import type { Attempt } from './spans.ts';

export interface Step {
  readonly name: string;
  /** The step that it is a phase of; '' for a step. */
  readonly of: string;
  readonly ms: number;
}

/** What a step took in both; undefined where it is missing or still goes on. */
export interface StepPair {
  readonly name: string;
  readonly of: string;
  readonly first: number | undefined;
  readonly second: number | undefined;
}

/** Steps that have ended, in order: all attempts of one together, because a repeated attempt is time too. */
export function stepsOf(waitedMs: number | undefined, attempts: readonly Attempt[]): Step[] {
  const units = [...new Set(attempts.map(({ unit }) => unit))];
  const waited: Step[] = waitedMs === undefined ? [] : [{ name: 'queued', of: '', ms: waitedMs }];
  return [
    ...waited,
    ...units.flatMap((unit) => {
      const own = attempts.filter((one) => one.unit === unit && one.to !== undefined);
      const name = units.length === 1 ? 'work' : `step ${shortAttempt(unit)}`;
      const phases = new Map<string, number>();
      for (const { name: phase, from, to } of own.flatMap((one) => one.phases))
        if (to !== undefined) phases.set(phase, (phases.get(phase) ?? 0) + to - from);
      if (own.length === 0) return [];
      const ms = own.reduce((sum, { from, to }) => sum + (to ?? from) - from, 0);
      return [{ name, of: '', ms }, ...[...phases].map(([phase, took]) => ({ name: phase, of: name, ms: took }))];
    }),
  ];
}

/** In the order of the first run; what only the second has comes after. */
export function pairSteps(first: readonly Step[], second: readonly Step[]): StepPair[] {
  const msIn = (steps: readonly Step[], { name, of }: Step) =>
    steps.find((one) => one.name === name && one.of === of)?.ms;
  const all = [...first, ...second.filter((step) => msIn(first, step) === undefined)];
  return all.map((step) => ({
    name: step.name,
    of: step.of,
    first: msIn(first, step),
    second: msIn(second, step),
  }));
}

type Kind = LogTemplates['items'][number];

/** Kinds of lines that only one of two logs has, errors before the rest. */
export function onlyIn(one: LogTemplates, other: LogTemplates): Kind[] {
  const known = new Set(other.items.map(keyOf));
  return one.items.filter((kind) => !known.has(keyOf(kind))).sort((a, b) => gravity(b) - gravity(a));
}

const keyOf = ({ level, pattern }: Kind) => `${level} ${pattern}`;
const gravity = ({ level }: Kind) => ['debug', 'info', 'warn', 'error'].indexOf(level);

/** Prometheus metrics of a process. Labels are few and bounded: never partition keys or run ids. */

import { Counter, Gauge, Histogram, Registry, collectDefaultMetrics } from 'prom-client';

export interface Metrics {
  readonly registry: Registry;
  readonly attemptSeconds: Histogram<'asset' | 'verdict'>;
  readonly ticks: Counter<'sensor' | 'decision'>;
  readonly tickSeconds: Histogram<'sensor'>;
  readonly leaseLost: Counter;
  readonly fencedCommits: Counter;
  readonly activeAttempts: Gauge;
  /** Adds to a counter that a job family names; made at first use. */
  count(name: string, value: number, labels: Readonly<Record<string, string>>): void;
}

export function createMetrics(): Metrics {
  const registry = new Registry();
  collectDefaultMetrics({ register: registry });
  const registers = [registry];
  const families = new Map<string, Counter>();
  return {
    registry,
    attemptSeconds: new Histogram({
      name: 'skein_run_duration_seconds',
      help: 'Duration of attempts.',
      labelNames: ['asset', 'verdict'],
      buckets: [0.01, 0.1, 1, 10, 60, 600, 3600, 14_400],
      registers,
    }),
    ticks: new Counter({
      name: 'skein_ticks_total',
      help: 'Ticks by decision.',
      labelNames: ['sensor', 'decision'],
      registers,
    }),
    tickSeconds: new Histogram({
      name: 'skein_tick_duration_seconds',
      help: 'Duration of ticks.',
      labelNames: ['sensor'],
      registers,
    }),
    leaseLost: new Counter({
      name: 'skein_lease_lost_total',
      help: 'Attempts given up because their lease was lost.',
      registers,
    }),
    fencedCommits: new Counter({
      name: 'skein_fenced_commits_total',
      help: 'Commits refused because of an old epoch.',
      registers,
    }),
    activeAttempts: new Gauge({
      name: 'skein_active_attempts',
      help: 'Attempts under way in this process.',
      registers,
    }),
    count(name, value, labels) {
      const known = families.get(name);
      const counter =
        known ?? new Counter({ name, help: `Counted by a job: ${name}.`, labelNames: Object.keys(labels), registers });
      if (!known) families.set(name, counter);
      counter.inc(labels, value);
    },
  };
}

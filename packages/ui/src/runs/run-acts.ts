/** What can be done with a run, and why not now. The same in the menus of tables, on its page and in the palette. Pure. */

import type { Run } from '../api/generated/client.ts';
import type { RowAct } from '../parts/RowMenu.tsx';
import { isActive } from './active.ts';

export type RunAct = 'cancel' | 'retry' | 'retry-failed' | 'from-failure';

/** @param onAct opens the dialog of an act */
export function actsOnRun(run: Run, onAct: (act: RunAct) => void): RowAct[] {
  const { id, job, status } = run;
  const active = isActive(status);
  const again = { permission: 'launch_run', because: active ? 'The run still works.' : undefined };
  const page = (tab: 'log' | 'why') => ({ to: '/runs/$id', params: { id }, search: { tab } }) as const;
  return [
    { name: 'Open', link: { to: '/runs/$id', params: { id } } },
    { name: 'Read its log', link: page('log') },
    { name: 'Why it ran', link: page('why') },
    { name: 'Compare with the last success', link: { to: '/compare', search: { a: id } } },
    { name: 'Only runs of this job', link: { to: '/runs', search: { q: `job:${job}` } } },
    { name: 'Run again…', ...again, onAct: () => onAct('retry') },
    ...(status === 'FAILURE' ? [{ name: 'From where it failed…', ...again, onAct: () => onAct('from-failure') }] : []),
    ...(run.counts.failed > 0 && run.counts.total > 1
      ? [{ name: 'Retry failed partitions…', ...again, onAct: () => onAct('retry-failed') }]
      : []),
    { name: 'Edit its config on the launchpad', link: { to: '/launch', search: { job, from_run: id } } },
    { name: 'Cancel…', permission: 'cancel_run', because: whyNoCancel(status), onAct: () => onAct('cancel') },
  ];
}

export function whyNoCancel(status: string): string | undefined {
  if (!isActive(status)) return 'The run has ended.';
  return status === 'CANCELING' ? 'It is being cancelled.' : undefined;
}

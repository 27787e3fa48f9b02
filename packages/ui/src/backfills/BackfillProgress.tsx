import type { Backfill } from '../api/generated/client.ts';
import { Proportion } from '../parts/Proportion.tsx';

/** What became of its partitions, as a bar and in words. */
export function BackfillProgress({ of }: { of: Backfill }) {
  const done = of.succeeded + of.failed + of.canceled + of.passed;
  return (
    <>
      <Proportion
        of={{
          materialized: of.succeeded,
          failed: of.failed,
          CANCELED: of.canceled,
          skipped: of.passed,
          running: of.active,
        }}
        total={of.total}
      />
      <span className="small dim num">
        {done.toLocaleString('en')} of {of.total.toLocaleString('en')}
        {of.passed > 0 && `, ${of.passed.toLocaleString('en')} passed over`}
        {of.failed > 0 && `, ${of.failed.toLocaleString('en')} failed`}
      </span>
    </>
  );
}

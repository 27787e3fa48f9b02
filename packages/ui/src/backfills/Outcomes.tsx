import { Checkbox } from '../parts/fields.ts';
import { lookOf } from '../parts/status.ts';

export type Outcome = 'missing' | 'failed' | 'materialized' | 'skipped';
const OUTCOMES: readonly Outcome[] = ['missing', 'failed', 'materialized', 'skipped'];

interface OutcomesProps {
  readonly chosen: readonly Outcome[];
  readonly onChange: (chosen: readonly Outcome[]) => void;
}

/** Which states of partitions a backfill takes. */
export function Outcomes({ chosen, onChange }: OutcomesProps) {
  return (
    <div className="row wrap" role="group" aria-label="Only partitions that are">
      <span className="small dim">Only what is</span>
      {OUTCOMES.map((outcome) => (
        <Checkbox
          key={outcome}
          label={lookOf(outcome).word}
          checked={chosen.includes(outcome)}
          onChange={() =>
            onChange(chosen.includes(outcome) ? chosen.filter((one) => one !== outcome) : [...chosen, outcome])
          }
        />
      ))}
    </div>
  );
}

import type { LaunchCheck } from '../api/generated/client.ts';
import { Json } from '../parts/Json.tsx';
import { KeyText } from '../parts/KeyText.tsx';
import { Notice, ProblemNotice } from '../parts/States.tsx';
import { Status } from '../parts/Status.tsx';

const SHOWN = 12;
const ON_BUSY = {
  wait: 'the run waits for them',
  join: 'the run joins the one that is at them',
  refuse: 'the launch is refused',
} as const;

/** What the server says a launch would be; nothing is changed by asking. */
export function CheckPanel({
  check,
  isOld,
}: {
  check: { data: LaunchCheck | undefined; error: unknown; isFetching: boolean };
  isOld: boolean;
}) {
  if (check.error) return <ProblemNotice error={check.error} />;
  const { data } = check;
  if (!data)
    return <p className="dim">{check.isFetching ? 'Checking…' : 'Shown as soon as the config is a JSON object.'}</p>;
  return (
    <div
      className="stack tight"
      style={{ opacity: isOld || check.isFetching ? 0.6 : 1 }}
      role="status"
      aria-label="Result of the check"
    >
      {data.ok ? (
        <Status of="materialized" label="can be launched" />
      ) : (
        <Status of="failed" label="cannot be launched yet" />
      )}
      {data.errors.map((one) => (
        <p key={`${one.path}${one.message}`}>
          <code className="mono">{one.path}</code> {one.message}
        </p>
      ))}
      {data.ok && (
        <>
          <span>
            {data.partitions_total === 0
              ? 'The config names the scope.'
              : `${data.partitions_total.toLocaleString('en')} ${data.partitions_total === 1 ? 'partition' : 'partitions'}:`}
          </span>
          {data.partitions.slice(0, SHOWN).map((one) => (
            <span key={one.key} className="row">
              <KeyText of={one.key} max={30} />{' '}
              <Status of={one.activity === 'idle' ? one.outcome : one.activity} bare />
            </span>
          ))}
          {data.partitions_total > SHOWN && <span className="dim small">and {data.partitions_total - SHOWN} more</span>}
          {data.busy > 0 && data.on_busy && (
            <Notice tone="warn">
              {data.busy} of them are queued or running: {ON_BUSY[data.on_busy]}.
            </Notice>
          )}
          {data.rehearsal && <Notice>A rehearsal: the states of the partitions stay as they are.</Notice>}
          <h3 className="small" style={{ marginTop: 6 }}>
            Effective config
          </h3>
          <Json of={data.effective_config} maxHeight={300} />
        </>
      )}
    </div>
  );
}

import { useMutation } from '@tanstack/react-query';
import { FlaskConical } from 'lucide-react';

import { type Tick, previewSensor } from '../api/generated/client.ts';
import { DiffView } from '../editor/DiffView.tsx';
import type { Json } from '../editor/json.ts';
import { Act } from '../parts/Act.tsx';
import { ProblemNotice } from '../parts/States.tsx';
import { PreviewedTick } from './PreviewedTick.tsx';
import { RunLinks } from './RunLinks.tsx';
import { TickLines } from './TickLines.tsx';
import { summaryOf } from './preview.ts';

/** One tick: what its code said, where the cursor went, what it asked for; and the same again in preview. */
export function TickDetail({ tick }: { tick: Tick }) {
  const replay = useMutation({
    mutationFn: () =>
      previewSensor({
        name: tick.sensor,
        body: { ticks: 1, ...(tick.cursor_before === null ? {} : { cursor: tick.cursor_before }) },
      }),
  });
  return (
    <div className="stack" style={{ padding: '6px 4px' }}>
      <div className="split">
        <div className="stack tight">
          <h3 className="small">The cursor moved</h3>
          <DiffView
            before={tick.cursor_before as Json}
            after={tick.cursor_after as Json}
            same="It stayed where it was."
          />
        </div>
        <dl className="facts small">
          <dt>Tick</dt>
          <dd className="mono">{tick.id}</dd>
          <dt>Trigger</dt>
          <dd>{tick.trigger}</dd>
          <dt>Worker</dt>
          <dd>{tick.worker ?? '–'}</dd>
          {tick.reason !== '' && (
            <>
              <dt>Said</dt>
              <dd>{tick.reason}</dd>
            </>
          )}
          <dt>Requested</dt>
          <dd>
            <RunLinks ids={tick.run_ids} />
          </dd>
          <dt>Suppressed by</dt>
          <dd>
            <RunLinks ids={tick.suppressed_run_ids} />
          </dd>
        </dl>
      </div>
      <div className="stack tight">
        <h3 className="small">What its code logged</h3>
        <TickLines ticks={[tick]} none="Nothing." />
      </div>
      <div className="row wrap">
        <Act
          permission="preview_tick"
          size="compact-xs"
          leftSection={<FlaskConical size={13} />}
          loading={replay.isPending}
          onAct={() => replay.mutate()}
        >
          Replay this tick in preview
        </Act>
        <span className="small dim grow">
          With the cursor that it began with, on the world as it is now. Nothing is written.
        </span>
      </div>
      {replay.error ? <ProblemNotice error={replay.error} /> : null}
      {replay.data && (
        <div className="stack tight small" role="status">
          <strong>{summaryOf(replay.data)}</strong>
          {replay.data.ticks.map((one, i) => (
            <PreviewedTick key={i} tick={one} number={1} />
          ))}
        </div>
      )}
    </div>
  );
}

import { Button } from '@mantine/core';
import { useMutation } from '@tanstack/react-query';
import { FlaskConical } from 'lucide-react';
import { useState } from 'react';

import { type PreviewTick, previewSensor } from '../api/generated/client.ts';
import { DiffView } from '../editor/DiffView.tsx';
import type { Json } from '../editor/json.ts';
import { Act } from '../parts/Act.tsx';
import { KeyText } from '../parts/KeyText.tsx';
import { Card } from '../parts/Page.tsx';
import { Notice, ProblemNotice } from '../parts/States.tsx';
import { summaryOf } from './preview.ts';
import { NumberInput } from '../parts/fields.ts';

const SHOWN = 20;
const MANY_RUNS = 1_000;

/** A dry run of the next ticks with the cursor as edited; the sensor's real code, nothing written. */
export function CursorPreview({ name, cursor, isValid }: { name: string; cursor: Json | undefined; isValid: boolean }) {
  const [ticks, setTicks] = useState(1);
  const preview = useMutation({
    mutationFn: () => previewSensor({ name, body: { ticks, ...(cursor === undefined ? {} : { cursor }) } }),
  });
  return (
    <Card title="Preview">
      <div className="stack tight">
        <div className="row">
          <NumberInput
            aria-label="Ticks to preview"
            w={72}
            min={1}
            max={100}
            value={ticks}
            onChange={(value) => setTicks(typeof value === 'number' ? value : 1)}
          />
          <Act
            permission="preview_tick"
            leftSection={<FlaskConical size={14} />}
            because={isValid ? undefined : 'Correct the cursor first.'}
            loading={preview.isPending}
            onAct={() => preview.mutate()}
          >
            Preview {ticks === 1 ? 'the next tick' : `${ticks} ticks`}
          </Act>
        </div>
        {preview.error ? <ProblemNotice error={preview.error} /> : null}
        {preview.data && (
          <div className="stack tight" role="status">
            {preview.data.requests_total > MANY_RUNS ? (
              <Notice tone="warn">{summaryOf(preview.data)}</Notice>
            ) : (
              <strong>{summaryOf(preview.data)}</strong>
            )}
            {preview.data.ticks.slice(0, SHOWN).map((tick, i) => (
              <PreviewedTick key={i} tick={tick} number={i + 1} />
            ))}
            <Button variant="subtle" color="gray" size="compact-xs" onClick={() => preview.reset()}>
              Clear
            </Button>
          </div>
        )}
      </div>
    </Card>
  );
}

function PreviewedTick({ tick, number }: { tick: PreviewTick; number: number }) {
  const keys = tick.requests.flatMap((request) => request.partitions);
  return (
    <details className="small" open={number === 1}>
      <summary>
        Tick {number}: {tick.requests.length === 0 ? (tick.skip_reason ?? 'nothing') : `${tick.requests.length} runs`}
      </summary>
      <div className="stack tight" style={{ padding: '4px 0 4px 14px' }}>
        {keys.length > 0 && (
          <div className="row wrap">
            {keys.slice(0, SHOWN).map((key, i) => (
              <KeyText key={`${key}${i}`} of={key} max={28} />
            ))}
            {keys.length > SHOWN && <span className="dim">and {keys.length - SHOWN} more</span>}
          </div>
        )}
        <DiffView before={tick.cursor_before as Json} after={tick.cursor_after as Json} same="The cursor stays." />
      </div>
    </details>
  );
}

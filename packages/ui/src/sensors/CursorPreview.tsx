import { Button } from '@mantine/core';
import { useMutation } from '@tanstack/react-query';
import { FlaskConical } from 'lucide-react';
import { useState } from 'react';

import { previewSensor } from '../api/generated/client.ts';
import type { Json } from '../editor/json.ts';
import { Act } from '../parts/Act.tsx';
import { Card } from '../parts/Page.tsx';
import { Notice, ProblemNotice } from '../parts/States.tsx';
import { PreviewedTick } from './PreviewedTick.tsx';
import { MANY_RUNS, summaryOf } from './preview.ts';
import { NumberInput } from '../parts/fields.ts';

const SHOWN = 20;

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

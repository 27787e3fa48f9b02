import { SegmentedControl, TextInput } from '@mantine/core';
import { type ReactNode, useState } from 'react';

import {
  type CursorChange,
  type SensorDetail,
  listCursorHistory,
  previewSensor,
  resetCursor,
  restoreCursor,
} from '../api/generated/client.ts';
import { useAct, useApi } from '../api/use-api.ts';
import { useAllowed } from '../app/access.ts';
import { DiffView } from '../editor/DiffView.tsx';
import { type Json, formatPath } from '../editor/json.ts';
import type { Schema } from '../editor/json-schema.ts';
import { Confirm } from '../parts/Confirm.tsx';
import { Notice, Read } from '../parts/States.tsx';
import { Select } from '../parts/fields.ts';
import { formatTime } from '../parts/time.ts';
import { MANY_RUNS, summaryOf } from './preview.ts';
import { rewound, watermarksOf } from './watermark.ts';

const PREVIEW_TICKS = 3;
const VERSIONS = 100;
const DAY_MS = 86_400_000;

type To = 'initial' | 'version' | 'time';

export interface CursorResetProps {
  readonly sensor: SensorDetail;
  /** Opened for this version of the history. */
  readonly version?: number;
  readonly onClose: () => void;
  readonly onDone: () => void;
}

/** Back to the initial cursor, to a past version or to a point in time. Shows first what the sensor would then do. */
export function CursorReset({ sensor, version: given, onClose, onDone }: CursorResetProps) {
  const schema = sensor.cursor_schema as Schema;
  const stored = sensor.cursor as Json;
  const marks = watermarksOf(schema, stored);
  const [to, setTo] = useState<To>(given === undefined ? 'initial' : 'version');
  const [version, setVersion] = useState(given);
  const [at, setAt] = useState(() => new Date(Date.now() - DAY_MS).toISOString().slice(0, 16));
  const history = useApi(listCursorHistory, { name: sensor.name, limit: VERSIONS }, { enabled: to === 'version' });
  const change = history.data?.items.find((one) => one.version === version);
  const atMs = Date.parse(`${at}:00Z`);
  const targets: Record<To, Json | undefined> = {
    initial: sensor.initial_cursor as Json,
    version: change?.after as Json | undefined,
    time: Number.isFinite(atMs) ? rewound(schema, stored, atMs) : undefined,
  };
  const target = targets[to];

  const done = () => {
    onDone();
    onClose();
  };
  const reset = useAct(resetCursor, (cursor) => `The cursor is reset; it is version ${cursor.version} now.`);
  const restore = useAct(restoreCursor, (cursor) => `Version ${version} is back, as version ${cursor.version}.`);
  const confirm = (reason: string) => {
    const body = { reason, if_version: sensor.cursor_version };
    if (to === 'version' && version !== undefined)
      restore.mutate({ name: sensor.name, body: { ...body, version } }, { onSuccess: done });
    else
      reset.mutate(
        { name: sensor.name, body: to === 'time' ? { ...body, cursor: target } : body },
        { onSuccess: done },
      );
  };
  const { allowed } = useAllowed('preview_tick');
  const preview = useApi(
    previewSensor,
    {
      name: sensor.name,
      body: { ticks: PREVIEW_TICKS, as_reset: true, ...(target === null ? {} : { cursor: target }) },
    },
    { enabled: allowed && target !== undefined },
  );
  const isLarge = (preview.data?.requests_total ?? 0) > MANY_RUNS;
  return (
    <Confirm
      title={
        to === 'version' && version !== undefined ? `Restore version ${version}` : `Reset the cursor of ${sensor.name}`
      }
      verb={to === 'version' ? 'Restore' : 'Reset the cursor'}
      dangerous
      reason="required"
      typed={isLarge ? sensor.name : undefined}
      ready={target !== undefined && !(allowed && preview.isPending)}
      busy={reset.isPending || restore.isPending}
      error={reset.error ?? restore.error}
      onClose={onClose}
      onConfirm={confirm}
    >
      <SegmentedControl
        aria-label="Reset to"
        value={to}
        onChange={(next) => setTo(next as To)}
        data={[
          { value: 'initial', label: 'Initial cursor' },
          { value: 'version', label: 'Past version' },
          { value: 'time', label: 'Point in time', disabled: marks.length === 0 },
        ]}
      />
      {to === 'version' && <Versions of={history.data?.items} current={sensor} version={version} onPick={setVersion} />}
      {to === 'time' && (
        <TextInput
          type="datetime-local"
          label="Point in time (UTC)"
          description={`Moves ${marks.map(({ path }) => formatPath(path)).join(', ')} back; the rest stays.`}
          value={at}
          onChange={(event) => setAt(event.currentTarget.value)}
        />
      )}
      <Notice tone="warn">
        The sensor starts over from there. Run keys begin a new generation ({sensor.cursor_generation + 1}), so what it
        asked for before is not suppressed: it may launch all of it again.
      </Notice>
      {allowed && target !== undefined && (
        <Read of={preview} lines={2}>
          {(value) => (
            <p role="status">
              <strong>{summaryOf(value)}</strong> <span className="dim">Later ticks may go on from there.</span>
            </p>
          )}
        </Read>
      )}
      {target !== undefined && <DiffView before={stored} after={target} same="It is the same as the stored one." />}
      <p className="dim small">It can be undone: restore a version from the history.</p>
    </Confirm>
  );
}

function Versions(props: {
  of: readonly CursorChange[] | undefined;
  current: SensorDetail;
  version: number | undefined;
  onPick: (version: number | undefined) => void;
}): ReactNode {
  const { of = [], current, version, onPick } = props;
  return (
    <Select
      label="Version"
      searchable
      placeholder="Pick one of the history"
      nothingFoundMessage="The history has no such version."
      value={version === undefined ? null : String(version)}
      onChange={(next) => onPick(next === null ? undefined : Number(next))}
      data={of
        .filter((one) => one.version !== current.cursor_version)
        .map((one) => ({
          value: String(one.version),
          label: `${one.version} · ${formatTime(one.at, 'utc')} · ${one.by}${one.reason ? ` · ${one.reason}` : ''}`,
        }))}
    />
  );
}

import { Textarea } from '@mantine/core';
import { useNavigate } from '@tanstack/react-router';
import { useState } from 'react';

import { checkLaunch, createBackfill, planBackfill } from '../api/generated/client.ts';
import { useAct, useApi } from '../api/use-api.ts';
import { type JsonObject, isObject, parseJson } from '../editor/json.ts';
import { Confirm } from '../parts/Confirm.tsx';
import { Notice, Read } from '../parts/States.tsx';
import { NumberInput, Select } from '../parts/fields.ts';
import { type Outcome, Outcomes } from './Outcomes.tsx';
import { PlanLine } from './PlanLine.tsx';

export interface Selection {
  readonly job: string;
  readonly ids?: readonly string[];
  readonly from: string;
  readonly to: string;
}

const MANY = 1_000;
/** Below that of runs that people and sensors ask for. */
const USUAL_PRIORITY = -10;

/** A backfill of a selection: which states, in which order, how many at once, and exactly how much that is. */
export function BackfillDialog({
  selection,
  initial = [],
  onClose,
}: {
  selection: Selection;
  /** States that the selection is of; none: what is not made. */
  initial?: readonly Outcome[];
  onClose: () => void;
}) {
  const navigate = useNavigate();
  const [statuses, setStatuses] = useState<readonly Outcome[]>(initial.length > 0 ? initial : ['missing', 'failed']);
  const [order, setOrder] = useState<'oldest' | 'newest'>('oldest');
  const [maxActive, setMaxActive] = useState(10);
  const [priority, setPriority] = useState(USUAL_PRIORITY);
  const [stopAfter, setStopAfter] = useState<number>();
  const [configText, setConfigText] = useState('');
  const config = parseJson(configText === '' ? '{}' : configText);
  const isConfig = config.ok && isObject(config.value);
  const body = {
    ...selection,
    statuses,
    order,
    max_active: maxActive,
    priority,
    ...(stopAfter === undefined ? {} : { stop_after_failures: stopAfter }),
  };
  const plan = useApi(planBackfill, { body }, { enabled: statuses.length > 0, keep: true });
  const create = useAct(createBackfill, () => 'The backfill is on its way.');
  const toRun = plan.data?.to_run ?? 0;
  const request = { ...body, ...(isConfig && config.value !== null ? { config: config.value as JsonObject } : {}) };
  const check = useApi(
    checkLaunch,
    { body: { job: selection.job, config: request.config ?? {} } },
    { enabled: configText !== '' && isConfig },
  );
  const destroys = check.data?.destroys ?? undefined;
  return (
    <Confirm
      typed={destroys?.name}
      dangerous={destroys !== undefined}
      title={`Backfill ${selection.from === selection.to ? selection.from : `${selection.from} … ${selection.to}`}`}
      verb={`Backfill ${toRun.toLocaleString('en')} partitions`}
      reason={toRun > MANY ? 'required' : 'optional'}
      busy={create.isPending}
      error={create.error}
      onClose={onClose}
      ready={isConfig && statuses.length > 0 && !check.isFetching}
      onConfirm={(reason) =>
        create.mutate(
          { body: { ...request, ...(reason === '' ? {} : { reason }) } },
          { onSuccess: ({ id }) => void navigate({ to: '/backfills/$id', params: { id } }) },
        )
      }
    >
      <Outcomes chosen={statuses} onChange={setStatuses} />
      <div className="row wrap">
        <Select
          label="Order"
          w={150}
          allowDeselect={false}
          value={order}
          data={[
            { value: 'oldest', label: 'oldest first' },
            { value: 'newest', label: 'newest first' },
          ]}
          onChange={(value) => setOrder(value === 'newest' ? 'newest' : 'oldest')}
        />
        <NumberInput
          label="Runs at once"
          w={120}
          min={1}
          max={10_000}
          value={maxActive}
          onChange={(value) => setMaxActive(typeof value === 'number' ? value : 10)}
        />
        <NumberInput
          label="Priority"
          w={90}
          min={-1_000}
          max={1_000}
          value={priority}
          onChange={(value) => setPriority(typeof value === 'number' ? value : USUAL_PRIORITY)}
        />
        <NumberInput
          label="Stop after failures"
          w={140}
          min={1}
          placeholder="never"
          value={stopAfter ?? ''}
          onChange={(value) => setStopAfter(typeof value === 'number' ? value : undefined)}
        />
      </div>
      <Textarea
        label="Config"
        description="JSON, the same for every run; empty takes the defaults."
        rows={2}
        spellCheck={false}
        error={isConfig ? undefined : 'is not a JSON object yet'}
        styles={{ input: { fontFamily: 'var(--mono)' } }}
        value={configText}
        onChange={(event) => setConfigText(event.currentTarget.value)}
      />
      {destroys !== undefined && (
        <Notice tone="bad">Each of its runs destroys {destroys.what} before it makes its partition.</Notice>
      )}
      {statuses.length === 0 ? (
        <Notice tone="warn">Choose at least one state.</Notice>
      ) : (
        <Read of={plan} lines={1}>
          {(value) => <PlanLine of={value} />}
        </Read>
      )}
    </Confirm>
  );
}

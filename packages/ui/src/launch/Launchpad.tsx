import { Button } from '@mantine/core';
import { useDebouncedValue } from '@mantine/hooks';
import { getRouteApi } from '@tanstack/react-router';
import { useEffect, useMemo, useState } from 'react';

import {
  type AssetDetail,
  type LaunchCheck,
  type Preset,
  checkLaunch,
  getRun,
  launchRun,
  listPresets,
} from '../api/generated/client.ts';
import { useAct, useApi } from '../api/use-api.ts';
import { useAllowed } from '../app/access.ts';
import { DocumentEditor, useMistakes } from '../editor/DocumentEditor.tsx';
import { type JsonObject, formatJson, isObject, parseJson, withValue } from '../editor/json.ts';
import type { Schema } from '../editor/json-schema.ts';
import { Confirm } from '../parts/Confirm.tsx';
import { Card } from '../parts/Page.tsx';
import { ProblemNotice } from '../parts/States.tsx';
import { useDraft } from '../parts/use-draft.ts';
import { CheckPanel } from './CheckPanel.tsx';
import { LaunchActs } from './LaunchActs.tsx';
import { type LaunchOptions, OptionsCard } from './OptionsCard.tsx';
import { LayersCard } from './LayersCard.tsx';
import { layersOf, rebase } from './layers.ts';
import { PartitionPicker } from './PartitionPicker.tsx';
import { Presets } from './Presets.tsx';

const route = getRouteApi('/launch');
const CHECK_AFTER_MS = 350;
const NOTHING: JsonObject = {};

type Destroyed = NonNullable<LaunchCheck['destroys']>;

/** Partition, config in its layers, what would come of it, and the launch. */
export function Launchpad({ job, asset }: { job: string; asset: AssetDetail }) {
  const { partition = '', edit = 'form', from_run: fromRun, preset: presetName, config: given } = route.useSearch();
  const navigate = route.useNavigate();
  const earlier = useApi(getRun, { id: fromRun ?? '' }, { enabled: fromRun !== undefined });
  const presets = useApi(listPresets, { name: job });
  const preset = presets.data?.items.find(({ name }) => name === presetName);
  const below = (preset?.config ?? earlier.data?.config ?? NOTHING) as JsonObject;
  const [draft, setDraft, dropDraft] = useDraft(`launch.${job}.${fromRun ?? ''}${given ?? ''}`);
  const [options, setOptions] = useState<LaunchOptions>({ priority: undefined, reason: '', isRehearsal: false });
  // A link may bring edits along; what was typed since comes first.
  const brought = useMemo(() => parseJson(given ?? '{}'), [given]);
  const text = draft?.text ?? formatJson({ ...below, ...(brought.ok && isObject(brought.value) ? brought.value : {}) });
  const schema = asset.config_schema as Schema;
  const mistakes = useMistakes(text, schema);
  const parsed = parseJson(text);
  const config = parsed.ok && isObject(parsed.value) ? parsed.value : undefined;
  const needsPartition = asset.partitions.kind !== 'single';
  const go = (next: object) =>
    void navigate({ search: (before) => ({ ...before, ...next }), replace: true, resetScroll: false });

  const request = {
    job,
    partitions: needsPartition && partition !== '' ? [partition] : [],
    config: config ?? {},
    dry_run: options.isRehearsal,
    ...(options.priority === undefined ? {} : { priority: options.priority }),
    ...(options.reason === '' ? {} : { reason: options.reason }),
  };
  const [asked] = useDebouncedValue(JSON.stringify(request), CHECK_AFTER_MS);
  const { allowed } = useAllowed('launch_run');
  const check = useApi(
    checkLaunch,
    { body: JSON.parse(asked) as typeof request },
    { enabled: allowed && config !== undefined, keep: true },
  );
  const launch = useAct(launchRun, ({ run_id: id, is_new: isNew }) =>
    isNew ? `Launched as ${id.slice(-10)}.` : `This run was launched before: ${id.slice(-10)}.`,
  );
  const because =
    config === undefined
      ? 'The config is not a JSON object yet.'
      : check.data && !check.data.ok
        ? `${check.data.errors[0]?.path ?? ''} ${check.data.errors[0]?.message ?? 'The check found mistakes.'}`
        : mistakes.length > 0
          ? 'The schema refuses the config; see below the editor.'
          : undefined;
  const isOld = asked !== JSON.stringify(request);
  const look = useAct(checkLaunch, () => undefined);
  const [sure, setSure] = useState<{ follow: boolean; destroys: Destroyed }>();
  const start = (follow: boolean) => {
    if (because !== undefined || launch.isPending || look.isPending) return;
    const goOn = (found: { destroys: Destroyed | null } | undefined) => {
      if (found?.destroys) setSure({ follow, destroys: found.destroys });
      else goOnTyped(follow);
    };
    // The check may be of what stood here a moment ago.
    if (isOld || check.isFetching) look.mutate({ body: request }, { onSuccess: goOn });
    else goOn(check.data);
  };
  const goOnTyped = (follow: boolean) => {
    launch.mutate(
      { body: request },
      {
        onSuccess: ({ run_id: id }) => {
          setSure(undefined);
          if (follow) void navigate({ to: '/runs/$id', params: { id }, search: { tab: 'log' } });
        },
      },
    );
  };
  useEffect(() => {
    const onKey = (event: KeyboardEvent) => {
      if (event.key !== 'Enter' || !(event.metaKey || event.ctrlKey)) return;
      // A dialog over the page has its own mod+enter.
      if (event.target instanceof Element && event.target.closest('[role="dialog"]')) return;
      event.preventDefault();
      start(true);
    };
    window.addEventListener('keydown', onKey);
    return () => window.removeEventListener('keydown', onKey);
  });
  const edited = (next: string) => {
    if (next !== text) setDraft(next, 0);
  };
  const choose = (next: Preset | undefined) => {
    // Edits are carried over; without any, what is shown simply becomes the other preset.
    if ((draft !== undefined || given !== undefined) && config !== undefined)
      edited(formatJson(rebase(config, below, (next?.config ?? NOTHING) as JsonObject)));
    go({ preset: next?.name });
  };

  return (
    <div className="split side">
      <div className="stack">
        {needsPartition && (
          <PartitionPicker
            asset={asset}
            value={partition}
            onChange={(next) => go({ job, asset: asset.key, partition: next })}
          />
        )}
        <Card
          title="Config"
          aside={
            draft !== undefined && (
              <Button variant="subtle" color="gray" onClick={dropDraft}>
                Discard edits
              </Button>
            )
          }
        >
          <div className="stack">
            <Presets job={job} presets={presets.data?.items ?? []} chosen={preset} config={config} onChoose={choose} />
            <DocumentEditor
              text={text}
              onChange={edited}
              schema={schema}
              mode={edit}
              onMode={(mode) => go({ edit: mode })}
              label="config"
            />
          </div>
        </Card>
        <OptionsCard asset={asset} value={options} onChange={setOptions} />
      </div>
      <div className="stack">
        <Card title="Check">
          <CheckPanel asset={asset} job={job} config={request.config} check={check} isOld={isOld} />
        </Card>
        {launch.error && sure === undefined ? <ProblemNotice error={launch.error} /> : null}
        {look.error ? <ProblemNotice error={look.error} /> : null}
        {sure !== undefined && (
          <Confirm
            title={`Destroy ${sure.destroys.name}`}
            verb="Destroy and launch"
            dangerous
            reason="none"
            typed={sure.destroys.name}
            busy={launch.isPending}
            error={launch.error}
            onConfirm={() => goOnTyped(sure.follow)}
            onClose={() => setSure(undefined)}
          >
            <p>
              Before it makes its partition, this run destroys <strong>{sure.destroys.what}</strong>.
            </p>
          </Confirm>
        )}
        <LaunchActs request={request} because={because} isBusy={launch.isPending} onStart={start} />
        {config !== undefined && (
          <LayersCard
            layers={layersOf({
              defaults: (asset.default_config ?? NOTHING) as JsonObject,
              preset: below,
              config,
              effective: (check.data?.effective_config ?? undefined) as JsonObject | undefined,
            })}
            presetWord={preset === undefined && fromRun !== undefined ? 'earlier run' : 'preset'}
            onRevert={(name) => edited(formatJson(withValue(config, [name], below[name])))}
          />
        )}
      </div>
    </div>
  );
}

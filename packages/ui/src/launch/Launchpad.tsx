import { Button, TextInput } from '@mantine/core';
import { useDebouncedValue } from '@mantine/hooks';
import { getRouteApi } from '@tanstack/react-router';
import { Copy, Rocket } from 'lucide-react';
import { useEffect, useState } from 'react';

import { type AssetDetail, checkLaunch, getRun, launchRun } from '../api/generated/client.ts';
import { useAct, useApi } from '../api/use-api.ts';
import { useAllowed } from '../app/access.ts';
import { notify } from '../app/notify.ts';
import { DocumentEditor, useMistakes } from '../editor/DocumentEditor.tsx';
import { formatJson, isObject, parseJson } from '../editor/json.ts';
import type { Schema } from '../editor/json-schema.ts';
import { Act } from '../parts/Act.tsx';
import { Card } from '../parts/Page.tsx';
import { ProblemNotice } from '../parts/States.tsx';
import { CheckPanel } from './CheckPanel.tsx';
import { commandLine } from './command-line.ts';
import { useDraft } from '../parts/use-draft.ts';
import { PartitionPicker } from './PartitionPicker.tsx';
import { Checkbox, NumberInput } from '../parts/fields.ts';

const route = getRouteApi('/launch');
const CHECK_AFTER_MS = 350;

/** Partition, config, what would come of it, and the launch. */
export function Launchpad({ job, asset }: { job: string; asset: AssetDetail }) {
  const { partition = '', edit = 'form', from_run: fromRun } = route.useSearch();
  const navigate = route.useNavigate();
  const earlier = useApi(getRun, { id: fromRun ?? '' }, { enabled: fromRun !== undefined });
  const [draft, setDraft] = useDraft(`launch.${job}.${fromRun ?? ''}`);
  const [priority, setPriority] = useState<number>();
  const [reason, setReason] = useState('');
  const [isRehearsal, setRehearsal] = useState(false);
  const text = draft?.text ?? formatJson(earlier.data?.config ?? {});
  const schema = asset.config_schema as Schema;
  const mistakes = useMistakes(text, schema);
  const parsed = parseJson(text);
  const config = parsed.ok && isObject(parsed.value) ? parsed.value : undefined;
  const needsPartition = asset.partitions.kind !== 'single';
  const partitions = needsPartition && partition !== '' ? [partition] : [];

  const request = {
    job,
    partitions,
    config: config ?? {},
    dry_run: isRehearsal,
    ...(priority === undefined ? {} : { priority }),
    ...(reason === '' ? {} : { reason }),
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
  const start = (follow: boolean) => {
    if (because !== undefined || launch.isPending) return;
    launch.mutate(
      { body: request },
      {
        onSuccess: ({ run_id: id }) => {
          if (follow) void navigate({ to: '/runs/$id', params: { id }, search: { tab: 'log' } });
        },
      },
    );
  };
  useEffect(() => {
    const onKey = (event: KeyboardEvent) => {
      if (event.key === 'Enter' && (event.metaKey || event.ctrlKey)) {
        event.preventDefault();
        start(true);
      }
    };
    window.addEventListener('keydown', onKey);
    return () => window.removeEventListener('keydown', onKey);
  });

  return (
    <div className="split side">
      <div className="stack">
        {needsPartition && (
          <PartitionPicker
            asset={asset}
            value={partition}
            onChange={(next) =>
              void navigate({
                search: (before) => ({ ...before, job, asset: asset.key, partition: next }),
                replace: true,
              })
            }
          />
        )}
        <Card title="Config">
          <DocumentEditor
            text={text}
            onChange={(next) => {
              if (next !== text) setDraft(next, 0);
            }}
            schema={schema}
            mode={edit}
            onMode={(mode) =>
              void navigate({ search: (before) => ({ ...before, edit: mode }), replace: true, resetScroll: false })
            }
            label="config"
          />
        </Card>
        <Card title="Options">
          <div className="row wrap" style={{ alignItems: 'flex-end' }}>
            <NumberInput
              label="Priority"
              w={100}
              min={-1_000}
              max={1_000}
              placeholder="0"
              value={priority ?? ''}
              onChange={(value) => setPriority(typeof value === 'number' ? value : undefined)}
            />
            <TextInput
              label="Reason"
              w={300}
              maxLength={1_000}
              placeholder="for the audit log"
              value={reason}
              onChange={(event) => setReason(event.currentTarget.value)}
            />
            {asset.can_rehearse && (
              <Checkbox
                label="Dry run: nothing is written"
                checked={isRehearsal}
                onChange={(event) => setRehearsal(event.currentTarget.checked)}
                pb={6}
              />
            )}
          </div>
        </Card>
      </div>
      <div className="stack">
        <Card title="Check">
          <CheckPanel check={check} isOld={asked !== JSON.stringify(request)} />
        </Card>
        {launch.error ? <ProblemNotice error={launch.error} /> : null}
        <div className="row wrap">
          <Act
            permission="launch_run"
            variant="filled"
            leftSection={<Rocket size={14} />}
            because={because}
            loading={launch.isPending}
            onAct={() => start(true)}
          >
            Launch and follow
          </Act>
          <Act permission="launch_run" because={because} loading={launch.isPending} onAct={() => start(false)}>
            Launch
          </Act>
          <Button
            variant="default"
            leftSection={<Copy size={14} />}
            onClick={() =>
              void navigator.clipboard
                ?.writeText(commandLine(request))
                .then(() => notify('good', 'The command is copied.'))
            }
          >
            Copy as CLI
          </Button>
        </div>
        <pre className="small dim" aria-label="As a command">
          {commandLine(request)}
        </pre>
      </div>
    </div>
  );
}

import { Button, Textarea } from '@mantine/core';
import { useDebouncedValue } from '@mantine/hooks';
import { useNavigate } from '@tanstack/react-router';
import { ClipboardList } from 'lucide-react';
import { useState } from 'react';

import { Dialog } from '../parts/Dialog.tsx';
import { type AssetDetail, checkLaunch, launchRun } from '../api/generated/client.ts';
import { useAct, useApi } from '../api/use-api.ts';
import { useAllowed } from '../app/access.ts';
import { Act } from '../parts/Act.tsx';
import { KeyText } from '../parts/KeyText.tsx';
import { Notice, ProblemNotice } from '../parts/States.tsx';
import { Status } from '../parts/Status.tsx';

const TYPED_MS = 300;
const SHOWN = 12;
/** Of one run. */
const MOST = 10_000;

/** A list of keys from somewhere else, such as a ticket or a query: looked up, then launched as one run. */
export function PasteKeys({ asset }: { asset: AssetDetail }) {
  const [isOpen, setOpen] = useState(false);
  return (
    <>
      <Button
        variant="subtle"
        color="gray"
        size="compact-sm"
        leftSection={<ClipboardList size={14} />}
        onClick={() => setOpen(true)}
      >
        Paste keys…
      </Button>
      {isOpen && <PasteDialog asset={asset} onClose={() => setOpen(false)} />}
    </>
  );
}

/** One a line; keys are opaque, so nothing else parts them. */
const keysOf = (text: string): readonly string[] => [
  ...new Set(
    text
      .split(/\r?\n/)
      .map((line) => line.trim())
      .filter((line) => line !== ''),
  ),
];

function PasteDialog({ asset, onClose }: { asset: AssetDetail; onClose: () => void }) {
  const [text, setText] = useState('');
  const navigate = useNavigate();
  const [asked] = useDebouncedValue(text, TYPED_MS);
  const job = asset.jobs[0];
  const { allowed, reason } = useAllowed('launch_run');
  const keys = keysOf(asked);
  const request = { job: job ?? '', partitions: keys, config: {} };
  const check = useApi(
    checkLaunch,
    { body: request },
    { enabled: allowed && job !== undefined && keys.length > 0 && keys.length <= MOST, keep: true },
  );
  const launch = useAct(launchRun, ({ run_id: id }) => `Launched as ${id.slice(-10)}.`);
  const found = keys.length === 0 ? undefined : check.data;
  const because =
    keys.length === 0
      ? 'Paste keys first.'
      : job === undefined
        ? 'No job makes this asset.'
        : keys.length > MOST
          ? `One run takes ${MOST.toLocaleString('en')} at most.`
          : found?.ok === false
            ? found.errors[0]?.message
            : undefined;
  return (
    <Dialog onClose={onClose} title="Paste keys">
      <div className="stack">
        <Textarea
          label="Partition keys, one a line"
          description={asset.partitions.grammar}
          data-autofocus
          rows={8}
          spellCheck={false}
          value={text}
          styles={{ input: { fontFamily: 'var(--mono)', fontSize: 12 } }}
          onChange={(event) => setText(event.currentTarget.value)}
        />
        <span className="small num" role="status">
          {keys.length.toLocaleString('en')} different keys
          {found?.ok && `, ${found.partitions_total.toLocaleString('en')} partitions, ${found.busy} at work`}
        </span>
        {!allowed && <Notice tone="warn">{reason}</Notice>}
        {check.error ? <ProblemNotice error={check.error} /> : null}
        {found?.errors.map((one) => (
          <p key={one.message} className="bad small">
            {one.message}
          </p>
        ))}
        <div className="row wrap small">
          {found?.partitions.slice(0, SHOWN).map((one) => (
            <span key={one.key} className="row">
              <KeyText of={one.key} max={28} />
              <Status of={one.activity === 'idle' ? one.outcome : one.activity} bare />
            </span>
          ))}
        </div>
        {launch.error ? <ProblemNotice error={launch.error} /> : null}
        <div className="row" style={{ justifyContent: 'flex-end' }}>
          <Button variant="default" onClick={onClose}>
            Close
          </Button>
          <Act
            permission="launch_run"
            variant="filled"
            because={because}
            loading={launch.isPending}
            onAct={() =>
              launch.mutate(
                { body: request },
                { onSuccess: ({ run_id: id }) => void navigate({ to: '/runs/$id', params: { id } }) },
              )
            }
          >
            Launch one run over them
          </Act>
        </div>
      </div>
    </Dialog>
  );
}

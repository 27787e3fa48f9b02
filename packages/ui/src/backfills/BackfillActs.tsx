import { Ban, Pause, Play, RotateCw } from 'lucide-react';
import { useState } from 'react';

import { type Backfill, cancelBackfill, pauseBackfill, resumeBackfill } from '../api/generated/client.ts';
import { etag } from '../api/conflict.ts';
import { tellProblem, useAct } from '../api/use-api.ts';
import { Act } from '../parts/Act.tsx';
import { Confirm } from '../parts/Confirm.tsx';
import { Checkbox } from '../parts/fields.ts';
import { Status } from '../parts/Status.tsx';
import { isLive } from './pace.ts';
import { RetryDialog } from './RetryDialog.tsx';

/** What can be done with a backfill, beside its state. */
export function BackfillActs({ backfill }: { backfill: Backfill }) {
  const { id, status, version } = backfill;
  const [dialog, setDialog] = useState<'cancel' | 'retry'>();
  const pause = useAct(pauseBackfill, () => 'Paused: what runs ends, nothing new is requested.');
  const resume = useAct(resumeBackfill, () => 'It goes on.');
  const live = isLive(status);
  const ended = live ? undefined : 'It has ended.';
  const close = () => setDialog(undefined);
  return (
    <>
      <Status of={status} />
      <span className="grow" />
      {status === 'PAUSED' ? (
        <Act
          permission="backfill"
          variant="filled"
          leftSection={<Play size={14} />}
          loading={resume.isPending}
          onAct={() => resume.mutate({ id, ifMatch: etag(version) }, { onError: tellProblem })}
        >
          Resume
        </Act>
      ) : (
        <Act
          permission="backfill"
          leftSection={<Pause size={14} />}
          because={ended}
          loading={pause.isPending}
          onAct={() => pause.mutate({ id, ifMatch: etag(version) }, { onError: tellProblem })}
        >
          Pause
        </Act>
      )}
      <Act
        permission="backfill"
        leftSection={<RotateCw size={14} />}
        because={live ? 'It still works.' : undefined}
        onAct={() => setDialog('retry')}
      >
        Retry…
      </Act>
      <Act permission="backfill" leftSection={<Ban size={14} />} because={ended} onAct={() => setDialog('cancel')}>
        Cancel…
      </Act>
      {dialog === 'cancel' && <CancelDialog backfill={backfill} onClose={close} />}
      {dialog === 'retry' && <RetryDialog backfill={backfill} onClose={close} />}
    </>
  );
}

function CancelDialog({ backfill, onClose }: { backfill: Backfill; onClose: () => void }) {
  const { id, total, position, active, version } = backfill;
  const [running, setRunning] = useState(false);
  const cancel = useAct(cancelBackfill, () => 'Cancelled.');
  return (
    <Confirm
      title="Cancel this backfill"
      verb="Cancel the backfill"
      dangerous
      busy={cancel.isPending}
      error={cancel.error}
      onClose={onClose}
      onConfirm={(reason) =>
        cancel.mutate({ id, body: { running, reason }, ifMatch: etag(version) }, { onSuccess: onClose })
      }
    >
      <p>
        {Math.max(0, total - position).toLocaleString('en')} partitions are not requested yet and will not be; {active}{' '}
        are at work.
      </p>
      <Checkbox
        label="Cancel the runs that are at work too"
        checked={running}
        onChange={(event) => setRunning(event.currentTarget.checked)}
      />
    </Confirm>
  );
}

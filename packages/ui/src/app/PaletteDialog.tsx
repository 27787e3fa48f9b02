import { getRun, getSensor } from '../api/generated/client.ts';
import { useApi } from '../api/use-api.ts';
import { Dialog } from '../parts/Dialog.tsx';
import { ProblemNotice } from '../parts/States.tsx';
import { RunDialog } from '../runs/RunDialog.tsx';
import { CursorReset } from '../sensors/CursorReset.tsx';
import type { Deed } from './palette-entries.ts';

/** The dialog of what the palette does not do without asking. */
export function PaletteDialog({ deed, onClose }: { deed: Deed; onClose: () => void }) {
  const sensor = useApi(getSensor, { name: 'sensor' in deed ? deed.sensor : '' }, { enabled: 'sensor' in deed });
  const run = useApi(getRun, { id: 'run' in deed ? deed.run : '' }, { enabled: 'run' in deed });
  const error = sensor.error ?? run.error;
  if (error)
    return (
      <Dialog onClose={onClose} title="It cannot be done">
        <ProblemNotice error={error} />
      </Dialog>
    );
  if ('sensor' in deed && sensor.data)
    return <CursorReset sensor={sensor.data} onClose={onClose} onDone={() => undefined} />;
  if ('run' in deed && run.data) return <RunDialog act={deed.act} run={run.data} onClose={onClose} />;
  return null;
}

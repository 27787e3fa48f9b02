import { Button, SegmentedControl } from '@mantine/core';
import { useEffect, useRef, useState } from 'react';

import { countMatchingRuns } from '../api/generated/client.ts';
import { useApi } from '../api/use-api.ts';
import { notify } from '../app/notify.ts';
import { Dialog } from '../parts/Dialog.tsx';
import { Notice, ProblemNotice, Read } from '../parts/States.tsx';
import { type Format, MOST_EXPORTED, readRuns, saveRuns } from './export-runs.ts';

/** The runs of the query that is shown, as a file. */
export function ExportDialog({ q, onClose }: { q: string; onClose: () => void }) {
  const counted = useApi(countMatchingRuns, { q });
  const [format, setFormat] = useState<Format>('csv');
  const [read, setRead] = useState<number>();
  const [problem, setProblem] = useState<unknown>();
  const isOpen = useRef(true);
  useEffect(() => {
    isOpen.current = true;
    return () => void (isOpen.current = false);
  }, []);
  const save = async () => {
    setProblem(undefined);
    setRead(0);
    try {
      const runs = await readRuns(q, (count) => {
        setRead(count);
        return isOpen.current;
      });
      if (!isOpen.current) return;
      saveRuns(runs, format);
      notify('good', `${runs.length.toLocaleString('en')} runs are in the file.`);
      onClose();
    } catch (error) {
      setProblem(error);
      setRead(undefined);
    }
  };
  return (
    <Dialog onClose={onClose} title="Export runs">
      <div className="stack">
        <Read of={counted} lines={2}>
          {({ count, exact }) => (
            <>
              <p>
                <strong className="num">
                  {exact ? '' : 'More than '}
                  {count.toLocaleString('en')} {count === 1 ? 'run' : 'runs'}
                </strong>{' '}
                of <code className="mono">{q || 'everything'}</code>, newest first, with the states that they have now.
              </p>
              {(count > MOST_EXPORTED || !exact) && (
                <Notice tone="warn">
                  A file holds the newest {MOST_EXPORTED.toLocaleString('en')}. For more, narrow the query by{' '}
                  <code className="mono">before:</code>, or ask <code className="mono">skein sql</code>.
                </Notice>
              )}
            </>
          )}
        </Read>
        <SegmentedControl
          aria-label="Format"
          value={format}
          onChange={(next) => setFormat(next as Format)}
          data={[
            { value: 'csv', label: 'CSV, for a spreadsheet' },
            { value: 'json', label: 'JSON' },
          ]}
        />
        {problem ? <ProblemNotice error={problem} /> : null}
        <div className="row" style={{ justifyContent: 'flex-end' }}>
          <span className="grow dim num" role="status">
            {read !== undefined && `${read.toLocaleString('en')} are read…`}
          </span>
          <Button variant="default" onClick={onClose}>
            {read === undefined ? 'Cancel' : 'Stop'}
          </Button>
          <Button loading={read !== undefined} onClick={() => void save()} data-autofocus>
            Export
          </Button>
        </div>
      </div>
    </Dialog>
  );
}

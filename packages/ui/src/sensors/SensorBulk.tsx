import { Button } from '@mantine/core';
import { useQueries, useQueryClient } from '@tanstack/react-query';
import { Play, RotateCcw, Square, Undo2, Zap } from 'lucide-react';
import { useState } from 'react';

import {
  type Sensor,
  evaluateSensor,
  getSensor,
  previewSensor,
  resetCursor,
  startSensor,
  stopSensor,
} from '../api/generated/client.ts';
import { etag } from '../api/conflict.ts';
import { ApiError } from '../api/operation.ts';
import { tellProblem } from '../api/use-api.ts';
import { notify } from '../app/notify.ts';
import { Act } from '../parts/Act.tsx';
import { Confirm } from '../parts/Confirm.tsx';
import { Notice } from '../parts/States.tsx';
import { Status } from '../parts/Status.tsx';
import { MANY_RUNS } from './preview.ts';

type Verb = 'start' | 'stop' | 'code' | 'evaluate' | 'reset';

const PREVIEW_TICKS = 3;
const WORDS: Readonly<Record<Verb, string>> = {
  start: 'started',
  stop: 'stopped',
  code: 'back to what the code says',
  evaluate: 'being evaluated',
  reset: 'reset',
};

/** What can be done with the sensors that are ticked. */
export function SensorBulk({ sensors, onClear }: { sensors: readonly Sensor[]; onClear: () => void }) {
  const [verb, setVerb] = useState<Verb>();
  const isOn = ({ status }: Sensor) => status === 'RUNNING';
  const overridden = sensors.filter(({ status, default_status: code }) => status !== code);
  const [evaluate, isEvaluating] = useEach('evaluate', () => {}, onClear, tellProblem);
  return (
    <div className="selection-bar" role="region" aria-label="Selected sensors">
      <strong className="num">
        {sensors.length} {sensors.length === 1 ? 'sensor' : 'sensors'}
      </strong>
      <span className="grow" />
      <Act
        permission="switch_sensor"
        leftSection={<Play size={14} />}
        because={sensors.every(isOn) ? 'All of them run.' : undefined}
        onAct={() => setVerb('start')}
      >
        Start…
      </Act>
      <Act
        permission="switch_sensor"
        leftSection={<Square size={14} />}
        because={sensors.some(isOn) ? undefined : 'All of them are stopped.'}
        onAct={() => setVerb('stop')}
      >
        Stop…
      </Act>
      <Act
        permission="switch_sensor"
        leftSection={<Undo2 size={14} />}
        because={overridden.length === 0 ? 'All of them are as the code says.' : undefined}
        onAct={() => setVerb('code')}
      >
        Back to code…
      </Act>
      <Act
        permission="evaluate_sensor"
        leftSection={<Zap size={14} />}
        loading={isEvaluating}
        onAct={() => evaluate(sensors, ({ name }) => evaluateSensor({ name }))}
      >
        Evaluate now
      </Act>
      <Act permission="set_cursor" leftSection={<RotateCcw size={14} />} onAct={() => setVerb('reset')}>
        Reset cursors…
      </Act>
      <Button variant="subtle" color="gray" onClick={onClear}>
        Clear
      </Button>
      {verb === 'reset' && <ResetDialog sensors={sensors} onClose={() => setVerb(undefined)} onDone={onClear} />}
      {(verb === 'start' || verb === 'stop' || verb === 'code') && (
        <SwitchDialog
          verb={verb}
          sensors={verb === 'code' ? overridden : sensors.filter((one) => isOn(one) === (verb === 'stop'))}
          onClose={() => setVerb(undefined)}
          onDone={onClear}
        />
      )}
    </div>
  );
}

interface DialogProps {
  readonly sensors: readonly Sensor[];
  readonly onClose: () => void;
  readonly onDone: () => void;
}

const SWITCH = {
  start: ['Start', 'Start them', 'Each ticks at once, and then at its interval.'],
  stop: [
    'Stop',
    'Stop them',
    'No tick begins any more, and a tick under way launches nothing. Runs that were launched go on.',
  ],
  code: ['Reset the switch of', 'Set them as the code says', 'Each is turned to what its definition says.'],
} as const;

function SwitchDialog({ verb, sensors, onClose, onDone }: DialogProps & { verb: keyof typeof SWITCH }) {
  const [run, isBusy, error] = useEach(verb, onClose, onDone);
  return (
    <Confirm
      title={`${SWITCH[verb][0]} ${sensors.length} ${sensors.length === 1 ? 'sensor' : 'sensors'}`}
      verb={SWITCH[verb][1]}
      reason="required"
      busy={isBusy}
      error={error}
      onClose={onClose}
      onConfirm={(reason) =>
        run(sensors, ({ name, status, status_version: version }) =>
          (status === 'STOPPED' ? startSensor : stopSensor)({ name, body: { reason }, ifMatch: etag(version) }),
        )
      }
    >
      <p>{SWITCH[verb][2]}</p>
      <ul className="plain">
        {sensors.map(({ name, default_status: code }) => (
          <li key={name}>
            {name} <span className="dim small">the code says {code.toLowerCase()}</span>
          </li>
        ))}
      </ul>
    </Confirm>
  );
}

/** Each sensor's next ticks from its initial cursor are tried first: what the reset would bring is known before. */
function ResetDialog({ sensors, onClose, onDone }: DialogProps) {
  const [run, isBusy, error] = useEach('reset', onClose, onDone);
  const previews = useQueries({
    queries: sensors.map(({ name }) => ({
      queryKey: ['previewReset', name],
      queryFn: async () => {
        const { initial_cursor: initial, cursor_version: version } = await getSensor({ name });
        const body = { ticks: PREVIEW_TICKS, as_reset: true, ...(initial === null ? {} : { cursor: initial }) };
        return { version, ...(await previewSensor({ name, body })) };
      },
    })),
  });
  const total = previews.reduce((sum, { data }) => sum + (data?.requests_total ?? 0), 0);
  return (
    <Confirm
      title={`Reset the cursors of ${sensors.length} sensors`}
      verb="Reset them"
      dangerous
      reason="required"
      ready={previews.every(({ isPending }) => !isPending)}
      typed={total > MANY_RUNS ? `reset ${sensors.length}` : undefined}
      busy={isBusy}
      error={error}
      onClose={onClose}
      onConfirm={(reason) =>
        run(sensors, ({ name }) => {
          const version = previews[sensors.findIndex((one) => one.name === name)]?.data?.version;
          return resetCursor({ name, body: { reason, ...(version === undefined ? {} : { if_version: version }) } });
        })
      }
    >
      <Notice tone="warn">
        They start over. Run keys begin a new generation, so what they asked for before is not suppressed. Each can be
        undone: restore its version on its page.
      </Notice>
      <table className="table" aria-label="What their next ticks would do">
        <thead>
          <tr>
            <th scope="col">Sensor</th>
            <th scope="col" className="end">
              Runs in its next {PREVIEW_TICKS} ticks
            </th>
          </tr>
        </thead>
        <tbody>
          {sensors.map(({ name, status }, i) => (
            <tr key={name}>
              <td>
                {name} {status === 'STOPPED' && <Status of="STOPPED" bare />}
              </td>
              <td className="end">
                {previews[i]?.data
                  ? previews[i].data.requests_total.toLocaleString('en')
                  : previews[i]?.error
                    ? previews[i].error.message
                    : 'trying…'}
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    </Confirm>
  );
}

/** One after another; those that are refused stay ticked, with the first reason shown. */
function useEach(verb: Verb, onClose: () => void, onDone: () => void, tell?: (error: unknown) => void) {
  const cache = useQueryClient();
  const [isBusy, setBusy] = useState(false);
  const [error, setError] = useState<unknown>();
  const run = async (sensors: readonly Sensor[], act: (sensor: Sensor) => Promise<unknown>) => {
    setBusy(true);
    setError(undefined);
    let [done, first]: [number, unknown] = [0, undefined];
    for (const sensor of sensors) {
      try {
        await act(sensor);
        done++;
      } catch (problem) {
        first ??= problem;
        // Nobody answers: the others would only say the same.
        if (problem instanceof ApiError && problem.problem.status === 0) break;
      }
    }
    setBusy(false);
    void cache.invalidateQueries();
    if (done > 0) notify('good', `${done} of ${sensors.length} ${WORDS[verb]}.`);
    if (first !== undefined) return tell ? tell(first) : setError(first);
    onDone();
    onClose();
  };
  return [(...args: Parameters<typeof run>) => void run(...args), isBusy, error] as const;
}

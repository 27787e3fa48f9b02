/**
 * Pausing a sensor while its cursor is edited, so that it does not move what is being edited. It is stopped with the
 * first edit and started again when the edits are saved or given up; that it was running is kept in this browser, beside
 * the draft.
 */

import { useEffect, useRef, useState } from 'react';

import { type SensorDetail, startSensor, stopSensor } from '../api/generated/client.ts';
import { tellProblem, useAct } from '../api/use-api.ts';
import { useAllowed } from '../app/access.ts';
import { notify } from '../app/notify.ts';

const WANTED = 'skein.pause_while_editing';
const REASON = 'its cursor is edited';

function kept(key: string): string | null {
  try {
    return localStorage.getItem(key);
  } catch {
    return null;
  }
}

function keep(key: string, value: string | undefined): void {
  try {
    if (value === undefined) localStorage.removeItem(key);
    else localStorage.setItem(key, value);
  } catch {
    // Storage is full or forbidden; it is known as long as the page is.
  }
}

export interface Pause {
  readonly isWanted: boolean;
  /** Stopped by the edit that is under way. */
  readonly isPaused: boolean;
  want(isWanted: boolean): void;
  begin(): void;
  end(): void;
}

export function usePause(sensor: SensorDetail, isEditing: boolean): Pause {
  const key = `skein.paused.${sensor.name}`;
  const { allowed } = useAllowed('switch_sensor');
  const [isWanted, setWanted] = useState(() => kept(WANTED) !== 'no');
  const [wasRunning, setWasRunning] = useState(() => kept(key) !== null);
  const stop = useAct(stopSensor, () => `${sensor.name} is paused while you edit its cursor.`);
  const start = useAct(startSensor, () => `${sensor.name} runs again.`);
  const isRunning = sensor.status === 'RUNNING';
  const isPaused = wasRunning && !isRunning;
  const remember = (was: boolean) => {
    setWasRunning(was);
    keep(key, was ? 'yes' : undefined);
  };
  const begin = () => {
    if (!allowed || !isRunning || stop.isPending) return;
    stop.mutate(
      { name: sensor.name, body: { reason: REASON } },
      { onSuccess: () => remember(true), onError: tellProblem },
    );
  };
  const end = () => {
    if (!isPaused) return;
    start.mutate(
      { name: sensor.name, body: { reason: REASON } },
      { onSuccess: () => remember(false), onError: tellProblem },
    );
  };

  // Who leaves in the middle is told what they leave behind.
  const left = useRef(false);
  useEffect(() => {
    left.current = isPaused;
  }, [isPaused]);
  useEffect(
    () => () => {
      if (left.current)
        notify('warn', `${sensor.name} stays paused: your edits of its cursor are kept, but not saved.`);
    },
    [sensor.name],
  );
  return {
    isWanted,
    isPaused,
    want(next) {
      setWanted(next);
      keep(WANTED, next ? undefined : 'no');
      if (!next) end();
      else if (isEditing) begin();
    },
    begin,
    end,
  };
}

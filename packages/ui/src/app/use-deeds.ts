/** What the palette does by itself; undone as easily as done, so without a question. */

import { useComputedColorScheme, useMantineColorScheme } from '@mantine/core';

import {
  evaluateSensor,
  pauseBackfill,
  resumeBackfill,
  startSchedule,
  startSensor,
  stopSchedule,
  stopSensor,
} from '../api/generated/client.ts';
import { tellProblem, useAct } from '../api/use-api.ts';
import type { Deed } from './palette-entries.ts';

/**
 * The palette is gone before the answer is there, so that one is waited for here.
 *
 * @returns gives false for what wants a dialog first
 */
export function useDeeds(onShortcuts: () => void): (deed: Deed) => boolean {
  const { setColorScheme } = useMantineColorScheme();
  const scheme = useComputedColorScheme('light');
  const evaluate = useAct(evaluateSensor, (_, { name }) => `${name} is being evaluated.`);
  const start = useAct(startSensor, (_, { name }) => `${name} runs.`);
  const stop = useAct(stopSensor, (_, { name }) => `${name} is stopped.`);
  const startTimed = useAct(startSchedule, (_, { name }) => `${name} runs.`);
  const stopTimed = useAct(stopSchedule, (_, { name }) => `${name} is stopped.`);
  const pause = useAct(pauseBackfill, () => 'Paused: what runs ends, nothing new is requested.');
  const resume = useAct(resumeBackfill, () => 'It goes on.');
  return (deed) => {
    switch (deed.act) {
      case 'evaluate':
        evaluate.mutateAsync({ name: deed.sensor }).catch(tellProblem);
        return true;
      case 'start-sensor':
        start.mutateAsync({ name: deed.sensor }).catch(tellProblem);
        return true;
      case 'stop-sensor':
        stop.mutateAsync({ name: deed.sensor }).catch(tellProblem);
        return true;
      case 'start-schedule':
        startTimed.mutateAsync({ name: deed.schedule }).catch(tellProblem);
        return true;
      case 'stop-schedule':
        stopTimed.mutateAsync({ name: deed.schedule }).catch(tellProblem);
        return true;
      case 'pause-backfill':
        pause.mutateAsync({ id: deed.backfill }).catch(tellProblem);
        return true;
      case 'resume-backfill':
        resume.mutateAsync({ id: deed.backfill }).catch(tellProblem);
        return true;
      case 'theme':
        setColorScheme(scheme === 'dark' ? 'light' : 'dark');
        return true;
      case 'shortcuts':
        onShortcuts();
        return true;
      default:
        return false;
    }
  };
}

/** The engine's verbs behind the narrow interface that commands, routes and programs are given. */

import type { SkeinClient } from '../definitions/client.ts';
import { lookUp } from '../definitions/deployment.ts';
import { cancelRun } from './cancel.ts';
import { getCursor, resetCursor, setCursor } from './cursor.ts';
import type { Engine } from './engine.ts';
import { markPartitions, markWholeRow } from './mark.ts';
import { readLastRuns, readStatuses } from './partition-reader.ts';
import { followRun } from './reads/run-events.ts';
import { listRuns, readRun } from './reads/runs.ts';
import { submit } from './submit.ts';

export function createClient(engine: Engine): SkeinClient {
  const assetOf = (key: string) => lookUp('asset', engine.deployment.assets, key);
  return {
    submit: (request) => submit(engine, request),
    run: (id) => readRun(engine, id),
    runs: (filter) => listRuns(engine, filter),
    cancel: async (runId, by) => void (await cancelRun(engine, runId, by)),
    async wait(runId, options = {}) {
      await readRun(engine, runId);
      await followRun(engine, runId, options.onEvent ?? (() => {}), options.signal);
      return readRun(engine, runId);
    },
    partitionStatus: async (asset, keys) => readStatuses(engine, assetOf(asset), keys),
    lastRuns: async (asset, keys) => readLastRuns(engine, assetOf(asset), keys),
    async forgetPartitions(asset, selection, by) {
      const target = assetOf(asset);
      const byRow =
        selection.row === undefined ? 0 : (await markWholeRow(engine, target, selection.row, 'missing', by)).changed;
      return byRow + (await markPartitions(engine, target, selection.keys ?? [], 'missing', by)).changed;
    },
    markPartitions: async (asset, keys, as, by) => (await markPartitions(engine, assetOf(asset), keys, as, by)).changed,
    cursor: (sensor) => getCursor(engine, sensor),
    setCursor: (sensor, cursor, options) => setCursor(engine, sensor, cursor, options),
    resetCursor: (sensor, options) => resetCursor(engine, sensor, options),
  };
}

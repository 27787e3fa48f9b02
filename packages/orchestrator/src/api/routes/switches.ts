/** The switches of sensors and schedules. */

import { z } from 'zod';

import { switchTrigger } from '../../engine/switch.ts';
import { type App, actorOf } from '../context.ts';
import type { Engine } from '../../engine/engine.ts';
import { API_PREFIX } from '../openapi.ts';
import { readSwitches } from '../reads/sensors.ts';
import { Reason } from '../schema.ts';
import { IfMatch, matchedVersion, onVersion, withETag } from '../versions.ts';
import { SensorParams, SensorSwitched } from './sensor-schemas.ts';

const VERBS = { start: 'RUNNING', stop: 'STOPPED' } as const;

const KINDS = {
  sensor: { title: 'Sensor', stop: 'Turn a sensor off; its tick under way launches nothing more' },
  schedule: { title: 'Schedule', stop: 'Turn a schedule off' },
} as const;

/** `POST sensors/{name}/start` and its like; If-Match names the switch’s version, not the cursor’s. */
export function addSwitches(app: App, engine: Engine, kind: keyof typeof KINDS): void {
  for (const verb of ['start', 'stop'] as const) {
    app.post(
      `${API_PREFIX}/${kind}s/:name/${verb}`,
      {
        schema: {
          operationId: `${verb}${KINDS[kind].title}`,
          summary: verb === 'start' ? `Turn a ${kind} on` : KINDS[kind].stop,
          tags: [`${kind}s`],
          params: SensorParams,
          headers: IfMatch,
          body: z.strictObject({ reason: Reason.optional() }).nullish(),
          response: { 200: SensorSwitched },
        },
      },
      async (request, reply) => {
        const { name } = request.params;
        const status = VERBS[verb];
        const { before, version } = await onVersion(
          () => switchTrigger(engine, kind, name, status, actorOf(request), matchedVersion(request)),
          async () => {
            const [now] = await readSwitches(engine, [name]);
            const { status: at, status_by, status_at, status_version: current = 0 } = now ?? {};
            return { version: current, current: { status: at, status_by, status_at } };
          },
        );
        request.auditNote = {
          target: `${kind}:${name}`,
          reason: request.body?.reason,
          before: { status: before },
          after: { status },
        };
        return withETag(reply, version, { status, before, version });
      },
    );
  }
}

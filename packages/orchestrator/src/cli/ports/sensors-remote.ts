/** Sensors and cursors of a Skein over HTTP; what its schema refuses, the server says. */

import { z } from 'zod';

import {
  Cursor,
  CursorChange,
  PreviewTick,
  SensorDetail,
  SensorItem,
  SensorSwitched,
  Tick,
} from '../../api/routes/sensor-schemas.ts';
import { pageOf } from '../../api/schema.ts';
import type { Json } from '../../definitions/json.ts';
import { type RemoteServer, askAll } from '../remote/server.ts';
import type { CursorWrite, SensorsPort, ShownSensor } from './sensors.ts';
import { untilTicked } from './until-ticked.ts';

/** The API's. */
const PAGE = 500;
/** The list holds no cursors: they are read one by one, so many at once. */
const AT_ONCE = 8;

export function remoteSensors(server: RemoteServer): SensorsPort {
  const path = (name: string, rest = '') => `/sensors/${encodeURIComponent(name)}${rest}`;
  const detail = (name: string) => server.ask('GET', path(name), SensorDetail);
  const read = async (name: string) => toShown(await detail(name));
  const bodyOf = ({ reason, ifVersion }: CursorWrite) => ({ reason, if_version: ifVersion });
  return {
    async list() {
      const items = await askAll(server, '/sensors', SensorItem);
      const all: ShownSensor[] = [];
      for (let i = 0; i < items.length; i += AT_ONCE)
        all.push(...(await Promise.all(items.slice(i, i + AT_ONCE).map(({ name }) => read(name)))));
      return all;
    },
    read,
    async ticks(name, limit) {
      const all: z.output<typeof Tick>[] = [];
      for (let after: string | undefined; all.length < limit;) {
        const query = { limit: Math.min(PAGE, limit - all.length), after };
        const page = await server.ask('GET', path(name, '/ticks'), pageOf(Tick), { query });
        all.push(...page.items);
        if (page.next === null) break;
        after = page.next;
      }
      return all;
    },
    async turn(name, status) {
      const verb = status === 'RUNNING' ? '/start' : '/stop';
      await server.ask('POST', path(name, verb), SensorSwitched, { body: {} });
    },
    async preview(name, ticks, cursor) {
      const answer = z.object({ ticks: z.array(PreviewTick) });
      return (await server.ask('POST', path(name, '/preview'), answer, { body: { ticks, cursor } })).ticks;
    },
    async tick(name) {
      const { timeout_ms: timeoutMs } = await detail(name);
      const { tick } = await server.ask('POST', path(name, '/evaluate'), z.object({ tick: z.string() }));
      const look = () => server.ask('GET', path(name, `/ticks/${encodeURIComponent(tick)}`), Tick);
      return untilTicked(tick, timeoutMs, look);
    },
    async cursor(name) {
      const { cursor, ...rest } = await server.ask('GET', path(name, '/cursor'), Cursor);
      return { ...rest, cursor: cursor as Json };
    },
    initialCursor: async (name) => (await detail(name)).initial_cursor as Json,
    checkCursor: () => Promise.resolve(),
    async history(name, limit) {
      const all: z.output<typeof CursorChange>[] = [];
      for (let after: string | undefined; all.length < limit;) {
        const query = { limit: Math.min(PAGE, limit - all.length), after };
        const page = await server.ask('GET', path(name, '/cursor/history'), pageOf(CursorChange), { query });
        all.push(...page.items);
        if (page.next === null) break;
        after = page.next;
      }
      return all.map((one) => ({ ...one, before: one.before as Json, after: one.after as Json }));
    },
    async setCursor(name, cursor, write) {
      // Without a version it is written over whatever is there, as with the ledger itself.
      const headers = write.ifVersion === undefined ? { 'if-match': '*' } : {};
      await server.ask('PUT', path(name, '/cursor'), Cursor, { body: { cursor, ...bodyOf(write) }, headers });
    },
    async resetCursor(name, write) {
      await server.ask('POST', path(name, '/cursor/reset'), Cursor, { body: bodyOf(write) });
    },
    async restoreCursor(name, version, write) {
      await server.ask('POST', path(name, '/cursor/restore'), Cursor, { body: { version, ...bodyOf(write) } });
    },
  };
}

function toShown(sensor: z.output<typeof SensorDetail>): ShownSensor {
  return {
    name: sensor.name,
    description: sensor.description,
    job: sensor.job,
    every_ms: sensor.every_ms,
    status: sensor.status,
    status_by: sensor.status_by,
    status_at: sensor.status_at,
    status_version: sensor.status_version,
    cursor: sensor.cursor as Json,
    version: sensor.cursor_version,
    generation: sensor.cursor_generation,
    error_streak: sensor.error_streak,
    last_tick: sensor.last_tick,
    next_tick_at: sensor.next_due_at,
  };
}

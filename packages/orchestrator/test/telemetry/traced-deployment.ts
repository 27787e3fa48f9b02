/** Assets whose code traces something itself, inline and in a process of its own, and a sensor that asks for one. */

import { trace } from '@opentelemetry/api';
import { z } from 'zod';

import {
  defineAsset,
  defineDeployment,
  defineJob,
  defineSensor,
  materialized,
  request,
  skip,
  staticPartitions,
} from '../../src/index.ts';

export const CANARY = 'canary-9f2c51d07ab34e68';

const asset = (key: string, isolation: 'inline' | 'process') =>
  defineAsset({
    key,
    description: 'Asks a database of its own, in a phase.',
    partitions: staticPartitions(['a', 'b', 'bad']),
    config: z.object({}),
    isolation,
    async materialize({ partitionKey, phase }) {
      await phase('load', async () => {
        const span = trace.getTracer('a library').startSpan('query', { attributes: { 'db.statement': `${CANARY} x` } });
        span.end();
      });
      if (partitionKey === 'bad') throw new TypeError(`The password ${CANARY} is refused.`);
      return materialized({ rows: 1 });
    },
  });

const inline = defineJob({ name: 'inline_job', assets: [asset('inline_asset', 'inline')] });

export const deployment = defineDeployment({
  definitions: {
    jobs: [inline, defineJob({ name: 'apart_job', assets: [asset('apart_asset', 'process')] })],
    sensors: [
      defineSensor({
        name: 'asker',
        description: 'Asks once.',
        job: inline,
        every: '1h',
        cursor: z.object({ asked: z.boolean().default(false) }),
        async evaluate({ cursor }) {
          return cursor.asked ? skip('asked already') : request([{ partitions: ['a'] }], { cursor: { asked: true } });
        },
      }),
    ],
  },
});

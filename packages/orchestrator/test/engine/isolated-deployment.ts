/** Assets that misbehave, each in isolation: user code at its worst. */

import { z } from 'zod';

import { defineAsset, defineDeployment, defineJob, materialized, staticPartitions } from '../../src/index.ts';

const config = z.object({});

async function misbehave(how: string, signal: AbortSignal): Promise<void> {
  if (how === 'wait')
    await new Promise((_resolve, reject) => signal.addEventListener('abort', () => reject(signal.reason as Error)));
  if (how === 'memory') {
    const hoard: string[][] = [];
    for (;;) {
      hoard.push(Array.from({ length: 20_000 }, (_, i) => `${i}-${hoard.length}`));
      await new Promise((resolve) => setImmediate(resolve)); // its lease is renewed: it is lost by memory alone
    }
  }
  if (how === 'loop') for (;;);
  if (how === 'exit') process.exit(0);
  if (how === 'reject') {
    void Promise.reject(new TypeError('nobody waits for this'));
    await new Promise((resolve) => setTimeout(resolve, 60_000));
  }
  if (how === 'print') {
    // 50 MB, and on only when they are written: whoever does not read them would hold the code up for ever.
    for (let i = 0; i < 50; i++)
      await new Promise<void>((done) => process.stdout.write('x'.repeat(1_000_000), () => done()));
  }
}

const asset = (key: string, isolation: 'thread' | 'process') =>
  defineAsset({
    key,
    description: 'Misbehaves as its partition says.',
    partitions: staticPartitions(['memory', 'loop', 'exit', 'reject', 'print', 'wait', 'fine']),
    config,
    isolation,
    memoryLimitMb: 64,
    async materialize({ partitionKey, signal }) {
      await misbehave(partitionKey, signal);
      return materialized({ pid: process.pid });
    },
  });

export const deployment = defineDeployment({
  definitions: {
    jobs: (['thread', 'process'] as const).map((kind) =>
      defineJob({ name: `in_${kind}`, assets: [asset(`by_${kind}`, kind)] }),
    ),
  },
});

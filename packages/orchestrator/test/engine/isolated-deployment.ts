/** Assets that misbehave, each in isolation: user code at its worst. */

import { z } from 'zod';

import { defineAsset, defineDeployment, defineJob, materialized, staticPartitions } from '../../src/index.ts';

const config = z.object({});

async function misbehave(how: string): Promise<void> {
  if (how === 'memory') {
    const hoard: string[][] = [];
    for (;;) hoard.push(Array.from({ length: 100_000 }, (_, i) => `${i}-${hoard.length}`));
  }
  if (how === 'loop') for (;;);
  if (how === 'exit') process.exit(0);
}

const asset = (key: string, isolation: 'thread' | 'process') =>
  defineAsset({
    key,
    description: 'Misbehaves as its partition says.',
    partitions: staticPartitions(['memory', 'loop', 'exit', 'fine']),
    config,
    isolation,
    memoryLimitMb: 64,
    async materialize({ partitionKey }) {
      await misbehave(partitionKey);
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

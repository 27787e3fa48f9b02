/** Code that spills secrets in every way it can; each partition is one of them. */

import {
  composite,
  daily,
  defineAsset,
  defineDeployment,
  defineJob,
  defineSensor,
  dynamic,
  failed,
  hideSecret,
  materialized,
  provide,
  resource,
  skip,
  skipped,
  staticPartitions,
  text,
} from '@skein/orchestrator';
import { z } from 'zod';

const { env } = process;
const named = (name: string) => env[name] ?? '';

/** Every secret in every spelling, as one text. */
function everything(temporary: string): string {
  const secrets = ['LEAKY_DB_PASSWORD', 'LEAKY_PRIVATE_KEY', 'AWS_SESSION_TOKEN', 'SKEIN_AUTH_ADMIN_TOKEN'].map(named);
  const all = [...secrets, new URL(named('LEAKY_DB_URL')).password, temporary];
  return [named('LEAKY_DB_URL'), ...all.flatMap(spellings)].join(' | ');
}

function spellings(secret: string): string[] {
  const base64 = (before: string, after = '') => Buffer.from(`${before}${secret}${after}`).toString('base64');
  return [
    secret,
    JSON.stringify(secret),
    encodeURIComponent(secret),
    Buffer.from(secret).toString('hex'),
    base64(''),
    base64('user:'),
    base64('u:', '@host'),
    secret.slice(0, Math.ceil(secret.length * 0.7)),
  ];
}

/** Gives credentials that no variable holds, as STS does. */
const temporary = resource<string>('temporary', 'temporary keys');
const made = named('LEAKY_MADE');

const WAYS = [
  'throws',
  'logs',
  'event',
  'metadata',
  'skips',
  'url',
  'phase',
  'progress',
  'nested',
  'unhandled',
  'huge',
  'thrown-text',
] as const;

const leaks = defineAsset({
  key: 'leaks',
  description: 'Spills.',
  partitions: staticPartitions(WAYS),
  config: z.object({ password: z.string().optional() }),
  resources: { temporary },
  async materialize({ partitionKey, log, event, progress, phase, resources }) {
    const all = everything(resources.temporary);
    switch (partitionKey) {
      case 'throws':
        throw new TypeError(`connect failed: ${all}`);
      case 'logs':
        for (const level of ['debug', 'info', 'warn', 'error'] as const)
          log[level](`said ${all}`, { all, nested: [{ all }], [all]: 1, error: new TypeError(all) });
        return materialized();
      case 'event':
        event(`spilt_${all}`, { all });
        return materialized();
      case 'metadata':
        return materialized({ all, nested: { list: [all] }, [all]: 1 });
      case 'skips':
        return skipped(`not now: ${all}`, { all });
      case 'url':
        await fetch(`http://127.0.0.1:1/?${all}`);
        return materialized();
      case 'phase':
        return phase(`phase ${all}`, async () => materialized());
      case 'progress':
        progress(1, 2, all);
        return materialized();
      case 'nested':
        throw new TypeError('outer', { cause: new TypeError(all) });
      case 'unhandled':
        void Promise.reject(new TypeError(`nobody waits for ${all}`));
        await new Promise((resolve) => setTimeout(resolve, 50));
        return materialized();
      case 'huge':
        log.info(`${'x'.repeat(10_000_000)}${all}`, { text: `${'y'.repeat(10_000_000)}${all}` });
        return materialized();
      default:
        // eslint-disable-next-line @typescript-eslint/only-throw-error -- what people do
        throw all;
    }
  },
});

const isolated = (['thread', 'process'] as const).map((isolation) =>
  defineAsset({
    key: `dies_in_${isolation}`,
    description: 'Ends its own process with a secret on its lips.',
    partitions: staticPartitions(['uncaught']),
    config: z.object({}),
    isolation,
    resources: { temporary },
    async materialize({ resources }) {
      const all = everything(resources.temporary);
      setTimeout(() => {
        throw new TypeError(`nobody catches ${all}`);
      }, 1);
      await new Promise(() => {});
      return materialized();
    },
  }),
);

const tasks = defineAsset({
  key: 'task_leaks',
  description: 'Spills in what its tasks say.',
  partitions: composite({ id: dynamic('tenant', text), day: daily({ start: '2024-01-01' }) }),
  config: z.object({}),
  resources: { temporary },
  tasks: {
    plan: async ({ partitions }) => [{ id: 'all', partitions: partitions.map(({ key }) => key), input: {} }],
    async run({ task, settlePartition, resources }) {
      const all = everything(resources.temporary);
      for (const key of task.partitions) await settlePartition(key, failed({ code: 'BAD', message: all }, { all }));
      return { all };
    },
    settle: async ({ resources }) => ({ all: everything(resources.temporary) }),
  },
});

const [inThread, inProcess] = isolated;
const leaksJob = defineJob({ name: 'leaks_job', assets: [leaks] });

export const deployment = defineDeployment({
  definitions: {
    jobs: [
      leaksJob,
      ...(inThread && inProcess
        ? [
            defineJob({ name: 'thread_job', assets: [inThread] }),
            defineJob({ name: 'process_job', assets: [inProcess] }),
          ]
        : []),
      defineJob({ name: 'tasks_job', assets: [tasks] }),
    ],
    sensors: [
      defineSensor({
        name: 'skipping',
        description: 'Says why not.',
        job: leaksJob,
        every: '1h',
        cursor: z.object({}),
        resources: { temporary },
        async evaluate({ log, resources }) {
          const all = everything(resources.temporary);
          log.warn(`a tick says ${all}`, { all });
          return skip(`not now: ${all}`);
        },
      }),
      defineSensor({
        name: 'failing',
        description: 'Throws.',
        job: leaksJob,
        every: '1h',
        cursor: z.object({}),
        resources: { temporary },
        async evaluate({ resources }) {
          throw new TypeError(everything(resources.temporary));
        },
      }),
    ],
  },
  resources: [
    provide(temporary, {
      async open() {
        hideSecret(made);
        return made;
      },
      async ping() {
        throw new TypeError(everything(made));
      },
    }),
  ],
});

/** Resources of one process: each opened once, at first use, and closed in reverse order. */

import type { Logger } from '../definitions/context.ts';
import type { Deployment, Environment } from '../definitions/deployment.ts';
import { lookUp } from '../definitions/deployment.ts';
import { ServiceError } from '../definitions/errors.ts';
import type { Resource, ResourceMap } from '../definitions/resource.ts';

export interface ResourcePool {
  /** @throws ServiceError when it cannot be opened; the next call tries again */
  open<T>(token: Resource<T>): Promise<T>;
  openAll(map: ResourceMap): Promise<Record<string, unknown>>;
  /** What answered, or the error, by resource name; one that says nothing within so many ms is an error too. */
  pingAll(withinMs?: number): Promise<ReadonlyMap<string, string | Error>>;
  /** What is still being opened is closed when it is open, and nobody waits for that. */
  close(): Promise<void>;
}

export function createResourcePool(deployment: Deployment, env: Environment, log: Logger): ResourcePool {
  const opened = new Map<string, Promise<unknown>>();
  /** Of those, what has been opened. */
  const open = new Set<string>();
  const openNamed = (name: string): Promise<unknown> => {
    const known = opened.get(name);
    if (known) return known;
    const opening = lookUp('resource', deployment.resources, name).open({ env, log });
    opened.set(name, opening);
    opening.then(
      () => open.add(name),
      () => opened.delete(name),
    );
    return opening;
  };
  return {
    open: async <T>(token: Resource<T>) => (await openNamed(token.name)) as T,
    async openAll(map) {
      const entries = await Promise.all(
        Object.entries(map).map(async ([field, token]) => [field, await openNamed(token.name)] as const),
      );
      return Object.fromEntries(entries);
    },
    async pingAll(withinMs = ANSWER_WITHIN_MS) {
      const answers = await Promise.all(
        [...deployment.resources.values()].map(async (binding): Promise<[string, string | Error]> => {
          try {
            const ping = async () => binding.ping(await openNamed(binding.name));
            return [binding.name, await within(withinMs, binding.name, ping())];
          } catch (error) {
            return [binding.name, error instanceof Error ? error : new TypeError(String(error))];
          }
        }),
      );
      return new Map(answers);
    },
    async close() {
      for (const [name, opening] of [...opened].reverse()) {
        const closing = async () => deployment.resources.get(name)?.close(await opening);
        try {
          if (open.has(name)) await within(ANSWER_WITHIN_MS, name, closing());
          else closing().catch(() => {});
        } catch (error) {
          log.warn('a resource did not close', { resource: name, error });
        }
      }
      opened.clear();
    },
  };
}

/** To a ping, or to being closed: a service that says nothing must not keep a command or a worker from ending. */
const ANSWER_WITHIN_MS = 15_000;

/** @throws ServiceError when there is no answer in time */
async function within<T>(ms: number, name: string, answer: Promise<T>): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_resolve, reject) => {
    const error = new ServiceError(name, `${name} does not answer within ${ms / 1_000} s.`);
    timer = setTimeout(() => reject(error), ms);
  });
  try {
    return await Promise.race([answer, late]);
  } finally {
    clearTimeout(timer);
  }
}

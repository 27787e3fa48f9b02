/** Resources of one process: each opened once, at first use, and closed in reverse order. */

import type { Logger } from '../definitions/context.ts';
import type { Deployment, Environment } from '../definitions/deployment.ts';
import { lookUp } from '../definitions/deployment.ts';
import type { Resource, ResourceMap } from '../definitions/resource.ts';

export interface ResourcePool {
  /** @throws ServiceError when it cannot be opened; the next call tries again */
  open<T>(token: Resource<T>): Promise<T>;
  openAll(map: ResourceMap): Promise<Record<string, unknown>>;
  /** What answered, or the error, by resource name. */
  pingAll(): Promise<ReadonlyMap<string, string | Error>>;
  close(): Promise<void>;
}

export function createResourcePool(deployment: Deployment, env: Environment, log: Logger): ResourcePool {
  const opened = new Map<string, Promise<unknown>>();
  const openNamed = (name: string): Promise<unknown> => {
    const known = opened.get(name);
    if (known) return known;
    const opening = lookUp('resource', deployment.resources, name).open({ env, log });
    opened.set(name, opening);
    opening.catch(() => opened.delete(name));
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
    async pingAll() {
      const answers = await Promise.all(
        [...deployment.resources.values()].map(async (binding): Promise<[string, string | Error]> => {
          try {
            return [binding.name, await binding.ping(await openNamed(binding.name))];
          } catch (error) {
            return [binding.name, error instanceof Error ? error : new TypeError(String(error))];
          }
        }),
      );
      return new Map(answers);
    },
    async close() {
      for (const [name, opening] of [...opened].reverse()) {
        try {
          await deployment.resources.get(name)?.close(await opening);
        } catch (error) {
          log.warn('a resource did not close', { resource: name, error });
        }
      }
      opened.clear();
    },
  };
}

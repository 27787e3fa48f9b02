/**
 * Resources: connections handed to steps. A definition names the resource it needs by a typed token; the deployment
 * says how each token is opened, pinged and closed. Nothing is opened when definitions are loaded.
 */

import type { Logger } from './context.ts';

export interface Resource<T> {
  readonly name: string;
  readonly description: string;
  /** Carries the type only; never set. */
  readonly type?: T;
}

export type ResourceMap = Readonly<Record<string, Resource<unknown>>>;
export type Opened<R extends ResourceMap> = { readonly [K in keyof R]: R[K] extends Resource<infer T> ? T : never };

export interface OpenContext {
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly log: Logger;
}

export interface ResourceBinding {
  readonly name: string;
  open(context: OpenContext): Promise<unknown>;
  close(value: unknown): Promise<void>;
  /** Says in a few words what answered (`ClickHouse 26.7`), or throws a ServiceError. Used by doctor and readiness. */
  ping(value: unknown): Promise<string>;
}

export function resource<T>(name: string, description: string): Resource<T> {
  return { name, description };
}

/** Binds a token to its implementation; the value is opened once a process, at first use. */
export function provide<T>(
  token: Resource<T>,
  binding: {
    open(context: OpenContext): Promise<T>;
    close?(value: T): Promise<void>;
    ping?(value: T): Promise<string>;
  },
): ResourceBinding {
  return {
    name: token.name,
    open: binding.open,
    close: async (value) => binding.close?.(value as T),
    ping: async (value) => (binding.ping ? binding.ping(value as T) : 'not checked'),
  };
}

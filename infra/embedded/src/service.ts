/** The contract between `services` and each embedded service. */

import type { ProcessIdentity } from './processes.ts';

export const SERVICE_NAMES = ['redis', 'postgres', 'clickhouse', 'kafka', 's3', 'ducklake'] as const;
export type ServiceName = (typeof SERVICE_NAMES)[number];

export type Environment = Readonly<Record<string, string>>;

/** What is kept about a service between commands; the file that holds it is readable by its owner only. */
export interface ServiceRecord {
  /** Undefined for services without a process (extensions, a directory) and for those that were stopped. */
  readonly process?: ProcessIdentity;
  readonly port?: number;
  /** Further facts that must survive a restart: passwords, a data directory elsewhere. */
  readonly memory?: Readonly<Record<string, string>>;
  /** The variables that lead to it. */
  readonly env: Environment;
  readonly log?: string;
  /** True while it is up. */
  readonly up: boolean;
}

interface StartContext {
  /** A directory of its own; it exists. */
  readonly dir: string;
  readonly log: string;
  /** What the last start in this directory left: the same port and passwords are used again. */
  readonly previous: ServiceRecord | undefined;
  /** One line about what takes time, for people. */
  progress(line: string): void;
}

export interface Service {
  readonly name: ServiceName;
  /** When the environment gives all of these, the service is somebody else's and is not started. */
  readonly variables: readonly string[];
  /** Asks the process to end in an orderly way. */
  readonly stopSignal: NodeJS.Signals;
  /** Resolves when it answers. @throws ServicesError */
  start(context: StartContext): Promise<ServiceRecord>;
}

/** One request and its answer, as the bridge's parts pass it on. */

import type { IncomingMessage, ServerResponse } from 'node:http';

export interface Exchange {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  readonly query: URLSearchParams;
  /** The client's, or one that was made for it. */
  readonly queryId: string;
  /** Marks a failure that comes after the first rows. */
  readonly tag: string;
}

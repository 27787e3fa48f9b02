import type { Json } from '../editor/json.ts';

/** A version of the cursor that an edit builds on. */
export interface Base {
  readonly version: number;
  readonly cursor: Json;
}

/** What can go wrong in a duckling's backfill beyond its services, with stable codes. */

import { WorkError, registerErrors } from '@skein/orchestrator';

/** The lake's table or the source does not fit the export; nothing was exported. */
export class SchemaMismatchError extends WorkError {
  readonly code = 'LAKE_SCHEMA_MISMATCH';
}

/** The lake would have held another number of rows than was exported; nothing was committed. */
export class RowCountMismatchError extends WorkError {
  readonly code = 'ROW_COUNT_MISMATCH';
  override readonly retryable = true;
}

/** The day has not ended yet, so its rows are not all there. */
export class DayNotOverError extends WorkError {
  readonly code = 'DAY_NOT_OVER';
}

export const DUCKLING_ERRORS: Readonly<Record<string, string>> = {
  LAKE_SCHEMA_MISMATCH:
    'Columns or types of a lake’s table or of its source differ from the export; nothing was exported.',
  ROW_COUNT_MISMATCH: 'A lake would have held another number of rows than was exported; nothing was committed.',
  DAY_NOT_OVER: 'The day of a partition has not ended in UTC; it can be exported from the next day on.',
};

registerErrors(DUCKLING_ERRORS);

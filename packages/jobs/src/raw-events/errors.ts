/** The errors of this family alone. */

import { RequestError, registerErrors } from '@skein/orchestrator';

export class RawEventsReprocessingDisabledError extends RequestError {
  readonly code = 'RAW_EVENTS_REPROCESSING_DISABLED';
  override readonly httpStatus = 503;

  constructor() {
    super('Raw events reprocessing is disabled: raw_events_reprocessing.enabled is false.', {
      hint: 'Set FLEXPRICE_RAW_EVENTS_REPROCESSING_ENABLED to true.',
    });
  }
}

export const RAW_EVENTS_ERRORS: Readonly<Record<string, string>> = {
  RAW_EVENT_CASE_INVALID: 'A line given to “raw-events transform” is not a case with a payload in it.',
  RAW_EVENTS_REPROCESSING_DISABLED: 'Raw events reprocessing is switched off by configuration.',
};

registerErrors(RAW_EVENTS_ERRORS);

/** The conversation labels: asset, job, command, and what sensor, demo and bench use of them. */

export { activeDaysCells, activeDay } from './active-days.ts';
export { labelConversations, labelConversationsJob, labelsAgreeWithSource } from './asset.ts';
export { labelsCommand } from './command.ts';
export { LabelConversationsConfig } from './config.ts';
export { batchSizeMs, customerFilter, switchedOff } from './environment.ts';
export { LABEL_ERRORS } from './errors.ts';
export { lastRegularRanges } from './finish.ts';
export { liveLeases as liveLabelLeases } from './lease.ts';
export { listProfiles, sitesOf } from './profiles.ts';
export { REGULAR_TAG, customerDays } from './step.ts';
export { type Verification } from './verification.ts';
export { verifyCustomer } from './verify-customer.ts';
export { readWatermark } from './watermark.ts';
export { cutWindow, instantText, type Window } from './windows.ts';

/** The conversation labels: asset, job, command, and what sensors, demo and bench use of them. */

export { labelConversations, labelConversationsJob, labelsAgreeWithSource } from './asset.ts';
export { LabelConversationsConfig } from './config.ts';
export { LABEL_ERRORS } from './errors.ts';
export { REGULAR_TAG } from './step.ts';

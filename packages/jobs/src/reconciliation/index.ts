/** Reconciliation of person properties: repair, restore, and what they share with their sensor. */

export { RECONCILIATION_JOB, personPropertyReconciliation, personPropertyReconciliationJob } from './asset.ts';
export { ReconciliationConfig, parseMoment } from './config.ts';

/** Reconciliation of person properties: repair, restore, and what they share with their sensor. */

export { RECONCILIATION_JOB, personPropertyReconciliation, personPropertyReconciliationJob } from './asset.ts';
export { ReconciliationConfig, bugWindowDay, parseMoment } from './config.ts';
export { reconciliationResultsCommand } from './command.ts';
export { personPropertyReconciliationRestore, personPropertyReconciliationRestoreJob } from './restore/asset.ts';

/** The orphan sync: its asset, job and command. */

export { defineOrphanSync, syncPersonDistinctIds, syncPersonDistinctIdsJob } from './asset.ts';
export { orphanTestDataCommand } from './command.ts';
export { OrphanSyncConfig } from './config.ts';

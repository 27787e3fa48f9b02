/** Statuses of a run that will still change. */
const ACTIVE: readonly string[] = ['QUEUED', 'STARTING', 'STARTED', 'CANCELING'];

export const isActive = (status: string): boolean => ACTIVE.includes(status);

/** The partitions that the families of teams share: `<team_id>_<YYYY-MM-DD>`, so that one heat map shows them all. */

import { type IdDay, composite, daily, dynamic, positiveInteger } from '@skein/orchestrator';

export const teamDays = composite({ id: dynamic('team_id', positiveInteger), day: daily({ start: '2015-01-01' }) });
export type TeamDay = IdDay<number>;

/** Every resource's routes. */

import type { Routes } from '../context.ts';
import { accessRoutes } from './access.ts';
import { assetRoutes } from './assets.ts';
import { backfillRoutes } from './backfills.ts';
import { cursorRoutes } from './cursors.ts';
import { docsRoutes } from './docs.ts';
import { eventRoutes } from './events.ts';
import { failureRoutes } from './failures.ts';
import { healthRoutes } from './health.ts';
import { limitRoutes } from './limits.ts';
import { launchRoutes } from './launch.ts';
import { markRoutes } from './marks.ts';
import { overviewRoutes } from './overview.ts';
import { partitionRoutes } from './partitions.ts';
import { partitionValueRoutes } from './partition-values.ts';
import { poolRoutes } from './pools.ts';
import { bulkRunRoutes } from './runs-bulk.ts';
import { runLogRoutes } from './run-log.ts';
import { runGroupRoutes } from './run-groups.ts';
import { runLogFileRoutes } from './run-log-file.ts';
import { runLogTemplateRoutes } from './run-log-templates.ts';
import { runLogWindowRoutes } from './run-log-window.ts';
import { runWhyRoutes } from './run-why.ts';
import { runRoutes } from './runs.ts';
import { savedRoutes } from './saved.ts';
import { scheduleRoutes } from './schedules.ts';
import { searchRoutes } from './search.ts';
import { sensorRoutes } from './sensors.ts';
import { signInRoutes } from './sign-in.ts';
import { sqlRoutes } from './sql.ts';
import { systemRoutes } from './system.ts';

export const ALL_ROUTES: readonly Routes[] = [
  healthRoutes,
  docsRoutes,
  accessRoutes,
  signInRoutes,
  overviewRoutes,
  searchRoutes,
  savedRoutes,
  failureRoutes,
  assetRoutes,
  partitionRoutes,
  partitionValueRoutes,
  markRoutes,
  launchRoutes,
  bulkRunRoutes,
  runGroupRoutes,
  runRoutes,
  runLogRoutes,
  runLogWindowRoutes,
  runLogFileRoutes,
  runLogTemplateRoutes,
  runWhyRoutes,
  sensorRoutes,
  cursorRoutes,
  scheduleRoutes,
  poolRoutes,
  limitRoutes,
  backfillRoutes,
  sqlRoutes,
  systemRoutes,
  eventRoutes,
];

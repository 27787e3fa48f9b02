/** Every address of the dashboard with its typed search parameters. Pages are loaded when they are first opened. */

import type { QueryClient } from '@tanstack/react-query';
import {
  Link,
  createRootRouteWithContext,
  createRoute,
  createRouter,
  lazyRouteComponent,
  retainSearchParams,
  type ErrorComponentProps,
} from '@tanstack/react-router';

import { getOverview, listRuns } from '../api/generated/client.ts';
import { asQuery, prefetchPages } from '../api/use-api.ts';
import { LATEST, OverviewPage } from '../overview/OverviewPage.tsx';
import { Page } from '../parts/Page.tsx';
import { Empty, Loading, ProblemNotice } from '../parts/States.tsx';
import { CLOCKS } from './preferences.ts';
import { type Raw, choiceOf, given, numberOf, parseSearch, stringifySearch, textOf } from './search.ts';
import { PARTITION_STATUSES } from '../parts/status.ts';
import { Shell } from './Shell.tsx';

const DECISIONS = ['running', 'requested', 'suppressed', 'acted', 'skipped', 'failed', 'timed_out'] as const;
const LEVELS = ['debug', 'info', 'warn', 'error'] as const;

const root = createRootRouteWithContext<{ readonly cache: QueryClient }>()({
  component: Shell,
  // `sign_in` is what a provider's refusal comes back with, at whichever address was asked for.
  validateSearch: (raw: Raw) => given({ tz: choiceOf(raw, 'tz', CLOCKS), sign_in: textOf(raw, 'sign_in') }),
  search: { middlewares: [retainSearchParams(['tz'])] },
  // The figures beside the navigation, asked for while the browser still draws the frame.
  loader: ({ context: { cache } }) => void cache.prefetchQuery(asQuery(getOverview, {})),
  notFoundComponent: () => (
    <Page title="There is no such page.">
      <Empty title="The address may be old, or mistyped.">
        <Link to="/">To the overview</Link>
      </Empty>
    </Page>
  ),
});

const at = <const P extends string>(path: P) => ({ getParentRoute: () => root, path }) as const;

const overview = createRoute({
  ...at('/'),
  // The page that most begin with comes with the entry; its parts are those of every page. What it reads is asked for
  // while the browser still draws the frame around it.
  component: OverviewPage,
  loader: ({ context }) => prefetchPages(context.cache, listRuns, LATEST),
});
const assets = createRoute({
  ...at('/assets'),
  validateSearch: (raw: Raw) =>
    given({
      view: choiceOf(raw, 'view', ['list', 'graph']),
      q: textOf(raw, 'q'),
      sel: textOf(raw, 'sel'),
      depth: numberOf(raw, 'depth'),
      closed: textOf(raw, 'closed'),
    }),
  component: lazyRouteComponent(() => import('../assets/AssetsPage.tsx'), 'AssetsPage'),
});
const asset = createRoute({
  ...at('/assets/$key'),
  validateSearch: (raw: Raw) =>
    given({
      tab: choiceOf(raw, 'tab', ['partitions', 'table', 'runs', 'config', 'lineage', 'automation']),
      q: textOf(raw, 'q'),
      sort: choiceOf(raw, 'sort', ['name', 'failed', 'active', 'lag']),
      pin: textOf(raw, 'pin'),
      fold: choiceOf(raw, 'fold', ['week', 'month']),
      col: numberOf(raw, 'col'),
      zoom: numberOf(raw, 'zoom'),
      only: textOf(raw, 'only'),
      by: textOf(raw, 'by'),
      cell: textOf(raw, 'cell'),
      at: textOf(raw, 'at'),
      rows: textOf(raw, 'rows'),
      of: textOf(raw, 'of'),
      from: textOf(raw, 'from'),
      to: textOf(raw, 'to'),
      status: choiceOf(raw, 'status', PARTITION_STATUSES),
    }),
  component: lazyRouteComponent(() => import('../assets/AssetPage.tsx'), 'AssetPage'),
});
const sensors = createRoute({
  ...at('/sensors'),
  validateSearch: (raw: Raw) =>
    given({
      q: textOf(raw, 'q'),
      state: choiceOf(raw, 'state', ['running', 'stopped', 'erroring', 'stuck', 'overridden']),
    }),
  component: lazyRouteComponent(() => import('../sensors/SensorsPage.tsx'), 'SensorsPage'),
});
const sensor = createRoute({
  ...at('/sensors/$name'),
  validateSearch: (raw: Raw) =>
    given({
      tab: choiceOf(raw, 'tab', ['ticks', 'cursor', 'runs', 'logs', 'code']),
      status: choiceOf(raw, 'status', DECISIONS),
      range: textOf(raw, 'range'),
      level: choiceOf(raw, 'level', LEVELS),
      tick: textOf(raw, 'tick'),
      edit: choiceOf(raw, 'edit', ['form', 'json']),
    }),
  component: lazyRouteComponent(() => import('../sensors/SensorPage.tsx'), 'SensorPage'),
});
const schedules = createRoute({
  ...at('/schedules'),
  validateSearch: (raw: Raw) => given({ name: textOf(raw, 'name') }),
  component: lazyRouteComponent(() => import('../schedules/SchedulesPage.tsx'), 'SchedulesPage'),
});
const launch = createRoute({
  ...at('/launch'),
  validateSearch: (raw: Raw) =>
    given({
      asset: textOf(raw, 'asset'),
      job: textOf(raw, 'job'),
      partition: textOf(raw, 'partition'),
      from_run: textOf(raw, 'from_run'),
      preset: textOf(raw, 'preset'),
      config: textOf(raw, 'config'),
      edit: choiceOf(raw, 'edit', ['form', 'json']),
    }),
  component: lazyRouteComponent(() => import('../launch/LaunchPage.tsx'), 'LaunchPage'),
});
const runs = createRoute({
  ...at('/runs'),
  validateSearch: (raw: Raw) =>
    given({
      q: textOf(raw, 'q'),
      pick: textOf(raw, 'pick'),
      by: choiceOf(raw, 'by', ['job', 'cause', 'error']),
      cols: textOf(raw, 'cols'),
      view: choiceOf(raw, 'view', ['all']),
    }),
  component: lazyRouteComponent(() => import('../runs/RunsPage.tsx'), 'RunsPage'),
});
const act = createRoute({
  ...at('/runs/act'),
  validateSearch: (raw: Raw) =>
    given({
      q: textOf(raw, 'q'),
      do: choiceOf(raw, 'do', ['cancel', 'retry', 'retry-failed']),
      before: textOf(raw, 'before'),
      after: textOf(raw, 'after'),
      looked: numberOf(raw, 'looked'),
      done: numberOf(raw, 'done'),
      refused: numberOf(raw, 'refused'),
    }),
  component: lazyRouteComponent(() => import('../runs/ActPage.tsx'), 'ActPage'),
});
const run = createRoute({
  ...at('/runs/$id'),
  validateSearch: (raw: Raw) =>
    given({
      tab: choiceOf(raw, 'tab', ['timeline', 'log', 'partitions', 'config', 'why', 'raw']),
      level: choiceOf(raw, 'level', LEVELS),
      find: textOf(raw, 'find'),
      regex: choiceOf(raw, 'regex', ['true']),
      only: choiceOf(raw, 'only', ['true']),
      attempt: textOf(raw, 'attempt'),
      wrap: choiceOf(raw, 'wrap', ['no']),
      from: numberOf(raw, 'from'),
      to: numberOf(raw, 'to'),
      idle: choiceOf(raw, 'idle', ['shown']),
      line: textOf(raw, 'line'),
      outcome: choiceOf(raw, 'outcome', ['materialized', 'failed', 'skipped', 'open']),
      drop: textOf(raw, 'drop'),
      event: textOf(raw, 'event'),
    }),
  component: lazyRouteComponent(() => import('../runs/RunPage.tsx'), 'RunPage'),
});
const compare = createRoute({
  ...at('/compare'),
  validateSearch: (raw: Raw) => given({ a: textOf(raw, 'a'), b: textOf(raw, 'b') }),
  component: lazyRouteComponent(() => import('../runs/ComparePage.tsx'), 'ComparePage'),
});
const backfills = createRoute({
  ...at('/backfills'),
  component: lazyRouteComponent(() => import('../backfills/BackfillsPage.tsx'), 'BackfillsPage'),
});
const backfill = createRoute({
  ...at('/backfills/$id'),
  component: lazyRouteComponent(() => import('../backfills/BackfillPage.tsx'), 'BackfillPage'),
});
const ducklings = createRoute({
  ...at('/ducklings'),
  validateSearch: (raw: Raw) => given({ q: textOf(raw, 'q'), team: textOf(raw, 'team') }),
  component: lazyRouteComponent(() => import('../ducklings/DucklingsPage.tsx'), 'DucklingsPage'),
});
const failures = createRoute({
  ...at('/failures'),
  validateSearch: (raw: Raw) => given({ job: textOf(raw, 'job') }),
  component: lazyRouteComponent(() => import('../failures/FailuresPage.tsx'), 'FailuresPage'),
});
const system = createRoute({
  ...at('/system'),
  validateSearch: (raw: Raw) => given({ tab: choiceOf(raw, 'tab', ['workers', 'pools', 'audit', 'tokens']) }),
  component: lazyRouteComponent(() => import('../system/SystemPage.tsx'), 'SystemPage'),
});

const tree = root.addChildren([
  overview,
  assets,
  asset,
  sensors,
  sensor,
  schedules,
  launch,
  runs,
  act,
  run,
  compare,
  backfills,
  backfill,
  ducklings,
  failures,
  system,
]);

export function createAppRouter(cache: QueryClient) {
  return createRouter({
    routeTree: tree,
    context: { cache },
    parseSearch,
    stringifySearch,
    // What a page does not know or refuses goes out of the address too: what stands there is what is shown.
    search: { strict: true },
    defaultPreload: 'intent',
    defaultPendingComponent: Loading,
    defaultErrorComponent: Broken,
    scrollRestoration: true,
  });
}

function Broken({ error, reset }: ErrorComponentProps) {
  return (
    <div className="page">
      <ProblemNotice error={error} onRetry={reset} />
    </div>
  );
}

import { Link, Outlet, useNavigate } from '@tanstack/react-router';
import { Suspense, lazy, useEffect, useState } from 'react';

import { getMe, getOverview } from '../api/generated/client.ts';
import { ApiError } from '../api/operation.ts';
import { useApi } from '../api/use-api.ts';
import { Loading, ProblemNotice } from '../parts/States.tsx';
import { Bar } from './Bar.tsx';
import { useLiveState } from './live-context.ts';
import { NAV, type NavItem } from './nav.ts';
import { useSignedOut } from './session.ts';
import { useShortcuts } from './use-shortcuts.ts';

const Palette = lazy(() => import('./Palette.tsx').then((module) => ({ default: module.Palette })));
const SignInPage = lazy(() => import('./SignIn.tsx').then((module) => ({ default: module.SignInPage })));
const SignInAgain = lazy(() => import('./SignIn.tsx').then((module) => ({ default: module.SignInAgain })));
const Shortcuts = lazy(() => import('./Shortcuts.tsx').then((module) => ({ default: module.Shortcuts })));

/** Navigation, header and what lies over every page. */
export function Shell() {
  const me = useApi(getMe, {});
  const signedOut = useSignedOut();
  const navigate = useNavigate();
  const [open, setOpen] = useState<'palette' | 'shortcuts' | undefined>();
  useShortcuts({
    palette: () => setOpen('palette'),
    sheet: () => setOpen('shortcuts'),
    goTo: (item) => void navigate({ to: item.to }),
  });

  if (me.data === undefined) {
    if (me.error instanceof ApiError && me.error.problem.status === 401)
      return (
        <Suspense fallback={null}>
          <SignInPage />
        </Suspense>
      );
    if (me.error) return <Centered>{<ProblemNotice error={me.error} onRetry={() => me.refetch()} />}</Centered>;
    return <Centered>{<Loading />}</Centered>;
  }
  return (
    <div className="shell">
      <a className="skip" href="#main">
        Skip to the page
      </a>
      <Nav />
      <div className="main">
        <Bar me={me.data} onPalette={() => setOpen('palette')} onShortcuts={() => setOpen('shortcuts')} />
        <AwayBanner />
        <main id="main" tabIndex={-1} style={{ outline: 'none' }}>
          <Suspense fallback={<Loading />}>
            <Outlet />
          </Suspense>
        </main>
      </div>
      <Suspense fallback={null}>
        {signedOut && <SignInAgain />}
        {open === 'palette' && <Palette onClose={() => setOpen(undefined)} onShortcuts={() => setOpen('shortcuts')} />}
        {open === 'shortcuts' && <Shortcuts onClose={() => setOpen(undefined)} />}
      </Suspense>
    </div>
  );
}

function Nav() {
  const overview = useApi(getOverview, {});
  const counts: Partial<Record<NavItem['to'], number>> = {
    '/runs': overview.data ? overview.data.runs.active + overview.data.runs.queued : 0,
    '/backfills': overview.data?.backfills_live ?? 0,
    '/sensors': overview.data?.sensors.failing.length ?? 0,
  };
  return (
    <nav className="nav" aria-label="Pages">
      <Link to="/" className="brand" aria-label="Skein: overview">
        <img src="/skein.svg" width={24} height={24} alt="" />
        <span>Skein</span>
      </Link>
      {NAV.map((item) => (
        <NavEntry key={item.to} item={item} count={counts[item.to] ?? 0} />
      ))}
    </nav>
  );
}

function NavEntry({ item, count }: { item: NavItem; count: number }) {
  const Icon = item.icon;
  return (
    <>
      {item.title && <div className="nav-title">{item.title}</div>}
      <Link
        to={item.to}
        className="nav-link"
        activeOptions={{ exact: item.to === '/', includeSearch: false }}
        aria-label={item.name}
      >
        <Icon size={16} aria-hidden />
        <span>{item.name}</span>
        {count > 0 && <span className="count num">{count.toLocaleString('en')}</span>}
      </Link>
    </>
  );
}

function Centered({ children }: { children: React.ReactNode }) {
  return <main style={{ maxWidth: 640, margin: '0 auto', padding: '12vh 20px 20px' }}>{children}</main>;
}

/** From this long on it is no hiccup. */
const AWAY_MS = 2_500;

/** The server is away: what is shown may be old, what is typed is kept, and it goes on by itself. */
function AwayBanner() {
  const state = useLiveState();
  const [isAway, setAway] = useState(false);
  useEffect(() => {
    const timer = setTimeout(() => setAway(state === 'reconnecting'), state === 'reconnecting' ? AWAY_MS : 0);
    return () => clearTimeout(timer);
  }, [state]);
  if (!isAway) return <div role="status" />;
  return (
    <div className="away" role="status">
      The server does not answer. What you see may be old; what you typed is kept. Trying again by itself…
    </div>
  );
}

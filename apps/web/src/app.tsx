/** The routes. The street is part of the first load; a house, its messages and the tools come when they are opened. */
import { useQuery } from '@tanstack/react-query';
import { lazy, type ReactNode, Suspense, useCallback, useEffect, useRef } from 'react';
import { Route, Switch, useLocation } from 'wouter';
import { Guarded } from './access/guarded.tsx';
import { useEnded } from './access/session.ts';
import { setClock } from './clock.ts';
import { useReopened } from './live.ts';
import { queryClient, statusQuery } from './queries.ts';
import { Header } from './shell/header.tsx';
import { Street } from './street/street.tsx';
import { Boundary } from './ui/boundary.tsx';
import { NotFound } from './ui/notice.tsx';
import { PageSkeleton } from './ui/skeleton.tsx';

const House = lazy(() => import('./meter/house.tsx'));
const WallPage = lazy(() => import('./wall/page.tsx'));
const ExplainPage = lazy(() => import('./explain/page.tsx'));
const LogInPage = lazy(() => import('./access/login.tsx'));
const FirstPage = lazy(() => import('./access/first.tsx'));
const AccountPage = lazy(() => import('./access/account.tsx'));
const LogInAgain = lazy(() => import('./access/again.tsx'));
const CompletenessPage = lazy(() => import('./completeness/page.tsx'));
const LogPage = lazy(() => import('./log/page.tsx'));
const ReferencePage = lazy(() => import('./reference/page.tsx'));

/** The address without what only moves within a page. */
function pageOf(path: string): string {
  return path.replace(/\/(day|week|month|year)(\/.*)?$/i, '');
}

/** After a change of page the reading starts at its heading, as after a page load. */
function useFocusOnChange(): void {
  const [path] = useLocation();
  const page = pageOf(path);
  const before = useRef(page);
  useEffect(() => {
    if (before.current === page) return;
    before.current = page;
    window.scrollTo(0, 0);
    document.getElementById('main')?.focus({ preventScroll: true });
  }, [page]);
}

export function App(): ReactNode {
  const [path] = useLocation();
  // Nobody asks how the server is before they are let in.
  const status = useQuery({ ...statusQuery, enabled: !/^\/(login|first)$/.test(path) });
  useEffect(() => {
    if (status.data) setClock(status.data);
  }, [status.data]);
  useReopened(
    useCallback(() => {
      queryClient.invalidateQueries({ predicate: (query) => query.queryKey[0] !== 'energy' });
    }, []),
  );
  useFocusOnChange();
  const ended = useEnded();
  // A wall has no use for a bar of links.
  const wall = /^\/display(\/|$)/.test(path);
  return (
    <>
      {!wall && <Header />}
      <main id="main" tabIndex={-1}>
        <Boundary at={path}>
          <Suspense fallback={<PageSkeleton />}>
            <Switch>
              <Route path="/" component={Street} />
              <Route path="/meter/:id/*?">{(params) => <House id={params.id} />}</Route>
              <Route path="/display/*?" component={WallPage} />
              <Route path="/explain" component={ExplainPage} />
              <Route path="/login" component={LogInPage} />
              <Route path="/first" component={FirstPage} />
              <Route path="/account" component={AccountPage} />
              <Route path="/completeness/*?">
                <Guarded needs={['reading:view']}>
                  <CompletenessPage />
                </Guarded>
              </Route>
              <Route path="/log">
                <Guarded needs={['transaction:view']}>
                  <LogPage />
                </Guarded>
              </Route>
              <Route path="/api" component={ReferencePage} />
              <Route component={NotFound} />
            </Switch>
          </Suspense>
        </Boundary>
      </main>
      {ended && (
        <Suspense>
          <LogInAgain name={ended.name} settle={ended.settle} />
        </Suspense>
      )}
    </>
  );
}

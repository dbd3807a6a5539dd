/** The routes. The street is part of the first load; a house, its messages and the tools come when they are opened. */
import { useQuery } from '@tanstack/react-query';
import { lazy, type ReactNode, Suspense, useCallback, useEffect, useRef } from 'react';
import { Route, Switch, useLocation } from 'wouter';
import { setClock } from './clock.ts';
import { useReopened } from './live.ts';
import { queryClient, statusQuery } from './queries.ts';
import { Header } from './shell/header.tsx';
import { Street } from './street/street.tsx';
import { NotFound } from './ui/notice.tsx';
import { PageSkeleton } from './ui/skeleton.tsx';

const House = lazy(() => import('./meter/house.tsx'));
const WallPage = lazy(() => import('./wall/page.tsx'));
const ExplainPage = lazy(() => import('./explain/page.tsx'));

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
  const status = useQuery(statusQuery);
  useEffect(() => {
    if (status.data) setClock(status.data);
  }, [status.data]);
  useReopened(
    useCallback(() => {
      queryClient.invalidateQueries({ predicate: (query) => query.queryKey[0] !== 'energy' });
    }, []),
  );
  useFocusOnChange();
  const [path] = useLocation();
  // A wall has no use for a bar of links.
  const wall = /^\/display(\/|$)/.test(path);
  return (
    <>
      {!wall && <Header />}
      <main id="main" tabIndex={-1}>
        <Suspense fallback={<PageSkeleton />}>
          <Switch>
            <Route path="/" component={Street} />
            <Route path="/meter/:id/*?">{(params) => <House id={params.id} />}</Route>
            <Route path="/display/*?" component={WallPage} />
            <Route path="/explain" component={ExplainPage} />
            <Route component={NotFound} />
          </Switch>
        </Suspense>
      </main>
    </>
  );
}

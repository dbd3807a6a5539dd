/**
 * The street: every house with its power now. The list is drawn in a window of what is visible and fetched page by
 * page, so that thirteen houses and a hundred thousand feel the same; live values are asked for what is visible when
 * there are many.
 */
import type { Meter } from '@amiable/model';
import { useInfiniteQuery, useQuery } from '@tanstack/react-query';
import { lazy, type ReactNode, Suspense, useEffect, useMemo, useRef, useState } from 'react';
import { Link, useSearchParams } from 'wouter';
import { useSpeech } from '../i18n/index.tsx';
import { latestCount, latestOf, takeLive, useLiveVersion, useWanted } from '../live.ts';
import { type StreetFilter, statusQuery, streetQuery } from '../queries.ts';
import { Choice } from '../ui/choice.tsx';
import { Fault } from '../ui/notice.tsx';
import { Bone } from '../ui/skeleton.tsx';
import { nextScale } from './condition.ts';
import { EmptyStreet } from './empty.tsx';
import { HouseList, type Layout } from './list.tsx';
import { NameDialog } from './name-dialog.tsx';
import { Total } from './total.tsx';

/** What is only there where meters have places in the network comes on its own. */
const AreaTools = lazy(() => import('./area-tools.tsx'));
const Areas = lazy(() => import('./areas.tsx'));

/** Up to here the page listens to everybody; beyond, to whom it shows. */
const LISTEN_ALL = 200;
/** Up to here tiles, beyond rows, unless chosen. */
const TILES_UP_TO = 60;
const NONE: readonly string[] = [];

function useScale(meters: readonly Meter[]): number {
  useLiveVersion();
  const scale = useRef(2000);
  const powers = meters.slice(0, LISTEN_ALL).map((meter) => (latestOf(meter.id) ?? meter.live)?.power ?? 0);
  scale.current = nextScale(scale.current, powers);
  return scale.current;
}

function SearchBox({ value, change }: { value: string; change(text: string): void }): ReactNode {
  const { t } = useSpeech();
  const [text, setText] = useState(value);
  const input = useRef<HTMLInputElement>(null);
  const told = useRef(value);
  useEffect(() => {
    if (value !== told.current) {
      told.current = value;
      setText(value);
    }
  }, [value]);
  useEffect(() => {
    if (text === told.current) return;
    const timer = setTimeout(() => {
      told.current = text;
      change(text);
    }, 180);
    return () => clearTimeout(timer);
  }, [text, change]);
  useEffect(() => {
    const onKey = (event: KeyboardEvent) => {
      if (event.key !== '/' || event.ctrlKey || event.metaKey || event.altKey) return;
      if (event.target instanceof Element && event.target.closest('input, textarea, select, dialog')) return;
      event.preventDefault();
      input.current?.focus();
    };
    window.addEventListener('keydown', onKey);
    return () => window.removeEventListener('keydown', onKey);
  }, []);
  return (
    <div className="search">
      <svg viewBox="0 0 16 16" width="15" height="15" aria-hidden="true">
        <path d="M7 2a5 5 0 1 1 0 10A5 5 0 0 1 7 2m3.6 8.6L14 14" fill="none" stroke="currentColor" strokeWidth="1.6" />
      </svg>
      <input
        ref={input}
        type="search"
        aria-label={t('search')}
        placeholder={t('searchHint')}
        value={text}
        onChange={(event) => setText(event.target.value)}
      />
      <span className="kbd" aria-hidden="true">
        /
      </span>
    </div>
  );
}

function StreetSkeleton(): ReactNode {
  const { t } = useSpeech();
  return (
    <div className="page" aria-busy="true">
      <h1 className="unseen">{t('streetTitle')}</h1>
      <p className="unseen" role="status">
        {t('loading')}
      </p>
      <div className="total total-bone">
        <Bone height={110} />
      </div>
      <div className="skeleton-tiles">
        {Array.from({ length: 9 }, (_, i) => i).map((i) => (
          <div key={i} className="tile">
            <Bone width="60%" height={20} />
            <Bone width="40%" height={34} />
            <Bone height={10} />
            <Bone height={48} />
          </div>
        ))}
      </div>
    </div>
  );
}

export function Street(): ReactNode {
  const { t, format } = useSpeech();
  const [parameters, setParameters] = useSearchParams();
  const q = parameters.get('q') ?? '';
  const state = parameters.get('state');
  const under = parameters.get('under') ?? '';
  const filter = useMemo<StreetFilter>(
    () => ({ q, state: state === 'new' || state === 'named' ? state : undefined, under: under || undefined }),
    [q, state, under],
  );
  const status = useQuery(statusQuery);
  const query = useInfiniteQuery({ ...streetQuery(filter), placeholderData: (before) => before });
  const [naming, setNaming] = useState<Meter>();
  const [visible, setVisible] = useState<readonly string[]>([]);

  const meters = useMemo(() => query.data?.pages.flatMap((page) => page.meters) ?? [], [query.data]);
  const total = query.data?.pages.at(-1)?.total ?? 0;
  const filtered = q !== '' || filter.state !== undefined || under !== '';
  const grouped = filtered ? null : parameters.get('by');
  const everybody = status.data?.meters ?? total;
  useWanted(everybody <= LISTEN_ALL ? 'all' : grouped ? NONE : visible);
  useEffect(() => takeLive(meters.flatMap((meter) => meter.live ?? [])), [meters]);
  useEffect(() => {
    document.title = `${t('street')} · Amiable`;
  }, [t]);

  // A meter that nobody asked for made itself known: the list is old.
  const version = useLiveVersion();
  const { refetch } = query;
  const heard = latestCount();
  // biome-ignore lint/correctness/useExhaustiveDependencies: looked at whenever anybody spoke
  useEffect(() => {
    if (!filtered && query.isSuccess && everybody <= LISTEN_ALL && heard > total) refetch();
  }, [heard, version, refetch]);
  const known = useRef(status.data?.meters);
  useEffect(() => {
    if (known.current !== undefined && known.current !== status.data?.meters) refetch();
    known.current = status.data?.meters;
  }, [status.data?.meters, refetch]);

  const scale = useScale(meters);
  const set = (name: string, value: string) =>
    setParameters(
      (before) => {
        const next = new URLSearchParams(before);
        if (value) next.set(name, value);
        else next.delete(name);
        return next;
      },
      { replace: true },
    );

  if (query.isPending) return <StreetSkeleton />;
  if (query.isError && meters.length === 0)
    return (
      <div className="page">
        <Fault fault={query.error} retry={() => void query.refetch()} />
      </div>
    );
  if (total === 0 && !filtered)
    return (
      <div className="page">
        <EmptyStreet />
      </div>
    );

  const chosen = parameters.get('view');
  const layout: Layout = chosen === 'tiles' || chosen === 'rows' ? chosen : everybody <= TILES_UP_TO ? 'tiles' : 'rows';
  const unplaced = status.data?.messages.unplaced ?? 0;
  return (
    <div className="page">
      <Total meters={meters} all={!query.hasNextPage} street={!filtered} />
      {unplaced > 0 && (
        <p className="hint">
          <svg viewBox="0 0 16 16" width="16" height="16" aria-hidden="true">
            <path d="M4 7h8v7H4zm1.5 0V5a2.5 2.5 0 0 1 5 0v2" fill="none" stroke="currentColor" strokeWidth="1.5" />
          </svg>
          <span>
            {t('unplaced', { n: unplaced })} {t('unplacedHint')}
          </span>
        </p>
      )}
      <search className="tools">
        <SearchBox value={q} change={(text) => set('q', text)} />
        <Choice
          label={t('filter')}
          value={filter.state ?? 'all'}
          choose={(value) => set('state', value === 'all' ? '' : value)}
          options={[
            { value: 'all', label: t('filterAll') },
            {
              value: 'new',
              label: (
                <>
                  {t('filterNew')}
                  {status.data && status.data.newMeters > 0 && (
                    <span className="count">{format.number(status.data.newMeters)}</span>
                  )}
                </>
              ),
            },
            { value: 'named', label: t('filterNamed') },
          ]}
        />
        <Choice
          label={t('layout')}
          value={layout}
          choose={(value) => set('view', value)}
          options={[
            { value: 'tiles', label: t('layoutTiles') },
            { value: 'rows', label: t('layoutRows') },
          ]}
        />
        <Suspense fallback={null}>
          <AreaTools by={parameters.get('by') ?? ''} under={under} set={set} />
        </Suspense>
        <p className="tools-count" aria-live="polite">
          {filtered ? t('found', { n: total }) : t('houses', { n: total })}
        </p>
      </search>
      {grouped ? (
        <Suspense fallback={<Bone height={200} />}>
          <Areas
            by={grouped}
            open={parameters.get('open') ?? ''}
            set={set}
            layout={layout}
            scale={scale}
            name={setNaming}
          />
        </Suspense>
      ) : meters.length === 0 ? (
        <div className="notice notice-small">
          <p>{q ? t('nothingFound', { q }) : t('nothingFoundFilter')}</p>
          <Link href="/" className="button">
            {t('clearSearch')}
          </Link>
        </div>
      ) : (
        <HouseList
          key={layout}
          meters={meters}
          total={total}
          layout={layout}
          scale={scale}
          more={query.hasNextPage && !query.isFetchingNextPage && !query.isPlaceholderData}
          fetchMore={() => void query.fetchNextPage()}
          name={setNaming}
          show={setVisible}
        />
      )}
      {query.isFetchingNextPage && !grouped && (
        <p className="loading-more" role="status">
          {t('loadingMore')}
        </p>
      )}
      {query.isFetchNextPageError && <Fault fault={query.error} retry={() => void query.fetchNextPage()} small />}
      {naming && <NameDialog meter={naming} close={() => setNaming(undefined)} />}
    </div>
  );
}

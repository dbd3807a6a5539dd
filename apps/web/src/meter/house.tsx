/** One house: its live power, its past, its messages, its settings. */
import '../style/meter.css';
import type { Meter } from '@amiable/model';
import { useQuery } from '@tanstack/react-query';
import { lazy, type ReactNode, Suspense, useEffect, useMemo } from 'react';
import { Link, useLocation, useSearch } from 'wouter';
import { Guarded } from '../access/guarded.tsx';
import { useMay } from '../access/session.ts';
import { useSpeech } from '../i18n/index.tsx';
import { takeLive, useWanted } from '../live.ts';
import { meterQuery } from '../queries.ts';
import { ConditionNote, titleOf, useHouse } from '../street/tile.tsx';
import { Fault, NotFound } from '../ui/notice.tsx';
import { PageSkeleton, PanelSkeleton } from '../ui/skeleton.tsx';
import { isOnlyAsked } from './asked.ts';
import { Facts } from './facts.tsx';
import { LivePanel } from './live-panel.tsx';
import { MediaPanel } from './media-panel.tsx';
import { viewOf } from './period.ts';
import { PeriodPanel } from './period-panel.tsx';
import { Settings } from './settings.tsx';

const Messages = lazy(() => import('../messages/messages.tsx'));
const ReadPanel = lazy(() => import('../ondemand/panel.tsx'));
const ValuesPanel = lazy(() => import('../values/panel.tsx'));
const BillPanel = lazy(() => import('../bill/panel.tsx'));
const EventsPanel = lazy(() => import('../ondemand/events.tsx'));
const LastMessages = lazy(() => import('../messages/last.tsx'));

function Head({ meter, view }: { meter: Meter; view: 'overview' | 'messages' | 'settings' }): ReactNode {
  const speech = useSpeech();
  const { t } = speech;
  const house = useHouse(meter);
  const title = titleOf(meter, speech);
  useEffect(() => {
    document.title = `${title} · Amiable`;
  }, [title]);
  const may = useMay();
  const changes = may('meter:modify') || may('key:modify');
  const tabs = [
    { key: 'overview', href: `/meter/${meter.id}`, shown: true },
    { key: 'messages', href: `/meter/${meter.id}/messages`, shown: may('message:view') },
    { key: 'settings', href: `/meter/${meter.id}/settings`, shown: changes },
  ] as const;
  return (
    <div className="house-head">
      <div className="house-names">
        <Link href="/" className="house-back">
          <span aria-hidden="true">←</span> {t('street')}
        </Link>
        <h1>{title}</h1>
        <p>
          {meter.place}
          <ConditionNote condition={house.condition} meter={meter} />
          {meter.state === 'new' && view !== 'settings' && may('meter:modify') && (
            <Link href={`/meter/${meter.id}/settings`} className="badge badge-new">
              {t('isNew')} · {t('nameIt')}
            </Link>
          )}
        </p>
      </div>
      <nav className="tabs" aria-label={title}>
        {tabs.map((tab) =>
          tab.shown ? (
            <Link key={tab.key} href={tab.href} aria-current={tab.key === view ? 'page' : undefined}>
              {t(tab.key)}
            </Link>
          ) : null,
        )}
      </nav>
    </div>
  );
}

export default function House({ id }: { id: string }): ReactNode {
  const { t } = useSpeech();
  const may = useMay();
  const [path] = useLocation();
  const search = useSearch();
  const rest = path.split('/').slice(3).join('/');
  const view = useMemo(() => viewOf(rest, new URLSearchParams(search).get('view')), [rest, search]);
  const known = /^\d{1,19}$/.test(id);
  const query = useQuery({ ...meterQuery(id), enabled: known });
  useWanted(useMemo(() => (known ? [id] : []), [id, known]));
  const live = query.data?.live;
  useEffect(() => {
    if (live) takeLive([live]);
  }, [live]);

  if (!known || view.kind === 'unknown') return <NotFound />;
  if (query.isPending) return <PageSkeleton />;
  if (query.isError && !query.data)
    return (
      <div className="page">
        <Fault fault={query.error} retry={() => void query.refetch()} />
        <p className="centred">
          <Link href="/" className="button">
            {t('backToStreet')}
          </Link>
        </p>
      </div>
    );
  const meter = query.data;
  return (
    <div className="page">
      <Head meter={meter} view={view.kind} />
      {view.kind === 'overview' && (
        <>
          {/* Of a meter that is only asked there is nothing to see live. */}
          {!isOnlyAsked(meter) && <LivePanel meter={meter} />}
          {meter.hasConnection && may('execute:read-now') && (
            <Suspense fallback={<PanelSkeleton height={80} />}>
              <ReadPanel key={meter.id} meter={meter} />
            </Suspense>
          )}
          <PeriodPanel meter={meter} period={view.period} />
          {may('reading:view') && (
            <Suspense>
              <ValuesPanel key={`values ${meter.id}`} meter={meter} period={view.period} />
            </Suspense>
          )}
          {may('bill:view') && (
            <Suspense>
              <BillPanel key={`bill ${meter.id}`} meter={meter} period={view.period} />
            </Suspense>
          )}
          <MediaPanel meter={meter} period={view.period} />
          {meter.hasConnection && may('event:view') && (
            <Suspense>
              <EventsPanel key={`events ${meter.id}`} meter={meter} />
            </Suspense>
          )}
          <div className="house-foot">
            {may('message:view') && !(isOnlyAsked(meter) && meter.reader === null) && (
              <Suspense fallback={<PanelSkeleton height={300} />}>
                <LastMessages meter={meter} />
              </Suspense>
            )}
            <Facts meter={meter} />
          </div>
        </>
      )}
      {view.kind === 'messages' && (
        <Guarded needs={['message:view']}>
          <Suspense fallback={<PanelSkeleton height={420} />}>
            <Messages meter={meter} message={view.message} />
          </Suspense>
        </Guarded>
      )}
      {view.kind === 'settings' && (
        <Guarded needs={['meter:modify', 'key:modify']}>
          <Settings key={meter.id} meter={meter} />
        </Guarded>
      )}
    </div>
  );
}

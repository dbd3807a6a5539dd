/** One house: its live power, its past, its messages, its settings. */
import '../style/meter.css';
import type { Meter } from '@amiable/model';
import { useQuery } from '@tanstack/react-query';
import { lazy, type ReactNode, Suspense, useEffect, useMemo } from 'react';
import { Link, useLocation, useSearch } from 'wouter';
import { useSpeech } from '../i18n/index.tsx';
import { takeLive, useWanted } from '../live.ts';
import { meterQuery } from '../queries.ts';
import { ConditionNote, titleOf, useHouse } from '../street/tile.tsx';
import { Fault, NotFound } from '../ui/notice.tsx';
import { PageSkeleton, PanelSkeleton } from '../ui/skeleton.tsx';
import { Facts } from './facts.tsx';
import { LivePanel } from './live-panel.tsx';
import { MediaPanel } from './media-panel.tsx';
import { viewOf } from './period.ts';
import { PeriodPanel } from './period-panel.tsx';
import { Settings } from './settings.tsx';

const Messages = lazy(() => import('../messages/messages.tsx'));
const LastMessages = lazy(() => import('../messages/last.tsx'));

function Head({ meter, view }: { meter: Meter; view: 'overview' | 'messages' | 'settings' }): ReactNode {
  const speech = useSpeech();
  const { t } = speech;
  const house = useHouse(meter);
  const title = titleOf(meter, speech);
  useEffect(() => {
    document.title = `${title} · Amiable`;
  }, [title]);
  const tabs = [
    { key: 'overview', href: `/meter/${meter.id}` },
    { key: 'messages', href: `/meter/${meter.id}/messages` },
    { key: 'settings', href: `/meter/${meter.id}/settings` },
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
          {meter.state === 'new' && view !== 'settings' && (
            <Link href={`/meter/${meter.id}/settings`} className="badge badge-new">
              {t('isNew')} · {t('nameIt')}
            </Link>
          )}
        </p>
      </div>
      <nav className="tabs" aria-label={title}>
        {tabs.map((tab) => (
          <Link key={tab.key} href={tab.href} aria-current={tab.key === view ? 'page' : undefined}>
            {t(tab.key)}
          </Link>
        ))}
      </nav>
    </div>
  );
}

export default function House({ id }: { id: string }): ReactNode {
  const { t } = useSpeech();
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
          <LivePanel meter={meter} />
          <PeriodPanel meter={meter} period={view.period} />
          <MediaPanel meter={meter} period={view.period} />
          <div className="house-foot">
            <Suspense fallback={<PanelSkeleton height={300} />}>
              <LastMessages meter={meter} />
            </Suspense>
            <Facts meter={meter} />
          </div>
        </>
      )}
      {view.kind === 'messages' && (
        <Suspense fallback={<PanelSkeleton height={420} />}>
          <Messages meter={meter} message={view.message} />
        </Suspense>
      )}
      {view.kind === 'settings' && <Settings key={meter.id} meter={meter} />}
    </div>
  );
}

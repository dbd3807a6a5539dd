/** The last events of a meter's own logs, as the one catalogue names them. Nothing is shown of a meter that tells none. */
import '../style/desk.css';
import '../style/ondemand.css';
import type { Meter } from '@amiable/model';
import { useInfiniteQuery } from '@tanstack/react-query';
import type { ReactNode } from 'react';
import { z } from 'zod';
import { ask, query, until } from '../api.ts';
import { type DeskKey, useDesk } from '../i18n/desk.ts';
import { Fault } from '../ui/notice.tsx';

const page = z.object({
  events: z.array(
    z.object({
      time: z.string(),
      event: z.string(),
      text: z.string(),
      category: z.string(),
      severity: z.number(),
      code: z.number(),
      source: z.string(),
      ordinal: z.number(),
    }),
  ),
  next: z.string().nullable(),
});

const FIRST = 8;
const MORE = 50;

export default function EventsPanel({ meter }: { meter: Meter }): ReactNode {
  const { t, format } = useDesk();
  const list = useInfiniteQuery({
    queryKey: ['events', meter.id],
    queryFn: ({ signal, pageParam }) =>
      ask(
        page,
        `/meters/${meter.id}/events${query({ limit: pageParam ? MORE : FIRST, after: pageParam })}`,
        until(signal),
      ),
    initialPageParam: '',
    getNextPageParam: (last) => last.next ?? undefined,
  });
  const events = list.data?.pages.flatMap((one) => one.events) ?? [];
  if (list.isPending || (events.length === 0 && !list.isError)) return null;
  return (
    <section className="panel events" aria-labelledby="events-title">
      <div className="panel-head">
        <h2 id="events-title">{t('eventsTitle')}</h2>
      </div>
      <ul className="events-list">
        {events.map((event) => (
          <li key={`${event.time} ${event.source} ${event.code} ${event.ordinal}`}>
            <span className="events-time">{format.instant(Date.parse(event.time), meter.timeZone)}</span>
            <span className={`events-severity events-${event.severity}`}>
              {t(`severity_${Math.min(3, Math.max(0, event.severity))}` as DeskKey)}
            </span>
            <span className="events-text" lang="en">
              {event.text}
            </span>
            <span className="events-category">{t(`category_${event.category}` as DeskKey)}</span>
          </li>
        ))}
      </ul>
      {list.isError && <Fault fault={list.error} retry={() => void list.refetch()} small />}
      {list.hasNextPage && (
        <button
          type="button"
          className="button small"
          disabled={list.isFetchingNextPage}
          onClick={() => void list.fetchNextPage()}
        >
          {t('eventsMore')}
        </button>
      )}
    </section>
  );
}

/** The last few messages, on the page of the house. */
import '../style/messages.css';
import type { Meter } from '@amiable/model';
import { useQuery } from '@tanstack/react-query';
import type { ReactNode } from 'react';
import { Link } from 'wouter';
import { useSpeech } from '../i18n/index.tsx';
import { Fault } from '../ui/notice.tsx';
import { Bone } from '../ui/skeleton.tsx';
import { MessageLine, messagesQuery } from './list.tsx';

export default function LastMessages({ meter }: { meter: Meter }): ReactNode {
  const { t } = useSpeech();
  const query = useQuery(messagesQuery(meter.id));
  return (
    <section className="panel" aria-labelledby="last-title">
      <div className="panel-head">
        <h2 id="last-title">{t('lastMessages')}</h2>
        <Link href={`/meter/${meter.id}/messages`}>{t('allMessages')}</Link>
      </div>
      {query.isPending && <Bone height={220} />}
      {query.isError && !query.data && <Fault fault={query.error} small retry={() => void query.refetch()} />}
      {query.data?.length === 0 && <p className="chart-none">{t('noMessages')}</p>}
      {query.data && query.data.length > 0 && (
        <ol className="messages messages-short">
          {query.data.slice(0, 9).map((message) => (
            <MessageLine key={message.id} meter={meter} message={message} short />
          ))}
        </ol>
      )}
    </section>
  );
}

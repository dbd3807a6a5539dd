/** All kept messages of a meter, or one of them taken apart. */
import '../style/messages.css';
import type { Meter } from '@amiable/model';
import { useQuery } from '@tanstack/react-query';
import type { ReactNode } from 'react';
import { useSpeech } from '../i18n/index.tsx';
import { Fault } from '../ui/notice.tsx';
import { Bone } from '../ui/skeleton.tsx';
import { MessageLine, messagesQuery } from './list.tsx';
import { MessagePage } from './message.tsx';

export default function Messages({ meter, message }: { meter: Meter; message: string | undefined }): ReactNode {
  const { t } = useSpeech();
  const query = useQuery(messagesQuery(meter.id));
  if (message !== undefined) return <MessagePage key={message} meter={meter} id={message} known={query.data ?? []} />;
  return (
    <section className="panel" aria-labelledby="all-title" aria-busy={query.isPending}>
      <h2 id="all-title">{t('lastMessages')}</h2>
      {query.isPending && <Bone height={420} />}
      {query.isError && !query.data && <Fault fault={query.error} small retry={() => void query.refetch()} />}
      {query.data?.length === 0 && <p className="chart-none">{t('noMessages')}</p>}
      {query.data && query.data.length > 0 && (
        <ol className="messages">
          {query.data.map((line) => (
            <MessageLine key={line.id} meter={meter} message={line} short={false} />
          ))}
        </ol>
      )}
    </section>
  );
}

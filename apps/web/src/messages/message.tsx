/**
 * One message: its bytes on the left, what they mean on the right. Whatever is pointed at on one side lights up on the
 * other; a click or the keyboard keeps it lit.
 */
import type { ExplainedMessage, Meter, StoredMessage } from '@amiable/model';
import { useQuery } from '@tanstack/react-query';
import { type ReactNode, useMemo, useState } from 'react';
import { Link } from 'wouter';
import { useMay } from '../access/session.ts';
import { ApiError, api } from '../api.ts';
import { hexBytes, hexText, type LayerMap, mapLayer } from '../bytes/fields.ts';
import { type Pointing, TwoSided } from '../bytes/two-sided.tsx';
import { explainAddress } from '../explain/address.ts';
import { useSpeech } from '../i18n/index.tsx';
import { CopyButton } from '../ui/copy.tsx';
import { Fault } from '../ui/notice.tsx';
import { Bone } from '../ui/skeleton.tsx';
import { errorText, flagText, isUsual, readingName, readingValue } from './text.ts';

/** A server that explains nothing still shows the bytes. */
function layersOf(message: ExplainedMessage): LayerMap[] {
  const layers = message.layers.length > 0 ? message.layers : [{ name: 'on the wire', bytes: message.raw, fields: [] }];
  return layers.map(mapLayer);
}

function Steps({ meter, id, known }: { meter: Meter; id: string; known: readonly StoredMessage[] }): ReactNode {
  const { t } = useSpeech();
  const at = known.findIndex((message) => message.id === id);
  const link = (message: StoredMessage | undefined, text: ReactNode) =>
    message ? (
      <Link href={`/meter/${meter.id}/messages/${message.id}`} className="button small" replace>
        {text}
      </Link>
    ) : (
      <span className="button small" aria-disabled="true">
        {text}
      </span>
    );
  return (
    <span className="period-steps">
      {link(at > 0 ? known[at - 1] : undefined, <>‹ {t('newer')}</>)}
      {link(at >= 0 ? known[at + 1] : undefined, <>{t('older')} ›</>)}
    </span>
  );
}

export function MessagePage({
  meter,
  id,
  known,
}: {
  meter: Meter;
  id: string;
  known: readonly StoredMessage[];
}): ReactNode {
  const { t, format } = useSpeech();
  const may = useMay();
  const query = useQuery({
    queryKey: ['message', meter.id, id],
    queryFn: ({ signal }) => api.message(meter.id, id, signal),
    staleTime: 60_000,
  });
  if (query.isPending)
    return (
      <div className="panel" aria-busy="true">
        <Bone height={420} />
      </div>
    );
  if (query.isError)
    return query.error instanceof ApiError && query.error.kind === 'missing' ? (
      <section className="panel">
        <p className="chart-none">{t('messageGone')}</p>
        <p className="centred">
          <Link href={`/meter/${meter.id}/messages`} className="button">
            {t('allMessages')}
          </Link>
        </p>
      </section>
    ) : (
      <Fault fault={query.error} retry={() => void query.refetch()} />
    );
  const message = query.data;
  const at = message.time ?? message.receivedAt;
  const facts = [
    [t('received'), format.instant(Date.parse(message.receivedAt), meter.timeZone)],
    [t('meterTime'), message.time === null ? '–' : format.instant(Date.parse(message.time), meter.timeZone)],
    [t('listName'), message.list ?? '–'],
    [t('protocol'), message.protocol.toUpperCase()],
    [t('rawBytes'), format.number(message.raw.length / 2)],
  ] as const;
  return (
    <section className="panel" aria-labelledby="message-title">
      <div className="panel-head">
        <h2 id="message-title">{t('messageAt', { time: format.clock(Date.parse(at), meter.timeZone, true) })}</h2>
        <span className="spacer" />
        <Steps meter={meter} id={id} known={known} />
        <CopyButton text={hexText(hexBytes(message.raw))} label={t('copyHex')} />
        <Link {...explainAddress(message.raw)} className="button small">
          {t('explainInFull')}
        </Link>
      </div>
      <dl className="message-facts">
        {facts.map(([name, value]) => (
          <div key={name}>
            <dt>{name}</dt>
            <dd>{value}</dd>
          </div>
        ))}
      </dl>
      {(message.error || message.flags.length > 0) && (
        <p className="message-flags">
          {message.error && <span className="message-error">{errorText(t, message.error)}</span>}
          {message.error?.reason === 'noKey' && may('key:modify') && (
            <Link href={`/meter/${meter.id}/settings`} className="button small">
              {t('enterKey')}
            </Link>
          )}
          {message.flags.map((flag) => (
            <span key={flag} className={isUsual(flag) ? 'flag flag-usual' : 'flag'}>
              {flagText(t, flag)}
            </span>
          ))}
        </p>
      )}
      <Explained message={message} />
    </section>
  );
}

function Explained({ message }: { message: ExplainedMessage }): ReactNode {
  const { t, format } = useSpeech();
  const layers = useMemo(() => layersOf(message), [message]);
  const names = useMemo(() => message.readings.map((reading) => readingName(t, reading)), [message, t]);
  const [tab, setTab] = useState(message.readings.length > 0 ? 'readings' : 'fields');
  const told = (at: number): string => {
    const reading = message.readings[at];
    return reading ? `${names[at]}: ${readingValue(format, reading)} ${reading.unit ?? ''}`.trim() : '';
  };
  return (
    <TwoSided
      layers={layers}
      readings={names}
      told={told}
      hint={t('pointHint')}
      tab={tab}
      setTab={setTab}
      before={{
        value: 'readings',
        label: `${t('readings')} (${message.readings.length})`,
        body: (pointing) => <Readings message={message} names={names} pointing={pointing} />,
      }}
    />
  );
}

function Readings({
  message,
  names,
  pointing: { active, kept, point, step },
}: {
  message: ExplainedMessage;
  names: readonly string[];
  pointing: Pointing;
}): ReactNode {
  const { t, format } = useSpeech();
  if (message.readings.length === 0) return <p className="chart-none">{t('noReadings')}</p>;
  return (
    <table className="readings" onPointerLeave={() => point(undefined)}>
      <thead>
        <tr>
          <th scope="col">{t('name')}</th>
          <th scope="col">OBIS</th>
          <th scope="col">{t('value')}</th>
          <th scope="col">{t('unit')}</th>
        </tr>
      </thead>
      <tbody>
        {message.readings.map((reading, i) => (
          <tr
            // biome-ignore lint/suspicious/noArrayIndexKey: the place in the message is what names a reading
            key={i}
            className={i === active ? 'reading-lit' : undefined}
            onPointerEnter={() => point({ kind: 'reading', reading: i })}
          >
            <th scope="row">
              <button
                type="button"
                className="reading-name"
                aria-pressed={kept?.kind === 'reading' && kept.reading === i}
                onFocus={() => step({ kind: 'reading', reading: i })}
                onClick={() => step({ kind: 'reading', reading: i })}
              >
                {names[i]}
              </button>
            </th>
            <td className="mono">{reading.obis ?? reading.address ?? ''}</td>
            <td className={typeof reading.value === 'string' ? 'reading-text' : undefined}>
              {readingValue(format, reading)}
            </td>
            <td className="reading-unit">{reading.unit ?? ''}</td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}

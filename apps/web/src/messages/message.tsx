/**
 * One message: its bytes on the left, what they mean on the right. Whatever is pointed at on one side lights up on the
 * other; a click or the keyboard keeps it lit.
 */
import type { ExplainedMessage, Meter, StoredMessage } from '@amiable/model';
import { useQuery } from '@tanstack/react-query';
import { type ReactNode, useMemo, useState } from 'react';
import { Link } from 'wouter';
import { ApiError, api } from '../api.ts';
import { useSpeech } from '../i18n/index.tsx';
import { Choice } from '../ui/choice.tsx';
import { CopyButton } from '../ui/copy.tsx';
import { Fault } from '../ui/notice.tsx';
import { Bone } from '../ui/skeleton.tsx';
import {
  hexBytes,
  hexText,
  type LayerMap,
  mapLayer,
  marksOf,
  readingOf,
  type Spot,
  spotOfByte,
  startOfSpot,
} from './fields.ts';
import { HexDump } from './hex.tsx';
import { errorText, flagText, isUsual, layerText, readingName, readingValue } from './text.ts';
import { FieldTree } from './tree.tsx';

type Side = 'bytes' | 'fields' | 'readings';
interface Pointed {
  readonly spot: Spot;
  readonly by: Side;
}

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
          {message.error?.reason === 'noKey' && (
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

function Spotlight({
  layers,
  spot,
  message,
}: {
  layers: readonly LayerMap[];
  spot: Spot | undefined;
  message: ExplainedMessage;
}): ReactNode {
  const { t, format } = useSpeech();
  let range = '';
  let text = '';
  const reading = readingOf(layers, spot);
  const found = reading === undefined ? undefined : message.readings[reading];
  const read = found ? `${readingName(t, found)}: ${readingValue(format, found)} ${found.unit ?? ''}`.trim() : '';
  if (spot?.kind === 'byte') range = t('byteOne', { from: String(spot.at) });
  else if (spot?.kind === 'field') {
    const node = layers[spot.layer]?.nodes[spot.node];
    if (node) {
      range =
        node.to - node.from > 1
          ? t('byteRange', { from: String(node.from), to: String(node.to - 1) })
          : t('byteOne', { from: String(node.from) });
      text = node.text;
    }
  }
  return (
    <p className="spotlight" role="status">
      {spot === undefined ? (
        <span className="spotlight-hint">{t('pointHint')}</span>
      ) : (
        <>
          {text && <b>{text}</b>}
          {read && <span>{read}</span>}
          {range && <span className="spotlight-range">{range}</span>}
        </>
      )}
    </p>
  );
}

function Explained({ message }: { message: ExplainedMessage }): ReactNode {
  const { t, format } = useSpeech();
  const layers = useMemo(() => layersOf(message), [message]);
  const names = useMemo(() => layers.map((layer) => layerText(t, layer.name)), [layers, t]);
  const readings = useMemo(() => message.readings.map((reading) => readingName(t, reading)), [message, t]);
  const [tab, setTab] = useState<'fields' | 'readings'>(message.readings.length > 0 ? 'readings' : 'fields');
  const [hovered, hover] = useState<Pointed>();
  const [kept, keep] = useState<Pointed>();
  const [cursors, setCursors] = useState<readonly number[]>([]);
  const pointed = hovered ?? kept;
  const spot = pointed?.spot;
  const marks = useMemo(() => marksOf(layers, spot), [layers, spot]);
  const active = readingOf(layers, spot);
  const start = spot && pointed?.by !== 'bytes' ? startOfSpot(layers, spot) : undefined;
  /** What was last stepped to stands, even when the pointer still rests somewhere. */
  const stepTo = (next: Pointed) => {
    hover(undefined);
    keep(next);
  };
  const point = (by: Side, next: Spot | undefined) => hover(next && { spot: next, by });
  return (
    <>
      <Spotlight layers={layers} spot={spot} message={message} />
      <div className="explained">
        <div className="hex-scroll">
          {layers.map((layer, l) => (
            <div key={layer.name} className="hex-layer">
              <h3>
                {names[l]} <small>{t('bytes', { n: layer.bytes.length })}</small>
              </h3>
              <HexDump
                layer={layer}
                label={names[l] ?? layer.name}
                marks={marks[l] as Uint8Array}
                cursor={cursors[l] ?? 0}
                reveal={start?.layer === l ? start.at : undefined}
                point={(at) => point('bytes', at === undefined ? undefined : spotOfByte(layers, l, at))}
                step={(at) => {
                  setCursors(layers.map((_layer, i) => (i === l ? at : (cursors[i] ?? 0))));
                  stepTo({ spot: spotOfByte(layers, l, at), by: 'bytes' });
                }}
              />
            </div>
          ))}
        </div>
        <div className="explained-side">
          <Choice<'readings' | 'fields'>
            label={t('fields')}
            value={tab}
            choose={setTab}
            options={[
              { value: 'readings', label: `${t('readings')} (${message.readings.length})` },
              { value: 'fields', label: t('fields') },
            ]}
          />
          <div className="explained-scroll">
            {tab === 'fields' ? (
              <FieldTree
                layers={layers}
                names={names}
                readings={readings}
                spot={spot}
                follow={pointed?.by === 'bytes'}
                point={(next) => point('fields', next)}
                step={(next) => stepTo({ spot: next, by: 'fields' })}
              />
            ) : message.readings.length === 0 ? (
              <p className="chart-none">{t('noReadings')}</p>
            ) : (
              <table className="readings" onPointerLeave={() => point('readings', undefined)}>
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
                      onPointerEnter={() => point('readings', { kind: 'reading', reading: i })}
                    >
                      <th scope="row">
                        <button
                          type="button"
                          className="reading-name"
                          aria-pressed={kept?.spot.kind === 'reading' && kept.spot.reading === i}
                          onFocus={() => stepTo({ spot: { kind: 'reading', reading: i }, by: 'readings' })}
                          onClick={() => stepTo({ spot: { kind: 'reading', reading: i }, by: 'readings' })}
                        >
                          {readings[i]}
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
            )}
          </div>
        </div>
      </div>
    </>
  );
}

/**
 * Gas, water and heat behind the electricity meter: what was taken in the period that is looked at, its bars, and what the
 * counter shows. A house without such counters has no panel.
 */
import { type Period, periodRange } from '@amiable/calendar';
import type { Medium, Meter } from '@amiable/model';
import { keepPreviousData, useQuery } from '@tanstack/react-query';
import { type ReactNode, useMemo } from 'react';
import { api } from '../api.ts';
import { useNow } from '../clock.ts';
import { bucketLabel } from '../format.ts';
import { useSpeech } from '../i18n/index.tsx';
import { timeMarks } from './axis.ts';
import { useWidth } from './measure.ts';
import { mediumWord } from './media.ts';
import { BUCKET } from './period.ts';
import { DataTable } from './table.tsx';

const MINUTE = 60_000;
const HEIGHT = 96;
const BOTTOM = 20;

export function MediaPanel({ meter, period }: { meter: Meter; period: Period }): ReactNode {
  const { t } = useSpeech();
  const minute = Math.floor(useNow() / MINUTE) * MINUTE;
  const { from, to } = useMemo(() => periodRange(period, meter.timeZone, minute), [period, meter.timeZone, minute]);
  const bucket = BUCKET[period.unit];
  const current = period.offset === 0;
  const query = useQuery({
    placeholderData: keepPreviousData,
    staleTime: current ? 60_000 : 600_000,
    refetchInterval: current ? 5 * MINUTE : (false as const),
    queryKey: ['media', meter.id, bucket, from, to],
    queryFn: ({ signal }) => api.media(meter.id, bucket, from, to, signal),
  });
  if (!query.data || query.data.media.length === 0) return null;
  return (
    <section className="panel media" aria-labelledby="media-title">
      <h2 id="media-title">{t('mediaTitle')}</h2>
      <div className={query.isPlaceholderData ? 'media-list charts-loading' : 'media-list'}>
        {query.data.media.map((medium) => (
          <MediumView
            key={`${medium.obis ?? ''} ${medium.name} ${medium.channel ?? ''}`}
            medium={medium}
            bucket={query.data.bucket}
            zone={query.data.timeZone}
          />
        ))}
      </div>
    </section>
  );
}

function MediumView({
  medium,
  bucket,
  zone,
}: {
  medium: Medium;
  bucket: 'hour' | 'day' | 'month';
  zone: string;
}): ReactNode {
  const { t, format } = useSpeech();
  const [box, width] = useWidth<HTMLDivElement>();
  const word = t(mediumWord(medium));
  const total = medium.total === null ? undefined : format.medium(medium.total, medium.unit);
  const unit = format.medium(0, medium.unit).unit;
  const { buckets } = medium;
  const most = Math.max(1e-9, ...buckets.map((b) => b.value ?? 0));
  const slot = width / Math.max(1, buckets.length);
  const bar = Math.max(1, Math.min(40, slot * 0.72));
  const words = new Map(
    timeMarks(buckets[0]?.start ?? 0, buckets.at(-1)?.end ?? 1, zone, format, Math.max(2, Math.floor(width / 56))).map(
      (m) => [m.at, m.text],
    ),
  );
  const shows = medium.unit === 'J' ? medium.value / 3.6e6 : medium.value;
  return (
    <div className={`medium medium-${mediumWord(medium)}`}>
      <h3 className="chart-title">{word}</h3>
      <p className="medium-figure">
        <strong>{total?.value ?? '–'}</strong> {unit}
      </p>
      <div ref={box} role="img" aria-label={`${word}: ${total?.value ?? '–'} ${unit}`}>
        {width > 0 && (
          <svg width={width} height={HEIGHT} aria-hidden="true" className="medium-bars">
            <path d={`M0 ${HEIGHT - BOTTOM + 0.5}H${width}`} className="axis-zero" />
            {buckets.map((b, i) => {
              const high = ((b.value ?? 0) / most) * (HEIGHT - BOTTOM - 4);
              const text = words.get(b.start);
              return (
                <g key={b.start}>
                  {high > 0 && (
                    <rect
                      x={slot * i + (slot - bar) / 2}
                      y={HEIGHT - BOTTOM - Math.max(1, high)}
                      width={bar}
                      height={Math.max(1, high)}
                      rx={Math.min(3, bar / 3)}
                      className={`medium-bar bucket-${b.quality}`}
                    />
                  )}
                  {text && (
                    <text
                      x={Math.max(16, Math.min(width - 16, slot * (i + 0.5)))}
                      y={HEIGHT - 4}
                      textAnchor="middle"
                      className="axis-text"
                    >
                      {text}
                    </text>
                  )}
                </g>
              );
            })}
          </svg>
        )}
      </div>
      <p className="medium-shows">
        {t('mediaShows', { value: format.number(shows, 3), unit })} · {format.day(Date.parse(medium.time), zone)}{' '}
        {format.clock(Date.parse(medium.time), zone)}
      </p>
      <DataTable
        caption={word}
        columns={[t('time'), `${word} (${unit})`]}
        count={buckets.length}
        row={(i) => {
          const b = buckets[i] as (typeof buckets)[number];
          const value = b.value === null ? null : medium.unit === 'J' ? b.value / 3.6e6 : b.value;
          return [bucketLabel(format, bucket, b.start, b.end, zone), value === null ? '–' : format.fixed(value, 3)];
        }}
      />
    </div>
  );
}

/**
 * Energy by hour, day or month: import upwards, export downwards and hatched. One is active at a time, by pointer or by
 * arrow keys; a click goes into it.
 */
import type { Energy } from '@amiable/model';
import { type KeyboardEvent, type PointerEvent, type ReactNode, useId, useState } from 'react';
import { bucketLabel, type Format } from '../format.ts';
import { type Translate, useSpeech } from '../i18n/index.tsx';
import { timeMarks, valueMarks } from './axis.ts';
import { useWidth } from './measure.ts';
import { DataTable } from './table.tsx';

type Bucket = Energy['buckets'][number];

const HEIGHT = 230;
const LEFT = 46;
const BOTTOM = 22;
const TOP = 8;

const QUALITY = {
  measured: undefined,
  calculated: 'qualityCalculated',
  edited: 'qualityEdited',
  estimated: 'qualityEstimated',
  missing: 'qualityMissing',
} as const;

function amountText(format: Format, value: number | null): string {
  if (value === null) return '–';
  const { value: number, unit } = format.energy(value);
  return `${number} ${unit}`;
}

function bucketText(t: Translate, format: Format, energy: Energy, bucket: Bucket): string {
  const quality = QUALITY[bucket.quality];
  return [
    bucketLabel(format, energy.bucket, bucket.start, bucket.end, energy.timeZone),
    `${t('import')} ${amountText(format, bucket.import)}`,
    ...(bucket.export ? [`${t('export')} ${amountText(format, bucket.export)}`] : []),
    ...(quality ? [t(quality)] : []),
  ].join(', ');
}

export interface BarsProps {
  readonly energy: Energy;
  readonly title: string;
  readonly now: number;
  /** Goes into a bucket; absent where there is nothing finer. */
  readonly enter: ((bucket: Bucket) => void) | undefined;
}

export function EnergyBars({ energy, title, now, enter }: BarsProps): ReactNode {
  const { t, format } = useSpeech();
  const [box, width] = useWidth<HTMLDivElement>();
  const [active, setActive] = useState<number>();
  const hatch = useId();
  const { buckets, timeZone } = energy;
  const from = buckets[0]?.start ?? 0;
  const to = buckets.at(-1)?.end ?? 1;
  const most = Math.max(0.1, ...buckets.map((b) => (b.import ?? 0) / 1000));
  const least = Math.max(0, ...buckets.map((b) => (b.export ?? 0) / 1000));
  const marks = valueMarks(-least, most, 5);
  const top = marks.at(-1) ?? 1;
  const bottom = marks[0] ?? 0;
  const inner = HEIGHT - TOP - BOTTOM;
  const y = (kwh: number) => TOP + ((top - kwh) / (top - bottom)) * inner;
  const slot = Math.max(0, width - LEFT) / Math.max(1, buckets.length);
  const bar = Math.max(1, Math.min(46, slot * 0.72));
  const x = (i: number) => LEFT + slot * i + (slot - bar) / 2;
  // Marks of time stand under the bars that begin there; bars are as wide as each other, whatever their hours.
  const texts = new Map(
    timeMarks(from, to, timeZone, format, Math.max(2, Math.floor((width - LEFT) / 52))).map((m) => [m.at, m.text]),
  );
  const chosen = active === undefined ? undefined : buckets[active];

  const point = (event: PointerEvent<SVGSVGElement>) => {
    const rect = event.currentTarget.getBoundingClientRect();
    const i = Math.floor((event.clientX - rect.left - LEFT) / slot);
    setActive(i >= 0 && i < buckets.length ? i : undefined);
  };
  const key = (event: KeyboardEvent) => {
    const at = active ?? -1;
    const next: Record<string, number> = {
      ArrowRight: at + 1,
      ArrowLeft: active === undefined ? buckets.length - 1 : at - 1,
      Home: 0,
      End: buckets.length - 1,
    };
    if (event.key === 'Enter' && chosen && enter) enter(chosen);
    const to = next[event.key];
    if (to === undefined) return;
    event.preventDefault();
    event.stopPropagation();
    setActive(Math.max(0, Math.min(buckets.length - 1, to)));
  };
  return (
    <div className="chart" ref={box}>
      <div
        className="chart-box"
        role="slider"
        tabIndex={0}
        aria-label={`${title}. ${t('chartKeys')}`}
        aria-valuemin={0}
        aria-valuemax={Math.max(0, buckets.length - 1)}
        aria-valuenow={active ?? 0}
        aria-valuetext={bucketText(t, format, energy, chosen ?? (buckets[0] as Bucket))}
        onKeyDown={key}
        onBlur={() => setActive(undefined)}
      >
        {width > 0 && (
          <svg
            width={width}
            height={HEIGHT}
            className={enter ? 'bars bars-enter' : 'bars'}
            aria-hidden="true"
            onPointerMove={point}
            onPointerDown={point}
            onPointerLeave={() => setActive(undefined)}
            onClick={() => chosen && enter?.(chosen)}
          >
            <defs>
              <pattern id={hatch} width="5" height="5" patternUnits="userSpaceOnUse" patternTransform="rotate(45)">
                <rect width="5" height="5" className="hatch-back" />
                <rect width="3" height="5" className="hatch-line" />
              </pattern>
            </defs>
            {marks.map((mark) => (
              <g key={mark}>
                <line
                  x1={LEFT}
                  x2={width}
                  y1={y(mark)}
                  y2={y(mark)}
                  className={mark === 0 ? 'axis-zero' : 'axis-line'}
                />
                <text x={LEFT - 8} y={y(mark)} dy="0.34em" textAnchor="end" className="axis-text">
                  {format.number(Math.abs(mark), 2)}
                  {mark === 0 && ' kWh'}
                </text>
              </g>
            ))}
            {buckets.map((bucket, i) => {
              const up = (bucket.import ?? 0) / 1000;
              const down = (bucket.export ?? 0) / 1000;
              const past = bucket.start < now;
              const text = texts.get(bucket.start);
              return (
                <g
                  key={bucket.start}
                  className={`bucket bucket-${bucket.quality}${i === active ? ' bucket-active' : ''}`}
                >
                  <rect x={LEFT + slot * i} y={TOP} width={slot} height={inner} className="bucket-ground" />
                  {up > 0 && (
                    <rect
                      x={x(i)}
                      y={y(up)}
                      width={bar}
                      height={Math.max(1, y(0) - y(up))}
                      rx={Math.min(3, bar / 3)}
                      className="bar-in"
                    />
                  )}
                  {down > 0 && (
                    <rect
                      x={x(i)}
                      y={y(0)}
                      width={bar}
                      height={Math.max(1, y(-down) - y(0))}
                      rx={Math.min(3, bar / 3)}
                      fill={`url(#${hatch})`}
                      className="bar-out"
                    />
                  )}
                  {past && bucket.quality === 'missing' && bucket.end <= now && (
                    <path d={`M${x(i)} ${y(up) - 4}h${bar}`} className="bar-missing" />
                  )}
                  {text && (
                    <text x={LEFT + slot * (i + 0.5)} y={HEIGHT - 6} textAnchor="middle" className="axis-text">
                      {text}
                    </text>
                  )}
                </g>
              );
            })}
          </svg>
        )}
        {chosen && active !== undefined && (
          <BarTip energy={energy} bucket={chosen} left={LEFT + slot * (active + 0.5)} width={width} />
        )}
      </div>
      <DataTable
        caption={title}
        columns={[t('time'), `${t('import')} (kWh)`, `${t('export')} (kWh)`]}
        count={buckets.length}
        row={(i) => {
          const b = buckets[i] as Bucket;
          const quality = QUALITY[b.quality];
          return [
            bucketLabel(format, energy.bucket, b.start, b.end, timeZone),
            (b.import === null ? '–' : format.fixed(b.import / 1000, 3)) + (quality ? ` (${t(quality)})` : ''),
            b.export === null ? '–' : format.fixed(b.export / 1000, 3),
          ];
        }}
      />
    </div>
  );
}

/** Width of a tip, near enough to keep it inside the chart. */
const TIP = 190;

export function tipLeft(left: number, width: number): number {
  return left + 14 + TIP > width ? Math.max(0, left - 14 - TIP) : left + 14;
}

function BarTip({
  energy,
  bucket,
  left,
  width,
}: {
  energy: Energy;
  bucket: Bucket;
  left: number;
  width: number;
}): ReactNode {
  const { t, format } = useSpeech();
  const quality = QUALITY[bucket.quality];
  return (
    <div className="tip" style={{ left: tipLeft(left, width), width: TIP }} aria-hidden="true">
      <strong>{bucketLabel(format, energy.bucket, bucket.start, bucket.end, energy.timeZone)}</strong>
      <span className="tip-line">
        <i className="key key-in" />
        {t('import')}
        <b>{amountText(format, bucket.import)}</b>
      </span>
      <span className="tip-line">
        <i className="key key-out" />
        {t('export')}
        <b>{amountText(format, bucket.export)}</b>
      </span>
      {quality && <span className="tip-note">{t(quality)}</span>}
    </div>
  );
}

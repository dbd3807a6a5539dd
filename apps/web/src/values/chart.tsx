/**
 * Validated values as bars, each in parts by quality: measured and calculated plain, edited and estimated hatched, what is missing an empty
 * outline. One is active at a time, by pointer or arrow keys.
 */
import type { Quality } from '@amiable/model';
import { type KeyboardEvent, type PointerEvent, type ReactNode, useId, useState } from 'react';
import { useDesk } from '../i18n/desk.ts';
import { timeMarks, valueMarks } from '../meter/axis.ts';
import { tipLeft } from '../meter/bars.tsx';
import { useWidth } from '../meter/measure.ts';
import { DataTable } from '../meter/table.tsx';
import { type Bin, type BinUnit, sumOf } from './bins.ts';

const HEIGHT = 190;
const LEFT = 46;
const BOTTOM = 22;
const TOP = 8;
export const PARTS = ['measured', 'calculated', 'edited', 'estimated'] as const satisfies readonly Quality[];

export interface ChartProps {
  readonly bins: readonly Bin[];
  readonly unit: BinUnit;
  readonly zone: string;
  readonly title: string;
  /** Of a value as it stands in a bin. */
  amount(value: number): string;
  /** For the axis: the number alone, and its unit. */
  readonly axis: { readonly unit: string; scale(value: number): number };
}

export function ValuesChart({ bins, unit, zone, title, amount, axis }: ChartProps): ReactNode {
  const { t, format } = useDesk();
  const [box, width] = useWidth<HTMLDivElement>();
  const [active, setActive] = useState<number>();
  const hatch = useId();
  const dots = useId();
  const from = bins[0]?.start ?? 0;
  const to = bins.at(-1)?.end ?? 1;
  const most = Math.max(0.1, ...bins.map((bin) => axis.scale(sumOf(bin))));
  const least = Math.min(0, ...bins.map((bin) => axis.scale(sumOf(bin))));
  const marks = valueMarks(least, most, 4);
  const top = marks.at(-1) ?? 1;
  const bottom = marks[0] ?? 0;
  const inner = HEIGHT - TOP - BOTTOM;
  const y = (value: number) => TOP + ((top - value) / (top - bottom)) * inner;
  const slot = Math.max(0, width - LEFT) / Math.max(1, bins.length);
  const bar = Math.max(1, Math.min(40, slot * (slot < 6 ? 0.9 : 0.72)));
  const texts = timeMarks(from, to, zone, format, Math.max(2, Math.floor((width - LEFT) / 56)));
  const chosen = active === undefined ? undefined : bins[active];

  const label = (bin: Bin): string =>
    unit === 'day'
      ? format.day(bin.start, zone)
      : unit === 'month'
        ? format.month(bin.start, zone)
        : `${format.day(bin.start, zone)} ${format.clock(bin.start, zone)}–${format.clock(bin.end, zone)}`;
  const words = (bin: Bin): string[] => [
    ...PARTS.filter((part) => bin.sums[part] !== 0).map((part) => `${t(`quality_${part}`)} ${amount(bin.sums[part])}`),
    ...(bin.missing > 0 ? [t('valuesMissing', { n: bin.missing })] : []),
  ];

  const point = (event: PointerEvent<SVGSVGElement>) => {
    const rect = event.currentTarget.getBoundingClientRect();
    const i = Math.floor((event.clientX - rect.left - LEFT) / slot);
    setActive(i >= 0 && i < bins.length ? i : undefined);
  };
  const key = (event: KeyboardEvent) => {
    const at = active ?? -1;
    const next = {
      ArrowRight: at + 1,
      ArrowLeft: active === undefined ? bins.length - 1 : at - 1,
      Home: 0,
      End: bins.length - 1,
    }[event.key];
    if (next === undefined) return;
    event.preventDefault();
    event.stopPropagation();
    setActive(Math.max(0, Math.min(bins.length - 1, next)));
  };
  const spoken = chosen ?? bins[0];
  return (
    <div className="chart values-chart" ref={box}>
      <div
        className="chart-box"
        role="slider"
        tabIndex={0}
        aria-label={`${title}. ${t('chartKeys')}`}
        aria-valuemin={0}
        aria-valuemax={Math.max(0, bins.length - 1)}
        aria-valuenow={active ?? 0}
        aria-valuetext={spoken ? [label(spoken), ...words(spoken)].join(', ') : ''}
        onKeyDown={key}
        onBlur={() => setActive(undefined)}
      >
        {width > 0 && (
          <svg
            width={width}
            height={HEIGHT}
            className="bars"
            aria-hidden="true"
            onPointerMove={point}
            onPointerDown={point}
            onPointerLeave={() => setActive(undefined)}
          >
            <defs>
              <pattern id={hatch} width="5" height="5" patternUnits="userSpaceOnUse" patternTransform="rotate(45)">
                <rect width="5" height="5" className="hatch-back" />
                <rect width="2.5" height="5" className="values-hatch" />
              </pattern>
              <pattern id={dots} width="5" height="5" patternUnits="userSpaceOnUse">
                <rect width="5" height="5" className="values-edit-back" />
                <circle cx="2.5" cy="2.5" r="1.4" className="values-edit-dot" />
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
                  {format.number(mark, 2)}
                  {mark === 0 && ` ${axis.unit}`}
                </text>
              </g>
            ))}
            {bins.map((bin, i) => {
              let below = 0;
              const x = LEFT + slot * i + (slot - bar) / 2;
              return (
                <g key={bin.start} className={i === active ? 'bucket bucket-active' : 'bucket'}>
                  <rect x={LEFT + slot * i} y={TOP} width={slot} height={inner} className="bucket-ground" />
                  {bin.missing > 0 && (
                    <rect
                      x={x}
                      y={TOP}
                      width={bar}
                      height={Math.max(0, y(0) - TOP)}
                      className="values-missing"
                      opacity={0.35 + (0.65 * bin.missing) / Math.max(1, bin.expected)}
                    />
                  )}
                  {PARTS.map((part) => {
                    const value = axis.scale(bin.sums[part]);
                    if (value === 0) return null;
                    const base = below;
                    below += value;
                    const fill =
                      part === 'estimated' ? `url(#${hatch})` : part === 'edited' ? `url(#${dots})` : undefined;
                    return (
                      <rect
                        key={part}
                        x={x}
                        y={Math.min(y(below), y(base))}
                        width={bar}
                        height={Math.max(1, Math.abs(y(base) - y(below)))}
                        className={`values-${part}`}
                        {...(fill ? { fill } : {})}
                      />
                    );
                  })}
                </g>
              );
            })}
            {texts.map((mark) => (
              <text
                key={mark.at}
                x={Math.min(width - 18, LEFT + ((mark.at - from) / (to - from)) * (width - LEFT))}
                y={HEIGHT - 6}
                textAnchor="middle"
                className="axis-text"
              >
                {mark.text}
              </text>
            ))}
          </svg>
        )}
        {chosen && active !== undefined && (
          <div
            className="tip"
            style={{ left: tipLeft(LEFT + slot * (active + 0.5), width), width: 190 }}
            aria-hidden="true"
          >
            <strong>{label(chosen)}</strong>
            {PARTS.filter((part) => chosen.sums[part] !== 0).map((part) => (
              <span className="tip-line" key={part}>
                <i className={`values-key values-key-${part}`} />
                {t(`quality_${part}`)}
                <b>{amount(chosen.sums[part])}</b>
              </span>
            ))}
            {chosen.missing > 0 && <span className="tip-note">{t('valuesMissing', { n: chosen.missing })}</span>}
          </div>
        )}
      </div>
      <DataTable
        caption={title}
        columns={[t('time'), ...PARTS.map((part) => `${t(`quality_${part}`)} (${axis.unit})`), t('quality_missing')]}
        count={bins.length}
        row={(i) => {
          const bin = bins[i] as Bin;
          return [
            label(bin),
            ...PARTS.map((part) => format.fixed(axis.scale(bin.sums[part]), 3)),
            format.number(bin.missing),
          ];
        }}
      />
    </div>
  );
}

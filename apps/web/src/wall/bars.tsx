/** The bars of a wall display: as large as there is room, readable from across a room, nothing to point at. */
import type { Energy } from '@amiable/model';
import { type ReactNode, useId, useLayoutEffect, useRef, useState } from 'react';
import { useSpeech } from '../i18n/index.tsx';
import { timeMarks, valueMarks } from '../meter/axis.ts';

export function WallBars({ energy, title, now }: { energy: Energy; title: string; now: number }): ReactNode {
  const { t, format } = useSpeech();
  const box = useRef<HTMLDivElement>(null);
  const [{ width, height }, setSize] = useState({ width: 0, height: 0 });
  const hatch = useId();
  useLayoutEffect(() => {
    const element = box.current;
    if (!element) return;
    const measure = () => setSize({ width: element.clientWidth, height: element.clientHeight });
    measure();
    const observer = new ResizeObserver(measure);
    observer.observe(element);
    return () => observer.disconnect();
  }, []);
  const { buckets, timeZone } = energy;
  const text = Math.max(12, Math.min(30, Math.min(width / 42, height / 12)));
  const top = text * 1.7;
  const bottom = height - text * 1.7;
  const most = Math.max(0.1, ...buckets.map((b) => (b.import ?? 0) / 1000));
  const least = Math.max(0, ...buckets.map((b) => (b.export ?? 0) / 1000));
  const marks = valueMarks(-least, most, Math.max(1, Math.min(5, Math.floor((bottom - top) / (text * 2.4)))));
  const longest = Math.max(...marks.map((mark) => format.number(Math.abs(mark), 2).length));
  const left = text * (longest * 0.62 + 0.7);
  const highest = marks.at(-1) ?? 1;
  const lowest = marks[0] ?? 0;
  const y = (kwh: number) => top + ((highest - kwh) / (highest - lowest)) * (bottom - top);
  const slot = Math.max(0, width - left) / Math.max(1, buckets.length);
  const bar = Math.max(2, Math.min(slot * 0.74, text * 6));
  const x = (i: number) => left + slot * i + (slot - bar) / 2;
  const words = new Map(
    timeMarks(
      buckets[0]?.start ?? 0,
      buckets.at(-1)?.end ?? 1,
      timeZone,
      format,
      Math.max(2, Math.floor((width - left) / (text * 4))),
    ).map((m) => [m.at, m.text]),
  );
  const sum = (value: number | null) => {
    const amount = format.energy(value ?? 0);
    return `${amount.value} ${amount.unit}`;
  };
  const label = `${title}: ${t('import')} ${sum(energy.import)}, ${t('export')} ${sum(energy.export)}`;
  return (
    <div className="wall-bars" ref={box} role="img" aria-label={label}>
      {width > 0 && height > text * 4 && (
        <svg width={width} height={height} aria-hidden="true" fontSize={text}>
          <defs>
            <pattern id={hatch} width="9" height="9" patternUnits="userSpaceOnUse" patternTransform="rotate(45)">
              <rect width="9" height="9" className="hatch-back" />
              <rect width="5" height="9" className="hatch-line" />
            </pattern>
          </defs>
          <text x={left} y={text}>
            kWh
          </text>
          {marks.map((mark) => (
            <g key={mark}>
              <line x1={left} x2={width} y1={y(mark)} y2={y(mark)} className={mark === 0 ? 'axis-zero' : 'axis-line'} />
              <text x={left - text * 0.5} y={y(mark)} dy="0.34em" textAnchor="end">
                {format.number(Math.abs(mark), 2)}
              </text>
            </g>
          ))}
          {buckets.map((bucket, i) => {
            const up = (bucket.import ?? 0) / 1000;
            const down = (bucket.export ?? 0) / 1000;
            const word = words.get(bucket.start);
            return (
              <g key={bucket.start} className={`bucket bucket-${bucket.quality}`}>
                {up > 0 && (
                  <rect
                    x={x(i)}
                    y={y(up)}
                    width={bar}
                    height={Math.max(2, y(0) - y(up))}
                    rx={Math.min(4, bar / 4)}
                    className="bar-in"
                  />
                )}
                {down > 0 && (
                  <rect
                    x={x(i)}
                    y={y(0)}
                    width={bar}
                    height={Math.max(2, y(-down) - y(0))}
                    rx={Math.min(4, bar / 4)}
                    fill={`url(#${hatch})`}
                    className="bar-out"
                  />
                )}
                {bucket.quality === 'missing' && bucket.end <= now && (
                  <path d={`M${x(i)} ${y(up) - 6}h${bar}`} className="bar-missing" />
                )}
                {word && (
                  <text x={left + slot * (i + 0.5)} y={height - text * 0.3} textAnchor="middle">
                    {word}
                  </text>
                )}
              </g>
            );
          })}
        </svg>
      )}
    </div>
  );
}

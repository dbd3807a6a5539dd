/** The last minutes as a line round zero: what lies above is import, what lies below is export. */
import { useQuery } from '@tanstack/react-query';
import { type ReactNode, useEffect, useId, useState } from 'react';
import { fillRecent, RECENT_SPAN, recentOf, useRecentVersion } from '../live.ts';
import type { Curve } from '../power.ts';
import { recentQuery } from '../queries.ts';

export interface Shape {
  readonly line: string;
  readonly area: string;
  /** Height of the zero line, 0 at the top. */
  readonly zero: number;
}

/** The path of a curve in a box of `width` × `height`; a break where nothing was heard for `hold`. */
export function shapeOf(curve: Curve, from: number, to: number, width: number, height: number, hold: number): Shape {
  let top = 500;
  let bottom = 0;
  for (const value of curve.values) {
    if (value === null) continue;
    if (value > top) top = value;
    if (value < bottom) bottom = value;
  }
  const pad = 2;
  const y = (value: number) => pad + ((top - value) / (top - bottom)) * (height - 2 * pad);
  const x = (at: number) => ((at - from) / (to - from)) * width;
  const zero = y(0);
  let line = '';
  let area = '';
  let begun: number | undefined;
  let last = 0;
  const end = () => {
    if (begun !== undefined) area += `L${x(last).toFixed(1)} ${zero.toFixed(1)}Z`;
    begun = undefined;
  };
  curve.time.forEach((at, i) => {
    const value = curve.values[i];
    if (at < from || value === null || value === undefined) {
      if (value === null) end();
      return;
    }
    if (begun !== undefined && at - last > hold) end();
    const point = `${x(at).toFixed(1)} ${y(value).toFixed(1)}`;
    if (begun === undefined) {
      begun = at;
      line += `M${point}`;
      area += `M${x(at).toFixed(1)} ${zero.toFixed(1)}L${point}`;
    } else {
      line += `L${point}`;
      area += `L${point}`;
    }
    last = at;
  });
  end();
  return { line, area, zero };
}

const WIDTH = 240;

export function SparkShape(props: { curve: Curve; from: number; to: number; height: number; hold: number }): ReactNode {
  const clip = useId();
  const { line, area, zero } = shapeOf(props.curve, props.from, props.to, WIDTH, props.height, props.hold);
  const halves = [
    { name: 'in', y: 0, height: zero },
    { name: 'out', y: zero, height: props.height - zero },
  ];
  return (
    <svg className="spark" viewBox={`0 0 ${WIDTH} ${props.height}`} preserveAspectRatio="none" aria-hidden="true">
      {halves.map((half) => (
        <g key={half.name}>
          <clipPath id={`${clip}${half.name}`}>
            <rect x="0" y={half.y} width={WIDTH} height={Math.max(0, half.height)} />
          </clipPath>
          <g clipPath={`url(#${clip}${half.name})`}>
            <path d={area} className={`spark-area spark-${half.name}`} />
            <path d={line} className={`spark-line spark-${half.name}`} />
          </g>
        </g>
      ))}
      <line x1="0" x2={WIDTH} y1={zero} y2={zero} className="spark-zero" />
    </svg>
  );
}

/** Asks for the history once the tile has stood still for a moment: nothing is fetched for what only scrolls by. */
export function useRecent(meter: string, wait: number): void {
  const [settled, settle] = useState(wait === 0);
  useEffect(() => {
    const timer = setTimeout(() => settle(true), wait);
    return () => clearTimeout(timer);
  }, [wait]);
  const recent = useQuery({ ...recentQuery(meter), enabled: settled });
  useEffect(() => {
    if (recent.data) fillRecent(meter, recent.data);
  }, [recent.data, meter]);
}

export function Spark({ meter, height = 36 }: { meter: string; height?: number }): ReactNode {
  useRecent(meter, 250);
  useRecentVersion(meter);
  const recent = recentOf(meter);
  const to = recent.time.at(-1) ?? 0;
  return <SparkShape curve={recent} from={to - RECENT_SPAN} to={to} height={height} hold={60_000} />;
}

/**
 * A curve chart: uPlot draws on the canvas; what surrounds it (marks of local time, the tip, keys, a table) is here.
 * Colours come from the style sheet and follow the theme.
 */
import 'uplot/dist/uPlot.min.css';
import { type KeyboardEvent, type ReactNode, useEffect, useLayoutEffect, useRef, useState } from 'react';
import uPlot from 'uplot';
import { useSpeech } from '../i18n/index.tsx';
import { colour, THEME_CHANGED } from '../theme.ts';
import { timeMarks, valueMarks } from './axis.ts';
import { tipLeft } from './bars.tsx';
import { useWidth } from './measure.ts';
import { DataTable } from './table.tsx';

export interface Line {
  readonly label: string;
  readonly values: readonly (number | null)[];
  /** Name of a custom property of the style sheet; `signed` is import above zero and export below. */
  readonly colour: string;
  readonly dash?: readonly number[];
  readonly min?: readonly (number | null)[] | undefined;
  readonly max?: readonly (number | null)[] | undefined;
}

export interface CurveProps {
  readonly title: string;
  readonly time: readonly number[];
  readonly lines: readonly Line[];
  readonly from: number;
  readonly to: number;
  readonly zone: string;
  readonly height: number;
  /** Lowest and highest end of the scale at least. */
  readonly atLeast?: readonly [number, number];
  /** Lines across the chart at these values, where they fall inside. */
  readonly limits?: readonly number[];
  /** Seconds in the tip's clock. */
  readonly seconds?: boolean;
  /** Date in the tip. */
  readonly dated?: boolean;
  show(value: number): string;
  axis(value: number): string;
  drawn?(): void;
  /** Streaming charts have no table and no announcement of every point. */
  readonly streaming?: boolean;
}

const LEFT = 46;
const FONT = '12px system-ui, sans-serif';

/** Import's colour above zero, export's below, as one gradient with a hard edge. */
function signed(u: uPlot, above: string, below: string): CanvasGradient | string {
  const { top, height } = u.bbox;
  const zero = u.valToPos(0, 'y', true);
  const part = (zero - top) / height;
  if (!Number.isFinite(part)) return above;
  const edge = Math.max(0, Math.min(1, part));
  const gradient = u.ctx.createLinearGradient(0, top, 0, top + height);
  gradient.addColorStop(0, above);
  gradient.addColorStop(edge, above);
  gradient.addColorStop(edge, below);
  gradient.addColorStop(1, below);
  return gradient;
}

function dataOf(props: CurveProps): uPlot.AlignedData {
  const rows: (readonly (number | null)[])[] = [];
  for (const line of props.lines) rows.push(line.values, ...(line.min && line.max ? [line.min, line.max] : []));
  return [props.time.map((t) => t / 1000), ...rows] as unknown as uPlot.AlignedData;
}

export function CurveChart(props: CurveProps): ReactNode {
  const { title, lines, time, zone, height } = props;
  const { t, format } = useSpeech();
  const [box, width] = useWidth<HTMLDivElement>();
  const host = useRef<HTMLDivElement>(null);
  const plot = useRef<uPlot>(undefined);
  const current = useRef(props);
  current.current = props;
  const [at, setAt] = useState<number | null>(null);
  /** What makes another chart rather than other data. */
  const shape = lines.map((line) => `${line.label}:${line.colour}:${line.min ? 'band' : ''}`).join('|');

  // biome-ignore lint/correctness/useExhaustiveDependencies: the rest is read through `current` at drawing time
  useLayoutEffect(() => {
    const element = host.current;
    if (!element || width === 0) return;
    const series: uPlot.Series[] = [{}];
    /** The marks that the range was rounded to: they stand on the axis as they are. */
    let marks: number[] = [];
    const bands: uPlot.Band[] = [];
    for (const line of lines) {
      const both = line.colour === 'signed';
      series.push({
        width: 1.6,
        points: { show: false },
        stroke: (u) => (both ? signed(u, colour('in'), colour('out')) : colour(line.colour)),
        ...(both ? { fill: (u: uPlot) => signed(u, colour('in-soft'), colour('out-soft')), fillTo: 0 } : {}),
        ...(line.dash ? { dash: [...line.dash] } : {}),
      });
      if (line.min && line.max) {
        const hidden: uPlot.Series = { width: 0, points: { show: false }, stroke: 'transparent' };
        series.push(hidden, { ...hidden });
        bands.push({
          series: [series.length - 1, series.length - 2],
          fill: () => `color-mix(in srgb, ${colour(both ? 'muted' : line.colour)} 22%, transparent)`,
        });
      }
    }
    const chart = new uPlot(
      {
        width,
        height,
        padding: [8, 6, 0, 0],
        legend: { show: false },
        cursor: {
          y: false,
          drag: { x: false, y: false },
          points: { size: 8, width: 2 },
        },
        scales: {
          x: { time: false, range: () => [current.current.from / 1000, current.current.to / 1000] },
          y: {
            range: (_u, low, high) => {
              const [least, most] = current.current.atLeast ?? [0, 0];
              marks = valueMarks(Math.min(low ?? 0, least), Math.max(high ?? 1, most), Math.max(2, height / 48));
              return [marks[0] ?? 0, marks.at(-1) ?? 1];
            },
          },
        },
        series,
        bands,
        axes: [
          {
            stroke: () => colour('muted'),
            font: FONT,
            size: 26,
            gap: 5,
            ticks: { show: false },
            grid: { stroke: () => colour('grid'), width: 1 },
            splits: (u) =>
              timeMarks(
                current.current.from,
                current.current.to,
                current.current.zone,
                format,
                Math.max(2, Math.floor(u.width / 64)),
              ).map((m) => m.at / 1000),
            values: (u) =>
              timeMarks(
                current.current.from,
                current.current.to,
                current.current.zone,
                format,
                Math.max(2, Math.floor(u.width / 64)),
              ).map((m) => m.text),
          },
          {
            stroke: () => colour('muted'),
            font: FONT,
            size: LEFT,
            gap: 6,
            ticks: { show: false },
            grid: { stroke: () => colour('grid'), width: 1 },
            splits: () => marks,
            values: (_u, splits) => splits.map((value) => current.current.axis(value)),
          },
        ],
        hooks: {
          setCursor: [(u) => setAt(u.cursor.idx ?? null)],
          drawAxes: [
            (u) => {
              const { ctx, bbox } = u;
              ctx.save();
              ctx.strokeStyle = colour('bad');
              ctx.setLineDash([6, 5]);
              ctx.lineWidth = devicePixelRatio;
              for (const limit of current.current.limits ?? []) {
                const y = Math.round(u.valToPos(limit, 'y', true));
                if (y <= bbox.top || y >= bbox.top + bbox.height) continue;
                ctx.beginPath();
                ctx.moveTo(bbox.left, y);
                ctx.lineTo(bbox.left + bbox.width, y);
                ctx.stroke();
              }
              ctx.restore();
            },
          ],
          draw: [() => current.current.drawn?.()],
        },
      },
      dataOf(current.current),
      element,
    );
    plot.current = chart;
    const redraw = () => chart.redraw(false);
    window.addEventListener(THEME_CHANGED, redraw);
    return () => {
      window.removeEventListener(THEME_CHANGED, redraw);
      chart.destroy();
      plot.current = undefined;
    };
  }, [shape, width > 0, height, format]);

  useEffect(() => {
    if (plot.current && width > 0) plot.current.setSize({ width, height });
  }, [width, height]);

  const first = useRef(true);
  // biome-ignore lint/correctness/useExhaustiveDependencies: data is what changed
  useLayoutEffect(() => {
    // The chart that was just made already has it.
    if (first.current) {
      first.current = false;
      return;
    }
    plot.current?.setData(dataOf(current.current));
  }, [time, lines, props.from, props.to]);

  const index = at !== null && at < time.length ? at : null;
  const moment = (i: number): string => {
    const ms = time[i] as number;
    const clock = format.clock(ms, zone, props.seconds);
    return props.dated ? `${format.day(ms, zone)} ${clock}` : clock;
  };
  const say = (value: number | null | undefined) => (value === null || value === undefined ? '–' : props.show(value));
  const key = (event: KeyboardEvent) => {
    const u = plot.current;
    if (!u || time.length === 0) return;
    const leap = Math.max(1, Math.round(time.length / 40));
    const start = index ?? (event.key === 'ArrowLeft' ? time.length : -1);
    const next: Record<string, number> = {
      ArrowRight: start + (event.shiftKey ? leap : 1),
      ArrowLeft: start - (event.shiftKey ? leap : 1),
      PageDown: start + leap,
      PageUp: start - leap,
      Home: 0,
      End: time.length - 1,
    };
    const wanted = next[event.key];
    if (wanted === undefined) return;
    event.preventDefault();
    event.stopPropagation();
    const to = Math.max(0, Math.min(time.length - 1, wanted));
    u.setCursor({ left: u.valToPos((time[to] as number) / 1000, 'x'), top: 10 });
    setAt(to);
  };
  const spoken =
    index === null ? '' : `${moment(index)}: ${lines.map((l) => `${l.label} ${say(l.values[index])}`).join(', ')}`;
  const left = index === null ? 0 : (plot.current?.valToPos((time[index] as number) / 1000, 'x') ?? 0) + LEFT;
  return (
    <div className="chart" ref={box}>
      <div
        className="chart-box"
        role="slider"
        tabIndex={0}
        aria-label={`${title}. ${t('chartKeys')}`}
        aria-valuemin={0}
        aria-valuemax={Math.max(0, time.length - 1)}
        aria-valuenow={index ?? 0}
        aria-valuetext={spoken || t('chartKeys')}
        onKeyDown={key}
        onBlur={() => {
          plot.current?.setCursor({ left: -10, top: -10 });
          setAt(null);
        }}
        style={{ minHeight: height }}
      >
        <div ref={host} aria-hidden="true" />
        {index !== null && (
          <div className="tip" style={{ left: tipLeft(left, width) }} aria-hidden="true">
            <strong>{moment(index)}</strong>
            {lines.map((line) => (
              <span key={line.label} className="tip-line">
                <i className={`key key-${line.colour}`} />
                {line.label}
                <b>{say(line.values[index])}</b>
              </span>
            ))}
          </div>
        )}
      </div>
      {lines.length > 1 && (
        <ul className="legend" aria-hidden="true">
          {lines.map((line) => (
            <li key={line.label}>
              <i className={`key key-${line.colour}`} />
              {line.label}
            </li>
          ))}
        </ul>
      )}
      {!props.streaming && (
        <DataTable
          caption={title}
          columns={[t('time'), ...lines.map((line) => line.label)]}
          count={time.length}
          row={(i) => [moment(i), ...lines.map((line) => say(line.values[i]))]}
        />
      )}
    </div>
  );
}

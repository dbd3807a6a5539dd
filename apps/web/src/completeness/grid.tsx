// biome-ignore-all lint/a11y/useSemanticElements: a table's rows cannot be placed by hand, as a list drawn in part needs
// biome-ignore-all lint/a11y/useFocusableInteractive: of a grid its cells are focused
/**
 * The map itself: a grid of rows and days that is walked by keys, drawn only where it is looked at, scrolling with the window. The first line
 * is the sum. Cells are coloured by class, and where there is room the per cent stands in them.
 */
import { useWindowVirtualizer } from '@tanstack/react-virtual';
import { type KeyboardEvent, type ReactNode, useEffect, useLayoutEffect, useRef, useState } from 'react';
import { useDesk } from '../i18n/desk.ts';
import type { Cell, Row } from './api.ts';
import { classOf, noonOf, percent } from './model.ts';
import { cellText } from './words.ts';

const ROW_HEIGHT = 30;
/** Rows ahead of the end at which more are asked for. */
const AHEAD = 60;
/** From here on a cell has room for its number, px. */
const NUMBER_FITS = 27;

export interface Spot {
  /** Among the rows, the sum being 0. */
  readonly row: number;
  /** 0 is the name, days follow. */
  readonly column: number;
}

export interface GridProps {
  readonly label: string;
  readonly days: readonly string[];
  /** The sum first. */
  readonly rows: readonly Row[];
  readonly more: boolean;
  fetchMore(): void;
  /** What is pointed at or focused. */
  point(spot: Spot | undefined): void;
  activate(spot: Spot): void;
  nameOf(row: Row): string;
}

function useWidth() {
  const box = useRef<HTMLDivElement>(null);
  const [size, setSize] = useState({ width: 0, top: 0 });
  useLayoutEffect(() => {
    const element = box.current;
    if (!element) return;
    const measure = () => {
      const width = element.clientWidth;
      const top = Math.round(element.getBoundingClientRect().top + window.scrollY);
      setSize((before) => (before.width === width && before.top === top ? before : { width, top }));
    };
    measure();
    const observer = new ResizeObserver(measure);
    observer.observe(element);
    observer.observe(document.body);
    return () => observer.disconnect();
  }, []);
  return { box, ...size };
}

export function HeatGrid(props: GridProps): ReactNode {
  const { days, rows, more, fetchMore, point, activate, nameOf } = props;
  const { t, format } = useDesk();
  const { box, width, top } = useWidth();
  const [at, setAt] = useState<Spot>({ row: 0, column: 0 });
  const names = width < 600 ? 112 : 210;
  const cellWidth = (width - names) / Math.max(1, days.length);
  const virtualizer = useWindowVirtualizer({
    count: rows.length,
    estimateSize: () => ROW_HEIGHT,
    overscan: 8,
    scrollMargin: top,
    scrollPaddingStart: 130,
    scrollPaddingEnd: 20,
  });
  const shown = virtualizer.getVirtualItems();
  const last = shown.at(-1)?.index ?? 0;
  useEffect(() => {
    if (more && last >= rows.length - AHEAD) fetchMore();
  }, [more, last, rows.length, fetchMore]);
  // The one cell that Tab reaches is always drawn.
  const entry: Spot = {
    row: shown.some((line) => line.index === at.row) ? at.row : (shown[0]?.index ?? 0),
    column: Math.min(at.column, days.length),
  };

  const focus = (spot: Spot) => {
    setAt(spot);
    virtualizer.scrollToIndex(spot.row, { align: 'auto' });
    let tries = 0;
    const grab = () => {
      const found = box.current?.querySelector<HTMLElement>(`[data-spot="${spot.row}/${spot.column}"]`);
      if (found) found.focus({ preventScroll: true });
      else if (tries++ < 30) requestAnimationFrame(grab);
    };
    grab();
  };
  const spotOf = (target: EventTarget): Spot | undefined => {
    const text = target instanceof Element ? target.closest<HTMLElement>('[data-spot]')?.dataset.spot : undefined;
    if (text === undefined) return undefined;
    const [row, column] = text.split('/').map(Number);
    return { row: row as number, column: column as number };
  };
  const key = (event: KeyboardEvent) => {
    const spot = spotOf(event.target);
    if (!spot || event.altKey || event.metaKey) return;
    const page = Math.max(1, Math.floor(window.innerHeight / ROW_HEIGHT) - 6);
    const whole = event.ctrlKey;
    let { row, column } = spot;
    if (event.key === 'ArrowDown') row++;
    else if (event.key === 'ArrowUp') row--;
    else if (event.key === 'ArrowRight') column++;
    else if (event.key === 'ArrowLeft') column--;
    else if (event.key === 'PageDown') row += page;
    else if (event.key === 'PageUp') row -= page;
    else if (event.key === 'Home') [row, column] = [whole ? 0 : row, 0];
    else if (event.key === 'End') [row, column] = [whole ? rows.length - 1 : row, days.length];
    else if (event.key === 'Enter' || event.key === ' ') {
      event.preventDefault();
      activate(spot);
      return;
    } else return;
    event.preventDefault();
    const next = {
      row: Math.max(0, Math.min(rows.length - 1, row)),
      column: Math.max(0, Math.min(days.length, column)),
    };
    focus(next);
  };
  const dense = cellWidth < NUMBER_FITS;
  const style = { gridTemplateColumns: `${names}px repeat(${days.length}, minmax(0, 1fr))` };
  const label = (day: string, i: number) => {
    const date = new Date(noonOf(day));
    // Where there is no room for every day, Mondays.
    if (dense && cellWidth < 19 && date.getUTCDay() !== 1) return '';
    if (dense && cellWidth < 7 && (i < 3 || date.getUTCDate() > 7)) return '';
    return String(date.getUTCDate());
  };
  return (
    <div
      className={dense ? 'heat heat-dense' : 'heat'}
      role="grid"
      aria-label={props.label}
      aria-rowcount={more ? -1 : rows.length + 1}
      aria-colcount={days.length + 1}
      aria-readonly="true"
      onKeyDown={key}
      onPointerLeave={() => point(undefined)}
      onPointerMove={(event) => point(spotOf(event.target))}
      onFocus={(event) => {
        const spot = spotOf(event.target);
        if (!spot) return;
        setAt(spot);
        point(spot);
      }}
      onBlur={() => point(undefined)}
      onClick={(event) => {
        const spot = spotOf(event.target);
        if (spot) activate(spot);
      }}
    >
      <div role="row" aria-rowindex={1} className="heat-days" style={style}>
        <span role="columnheader" className="heat-corner">
          <span className="unseen">{t('name')}</span>
        </span>
        {days.map((day, i) => {
          const at = noonOf(day);
          const weekend = [0, 6].includes(new Date(at).getUTCDay());
          return (
            <span
              key={day}
              role="columnheader"
              className={weekend ? 'heat-day heat-weekend' : 'heat-day'}
              title={format.date(at, 'UTC')}
            >
              <span aria-hidden="true">{label(day, i)}</span>
              <span className="unseen">{format.day(at, 'UTC')}</span>
            </span>
          );
        })}
      </div>
      <div ref={box} role="rowgroup" className="heat-rows" style={{ height: virtualizer.getTotalSize() }}>
        {width > 0 &&
          shown.map((line) => {
            const row = rows[line.index] as Row;
            const name = nameOf(row);
            return (
              <div
                key={line.key}
                role="row"
                aria-rowindex={line.index + 2}
                className={row.kind === 'all' || line.index === 0 ? 'heat-row heat-sum' : 'heat-row'}
                style={{ ...style, transform: `translateY(${line.start - top}px)` }}
              >
                <span
                  role="rowheader"
                  className="heat-name"
                  data-spot={`${line.index}/0`}
                  tabIndex={entry.row === line.index && entry.column === 0 ? 0 : -1}
                  title={name}
                >
                  {names < 150 ? shortened(name) : name}
                </span>
                {days.map((day, i) => {
                  const cell = row.cells[i] ?? null;
                  const cellClass = classOf(cell);
                  return (
                    <span
                      key={day}
                      role="gridcell"
                      data-spot={`${line.index}/${i + 1}`}
                      tabIndex={entry.row === line.index && entry.column === i + 1 ? 0 : -1}
                      className={`heat-cell heat-${cellClass}`}
                      aria-label={cellText(t, format, cell)}
                    >
                      {!dense && <CellNumber cell={cell} />}
                    </span>
                  );
                })}
              </div>
            );
          })}
      </div>
    </div>
  );
}

/** Numbers of meters differ at their ends; where there is no room it is the end that stands. */
function shortened(name: string): string {
  return /^\d{12,}$/.test(name) ? `…${name.slice(-8)}` : name;
}

function CellNumber({ cell }: { cell: Cell | null }): ReactNode {
  if (!cell || cell.expected === 0 || cell.present >= cell.expected) return null;
  return <span aria-hidden="true">{percent(cell)}</span>;
}

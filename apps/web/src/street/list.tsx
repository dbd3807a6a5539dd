/**
 * The houses, virtualised on the window's own scrolling. Arrow keys, Home and End move between houses; the next page is
 * asked for well before its place is reached.
 */
import type { Meter } from '@amiable/model';
import { useWindowVirtualizer } from '@tanstack/react-virtual';
import { type KeyboardEvent, type ReactNode, useEffect, useLayoutEffect, useRef, useState } from 'react';
import { useSpeech } from '../i18n/index.tsx';
import { Row, Tile } from './tile.tsx';

export type Layout = 'tiles' | 'rows';

const TILE_WIDTH = 296;
const GAP = 16;
const TILE_HEIGHT = 232;
const ROW_HEIGHT = 64;
/** On a phone a row takes two lines. */
const NARROW = 640;
const NARROW_ROW_HEIGHT = 88;
/** Rows ahead of the end at which more are asked for. */
const AHEAD = 60;

export interface HouseListProps {
  readonly meters: readonly Meter[];
  readonly total: number;
  readonly layout: Layout;
  readonly scale: number;
  readonly more: boolean;
  fetchMore(): void;
  name(meter: Meter): void;
  /** Told which meters stand on the screen. */
  show(ids: readonly string[]): void;
}

export function HouseList(props: HouseListProps): ReactNode {
  const { meters, total, layout, more, fetchMore, show } = props;
  const { t } = useSpeech();
  const list = useRef<HTMLUListElement>(null);
  const [width, setWidth] = useState(0);
  const [top, setTop] = useState(0);
  useLayoutEffect(() => {
    const element = list.current;
    if (!element) return;
    const measure = () => {
      setWidth(element.clientWidth);
      setTop(Math.round(element.getBoundingClientRect().top + window.scrollY));
    };
    measure();
    const observer = new ResizeObserver(measure);
    observer.observe(element);
    observer.observe(document.body);
    return () => observer.disconnect();
  }, []);

  const columns = layout === 'rows' ? 1 : Math.max(1, Math.floor((width + GAP) / (TILE_WIDTH + GAP)));
  const height = layout === 'tiles' ? TILE_HEIGHT : width < NARROW ? NARROW_ROW_HEIGHT : ROW_HEIGHT;
  const gap = layout === 'tiles' ? GAP : 0;
  const lines = Math.ceil(meters.length / columns);
  const virtualizer = useWindowVirtualizer({
    count: lines,
    estimateSize: () => height,
    gap,
    overscan: layout === 'tiles' ? 2 : 6,
    scrollMargin: top,
  });
  // biome-ignore lint/correctness/useExhaustiveDependencies: sizes are known by these alone
  useEffect(() => virtualizer.measure(), [height, columns, virtualizer]);

  const shown = virtualizer.getVirtualItems();
  const lastLine = shown.at(-1)?.index ?? 0;
  useEffect(() => {
    if (more && lastLine >= lines - AHEAD) fetchMore();
  }, [more, lastLine, lines, fetchMore]);
  const first = (shown[0]?.index ?? 0) * columns;
  const end = Math.min(meters.length, (lastLine + 1) * columns);
  const ids = meters
    .slice(first, end)
    .map((meter) => meter.id)
    .join(',');
  // Told when the scrolling rests: nobody needs live values of what flies by.
  useEffect(() => {
    const timer = setTimeout(() => show(ids === '' ? [] : ids.split(',')), 150);
    return () => clearTimeout(timer);
  }, [ids, show]);

  const move = (event: KeyboardEvent<HTMLUListElement>) => {
    const at = Number((event.target as HTMLElement).dataset.index ?? -1);
    if (at < 0) return;
    const page = Math.max(1, Math.floor(window.innerHeight / (height + gap)) - 1) * columns;
    const steps: Record<string, number> = {
      ArrowRight: 1,
      ArrowLeft: -1,
      ArrowDown: columns,
      ArrowUp: -columns,
      PageDown: page,
      PageUp: -page,
      Home: -at,
      End: meters.length - 1 - at,
    };
    const step = steps[event.key];
    if (step === undefined) return;
    const to = Math.max(0, Math.min(meters.length - 1, at + step));
    event.preventDefault();
    virtualizer.scrollToIndex(Math.floor(to / columns), { align: 'auto' });
    // The target may first have to be drawn.
    let tries = 0;
    const focus = () => {
      const link = list.current?.querySelector<HTMLElement>(`[data-index="${to}"]`);
      if (link) link.focus({ preventScroll: Math.abs(step) > page });
      else if (tries++ < 20) requestAnimationFrame(focus);
    };
    requestAnimationFrame(focus);
  };

  const House = layout === 'tiles' ? Tile : Row;
  return (
    <ul
      ref={list}
      className={`houses houses-${layout}`}
      aria-label={t('houses', { n: total })}
      style={{ height: virtualizer.getTotalSize() }}
      onKeyDown={move}
    >
      {width > 0 &&
        shown.flatMap((line) =>
          meters
            .slice(line.index * columns, (line.index + 1) * columns)
            .map((meter, column) => (
              <House
                key={meter.id}
                meter={meter}
                index={line.index * columns + column}
                total={total}
                scale={props.scale}
                name={props.name}
                x={(column * (width + GAP)) / columns}
                y={line.start - top}
                width={(width - (columns - 1) * GAP) / columns}
                height={height}
              />
            )),
        )}
    </ul>
  );
}

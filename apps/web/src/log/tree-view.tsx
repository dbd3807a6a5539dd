/**
 * The lines of the log, as an ARIA tree that is drawn only where it is looked at. What one reads stays where it is while new lines come
 * in above; who is at the top sees the newest.
 */
import { defaultRangeExtractor, type Range, useVirtualizer } from '@tanstack/react-virtual';
import {
  type KeyboardEvent,
  memo,
  type ReactNode,
  useCallback,
  useEffect,
  useLayoutEffect,
  useMemo,
  useRef,
  useState,
} from 'react';
import { useDesk } from '../i18n/desk.ts';
import { ProgressBar, StateSign } from './signs.tsx';
import type { Line } from './tree.ts';
import { durationText } from './words.ts';

const HEIGHT = 34;
const INDENT = 18;

export interface TreeViewProps {
  readonly lines: readonly Line[];
  readonly zone: string;
  readonly selected: string;
  readonly busy: boolean;
  select(id: string): void;
  fold(id: string, open: boolean): void;
  more(parent: string | undefined): void;
}

export function TreeView(props: TreeViewProps): ReactNode {
  const { lines, zone, selected, select, fold, more } = props;
  const { t } = useDesk();
  const box = useRef<HTMLDivElement>(null);
  const [cursor, setCursor] = useState('');
  const places = useMemo(() => {
    const map = new Map<string, number>();
    lines.forEach((line, i) => {
      map.set(line.key, i);
    });
    return map;
  }, [lines]);
  const at = places.get(cursor) ?? 0;
  const virtualizer = useVirtualizer({
    count: lines.length,
    getScrollElement: () => box.current,
    estimateSize: () => HEIGHT,
    overscan: 12,
    getItemKey: (index) => lines[index]?.key ?? index,
    // The line that has the focus is always drawn, or the keys would lose their place.
    rangeExtractor: useCallback(
      (range: Range) => {
        const drawn = defaultRangeExtractor(range);
        if (at >= range.count || drawn.includes(at)) return drawn;
        return at < (drawn[0] ?? 0) ? [at, ...drawn] : [...drawn, at];
      },
      [at],
    ),
  });

  const anchor = useRef({ key: '', offset: 0 });
  const remember = () => {
    const top = box.current?.scrollTop ?? 0;
    const index = Math.floor(top / HEIGHT);
    anchor.current = { key: top < HEIGHT / 2 ? '' : (lines[index]?.key ?? ''), offset: top - index * HEIGHT };
  };
  useLayoutEffect(() => {
    const { key, offset } = anchor.current;
    const index = places.get(key);
    if (key === '' || index === undefined || !box.current) return;
    const top = index * HEIGHT + offset;
    if (Math.abs(box.current.scrollTop - top) > 1) box.current.scrollTop = top;
  }, [places]);

  const shown = virtualizer.getVirtualItems();
  const wanting = shown.map(({ index }) => lines[index]).find((line) => line?.kind === 'more');
  const wantingKey = wanting?.key;
  const wantingParent = wanting?.parent;
  useEffect(() => {
    if (wantingKey !== undefined) more(wantingParent);
  }, [wantingKey, wantingParent, more]);

  const focus = (index: number) => {
    let to = Math.max(0, Math.min(lines.length - 1, index));
    // Lines that only say that more is coming cannot be chosen.
    while (to > 0 && lines[to]?.kind !== 'entry') to--;
    const line = lines[to];
    if (!line) return;
    setCursor(line.key);
    virtualizer.scrollToIndex(to, { align: 'auto' });
    let tries = 0;
    const grab = () => {
      const found = box.current?.querySelector<HTMLElement>(`[data-key="${line.key}"]`);
      if (found) found.focus({ preventScroll: true });
      else if (tries++ < 30) requestAnimationFrame(grab);
    };
    grab();
  };
  const key = (event: KeyboardEvent) => {
    const id = (event.target as HTMLElement).dataset.key;
    const index = id === undefined ? undefined : places.get(id);
    const line = index === undefined ? undefined : lines[index];
    if (index === undefined || line?.kind !== 'entry' || event.altKey || event.ctrlKey || event.metaKey) return;
    const page = Math.max(1, Math.floor((box.current?.clientHeight ?? 400) / HEIGHT) - 1);
    if (event.key === 'ArrowDown') {
      let next = index + 1;
      while (next < lines.length && lines[next]?.kind !== 'entry') next++;
      if (next < lines.length) focus(next);
    } else if (event.key === 'ArrowUp') focus(index - 1);
    else if (event.key === 'PageDown') focus(index + page);
    else if (event.key === 'PageUp') focus(index - page);
    else if (event.key === 'Home') focus(0);
    else if (event.key === 'End') focus(lines.length - 1);
    else if (event.key === 'ArrowRight') {
      if (line.open === false) fold(line.key, true);
      else if (line.open && lines[index + 1]?.parent === line.key) focus(index + 1);
    } else if (event.key === 'ArrowLeft') {
      if (line.open) fold(line.key, false);
      else if (line.parent !== undefined) focus(places.get(line.parent) ?? 0);
    } else if (event.key === 'Enter' || event.key === ' ') select(line.key);
    else return;
    event.preventDefault();
  };
  const click = useCallback(
    (id: string, sign: boolean, open: boolean | undefined) => {
      setCursor(id);
      if (sign && open !== undefined) fold(id, !open);
      else select(id);
    },
    [fold, select],
  );
  const entry = lines[at]?.key;
  return (
    <div
      ref={box}
      role="tree"
      className="log-tree"
      aria-label={t('logTitle')}
      aria-busy={props.busy}
      onKeyDown={key}
      onScroll={remember}
    >
      <div role="presentation" className="log-lines" style={{ height: virtualizer.getTotalSize() }}>
        {shown.map((item) => {
          const line = lines[item.index];
          if (!line) return null;
          return line.kind === 'entry' ? (
            <EntryLine
              key={line.key}
              line={line}
              y={item.start}
              zone={zone}
              selected={line.key === selected}
              reachable={line.key === entry}
              click={click}
            />
          ) : (
            <div
              key={line.key}
              role="presentation"
              className="log-line log-note"
              style={{ transform: `translateY(${item.start}px)`, paddingInlineStart: line.depth * INDENT + 30 }}
            >
              {t(line.kind === 'none' ? 'logBelowNone' : 'loading')}
            </div>
          );
        })}
      </div>
    </div>
  );
}

interface EntryLineProps {
  readonly line: Extract<Line, { kind: 'entry' }>;
  readonly y: number;
  readonly zone: string;
  readonly selected: boolean;
  readonly reachable: boolean;
  click(id: string, sign: boolean, open: boolean | undefined): void;
}

/** Drawn anew only when its entry or place changes. */
const EntryLine = memo(
  function EntryLine({ line, y, zone, selected, reachable, click }: EntryLineProps): ReactNode {
    const { t, format } = useDesk();
    const { entry, depth, open } = line;
    return (
      // biome-ignore lint/a11y/useKeyWithClickEvents: the tree handles the keys of its lines
      <div
        role="treeitem"
        data-key={entry.id}
        aria-level={depth + 1}
        aria-expanded={open}
        aria-selected={selected}
        aria-posinset={line.position}
        aria-setsize={line.size}
        tabIndex={reachable ? 0 : -1}
        className={`log-line log-${entry.state}${selected ? ' log-selected' : ''}`}
        style={{ transform: `translateY(${y}px)`, paddingInlineStart: depth * INDENT + 6 }}
        onClick={(event) => click(entry.id, (event.target as HTMLElement).closest('.log-fold') !== null, open)}
      >
        <span
          className={open === undefined ? 'log-fold' : open ? 'log-fold log-folds log-open' : 'log-fold log-folds'}
        />
        <StateSign state={entry.state} />
        <span className="log-time">{format.clock(Date.parse(entry.started), zone, true)}</span>
        <span className="log-kind">{t(`kind_${entry.kind}`)}</span>
        <span className="log-text">{entry.text}</span>
        {entry.state === 'running' && line.progress ? (
          <ProgressBar progress={line.progress} detail={entry.detail} name={entry.text} />
        ) : (
          <span className="log-took">{durationText(format, entry)}</span>
        )}
      </div>
    );
  },
  (a, b) =>
    a.y === b.y &&
    a.selected === b.selected &&
    a.reachable === b.reachable &&
    a.zone === b.zone &&
    a.click === b.click &&
    a.line.entry === b.line.entry &&
    a.line.progress === b.line.progress &&
    a.line.open === b.line.open &&
    a.line.position === b.line.position &&
    a.line.size === b.line.size,
);

// biome-ignore-all lint/a11y/useSemanticElements: a grid of bytes is walked by arrow keys, which a table is not
// biome-ignore-all lint/a11y/useFocusableInteractive: one byte of the grid is focusable at a time
/** The bytes of one layer. Pointing at a byte points at its innermost field; arrow keys do the same without a mouse. */
import { type KeyboardEvent, memo, type PointerEvent, type ReactNode, useEffect, useRef, useState } from 'react';
import { useSpeech } from '../i18n/index.tsx';
import { useWidth } from '../meter/measure.ts';
import { DARK, type LayerMap } from './fields.ts';

/** Widths of a row of sixteen and of eight bytes with their text, px. */
const WIDE = 580;
/** Bytes that are drawn at once; more when asked for, or when something in them is pointed at. */
const PAGE = 4096;

export interface HexProps {
  readonly layer: LayerMap;
  readonly label: string;
  readonly marks: Uint8Array;
  /** The byte that the keyboard stands on. */
  readonly cursor: number;
  /** Changes when the page points from elsewhere and the byte should come into view. */
  readonly reveal: number | undefined;
  point(at: number | undefined): void;
  step(at: number): void;
}

const MARK = ['', ' hex-kin', ' hex-lit'];

interface RowProps {
  readonly layer: LayerMap;
  readonly start: number;
  readonly columns: number;
  /** The marks of this row and its neighbours as text: what a row must be drawn anew for. */
  readonly marked: string;
  readonly cursor: number;
}

const HexRow = memo(function HexRow({ layer, start, columns, marked, cursor }: RowProps): ReactNode {
  const end = Math.min(layer.bytes.length, start + columns);
  const cells: ReactNode[] = [];
  let text = '';
  for (let i = start; i < end; i++) {
    const byte = layer.bytes[i] as number;
    const node = layer.nodes[layer.leaf[i] as number];
    const mark = Number(marked[i - start + 1]);
    const before = Number(marked[i - start]);
    const after = Number(marked[i - start + 2]);
    let name = `hex-byte${MARK[mark]}`;
    if (mark !== DARK && (before !== mark || i === start)) name += ' hex-first';
    if (mark !== DARK && (after !== mark || i === end - 1)) name += ' hex-last';
    if (node?.reading !== undefined) name += ' hex-value';
    if (i > start && layer.leaf[i] !== layer.leaf[i - 1]) name += ' hex-edge';
    if (i - start === 8) name += ' hex-half';
    cells.push(
      <span key={i} role="gridcell" className={name} data-at={i} tabIndex={i === cursor ? 0 : -1}>
        {byte.toString(16).padStart(2, '0').toUpperCase()}
      </span>,
    );
    text += byte >= 32 && byte < 127 ? String.fromCharCode(byte) : '·';
  }
  return (
    <div role="row" className="hex-row">
      <span className="hex-offset" role="rowheader">
        {start.toString(16).padStart(4, '0').toUpperCase()}
      </span>
      <span className="hex-bytes" role="presentation" style={{ width: `${columns * 2.6 + (columns > 8 ? 1 : 0)}ch` }}>
        {cells}
      </span>
      <span className="hex-ascii" aria-hidden="true">
        {[...text].map((char, i) => (
          // biome-ignore lint/suspicious/noArrayIndexKey: characters of a row have no other name
          <span key={i} className={MARK[Number(marked[i + 1])]?.trim()}>
            {char}
          </span>
        ))}
      </span>
    </div>
  );
});

export function HexDump({ layer, label, marks, cursor, reveal, point, step }: HexProps): ReactNode {
  const { t } = useSpeech();
  const [box, width] = useWidth<HTMLDivElement>();
  const grid = useRef<HTMLDivElement>(null);
  const columns = width >= WIDE ? 16 : 8;
  const [shown, show] = useState(PAGE);
  const all = layer.bytes.length;
  const count = Math.min(all, shown);
  const needed = Math.max(cursor, reveal ?? 0);
  useEffect(() => {
    if (needed >= count && needed < all) show(PAGE * (Math.floor(needed / PAGE) + 1));
  }, [needed, count, all]);
  useEffect(() => {
    if (reveal === undefined || reveal >= count) return;
    const cell = grid.current?.querySelector<HTMLElement>(`[data-at="${reveal}"]`);
    const scroller = grid.current?.closest<HTMLElement>('.hex-scroll');
    if (!cell || !scroller) return;
    const a = cell.getBoundingClientRect();
    const b = scroller.getBoundingClientRect();
    if (a.top < b.top + 30) scroller.scrollTop -= b.top + 60 - a.top;
    else if (a.bottom > b.bottom - 8) scroller.scrollTop += a.bottom - b.bottom + 50;
  }, [reveal, count]);
  const over = (event: PointerEvent) => {
    if (event.pointerType === 'touch' && event.type === 'pointermove') return;
    const at = (event.target as HTMLElement).dataset.at;
    point(at === undefined ? undefined : Number(at));
  };
  const key = (event: KeyboardEvent) => {
    const next: Record<string, number> = {
      ArrowRight: cursor + 1,
      ArrowLeft: cursor - 1,
      ArrowDown: cursor + columns,
      ArrowUp: cursor - columns,
      Home: event.ctrlKey ? 0 : cursor - (cursor % columns),
      End: event.ctrlKey ? count - 1 : Math.min(count - 1, cursor - (cursor % columns) + columns - 1),
    };
    const to = next[event.key];
    if (to === undefined) return;
    event.preventDefault();
    if (to < 0 || to >= count) return;
    step(to);
    grid.current?.querySelector<HTMLElement>(`[data-at="${to}"]`)?.focus();
  };
  const rows: ReactNode[] = [];
  const mark = (i: number) => marks[i] ?? DARK;
  for (let start = 0; start < count; start += columns) {
    let marked = '';
    for (let i = start - 1; i <= start + columns; i++) marked += i < 0 || i >= count ? DARK : mark(i);
    const here = cursor >= start && cursor < start + columns ? cursor : -1;
    rows.push(<HexRow key={start} layer={layer} start={start} columns={columns} marked={marked} cursor={here} />);
  }
  return (
    <div ref={box}>
      <div
        ref={grid}
        role="grid"
        className="hex"
        aria-label={`${label}. ${t('hexKeys')}`}
        onPointerOver={over}
        onPointerDown={over}
        onPointerLeave={() => point(undefined)}
        onClick={(event) => {
          const at = (event.target as HTMLElement).dataset.at;
          if (at !== undefined) step(Number(at));
        }}
        onFocus={(event) => {
          const at = event.target.dataset.at;
          if (at !== undefined) step(Number(at));
        }}
        onKeyDown={key}
      >
        {rows}
      </div>
      {count < all && (
        <button type="button" className="button small show-more" onClick={() => show(count + PAGE)}>
          {t('showMoreBytes', { n: Math.min(PAGE, all - count), all })}
        </button>
      )}
    </div>
  );
}

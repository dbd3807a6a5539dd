// biome-ignore-all lint/a11y/noNoninteractiveElementToInteractiveRole: a tree is a list that folds
// biome-ignore-all lint/a11y/useKeyWithClickEvents: the tree handles the keys of its lines
/** The fields of all layers as one tree, in byte order. */
import { type KeyboardEvent, type ReactNode, useEffect, useMemo, useRef, useState } from 'react';
import { useSpeech } from '../i18n/index.tsx';
import { type LayerMap, readingOf, type Spot } from './fields.ts';

/** Lines that are drawn at once. */
const PAGE = 1000;

interface Line {
  readonly key: string;
  readonly layer: number;
  /** Absent for the line of a layer itself. */
  readonly node?: number;
  readonly depth: number;
  readonly text: string;
  readonly range: readonly [number, number];
  readonly open: boolean | undefined;
  readonly parent: string | undefined;
  readonly reading: number | undefined;
  /** The outermost field of its reading, which bears its name. */
  readonly bears: boolean;
}

/** Whether a value of a reading lies in it. */
function bearing(layer: LayerMap, id: number): boolean {
  const node = layer.nodes[id];
  return node !== undefined && (node.reading !== undefined || node.children.some((child) => bearing(layer, child)));
}

function linesOf(layers: readonly LayerMap[], names: readonly string[], closed: ReadonlySet<string>): Line[] {
  const lines: Line[] = [];
  layers.forEach((layer, l) => {
    const own = `${l}`;
    const lone = layers.length === 1;
    const base = lone ? 0 : 1;
    if (!lone) {
      lines.push({
        key: own,
        layer: l,
        depth: 0,
        text: names[l] ?? layer.name,
        range: [0, layer.bytes.length],
        open: !closed.has(own),
        parent: undefined,
        reading: undefined,
        bears: false,
      });
      if (closed.has(own)) return;
    }
    const walk = (id: number) => {
      const node = layer.nodes[id];
      if (!node) return;
      const key = `${l}/${id}`;
      const open = node.children.length === 0 ? undefined : !closed.has(key);
      lines.push({
        key,
        layer: l,
        node: id,
        depth: node.depth + base,
        text: node.text,
        range: [node.from, node.to],
        open,
        parent: node.parent === undefined ? (lone ? undefined : own) : `${l}/${node.parent}`,
        reading: node.only,
        // The code beside a value is about it too, but the value bears the name.
        bears: node.holds && (node.reading !== undefined || node.children.some((child) => bearing(layer, child))),
      });
      if (open) for (const child of node.children) walk(child);
    };
    for (const root of layer.roots) walk(root);
  });
  return lines;
}

export interface TreeProps {
  readonly layers: readonly LayerMap[];
  readonly names: readonly string[];
  /** What each reading is called. */
  readonly readings: readonly string[];
  readonly spot: Spot | undefined;
  /** The spot was set from elsewhere: bring it into view. */
  readonly follow: boolean;
  point(spot: Spot | undefined): void;
  step(spot: Spot): void;
}

export function FieldTree({ layers, names, readings, spot, follow, point, step }: TreeProps): ReactNode {
  const { t } = useSpeech();
  const [closed, setClosed] = useState<ReadonlySet<string>>(new Set());
  const tree = useRef<HTMLUListElement>(null);
  const all = useMemo(() => linesOf(layers, names, closed), [layers, names, closed]);
  const [shown, show] = useState(PAGE);
  const lines = useMemo(() => all.slice(0, shown), [all, shown]);
  const [cursor, setCursor] = useState('');
  const activeKey = spot?.kind === 'field' ? `${spot.layer}/${spot.node}` : undefined;
  const reading = readingOf(layers, spot);

  useEffect(() => {
    if (!follow || !activeKey || !spot || spot.kind !== 'field') return;
    // What is folded away opens.
    const above: string[] = [`${spot.layer}`];
    const nodes = layers[spot.layer]?.nodes;
    for (let at = nodes?.[spot.node]?.parent; at !== undefined; at = nodes?.[at]?.parent)
      above.push(`${spot.layer}/${at}`);
    setClosed((before) =>
      above.some((key) => before.has(key)) ? new Set([...before].filter((key) => !above.includes(key))) : before,
    );
    const at = all.findIndex(({ key }) => key === activeKey);
    if (at >= shown) show(PAGE * (Math.floor(at / PAGE) + 1));
    const line = tree.current?.querySelector<HTMLElement>(`[data-key="${activeKey}"]`);
    const scroller = tree.current?.closest<HTMLElement>('.explained-scroll');
    if (!line || !scroller || scroller.scrollHeight <= scroller.clientHeight) return;
    const a = line.getBoundingClientRect();
    const b = scroller.getBoundingClientRect();
    if (a.top < b.top || a.bottom > b.bottom) scroller.scrollTop += a.top - b.top - b.height / 3;
  }, [follow, activeKey, spot, layers, all, shown]);

  const fold = (line: Line, open: boolean) =>
    setClosed((before) => {
      const next = new Set(before);
      if (open) next.delete(line.key);
      else next.add(line.key);
      return next;
    });
  const spotOf = (line: Line): Spot | undefined =>
    line.node === undefined ? undefined : { kind: 'field', layer: line.layer, node: line.node };
  const focus = (line: Line | undefined) => {
    if (!line) return;
    setCursor(line.key);
    tree.current?.querySelector<HTMLElement>(`[data-key="${line.key}"]`)?.focus();
  };
  const key = (event: KeyboardEvent) => {
    const at = lines.findIndex((line) => line.key === (event.target as HTMLElement).dataset.key);
    const line = lines[at];
    if (!line) return;
    let handled = true;
    if (event.key === 'ArrowDown') focus(lines[at + 1]);
    else if (event.key === 'ArrowUp') focus(lines[at - 1]);
    else if (event.key === 'Home') focus(lines[0]);
    else if (event.key === 'End') focus(lines.at(-1));
    else if (event.key === 'ArrowRight') {
      if (line.open === false) fold(line, true);
      else if (line.open) focus(lines[at + 1]);
    } else if (event.key === 'ArrowLeft') {
      if (line.open) fold(line, false);
      else focus(lines.find((other) => other.key === line.parent));
    } else handled = false;
    if (handled) event.preventDefault();
  };
  const entry = lines.some((line) => line.key === cursor) ? cursor : lines[0]?.key;
  return (
    <>
      <ul
        ref={tree}
        role="tree"
        className="tree"
        aria-label={t('fields')}
        onKeyDown={key}
        onPointerLeave={() => point(undefined)}
      >
        {lines.map((line) => {
          const own = line.key === activeKey;
          const kin = !own && reading !== undefined && line.reading === reading;
          const [from, to] = line.range;
          return (
            <li
              key={line.key}
              role="treeitem"
              data-key={line.key}
              aria-level={line.depth + 1}
              aria-expanded={line.open}
              aria-selected={own}
              tabIndex={line.key === entry ? 0 : -1}
              className={`tree-line${own ? ' tree-lit' : ''}${kin ? ' tree-kin' : ''}${line.node === undefined ? ' tree-layer' : ''}`}
              style={{ paddingInlineStart: `${line.depth * 16 + 22}px` }}
              onPointerEnter={() => point(spotOf(line))}
              onFocus={(event) => {
                if (event.target !== event.currentTarget) return;
                setCursor(line.key);
                const to = spotOf(line);
                if (to) step(to);
              }}
              onClick={() => {
                if (line.open !== undefined && line.key === cursor) fold(line, !line.open);
              }}
            >
              {line.open !== undefined && (
                <span
                  className={line.open ? 'tree-fold tree-open' : 'tree-fold'}
                  aria-hidden="true"
                  style={{ left: `${line.depth * 16 + 6}px` }}
                />
              )}
              <span className="tree-text">
                {line.text}
                {line.bears && <span className="tree-name">{readings[line.reading as number]}</span>}
              </span>
              <span className="tree-range">
                {from}
                {to - from > 1 && `–${to - 1}`}
              </span>
            </li>
          );
        })}
      </ul>
      {shown < all.length && (
        <button type="button" className="button small show-more" onClick={() => show(shown + PAGE)}>
          {t('showMoreFields', { n: Math.min(PAGE, all.length - shown), all: all.length })}
        </button>
      )}
    </>
  );
}

/**
 * The log as a tree that grows: roots newest first, children in the order in which they began, what is open, and the lines that come of it.
 *
 * Decides: how an answer and a change are joined (an end is never undone by an older word), and what is let go when there is too much.
 * Knows neither server nor page.
 */
import type { Change, Entry, EntryPage, Progress } from './api.ts';

/** Roots and children of one parent that are kept; beyond, the oldest roots go and later children wait for being asked. */
const MOST_ROOTS = 3000;
const MOST_CHILDREN = 20_000;

interface Node {
  entry: Entry;
  /** Undefined until they were asked for. */
  children: string[] | undefined;
  /** Where to ask on; undefined when all are here. */
  next: string | undefined;
  /** Came live: whether there is something below is not known. */
  open: boolean;
}

export type Line =
  | {
      readonly kind: 'entry';
      readonly key: string;
      readonly entry: Entry;
      readonly progress: Progress | undefined;
      readonly depth: number;
      /** Undefined: nothing can stand below. */
      readonly open: boolean | undefined;
      readonly parent: string | undefined;
      readonly position: number;
      readonly size: number;
    }
  /** More can be had; `loading`, `none` (nothing below) and `more` are the same line. */
  | {
      readonly kind: 'more' | 'loading' | 'none';
      readonly key: string;
      readonly depth: number;
      readonly parent: string | undefined;
    };

/** Ids are time-ordered numbers as text. */
export function isLater(a: string, b: string): boolean {
  return a.length === b.length ? a > b : a.length > b.length;
}

/** Where to put an id in a list in order of time. */
function placeOf(ids: readonly string[], id: string): number {
  let low = 0;
  let high = ids.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (isLater(id, ids[middle] as string)) low = middle + 1;
    else high = middle;
  }
  return low;
}

export class LogTree {
  readonly #nodes = new Map<string, Node>();
  readonly #progress = new Map<string, Progress>();
  /** Oldest first; shown the other way round. */
  #roots: string[] = [];
  #next: string | undefined;
  #loaded = false;
  readonly #loading = new Set<string>();
  #lines: readonly Line[] | undefined;
  version = 0;
  readonly #accepts: (entry: Entry) => boolean;

  /** @param accepts which new roots belong here: all, or what a filter lets through */
  constructor(accepts: (entry: Entry) => boolean = () => true) {
    this.#accepts = accepts;
  }

  #touch(): void {
    this.version++;
    this.#lines = undefined;
  }

  #put(entry: Entry, live: boolean): Node {
    const known = this.#nodes.get(entry.id);
    if (!known) {
      const node: Node = { entry, children: undefined, next: undefined, open: false };
      // Whether anything stands below what came live is not said; it may, save below an APDU.
      if (live && entry.kind !== 'apdu' && entry.kind !== 'command') node.entry = { ...entry, children: 1 };
      this.#nodes.set(entry.id, node);
      return node;
    }
    // An end is the last word: answers and changes may cross.
    if (known.entry.state !== 'running' && entry.state === 'running') return known;
    known.entry = { ...entry, children: live ? known.entry.children : entry.children };
    return known;
  }

  #forget(id: string): void {
    for (const child of this.#nodes.get(id)?.children ?? []) this.#forget(child);
    this.#nodes.delete(id);
    this.#progress.delete(id);
  }

  /** The first page of roots, or all anew after too much was missed. What is open stays so. */
  takeRoots(page: EntryPage, first: boolean): void {
    this.#loaded = true;
    if (first) {
      const fresh = page.transactions.map(({ id }) => id).sort((a, b) => (isLater(a, b) ? 1 : -1));
      const oldest = fresh[0];
      const kept = this.#roots.filter((id) => !fresh.includes(id) && oldest !== undefined && isLater(oldest, id));
      // Older pages that were loaded join without a gap only when the first page reaches them.
      const joins = this.#roots.some((id) => fresh.includes(id)) || this.#roots.length === 0;
      for (const id of this.#roots) if (!fresh.includes(id) && !(joins && kept.includes(id))) this.#forget(id);
      this.#roots = joins ? [...kept, ...fresh] : fresh;
      if (!joins || kept.length === 0) this.#next = page.next ?? undefined;
      for (const entry of page.transactions) this.#put(entry, false);
    } else {
      this.#next = page.next ?? undefined;
      for (const entry of page.transactions) {
        if (!this.#nodes.has(entry.id)) this.#roots.splice(placeOf(this.#roots, entry.id), 0, entry.id);
        this.#put(entry, false);
      }
    }
    this.#touch();
  }

  takeChildren(parent: string, page: EntryPage, first: boolean): void {
    const node = this.#nodes.get(parent);
    if (!node) return;
    this.#loading.delete(parent);
    const list = first ? [] : (node.children ?? []);
    if (first) {
      // What came live meanwhile stays, if it follows on without a gap.
      const last = page.transactions.at(-1)?.id;
      if (page.next === null)
        for (const id of node.children ?? []) if (last === undefined || isLater(id, last)) list.push(id);
    }
    for (const entry of page.transactions) {
      this.#put(entry, false);
      const at = placeOf(list, entry.id);
      if (list[at] !== entry.id) list.splice(at, 0, entry.id);
    }
    node.children = list;
    node.next = page.next ?? undefined;
    this.#touch();
  }

  /** @returns how many entries are new */
  takeChange(change: Change): number {
    let fresh = 0;
    for (const entry of change.transactions) {
      const known = this.#nodes.has(entry.id);
      if (entry.parent === null) {
        if (!this.#loaded || (!known && !this.#accepts(entry))) continue;
        this.#put(entry, true);
        if (known) continue;
        fresh++;
        this.#roots.splice(placeOf(this.#roots, entry.id), 0, entry.id);
        continue;
      }
      if (known) {
        this.#put(entry, true);
        continue;
      }
      const parent = this.#nodes.get(entry.parent);
      // Later children stand behind those that are not loaded yet; they come with them.
      if (!parent?.children || parent.next !== undefined) continue;
      if (parent.children.length >= MOST_CHILDREN) {
        parent.next = parent.children.at(-1);
        continue;
      }
      fresh++;
      this.#put(entry, true);
      parent.children.splice(placeOf(parent.children, entry.id), 0, entry.id);
      if (parent.entry.children === 0) parent.entry = { ...parent.entry, children: 1 };
    }
    // Also of entries that are not here yet: the stream may be quicker than the list.
    for (const [id, progress] of Object.entries(change.progress)) this.#progress.set(id, progress);
    if (this.#progress.size > MOST_ROOTS)
      for (const id of this.#progress.keys()) if (!this.#nodes.has(id)) this.#progress.delete(id);
    while (this.#roots.length > MOST_ROOTS) {
      this.#forget(this.#roots.shift() as string);
      this.#next = this.#roots[0];
    }
    this.#touch();
    return fresh;
  }

  get(id: string): Entry | undefined {
    return this.#nodes.get(id)?.entry;
  }
  get loaded(): boolean {
    return this.#loaded;
  }
  get next(): string | undefined {
    return this.#next;
  }
  nextOf(id: string): string | undefined {
    return this.#nodes.get(id)?.next;
  }
  hasChildren(id: string): boolean {
    return this.#nodes.get(id)?.children !== undefined;
  }
  isLoading(id: string): boolean {
    return this.#loading.has(id);
  }
  setLoading(id: string, loading: boolean): void {
    if (loading) this.#loading.add(id);
    else this.#loading.delete(id);
    this.#touch();
  }

  fold(id: string, open: boolean): void {
    const node = this.#nodes.get(id);
    if (!node || node.open === open) return;
    node.open = open;
    this.#touch();
  }

  /** Opened nodes that are shown: what the server is asked to follow. */
  opened(): string[] {
    const out: string[] = [];
    const walk = (ids: readonly string[]) => {
      for (const id of ids) {
        const node = this.#nodes.get(id);
        if (!node?.open) continue;
        out.push(id);
        walk(node.children ?? []);
      }
    };
    walk(this.#roots);
    return out;
  }

  lines(): readonly Line[] {
    if (this.#lines) return this.#lines;
    const lines: Line[] = [];
    const add = (id: string, depth: number, parent: string | undefined, position: number, size: number) => {
      const node = this.#nodes.get(id);
      if (!node) return;
      const { entry } = node;
      const folds = entry.children > 0 || (node.children?.length ?? 0) > 0;
      lines.push({
        kind: 'entry',
        key: id,
        entry,
        progress: this.#progress.get(id),
        depth,
        open: folds || node.open ? node.open : undefined,
        parent,
        position,
        size,
      });
      if (!node.open) return;
      const children = node.children ?? [];
      children.forEach((child, i) => {
        add(child, depth + 1, id, i + 1, children.length);
      });
      const loading = this.#loading.has(id);
      if (loading || node.next !== undefined || (node.children && children.length === 0))
        lines.push({
          kind: loading ? 'loading' : node.next !== undefined ? 'more' : 'none',
          key: `${id}+`,
          depth: depth + 1,
          parent: id,
        });
    };
    for (let i = this.#roots.length - 1; i >= 0; i--)
      add(this.#roots[i] as string, 0, undefined, this.#roots.length - i, this.#roots.length);
    const loading = this.#loading.has('');
    if (loading || this.#next !== undefined)
      lines.push({ kind: loading ? 'loading' : 'more', key: '+', depth: 0, parent: undefined });
    this.#lines = lines;
    return lines;
  }
}

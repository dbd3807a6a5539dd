/**
 * The explanation of bytes as the page needs it: a tree of fields per layer, the innermost field of every byte, and
 * which bytes light up for a field or a reading.
 */
export interface ExplainedField {
  readonly path: string;
  readonly offset: number;
  readonly length: number;
  readonly text: string;
  /** Index into the readings of its message. */
  readonly reading?: number | undefined;
}

export interface Layer {
  readonly name: string;
  /** Hex, or the bytes themselves. */
  readonly bytes: string | Uint8Array;
  readonly fields: readonly ExplainedField[];
}

export interface FieldNode {
  /** Unique in its layer. */
  readonly id: number;
  readonly path: string;
  readonly text: string;
  /** Its own bytes: for a structure that may be its header alone. */
  readonly offset: number;
  readonly length: number;
  /** Its own bytes and those of all fields in it. */
  readonly from: number;
  readonly to: number;
  /** The reading whose value this is. */
  readonly reading: number | undefined;
  /** The one reading that it and all fields in it are about; undefined when there is none or more than one. */
  readonly only: number | undefined;
  /** The outermost field about its one reading. */
  readonly holds: boolean;
  readonly parent: number | undefined;
  readonly depth: number;
  readonly children: readonly number[];
}

export interface LayerMap {
  readonly name: string;
  readonly bytes: Uint8Array;
  readonly nodes: readonly FieldNode[];
  /** Roots in byte order. */
  readonly roots: readonly number[];
  /** Innermost node of each byte, -1 where nothing explains it. */
  readonly leaf: Int32Array;
}

/** What is pointed at. */
export type Spot =
  | { readonly kind: 'field'; readonly layer: number; readonly node: number }
  | { readonly kind: 'byte'; readonly layer: number; readonly at: number }
  | { readonly kind: 'reading'; readonly reading: number };

/** Hex digits to bytes; what is no digit pair ends it. */
export function hexBytes(hex: string): Uint8Array {
  const out = new Uint8Array(hex.length >> 1);
  for (let i = 0; i < out.length; i++) {
    const byte = Number.parseInt(hex.slice(i * 2, i * 2 + 2), 16);
    if (Number.isNaN(byte)) return out.slice(0, i);
    out[i] = byte;
  }
  return out;
}

/** Characters of a field's text that are shown; its bytes stand beside it, and a browser takes seconds to break longer ones. */
const LONGEST = 300;

interface Draft {
  path: string;
  text: string;
  offset: number;
  length: number;
  reading: number | undefined;
  children: Draft[];
}

/**
 * Fields become a tree by their paths. A path whose parent was not explained gets one made from its last part, unless it
 * would hold but one child.
 */
export function mapLayer(layer: Layer): LayerMap {
  const bytes = typeof layer.bytes === 'string' ? hexBytes(layer.bytes) : layer.bytes;
  const root: Draft = { path: '', text: '', offset: 0, length: bytes.length, reading: undefined, children: [] };
  const byPath = new Map<string, Draft>();
  const at = (path: string): Draft => {
    if (path === '') return root;
    let draft = byPath.get(path);
    if (!draft) {
      const slash = path.lastIndexOf('/');
      draft = { path, text: '', offset: -1, length: 0, reading: undefined, children: [] };
      byPath.set(path, draft);
      at(slash < 0 ? '' : path.slice(0, slash)).children.push(draft);
    }
    return draft;
  };
  for (const field of layer.fields) {
    const offset = Math.max(0, Math.min(bytes.length, field.offset));
    const length = Math.max(0, Math.min(bytes.length - offset, field.length));
    const own = at(field.path);
    // The same path twice: two fields of one parent.
    const draft: Draft = own.offset < 0 ? own : { ...own, children: [] };
    if (draft !== own) at(field.path.slice(0, Math.max(0, field.path.lastIndexOf('/')))).children.push(draft);
    draft.text = field.text.length > LONGEST ? `${field.text.slice(0, LONGEST)}…` : field.text;
    draft.offset = offset;
    draft.length = length;
    draft.reading = field.reading;
  }

  const settle = (draft: Draft): Draft => {
    draft.children = draft.children.map(settle);
    if (draft.offset < 0) {
      if (draft.children.length === 1) return draft.children[0] as Draft;
      draft.offset = draft.children.reduce((least, c) => Math.min(least, c.offset), bytes.length);
      draft.length = draft.children.reduce((most, c) => Math.max(most, c.offset + c.length), 0) - draft.offset;
      draft.text = draft.path.slice(draft.path.lastIndexOf('/') + 1);
    }
    draft.children.sort((a, b) => a.offset - b.offset || b.length - a.length);
    return draft;
  };
  settle(root);

  const nodes: { -readonly [K in keyof FieldNode]: FieldNode[K] }[] = [];
  const leaf = new Int32Array(bytes.length).fill(-1);
  const abouts: Set<number>[] = [];
  const place = (draft: Draft, parent: number | undefined, depth: number): number => {
    const id = nodes.length;
    const children: number[] = [];
    const { path, text, offset, length, reading } = draft;
    const node = { id, path, text, offset, length, reading, parent, depth, children, only: reading, holds: false };
    nodes.push({ ...node, from: offset, to: offset + length });
    const own = nodes[id] as (typeof nodes)[number];
    const about = new Set<number>(reading === undefined ? [] : [reading]);
    for (const child of draft.children) {
      const at = place(child, id, depth + 1);
      children.push(at);
      const inner = nodes[at] as FieldNode;
      own.from = Math.min(own.from, inner.from);
      own.to = Math.max(own.to, inner.to);
      for (const r of abouts[at] ?? []) about.add(r);
    }
    abouts[id] = about;
    own.only = about.size === 1 ? [...about][0] : undefined;
    return id;
  };
  const roots = root.children.map((child) => place(child, undefined, 0));
  // Lists without structures send code and value side by side: the code is about the value after it.
  for (const { children } of [...nodes, { children: roots }])
    children.forEach((id, i) => {
      const node = nodes[id];
      const next = nodes[children[i + 1] ?? -1];
      if (node && next?.only !== undefined && abouts[id]?.size === 0 && saysCode(nodes, node)) node.only = next.only;
    });
  for (const node of nodes) {
    const parent = node.parent === undefined ? undefined : nodes[node.parent];
    // A root is about the whole message, even when that has but one reading.
    node.holds = node.only !== undefined && node.depth > 0 && (parent?.depth === 0 || parent?.only !== node.only);
  }
  // The innermost is painted last; of two alike the deeper one says more.
  const outerFirst = [...nodes].sort((a, b) => b.length - a.length || a.depth - b.depth || a.id - b.id);
  for (const { id, offset, length } of outerFirst) leaf.fill(id, offset, offset + length);
  return { name: layer.name, bytes, nodes, roots, leaf };
}

function saysCode(nodes: readonly FieldNode[], node: FieldNode): boolean {
  return node.text.startsWith('OBIS ') || node.children.some((child) => nodes[child]?.text.startsWith('OBIS '));
}

export const DARK = 0;
/** Belongs to the same reading as what is pointed at. */
export const KIN = 1;
export const LIT = 2;

/** Which bytes of each layer light up. */
export function marksOf(layers: readonly LayerMap[], spot: Spot | undefined): readonly Uint8Array[] {
  const marks = layers.map((layer) => new Uint8Array(layer.bytes.length));
  if (!spot) return marks;
  const fill = (layer: number, node: FieldNode, mark: number) => marks[layer]?.fill(mark, node.from, node.to);
  const reading = readingOf(layers, spot);
  if (reading !== undefined)
    layers.forEach((layer, l) => {
      for (const node of layer.nodes) if (node.holds && node.only === reading) fill(l, node, KIN);
      if (spot.kind === 'reading') for (const node of layer.nodes) if (node.reading === reading) fill(l, node, LIT);
    });
  if (spot.kind === 'field') {
    const node = layers[spot.layer]?.nodes[spot.node];
    if (node) fill(spot.layer, node, LIT);
  } else if (spot.kind === 'byte') {
    const own = marks[spot.layer];
    if (own && spot.at < own.length) own[spot.at] = LIT;
  }
  return marks;
}

export function readingOf(layers: readonly LayerMap[], spot: Spot | undefined): number | undefined {
  if (spot?.kind === 'reading') return spot.reading;
  if (spot?.kind !== 'field') return undefined;
  const nodes = layers[spot.layer]?.nodes;
  for (let node = nodes?.[spot.node]; node; node = node.parent === undefined ? undefined : nodes?.[node.parent])
    if (node.only !== undefined && node.depth > 0) return node.only;
  return undefined;
}

/** What a byte stands for: its innermost field, or just the byte. */
export function spotOfByte(layers: readonly LayerMap[], layer: number, at: number): Spot {
  const node = layers[layer]?.leaf[at] ?? -1;
  return node < 0 ? { kind: 'byte', layer, at } : { kind: 'field', layer, node };
}

/** First byte of what is pointed at, for scrolling to it. */
export function startOfSpot(layers: readonly LayerMap[], spot: Spot): { layer: number; at: number } | undefined {
  if (spot.kind === 'byte') return { layer: spot.layer, at: spot.at };
  if (spot.kind === 'field') {
    const node = layers[spot.layer]?.nodes[spot.node];
    return node && { layer: spot.layer, at: node.from };
  }
  // The last layer is the one that says it in plain text.
  for (let l = layers.length - 1; l >= 0; l--) {
    const node = layers[l]?.nodes.find((n) => n.reading === spot.reading);
    if (node) return { layer: l, at: node.offset };
  }
  return undefined;
}

/** `7E A0 2A …`, as people paste it. */
export function hexText(bytes: Uint8Array): string {
  return Array.from(bytes, (b) => b.toString(16).padStart(2, '0').toUpperCase()).join(' ');
}

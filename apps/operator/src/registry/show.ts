/** How the registry looks on a terminal: lists of meters and nodes, one of each, its history, the tree. */
import type { Client } from '../client.ts';
import { type Column, factsOf, tableOf } from '../table.ts';
import type { EntryJson, NodeJson } from './words.ts';

export interface LinkJson {
  readonly id: string;
  readonly kind: string;
  readonly child: string;
  readonly parent: string;
  readonly channel: number | null;
  readonly from: string;
  readonly to: string | null;
  readonly recordedAt: string;
  readonly recordedBy: string | null;
  readonly replacedAt: string | null;
  readonly replacedBy: string | null;
  readonly reason: string | null;
}
export interface HistoryJson {
  readonly links: readonly LinkJson[];
  readonly changes: readonly {
    readonly field: string;
    readonly was: string | null;
    readonly became: string | null;
    readonly who: string | null;
    readonly at: string;
  }[];
}

/** To the minute: seconds of a stay interest nobody. */
export const short = (iso: string | null): string | null => (iso === null ? null : iso.slice(0, 16).replace('T', ' '));
const placeOf = (entry: EntryJson, kind: string): string | undefined =>
  entry.places.findLast((p) => p.kind === kind)?.code;
const attributes = (all: Readonly<Record<string, unknown>>): string =>
  Object.entries(all)
    .map(([k, v]) => `${k}=${v}`)
    .join(' ');

const METERS: readonly Column<EntryJson>[] = [
  { name: 'meter', of: (m) => m.serial },
  { name: 'utility serial', of: (m) => m.utilitySerial, cut: true },
  { name: 'name', of: (m) => m.name, cut: true },
  { name: 'type', of: (m) => m.meterType ?? m.type, cut: true },
  { name: 'status', of: (m) => m.life },
  { name: 'region', of: (m) => placeOf(m, 'region'), cut: true },
  { name: 'transformer', of: (m) => placeOf(m, 'transformer'), cut: true },
  { name: 'metering point', of: (m) => placeOf(m, 'metering-point'), cut: true },
];
export const metersTable = (meters: readonly EntryJson[], width: number | undefined): string =>
  tableOf(METERS, meters, width);

const NODES: readonly Column<NodeJson>[] = [
  { name: 'kind', of: (n) => n.kind },
  { name: 'code', of: (n) => n.code },
  { name: 'name', of: (n) => n.name, cut: true },
  { name: 'segment', of: (n) => n.segment, right: true },
  { name: 'attributes', of: (n) => attributes(n.attributes) || null, cut: true },
];
export const nodesTable = (nodes: readonly NodeJson[], width: number | undefined): string =>
  tableOf(NODES, nodes, width);

export const meterFacts = (m: EntryJson): string =>
  factsOf([
    ['meter', m.serial],
    ['id', m.id],
    ['utility serial', m.utilitySerial],
    ['name', m.name],
    ['place', m.place],
    ['maker', m.maker],
    ['type', m.meterType],
    ['type, as it says', m.type],
    ['status', m.life],
    ['segment', m.segment],
    ['parameterisation', m.paramId],
    ['configuration', m.configId],
    ['first heard', short(m.firstSeen)],
    ['stands under', m.places.map((p) => `${p.kind} ${p.code}`).join(' › ') || null],
    ['behind', m.master && `${m.master.serial}, channel ${m.master.channel}`],
    ['slaves', m.slaves.map((s) => `${s.channel}: ${s.serial}`).join(', ') || undefined],
    ...Object.entries(m.attributes).map(([name, value]) => [`x.${name}`, value] as const),
  ]);
export const nodeFacts = (n: NodeJson, above: readonly NodeJson[]): string =>
  factsOf([
    [n.kind, n.code],
    ['id', n.id],
    ['name', n.name],
    ['segment', n.segment],
    ['stands under', above.map((a) => `${a.kind} ${a.code}`).join(' › ') || null],
    ['where', n.latitude === null || n.longitude === null ? null : `${n.latitude}, ${n.longitude}`],
    ...Object.entries(n.attributes).map(([name, value]) => [`x.${name}`, value] as const),
  ]);

export const staysTable = (links: readonly LinkJson[], width: number | undefined): string =>
  tableOf<LinkJson>(
    [
      { name: 'stay', of: (l) => l.id, right: true },
      { name: 'kind', of: (l) => (l.channel === null ? l.kind : `${l.kind} ${l.channel}`) },
      { name: 'with', of: (l) => l.parent },
      { name: 'from', of: (l) => short(l.from) },
      { name: 'to', of: (l) => short(l.to) ?? 'now' },
      { name: 'written by', of: (l) => l.recordedBy, cut: true },
      {
        name: 'replaced',
        of: (l) => (l.replacedAt === null ? '' : `${short(l.replacedAt)} by ${l.replacedBy}: ${l.reason}`),
        cut: true,
      },
    ],
    links,
    width,
  );

export function historyText(history: HistoryJson, width: number | undefined): string {
  const changes = tableOf<HistoryJson['changes'][number]>(
    [
      { name: 'when', of: (c) => short(c.at) },
      { name: 'who', of: (c) => c.who, cut: true },
      { name: 'what', of: (c) => c.field },
      { name: 'before', of: (c) => c.was, cut: true },
      { name: 'after', of: (c) => c.became, cut: true },
    ],
    history.changes,
    width,
  );
  return `${history.links.length === 0 ? 'No stays.\n' : staysTable(history.links, width)}\n${history.changes.length === 0 ? 'No changes.\n' : changes}`;
}

interface TreeJson extends NodeJson {
  readonly nodes: number;
  readonly meters: number;
}
const count = (n: number): string => (n > 10_000 ? 'more than 10,000' : n.toLocaleString('en'));

/** Lines of the tree, level by level to a depth; what is more than a page is said to be there. */
export async function* treeLines(
  client: Client,
  under: string | undefined,
  depth: number,
  indent = '',
): AsyncGenerator<{ readonly line: string; readonly node?: TreeJson }> {
  const page = await client.get<{ nodes: TreeJson[]; next: string | null }>('/api/v1/tree', { under, limit: 200 });
  for (const node of page.nodes) {
    yield {
      line: `${indent}${node.kind} ${node.code}${node.name === null ? '' : ` ${node.name}`}  (${count(node.meters)} meters${node.nodes > 0 ? `, ${count(node.nodes)} below` : ''})`,
      node,
    };
    if (depth > 1 && node.nodes > 0) yield* treeLines(client, node.id, depth - 1, `${indent}  `);
  }
  if (page.next !== null) yield { line: `${indent}… more; \`amiable registry search\` finds what is not shown` };
}

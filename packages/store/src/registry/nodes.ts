/**
 * Nodes of the network and their tree. Decides what may stand under what, that there is no loop and no tower, and that nothing
 * is deleted on which other things hang. Where a node stood before is told by its stays (links.ts).
 */
import { MisuseError } from '@amiable/bytes';
import type { Scope } from '@amiable/model';
import type { Client, Database } from '../pg/database.ts';
import { querySql } from '../sql/query.ts';
import { registrySql } from '../sql/registry.ts';
import { type Attributes, type AttributeValue, applyAttributes, checkText } from './attributes.ts';
import { definitionsOf } from './catalogue.ts';
import {
  type By,
  checkPast,
  iso,
  log,
  logChanges,
  type NodeRow,
  nodeOf,
  type Row,
  segmentOk,
  segments,
} from './parts.ts';
import { hasWords, wordsQuery } from './selector.ts';
import type { NodeId, NodeKind } from './types.ts';

export const NODE_KINDS: readonly NodeKind[] = [
  'region',
  'substation',
  'transformer',
  'feeder',
  'premises',
  'metering-point',
  'concentrator',
];
/** What each kind may stand under; regions and what has no home yet stand at the top. */
export const MAY_STAND_UNDER: Readonly<Record<NodeKind, readonly NodeKind[]>> = {
  region: ['region'],
  substation: ['region'],
  transformer: ['region', 'substation'],
  feeder: ['region', 'substation', 'transformer'],
  premises: ['region', 'substation', 'transformer', 'feeder'],
  'metering-point': ['region', 'substation', 'transformer', 'feeder', 'premises'],
  concentrator: ['region', 'substation', 'transformer', 'feeder', 'premises', 'metering-point'],
};
export const MAX_DEPTH = 32;

export interface NewNode {
  readonly kind: NodeKind;
  readonly code: string;
  readonly name?: string | null | undefined;
  readonly parent?: NodeId | null | undefined;
  readonly segment?: number | undefined;
  readonly latitude?: number | null | undefined;
  readonly longitude?: number | null | undefined;
  readonly attributes?: Readonly<Record<string, AttributeValue | null>> | undefined;
  /** Since when it stands under its parent, epoch ms; now unless said. */
  readonly from?: number | undefined;
}
export type NodePatch = {
  readonly [K in Exclude<keyof NewNode, 'kind' | 'parent' | 'from'>]?: NewNode[K] | undefined;
};
export interface NodeQuery {
  readonly q?: string | undefined;
  readonly kinds?: readonly NodeKind[] | undefined;
  readonly under?: NodeId | undefined;
  readonly attributes?: Attributes | undefined;
  readonly after?: NodeId | undefined;
  readonly limit: number;
}
export interface TreeNode extends NodeRow {
  /** Nodes directly below, and meters anywhere below; 10,001 stands for more. */
  readonly nodes: number;
  readonly meters: number;
}
/** Personal data of premises. */
export interface Premises {
  readonly customer: string | null;
  readonly account: string | null;
  readonly address: string | null;
  readonly contact: string | null;
  readonly erasedAt: number | null;
}
export type PremisesPatch = {
  readonly [K in 'customer' | 'account' | 'address' | 'contact']?: string | null | undefined;
};

export interface Nodes {
  node(id: NodeId, scope: Scope): Promise<NodeRow | undefined>;
  nodeByCode(kind: NodeKind, code: string, scope: Scope): Promise<NodeRow | undefined>;
  nodesById(ids: readonly NodeId[]): Promise<ReadonlyMap<NodeId, NodeRow>>;
  findNodes(query: NodeQuery, scope: Scope): Promise<readonly NodeRow[]>;
  /** What stands directly under a node, or at the top; with counts of what is below. */
  children(
    id: NodeId | null,
    scope: Scope,
    page: { readonly after?: NodeId | undefined; readonly limit: number },
  ): Promise<readonly TreeNode[]>;
  /** Areas of one kind in order of their making, with counts of what is below. */
  areas(
    kind: NodeKind,
    scope: Scope,
    page: { readonly after?: NodeId | undefined; readonly limit: number },
  ): Promise<readonly TreeNode[]>;
  /** In which area of one kind meters stand now; those that stand in none are left out. */
  areasOf(kind: NodeKind, meters: readonly string[]): Promise<ReadonlyMap<string, NodeId>>;
  createNode(node: NewNode, scope: Scope, by: By): Promise<NodeRow>;
  patchNode(id: NodeId, patch: NodePatch, scope: Scope, by: By): Promise<NodeRow | undefined>;
  /** @returns false when there is none. @throws MisuseError when something hangs on it */
  removeNode(id: NodeId, scope: Scope, by: By): Promise<boolean>;
  premises(id: NodeId, scope: Scope): Promise<Premises | undefined>;
  /** Premises with personal data whose words begin with these. */
  findPremises(
    field: 'customer' | 'account' | 'address',
    words: string,
    scope: Scope,
    limit: number,
  ): Promise<readonly { readonly node: NodeRow; readonly personal: Premises }[]>;
  putPremises(id: NodeId, patch: PremisesPatch, scope: Scope, by: By): Promise<Premises | undefined>;
}

export async function getNode(client: Client, id: NodeId, scope: Scope): Promise<NodeRow | undefined> {
  const { rows } = await client.query(registrySql.node, [id, segments(scope)]);
  return rows[0] ? nodeOf(rows[0] as Row) : undefined;
}

export async function checkSegment(client: Client, segment: number, scope: Scope): Promise<void> {
  const there = segmentOk(segment, scope) && (await client.query(registrySql.segment, [segment])).rows.length > 0;
  if (!there) throw new MisuseError(`there is no segment ${segment}`);
}

const checkPlace = (node: NodePatch): void => {
  for (const [what, value, most] of [
    ['latitude', node.latitude, 90],
    ['longitude', node.longitude, 180],
  ] as const)
    if (value !== undefined && value !== null && !(Math.abs(value) <= most))
      throw new MisuseError(`${what}: degrees from -${most} to ${most}`);
};
const checkNames = (node: NodePatch): void => {
  if (node.code !== undefined) checkText('code', node.code, 100, 1);
  if (node.code !== undefined && node.code.trim() !== node.code) throw new MisuseError('code: no blanks at its ends');
  if (node.name) checkText('name', node.name, 500);
};

/** The path of a node that is to stand under a parent. @throws MisuseError when it may not */
export async function pathUnder(
  client: Client,
  node: { readonly id: NodeId; readonly kind: NodeKind },
  parent: NodeId | null,
  scope: Scope,
): Promise<readonly string[]> {
  if (parent === null) return [node.id];
  const above = await getNode(client, parent, scope);
  if (!above) throw new MisuseError(`there is no node ${parent}`);
  if (!MAY_STAND_UNDER[node.kind].includes(above.kind))
    throw new MisuseError(
      `a ${node.kind} stands under ${MAY_STAND_UNDER[node.kind].join(', ')}, not under a ${above.kind}`,
    );
  if (above.path.includes(node.id))
    throw new MisuseError(`${above.kind} ${above.code} stands under it already: that would be a loop`);
  const { rows } = await client.query(registrySql.height, [node.id]);
  const height = (rows[0] as { height: number | null }).height ?? 0;
  if (above.path.length + 1 + height > MAX_DEPTH) throw new MisuseError(`the tree has at most ${MAX_DEPTH} levels`);
  return [...above.path, node.id];
}

async function withCounts(client: Client, rows: readonly Row[], scope: Scope): Promise<TreeNode[]> {
  const nodes = rows.map(nodeOf);
  const counted = await client.query(registrySql.countsBelow, [nodes.map((n) => n.id), segments(scope)]);
  const counts = new Map((counted.rows as { id: string; nodes: number; meters: number }[]).map((c) => [c.id, c]));
  return nodes.map((n) => ({ ...n, nodes: counts.get(n.id)?.nodes ?? 0, meters: counts.get(n.id)?.meters ?? 0 }));
}

export function createNodes(db: Database): Nodes {
  return {
    node: (id, scope) => db.read((client) => getNode(client, id, scope)),
    async nodeByCode(kind, code, scope) {
      if (code.includes('\0')) return undefined;
      const { rows } = await db.read((client) => client.query(registrySql.nodeByCode, [kind, code, segments(scope)]));
      return rows[0] ? nodeOf(rows[0] as Row) : undefined;
    },
    async nodesById(ids) {
      const { rows } = await db.read((client) => client.query(registrySql.nodesById, [ids]));
      return new Map((rows as Row[]).map((row) => [row.id as string, nodeOf(row)]));
    },
    async findNodes(query, scope) {
      const q = query.q?.trim() ?? '';
      const words = q === '' ? null : wordsQuery(q, true);
      if (words === undefined) return [];
      const { rows } = await db.read((client) =>
        client.query(words === null ? registrySql.findNodes : registrySql.findNodesByWords, [
          query.after ?? '0',
          query.kinds ?? null,
          words,
          query.under ?? null,
          JSON.stringify(query.attributes ?? {}),
          segments(scope),
          query.limit,
        ]),
      );
      return (rows as Row[]).map(nodeOf);
    },
    children: (id, scope, page) =>
      db.read(async (client) => {
        const rest = [page.after ?? null, segments(scope), page.limit];
        const { rows } =
          id === null
            ? await client.query(registrySql.top, rest)
            : await client.query(registrySql.children, [id, ...rest]);
        return withCounts(client, rows as Row[], scope);
      }),
    areas: (kind, scope, page) =>
      db.read(async (client) => {
        const asked = [page.after ?? '0', [kind], null, null, '{}', segments(scope), page.limit];
        return withCounts(client, (await client.query(registrySql.findNodes, asked)).rows as Row[], scope);
      }),
    areasOf: (kind, meters) =>
      db.read(async (client) => {
        const { rows } = await client.query(querySql.areasOf, [kind, meters]);
        return new Map((rows as { meter: string; area: NodeId }[]).map(({ meter, area }) => [meter, area]));
      }),
    createNode: (node, scope, by) =>
      db.write(async (client) => {
        checkNames(node);
        checkPlace(node);
        checkText('code', node.code, 100, 1);
        if (!NODE_KINDS.includes(node.kind)) throw new MisuseError(`there is no kind ${JSON.stringify(node.kind)}`);
        const from = node.from ?? by.at;
        checkPast('the start of the stay', from, by);
        const parent = node.parent ?? null;
        const above = parent === null ? undefined : await getNode(client, parent, scope);
        // What is put under something belongs to who sees that, unless said otherwise.
        const segment = node.segment ?? above?.segment ?? (scope === 'all' ? 1 : (scope[0] ?? 1));
        await checkSegment(client, segment, scope);
        await client.query(registrySql.lockTree);
        const attributes = applyAttributes(await definitionsOf(client, node.kind), {}, node.attributes ?? {});
        const { rows } = await client.query(registrySql.insertNode, [
          node.kind,
          node.code,
          node.name || null,
          null,
          segment,
          node.latitude ?? null,
          node.longitude ?? null,
          JSON.stringify(attributes),
          iso(by.at),
        ]);
        const id = (rows[0] as { id: string } | undefined)?.id;
        if (id === undefined) throw new MisuseError(`there is a ${node.kind} with the code ${node.code} already`);
        const path = await pathUnder(client, { id, kind: node.kind }, parent, scope);
        await client.query(registrySql.setNodePath, [id, parent, path]);
        if (parent !== null)
          await client.query(registrySql.insertLink, ['under', id, parent, null, iso(from), null, iso(by.at), by.who]);
        await log(client, 'node', id, 'created', by);
        return (await getNode(client, id, scope)) as NodeRow;
      }),
    patchNode: (id, patch, scope, by) =>
      db.write(async (client) => {
        await client.query(registrySql.lockNodes, [[id]]);
        const node = await getNode(client, id, scope);
        if (!node) return undefined;
        checkNames(patch);
        checkPlace(patch);
        if (patch.segment !== undefined) await checkSegment(client, patch.segment, scope);
        if (patch.code !== undefined && patch.code !== node.code) {
          const { rows } = await client.query(registrySql.nodeByCode, [node.kind, patch.code, null]);
          if (rows.length > 0) throw new MisuseError(`there is a ${node.kind} with the code ${patch.code} already`);
        }
        const next = {
          code: patch.code ?? node.code,
          name: patch.name === undefined ? node.name : patch.name || null,
          segment: patch.segment ?? node.segment,
          latitude: patch.latitude === undefined ? node.latitude : patch.latitude,
          longitude: patch.longitude === undefined ? node.longitude : patch.longitude,
          attributes:
            patch.attributes === undefined
              ? node.attributes
              : applyAttributes(await definitionsOf(client, node.kind), node.attributes, patch.attributes),
        };
        if ((await logChanges(client, 'node', id, { ...node }, next, by)) > 0)
          await client.query(registrySql.patchNode, [
            id,
            next.code,
            next.name,
            next.segment,
            next.latitude,
            next.longitude,
            JSON.stringify(next.attributes),
          ]);
        return getNode(client, id, patch.segment === undefined ? scope : 'all');
      }),
    removeNode: (id, scope, by) =>
      db.write(async (client) => {
        await client.query(registrySql.lockTree);
        await client.query(registrySql.lockNodes, [[id]]);
        const node = await getNode(client, id, scope);
        if (!node) return false;
        const { rows } = await client.query(registrySql.hangsOnNode, [id]);
        const on = rows[0] as { nodes: number; stays: number; ratios: number };
        const reasons = [
          ...(on.nodes > 0 ? [`${many(on.nodes)} nodes stand under it: move or delete them first`] : []),
          ...(on.nodes === 0 && on.stays > 0
            ? [`${many(on.stays)} stays tell of it, and history is kept: give it another name instead`]
            : []),
          ...(on.ratios > 0 ? [`${many(on.ratios)} transformer ratios belong to it`] : []),
        ];
        if (reasons.length > 0)
          throw new MisuseError(`${node.kind} ${node.code} cannot be deleted: ${reasons.join('; ')}`);
        for (const row of (await client.query(registrySql.staysOf, [id, 'under'])).rows as Row[])
          await client.query(registrySql.replaceLink, [row.id, iso(by.at), by.who, 'deleted']);
        await client.query(registrySql.removePremises, [id]);
        await client.query(registrySql.removeNode, [id]);
        await log(client, 'node', id, 'deleted', by);
        return true;
      }),
    premises: (id, scope) =>
      db.read(async (client) => {
        const node = await getNode(client, id, scope);
        return node?.kind === 'premises' ? readPremises(client, id) : undefined;
      }),
    async findPremises(field, words, scope, limit) {
      const query = wordsQuery(words, true);
      if (query === undefined) return [];
      return db.read(async (client) => {
        // Words of the other fields are found too, and passed over.
        const { rows } = await client.query(registrySql.premisesFound, [query, segments(scope), limit * 20]);
        const fit = (rows as Record<string, string | null>[])
          .filter((row) => hasWords(row[field]?.toLowerCase() ?? '', words.trim().toLowerCase()))
          .slice(0, limit);
        const nodes = await client.query(registrySql.nodesById, [fit.map((row) => row.id)]);
        const byId = new Map((nodes.rows as Row[]).map((row) => [row.id as string, nodeOf(row)]));
        const out: { node: NodeRow; personal: Premises }[] = [];
        for (const { id } of fit) {
          const node = byId.get(id as string);
          if (node) out.push({ node, personal: await readPremises(client, node.id) });
        }
        return out;
      });
    },
    putPremises: (id, patch, scope, by) =>
      db.write(async (client) => {
        await client.query(registrySql.lockNodes, [[id]]);
        const node = await getNode(client, id, scope);
        if (node?.kind !== 'premises') return undefined;
        const before = await readPremises(client, id);
        const next: Record<string, string | null> = {};
        for (const field of ['customer', 'account', 'address', 'contact'] as const) {
          const value = patch[field];
          if (value) checkText(field, value, 500);
          next[field] = value === undefined ? before[field] : value || null;
          // That it was changed, never what it was: what is erased must not stand elsewhere.
          if (next[field] !== before[field]) await log(client, 'node', id, field, by);
        }
        await client.query(registrySql.putPremises, [id, next.customer, next.account, next.address, next.contact]);
        return readPremises(client, id);
      }),
  };
}

const many = (n: number): string => (n > 10_000 ? 'more than 10,000' : n.toLocaleString('en'));

async function readPremises(client: Client, id: NodeId): Promise<Premises> {
  const row = (await client.query(registrySql.premises, [id])).rows[0] as Row | undefined;
  const text = (field: string): string | null => (row?.[field] as string | null | undefined) ?? null;
  const erased = row?.erased_at;
  return {
    customer: text('customer'),
    account: text('account'),
    address: text('address'),
    contact: text('contact'),
    erasedAt: erased instanceof Date ? erased.getTime() : null,
  };
}

/**
 * The network over HTTP: the tree, and nodes in three rooms, since rights are given apart on the network, on premises and on
 * metering points. Personal data of premises have an address of their own, which is audited when they are looked at.
 */
import { may } from '@amiable/model';
import type { By, NodeKind, NodeRow } from '@amiable/store';
import { z } from 'zod';
import type { Context } from '../../context.ts';
import { HttpError } from '../../http/error.ts';
import type { Router } from '../../http/router.ts';
import {
  attributeValues,
  byId,
  changeJson,
  historyShape,
  id,
  kinds,
  linkJson,
  linkShape,
  maySee,
  nodeJson,
  nodeShape,
  optional,
  page,
  text,
  treeShape,
  when,
} from './shapes.ts';

interface Room {
  readonly path: 'nodes' | 'premises' | 'metering-points';
  readonly object: 'network' | 'premises' | 'metering-point';
  readonly kinds: readonly NodeKind[];
  readonly one: string;
}
const ROOMS: readonly Room[] = [
  {
    path: 'nodes',
    object: 'network',
    kinds: ['region', 'substation', 'transformer', 'feeder', 'concentrator'],
    one: 'node of the network',
  },
  { path: 'premises', object: 'premises', kinds: ['premises'], one: 'premises' },
  { path: 'metering-points', object: 'metering-point', kinds: ['metering-point'], one: 'metering point' },
];

const fields = {
  name: optional(500),
  segment: z
    .number()
    .int()
    .min(1)
    .max(2 ** 31 - 1)
    .optional(),
  latitude: z.number().min(-90).max(90).nullable().optional(),
  longitude: z.number().min(-180).max(180).nullable().optional(),
  attributes: attributeValues.optional().describe('null takes one away'),
};
const created = z.object({
  code: text(100).min(1),
  parent: id.nullable().optional(),
  from: when.optional(),
  ...fields,
});
const patched = z.object({ code: text(100).min(1).optional(), ...fields });
const listQuery = page.extend({
  q: text(200).optional().describe('Words that code or name begin with'),
  kind: kinds.optional(),
  code: text(100).optional().describe('Exactly this code'),
  under: id.optional(),
});
const moved = z.object({ parent: id, from: when.optional().describe('Since when; now unless said') });
const ended = z.object({ to: when.optional().describe('Until when; now unless said') });
export const corrected = z.object({
  from: when.optional(),
  to: when.nullable().optional(),
  parent: id.optional(),
  channel: z.number().int().min(1).max(4).nullable().optional(),
  never: z.boolean().optional().describe('It never was'),
  reason: text(500).min(1),
});
export const byLink = z.object({ id, link: id });
const personal = z.object({
  customer: optional(500),
  account: optional(500),
  address: optional(500),
  contact: optional(500),
});
const personalShape = z
  .object({
    customer: z.string().nullable(),
    account: z.string().nullable(),
    address: z.string().nullable(),
    contact: z.string().nullable(),
    erasedAt: z.string().nullable(),
  })
  .meta({ id: 'PersonalData' });
const search = z
  .object({
    customer: text(200).min(1).optional(),
    account: text(200).min(1).optional(),
    address: text(200).min(1).optional(),
    limit: z.number().int().min(1).max(100).default(20),
  })
  .refine(
    (s) => [s.customer, s.account, s.address].filter((x) => x !== undefined).length === 1,
    'give one of customer, account and address',
  );

export const byOf = (caller: { readonly name: string }, context: Context): By => ({
  who: caller.name,
  at: context.now(),
});

export function nodeRoutes(router: Router, context: Context): void {
  const r = context.store.registry;
  for (const room of ROOMS) roomRoutes(router, context, room);

  router.add({
    method: 'GET',
    path: '/api/v1/tree',
    needs: 'network:view',
    tag: 'network',
    summary: 'What stands at the top of the network, or directly under a node, with counts of what is below',
    query: page.extend({ under: id.optional() }),
    answer: z.object({ nodes: z.array(treeShape), next: z.string().nullable() }),
    scoped: true,
    handler: async ({ caller, query }) => {
      if (query.under !== undefined && !(await r.node(query.under, caller.scope)))
        throw new HttpError(404, `there is no node ${query.under}`);
      const limit = Math.min(query.limit, 200);
      const found = await r.children(query.under ?? null, caller.scope, { after: query.after, limit });
      return {
        nodes: found
          .filter((n) => maySee(caller, n.kind))
          .map((n) => ({ ...nodeJson(n), nodes: n.nodes, meters: n.meters })),
        next: found.length === limit ? (found.at(-1)?.id ?? null) : null,
      };
    },
  });
}

function roomRoutes(router: Router, context: Context, room: Room): void {
  const r = context.store.registry;
  const tag = 'network';
  const base = `/api/v1/${room.path}`;
  const none = (what: string): never => {
    throw new HttpError(404, `there is no ${room.one} ${what}`);
  };
  const known = async (what: string, scope: Parameters<typeof r.node>[1]): Promise<NodeRow> => {
    const node = await r.node(what, scope);
    return node && room.kinds.includes(node.kind) ? node : none(what);
  };
  /** Nobody hangs things under what he may not see. */
  const parentOk = async (parent: string | null | undefined, caller: Parameters<typeof maySee>[0]): Promise<void> => {
    if (parent === null || parent === undefined) return;
    const node = await r.node(parent, caller.scope);
    if (!node || !maySee(caller, node.kind)) throw new HttpError(422, `there is no node ${parent}`);
  };

  router.add({
    method: 'GET',
    path: base,
    needs: `${room.object}:view`,
    tag,
    summary: `List or search: ${room.one}`,
    query: listQuery,
    answer: z.object({ nodes: z.array(nodeShape), next: z.string().nullable() }),
    scoped: true,
    handler: async ({ caller, query }) => {
      const only = room.kinds.length === 1 ? room.kinds[0] : query.kind;
      if (only !== undefined && !room.kinds.includes(only))
        throw new HttpError(422, `kind: one of ${room.kinds.join(', ')} here`);
      if (query.code !== undefined) {
        const exact: NodeRow[] = [];
        for (const kind of only === undefined ? room.kinds : [only]) {
          const node = await r.nodeByCode(kind, query.code, caller.scope);
          if (node) exact.push(node);
        }
        return { nodes: exact.map(nodeJson), next: null };
      }
      const found = await r.findNodes(
        {
          q: query.q,
          kinds: only === undefined ? room.kinds : [only],
          under: query.under,
          after: query.after,
          limit: query.limit,
        },
        caller.scope,
      );
      return {
        nodes: found.map(nodeJson),
        next: found.length === query.limit ? (found.at(-1)?.id ?? null) : null,
      };
    },
  });

  const body =
    room.kinds.length === 1
      ? created
      : created.extend({ kind: kinds.extract(['region', 'substation', 'transformer', 'feeder', 'concentrator']) });
  router.add({
    method: 'POST',
    path: base,
    needs: `${room.object}:create`,
    tag,
    summary: `Create: ${room.one}`,
    body,
    answer: nodeShape,
    scoped: true,
    handler: async ({ caller, body, about }) => {
      const kind = 'kind' in body ? (body.kind as NodeKind) : (room.kinds[0] as NodeKind);
      await parentOk(body.parent, caller);
      const node = await r.createNode({ ...body, kind }, caller.scope, byOf(caller, context));
      about(`node ${node.id}`, { kind, code: node.code });
      return nodeJson(node);
    },
  });

  router.add({
    method: 'GET',
    path: `${base}/:id`,
    needs: `${room.object}:view`,
    tag,
    summary: `Show: ${room.one}`,
    params: byId,
    answer: nodeShape,
    scoped: true,
    handler: async ({ caller, params }) => nodeJson(await known(params.id, caller.scope)),
  });

  router.add({
    method: 'PATCH',
    path: `${base}/:id`,
    needs: `${room.object}:modify`,
    tag,
    summary: `Change: ${room.one}`,
    params: byId,
    body: patched,
    answer: nodeShape,
    scoped: true,
    handler: async ({ caller, params, body, about }) => {
      await known(params.id, caller.scope);
      const node = await r.patchNode(params.id, body, caller.scope, byOf(caller, context));
      about(`node ${params.id}`, { fields: Object.keys(body) });
      return node ? nodeJson(node) : none(params.id);
    },
  });

  router.add({
    method: 'DELETE',
    path: `${base}/:id`,
    needs: `${room.object}:delete`,
    tag,
    summary: `Delete: ${room.one}; refused while anything hangs on it`,
    params: byId,
    scoped: true,
    handler: async ({ caller, params, about, reply }) => {
      const node = await known(params.id, caller.scope);
      await r.removeNode(params.id, caller.scope, byOf(caller, context));
      about(`node ${params.id}`, { kind: node.kind, code: node.code });
      return reply.code(204).send();
    },
  });

  router.add({
    method: 'POST',
    path: `${base}/:id/move`,
    needs: `${room.object}:modify`,
    tag,
    summary: `Put under another node, with all that stands below: ${room.one}`,
    params: byId,
    body: moved,
    answer: linkShape,
    scoped: true,
    handler: async ({ caller, params, body, about }) => {
      await known(params.id, caller.scope);
      await parentOk(body.parent, caller);
      const by = byOf(caller, context);
      const link = await r.link(
        { kind: 'under', child: params.id, parent: body.parent, from: body.from ?? by.at },
        caller.scope,
        by,
      );
      about(`node ${params.id}`, { under: body.parent });
      return linkJson(link);
    },
  });

  router.add({
    method: 'POST',
    path: `${base}/:id/detach`,
    needs: `${room.object}:modify`,
    tag,
    summary: `Take from under its node, to the top: ${room.one}`,
    params: byId,
    body: ended,
    answer: linkShape,
    scoped: true,
    handler: async ({ caller, params, body, about }) => {
      await known(params.id, caller.scope);
      const by = byOf(caller, context);
      const link = await r.endLink('under', params.id, body.to ?? by.at, caller.scope, by);
      about(`node ${params.id}`, { under: null });
      return linkJson(link);
    },
  });

  router.add({
    method: 'PATCH',
    path: `${base}/:id/links/:link`,
    needs: `${room.object}:modify`,
    tag,
    summary: `Correct where it stood; what was written down before is kept: ${room.one}`,
    params: byLink,
    body: corrected,
    answer: z.object({ link: linkShape.nullable() }),
    scoped: true,
    handler: async ({ caller, params, body, about }) => {
      await known(params.id, caller.scope);
      await parentOk(body.parent, caller);
      const own = await r.linksOfNode(params.id, caller.scope, { limit: 1000 });
      if (!own?.some((l) => l.id === params.link)) throw new HttpError(404, `there is no stay ${params.link} of it`);
      const link = await r.correctLink(params.link, body, caller.scope, byOf(caller, context));
      about(`node ${params.id}`, { stay: params.link });
      return { link: link ? linkJson(link) : null };
    },
  });

  router.add({
    method: 'GET',
    path: `${base}/:id/history`,
    needs: `${room.object}:view`,
    tag,
    summary: `Where it stood, and what was changed: ${room.one}`,
    params: byId,
    query: z.object({ limit: page.shape.limit }),
    answer: historyShape,
    scoped: true,
    handler: async ({ caller, params, query }) => {
      await known(params.id, caller.scope);
      return {
        links: ((await r.linksOfNode(params.id, caller.scope, { replaced: true, limit: query.limit })) ?? []).map(
          linkJson,
        ),
        changes: ((await r.changesOfNode(params.id, caller.scope, query.limit)) ?? []).map(changeJson),
      };
    },
  });

  router.add({
    method: 'GET',
    path: `${base}/:id/stays`,
    needs: `${room.object}:view`,
    tag,
    summary: `Who was here when, newest first: ${room.one}`,
    params: byId,
    query: z.object({ limit: page.shape.limit }),
    answer: z.object({ links: z.array(linkShape) }),
    scoped: true,
    handler: async ({ caller, params, query }) => {
      await known(params.id, caller.scope);
      const all = (await r.staysAtNode(params.id, caller.scope, { limit: query.limit })) ?? [];
      // Children are told as far as the caller may see them.
      const nodes = await r.nodesById(all.filter((l) => l.kind === 'under').map((l) => l.child));
      const seen = new Set<string>();
      if (may(caller, 'meter:view')) {
        const ids = [...new Set(all.filter((l) => l.kind !== 'under').map((l) => l.child))];
        if (ids.length > 0)
          for (const meter of await r.select({ meters: ids }, caller.scope, { limit: 1000 })) seen.add(meter);
      }
      const visible = all.filter((l) => {
        if (l.kind !== 'under') return seen.has(l.child);
        const node = nodes.get(l.child);
        return (
          node !== undefined &&
          maySee(caller, node.kind) &&
          (caller.scope === 'all' || caller.scope.includes(node.segment))
        );
      });
      return { links: visible.map(linkJson) };
    },
  });

  if (room.object === 'premises') personalRoutes(router, context, known);
}

function personalRoutes(
  router: Router,
  context: Context,
  known: (id: string, scope: NonNullable<Parameters<Context['store']['registry']['node']>[1]>) => Promise<NodeRow>,
): void {
  const r = context.store.registry;
  const iso = (at: number | null): string | null => (at === null ? null : new Date(at).toISOString());
  router.add({
    method: 'GET',
    path: '/api/v1/premises/:id/personal',
    needs: 'premises:view',
    tag: 'network',
    summary: 'Personal data of premises; that they were looked at is written to the audit log',
    params: byId,
    answer: personalShape,
    scoped: true,
    audit: 'reveal',
    handler: async ({ caller, params, about }) => {
      await known(params.id, caller.scope);
      const found = await r.premises(params.id, caller.scope);
      if (!found) throw new HttpError(404, `there are no premises ${params.id}`);
      about(`premises ${params.id}`);
      return { ...found, erasedAt: iso(found.erasedAt) };
    },
  });
  router.add({
    method: 'PATCH',
    path: '/api/v1/premises/:id/personal',
    needs: 'premises:modify',
    tag: 'network',
    summary: 'Change personal data of premises; null takes one away',
    params: byId,
    body: personal,
    answer: z.object({ changed: z.array(z.string()) }),
    scoped: true,
    handler: async ({ caller, params, body, about }) => {
      await known(params.id, caller.scope);
      await r.putPremises(params.id, body, caller.scope, byOf(caller, context));
      // The names of the fields alone: who may change need not be one who may see.
      about(`premises ${params.id}`, { fields: Object.keys(body) });
      return { changed: Object.keys(body) };
    },
  });
  router.add({
    method: 'POST',
    path: '/api/v1/premises/search',
    needs: 'premises:view',
    tag: 'network',
    summary: 'Premises by words that the customer’s name, account or address begin with; audited',
    body: search,
    answer: z.object({ premises: z.array(z.object({ node: nodeShape, personal: personalShape })) }),
    scoped: true,
    audit: 'reveal',
    handler: async ({ caller, body, about }) => {
      const { limit, ...by } = body;
      const [field, words] = Object.entries(by).find(([, value]) => value !== undefined) as [
        'customer' | 'account' | 'address',
        string,
      ];
      const found = await r.findPremises(field, words, caller.scope, limit);
      about('premises', { by: field, found: found.map((f) => f.node.id) });
      return {
        premises: found.map((f) => ({
          node: nodeJson(f.node),
          personal: { ...f.personal, erasedAt: iso(f.personal.erasedAt) },
        })),
      };
    },
  });
}

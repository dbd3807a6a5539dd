/** Meters in the registry over HTTP: what they are, where they stood when, and the search by any attribute. */
import { MisuseError } from '@amiable/bytes';
import { type Caller, may } from '@amiable/model';
import { isPersonal, type MeterEntry, type MeterSelection, PLACES, type RegistryStore } from '@amiable/store';
import { z } from 'zod';
import type { Context } from '../../context.ts';
import { HttpError } from '../../http/error.ts';
import type { Router } from '../../http/router.ts';
import { byLink, byOf, corrected } from './nodes.ts';
import {
  attributeValues,
  byId,
  changeJson,
  entryJson,
  entryShape,
  historyShape,
  id,
  linkJson,
  linkShape,
  maySee,
  objectOf,
  optional,
  page,
  selection,
  selectionOf,
  text,
  when,
} from './shapes.ts';

const fields = {
  meterType: optional(100),
  utilitySerial: optional(200),
  paramId: optional(100),
  configId: optional(100),
  segment: z
    .number()
    .int()
    .min(1)
    .max(2 ** 31 - 1)
    .optional(),
  life: z.enum(['planned', 'new', 'removed']).optional().describe('installed is said by links alone'),
  attributes: attributeValues.optional().describe('null takes one away'),
};
const created = z.object({
  serial: text(100).min(1),
  name: optional(500),
  place: optional(500),
  maker: optional(500),
  timeZone: text(64).optional(),
  ...fields,
});
const linked = z.object({
  kind: z.enum(['installed', 'behind', 'served']),
  parent: id.describe('A metering point, a master meter, a concentrator'),
  channel: z.number().int().min(1).max(4).optional().describe('Of the master; for behind alone'),
  from: when.optional().describe('Since when; now unless said'),
  to: when.optional().describe('For a stay of the past'),
});
const ended = z.object({ kind: z.enum(['installed', 'behind', 'served']), to: when.optional() });
const searched = selection.extend({
  after: id.optional(),
  limit: z.number().int().min(1).max(1000).default(100),
  count: z.boolean().default(true).describe('Whether to count all that fit'),
});
const MOST = 10_000;
export const foundShape = z.object({
  meters: z.array(entryShape),
  total: z.number().nullable().describe('All that fit; 10,000 when there are more. null: not asked'),
  more: z.boolean().describe('Whether there are more than total says'),
  next: z.string().nullable(),
});

/** What a caller may not see he cannot select by. Personal data are searched at their own address, where it is audited. */
export function checkSelection(selection: MeterSelection, caller: Caller): void {
  for (const condition of selection.where ?? []) {
    if (isPersonal(condition))
      throw new MisuseError(
        `meters are not selected by personal data; POST /api/v1/premises/search finds the premises, and \`under\` their meters`,
      );
    const kind = Object.hasOwn(PLACES, condition.attribute) ? PLACES[condition.attribute] : undefined;
    if (kind && !maySee(caller, kind))
      throw new HttpError(403, `${caller.name} lacks the privilege ${objectOf(kind)}:view`);
  }
}

async function checkUnder(r: RegistryStore, selection: MeterSelection, caller: Caller): Promise<void> {
  if (selection.under === undefined) return;
  const node = await r.node(selection.under, caller.scope);
  if (!node || !maySee(caller, node.kind)) throw new HttpError(422, `there is no node ${selection.under}`);
}

export function meterRegistryRoutes(router: Router, context: Context): void {
  const r = context.store.registry;
  const tag = 'registry';
  const known = async (what: string, caller: Caller): Promise<MeterEntry> => {
    const entry = await r.entry(what, caller.scope);
    if (!entry) throw new HttpError(404, `there is no meter ${what}`);
    return entry;
  };

  async function search(
    caller: Caller,
    asked: MeterSelection,
    rest: { after?: string | undefined; limit: number; count: boolean },
  ): Promise<z.output<typeof foundShape>> {
    checkSelection(asked, caller);
    await checkUnder(r, asked, caller);
    const ids = await r.select(asked, caller.scope, {
      limit: rest.limit,
      ...(rest.after === undefined ? {} : { after: rest.after }),
    });
    const total = rest.count ? await r.count(asked, caller.scope, MOST) : null;
    return {
      meters: (await r.entries(ids)).map((entry) => entryJson(entry, caller)),
      total: total === null ? null : Math.min(total, MOST),
      more: total !== null && total > MOST,
      next: ids.length === rest.limit ? (ids.at(-1) as string) : null,
    };
  }

  router.add({
    method: 'POST',
    path: '/api/v1/meters/search',
    needs: 'meter:view',
    tag,
    summary: 'Meters by any attribute, by words, by where they stand or stood, by group',
    description:
      'Answers pages in order of id. All of `where` hold; see docs/registry.md for attributes and comparisons.',
    body: searched,
    answer: foundShape,
    scoped: true,
    audit: 'none',
    handler: ({ caller, body: { after, limit, count, ...asked } }) =>
      search(caller, selectionOf(asked), { after, limit, count }),
  });

  router.add({
    method: 'GET',
    path: '/api/v1/meters/search',
    needs: 'meter:view',
    tag,
    summary: 'Meters by words',
    query: page.extend({ q: text(200), under: id.optional(), group: text(100).optional() }),
    answer: foundShape,
    scoped: true,
    handler: ({ caller, query: { after, limit, q, under, group } }) =>
      search(
        caller,
        { q, ...(under === undefined ? {} : { under }), ...(group === undefined ? {} : { group }) },
        { after, limit, count: true },
      ),
  });

  router.add({
    method: 'POST',
    path: '/api/v1/meters',
    needs: 'meter:create',
    tag,
    summary: 'Make a meter known that is not heard yet: planned',
    body: created,
    answer: entryShape,
    scoped: true,
    handler: async ({ caller, body, about }) => {
      const entry = await r.createMeter(
        { ...body, timeZone: body.timeZone ?? context.timeZone },
        caller.scope,
        byOf(caller, context),
      );
      about(`meter ${entry.id}`, { serial: entry.serial });
      return entryJson(entry, caller);
    },
  });

  router.add({
    method: 'GET',
    path: '/api/v1/meters/:id/registry',
    needs: 'meter:view',
    tag,
    summary: 'What the registry says of a meter: type, identification, attributes, segment, where it stands',
    params: byId,
    answer: entryShape,
    scoped: true,
    handler: async ({ caller, params }) => entryJson(await known(params.id, caller), caller),
  });

  router.add({
    method: 'PATCH',
    path: '/api/v1/meters/:id/registry',
    needs: 'meter:modify',
    tag,
    summary: 'Change what the registry says of a meter',
    params: byId,
    body: z.object(fields),
    answer: entryShape,
    scoped: true,
    handler: async ({ caller, params, body, about }) => {
      const entry = await r.patchEntry(params.id, body, caller.scope, byOf(caller, context));
      if (!entry) throw new HttpError(404, `there is no meter ${params.id}`);
      about(`meter ${params.id}`, { fields: Object.keys(body) });
      return entryJson(entry, caller);
    },
  });

  router.add({
    method: 'POST',
    path: '/api/v1/meters/:id/links',
    needs: 'meter:modify',
    tag,
    summary:
      'A meter came: to a metering point, behind a master, to a concentrator; where it was before, its stay ends',
    params: byId,
    body: linked,
    answer: linkShape,
    scoped: true,
    handler: async ({ caller, params, body, about }) => {
      await known(params.id, caller);
      if (body.kind !== 'behind') {
        const node = await r.node(body.parent, caller.scope);
        if (!node || !maySee(caller, node.kind)) throw new HttpError(422, `there is no node ${body.parent}`);
      }
      const by = byOf(caller, context);
      const link = await r.link({ ...body, child: params.id, from: body.from ?? by.at }, caller.scope, by);
      about(`meter ${params.id}`, { [body.kind]: body.parent });
      return linkJson(link);
    },
  });

  router.add({
    method: 'POST',
    path: '/api/v1/meters/:id/links/end',
    needs: 'meter:modify',
    tag,
    summary: 'A meter left where it was',
    params: byId,
    body: ended,
    answer: linkShape,
    scoped: true,
    handler: async ({ caller, params, body, about }) => {
      await known(params.id, caller);
      const by = byOf(caller, context);
      const link = await r.endLink(body.kind, params.id, body.to ?? by.at, caller.scope, by);
      about(`meter ${params.id}`, { [body.kind]: null });
      return linkJson(link);
    },
  });

  router.add({
    method: 'PATCH',
    path: '/api/v1/meters/:id/links/:link',
    needs: 'meter:modify',
    tag,
    summary: 'Correct a stay; what was written down before is kept, with who and why',
    params: byLink,
    body: corrected,
    answer: z.object({ link: linkShape.nullable() }),
    scoped: true,
    handler: async ({ caller, params, body, about }) => {
      const own = await r.linksOfMeter(params.id, caller.scope, { limit: 1000 });
      if (!own?.some((l) => l.id === params.link))
        throw new HttpError(404, `there is no stay ${params.link} of meter ${params.id}`);
      const link = await r.correctLink(params.link, body, caller.scope, byOf(caller, context));
      about(`meter ${params.id}`, { stay: params.link });
      return { link: link ? linkJson(link) : null };
    },
  });

  router.add({
    method: 'GET',
    path: '/api/v1/meters/:id/history',
    needs: 'meter:view',
    tag,
    summary: 'Where a meter was when, and what was changed about it',
    params: byId,
    query: z.object({ limit: page.shape.limit }),
    answer: historyShape,
    scoped: true,
    handler: async ({ caller, params, query }) => {
      const links = await r.linksOfMeter(params.id, caller.scope, { replaced: true, limit: query.limit });
      if (!links) throw new HttpError(404, `there is no meter ${params.id}`);
      const mayPlaces = may(caller, 'metering-point:view');
      return {
        links: links.filter((l) => l.kind !== 'installed' || mayPlaces).map(linkJson),
        changes: ((await r.changesOfMeter(params.id, caller.scope, query.limit)) ?? []).map(changeJson),
      };
    },
  });
}

/** What is defined once for many, over HTTP: meter types, user-defined attributes, groups of meters, ratios, and the summaries. */
import { isoTime } from '@amiable/model';
import type { AttributeObject, MeterGroup, MeterType } from '@amiable/store';
import { z } from 'zod';
import type { Context } from '../../context.ts';
import { HttpError } from '../../http/error.ts';
import type { Router } from '../../http/router.ts';
import { checkSelection } from './meters.ts';
import { byOf } from './nodes.ts';
import {
  byId,
  id,
  kinds,
  optional,
  page,
  ratioJson,
  ratioShape,
  selection,
  selectionOf,
  text,
  when,
} from './shapes.ts';

const DAY = 86_400_000;
const byName = z.object({ name: text(100).min(1) });
const mediums = z.enum(['electricity', 'gas', 'water', 'hot-water', 'heat', 'cooling', 'other']);
const typeFields = {
  maker: optional(100),
  description: optional(2000),
  medium: mediums.optional(),
  readout: optional(100).describe('Name of the read-out set; null: the set of the type’s own name'),
  registerNames: z
    .record(z.string().max(40), z.string().max(200))
    .optional()
    .describe('The utility’s own names of registers, by OBIS code'),
};
const typeShape = z
  .object({
    name: z.string(),
    maker: z.string().nullable(),
    description: z.string().nullable(),
    medium: mediums,
    readout: z.string().nullable(),
    registerNames: z.record(z.string(), z.string()),
  })
  .meta({ id: 'MeterType' });
const typeJson = ({ id: _, ...type }: MeterType): z.output<typeof typeShape> => ({
  ...type,
  registerNames: { ...type.registerNames },
});

const objects = z.enum(['meter', ...kinds.options]);
const definitionFields = {
  description: optional(1000),
  required: z.boolean().optional(),
  lowest: z.number().nullable().optional().describe('Of a number, or of the length of a text'),
  highest: z.number().nullable().optional(),
  choices: z.array(text(100)).max(500).optional(),
  searchable: z
    .boolean()
    .optional()
    .describe('Has an index of its own (meters): greater, less and parts are found at once'),
};
const definitionShape = z
  .object({
    object: objects,
    name: z.string(),
    type: z.enum(['text', 'number', 'boolean', 'date', 'choice']),
    description: z.string().nullable(),
    required: z.boolean(),
    lowest: z.number().nullable(),
    highest: z.number().nullable(),
    choices: z.array(z.string()),
    searchable: z.boolean(),
  })
  .meta({ id: 'AttributeDefinition' });

const groupFields = {
  description: optional(2000),
  selection: selection.nullable().optional().describe('null: a list'),
};
const groupShape = z
  .object({
    name: z.string(),
    description: z.string().nullable(),
    selection: z.record(z.string(), z.unknown()).nullable(),
    members: z.number().describe('Of a list; 10,001 stands for more'),
  })
  .meta({ id: 'MeterGroup' });
const groupJson = (g: MeterGroup): z.output<typeof groupShape> => ({
  ...g,
  selection: g.selection === null ? null : { ...g.selection },
});
const members = z.object({ add: z.array(id).max(10_000).optional(), remove: z.array(id).max(10_000).optional() });

export function typeRoutes(router: Router, context: Context): void {
  const r = context.store.registry;
  const tag = 'meter types';
  const known = async (name: string): Promise<MeterType> => {
    const type = await r.meterType(name);
    if (!type) throw new HttpError(404, `there is no meter type ${name}`);
    return type;
  };
  router.add({
    method: 'GET',
    path: '/api/v1/meter-types',
    needs: 'meter-type:view',
    tag,
    summary: 'Types of meters',
    answer: z.object({ types: z.array(typeShape) }),
    handler: async () => ({ types: (await r.meterTypes()).map(typeJson) }),
  });
  router.add({
    method: 'POST',
    path: '/api/v1/meter-types',
    needs: 'meter-type:create',
    tag,
    summary: 'Create a meter type',
    body: byName.extend(typeFields),
    answer: typeShape,
    handler: async ({ caller, body: { name, ...fields }, about }) => {
      if (await r.meterType(name)) throw new HttpError(409, `there is a meter type ${name} already`);
      about(`meter type ${name}`);
      return typeJson(await r.putMeterType(name, fields, byOf(caller, context)));
    },
  });
  router.add({
    method: 'GET',
    path: '/api/v1/meter-types/:name',
    needs: 'meter-type:view',
    tag,
    summary: 'Show a meter type',
    params: byName,
    answer: typeShape,
    handler: async ({ params }) => typeJson(await known(params.name)),
  });
  router.add({
    method: 'PATCH',
    path: '/api/v1/meter-types/:name',
    needs: 'meter-type:modify',
    tag,
    summary: 'Change a meter type',
    params: byName,
    body: z.object(typeFields),
    answer: typeShape,
    handler: async ({ caller, params, body, about }) => {
      await known(params.name);
      about(`meter type ${params.name}`, { fields: Object.keys(body) });
      return typeJson(await r.putMeterType(params.name, body, byOf(caller, context)));
    },
  });
  router.add({
    method: 'DELETE',
    path: '/api/v1/meter-types/:name',
    needs: 'meter-type:delete',
    tag,
    summary: 'Delete a meter type; refused while meters are of it',
    params: byName,
    handler: async ({ caller, params, about, reply }) => {
      if (!(await r.removeMeterType(params.name, byOf(caller, context))))
        throw new HttpError(404, `there is no meter type ${params.name}`);
      about(`meter type ${params.name}`);
      return reply.code(204).send();
    },
  });
}

export function attributeRoutes(router: Router, context: Context): void {
  const r = context.store.registry;
  const tag = 'attributes';
  const named = z.object({ object: objects, name: text(60).min(1) });
  const find = async (object: AttributeObject, name: string) =>
    (await r.definitions(object)).find((d) => d.name === name);
  router.add({
    method: 'GET',
    path: '/api/v1/attributes',
    needs: 'attribute:view',
    tag,
    summary: 'User-defined attributes',
    query: z.object({ object: objects.optional() }),
    answer: z.object({ attributes: z.array(definitionShape) }),
    handler: async ({ query }) => ({
      attributes: (await r.definitions(query.object)).map((d) => ({ ...d, choices: [...d.choices] })),
    }),
  });
  router.add({
    method: 'POST',
    path: '/api/v1/attributes',
    needs: 'attribute:create',
    tag,
    summary: 'Define an attribute',
    body: named.extend({ type: definitionShape.shape.type, ...definitionFields }),
    answer: definitionShape,
    handler: async ({ caller, body, about }) => {
      if (await find(body.object, body.name))
        throw new HttpError(409, `there is an attribute ${body.name} of ${body.object} already`);
      about(`attribute ${body.object}.${body.name}`);
      const made = await r.putDefinition(
        {
          object: body.object,
          name: body.name,
          type: body.type,
          description: body.description ?? null,
          required: body.required ?? false,
          lowest: body.lowest ?? null,
          highest: body.highest ?? null,
          choices: body.choices ?? [],
          searchable: body.searchable ?? false,
        },
        byOf(caller, context),
      );
      return { ...made, choices: [...made.choices] };
    },
  });
  router.add({
    method: 'PATCH',
    path: '/api/v1/attributes/:object/:name',
    needs: 'attribute:modify',
    tag,
    summary: 'Change the definition of an attribute; values that are there stay as they are',
    params: named,
    body: z.object(definitionFields),
    answer: definitionShape,
    handler: async ({ caller, params, body, about }) => {
      const before = await find(params.object, params.name);
      if (!before) throw new HttpError(404, `there is no attribute ${params.name} of ${params.object}`);
      about(`attribute ${params.object}.${params.name}`, { fields: Object.keys(body) });
      const given = Object.fromEntries(Object.entries(body).filter(([, value]) => value !== undefined));
      const made = await r.putDefinition({ ...before, ...given }, byOf(caller, context));
      return { ...made, choices: [...made.choices] };
    },
  });
  router.add({
    method: 'DELETE',
    path: '/api/v1/attributes/:object/:name',
    needs: 'attribute:delete',
    tag,
    summary: 'Delete an attribute; refused while objects have it',
    params: named,
    handler: async ({ caller, params, about, reply }) => {
      if (!(await r.removeDefinition(params.object, params.name, byOf(caller, context))))
        throw new HttpError(404, `there is no attribute ${params.name} of ${params.object}`);
      about(`attribute ${params.object}.${params.name}`);
      return reply.code(204).send();
    },
  });
}

export function groupRoutes(router: Router, context: Context): void {
  const r = context.store.registry;
  const tag = 'groups of meters';
  const none = (name: string): never => {
    throw new HttpError(404, `there is no group of meters ${name}`);
  };
  const fields = (body: z.output<z.ZodObject<typeof groupFields>>) => ({
    description: body.description,
    selection: body.selection === undefined || body.selection === null ? body.selection : selectionOf(body.selection),
  });
  router.add({
    method: 'GET',
    path: '/api/v1/meter-groups',
    needs: 'meter:view',
    tag,
    summary: 'Groups of meters',
    query: z.object({ after: text(100).optional(), limit: page.shape.limit }),
    answer: z.object({ groups: z.array(groupShape), next: z.string().nullable() }),
    handler: async ({ query }) => {
      const groups = await r.groups(query);
      return {
        groups: groups.map(groupJson),
        next: groups.length === query.limit ? (groups.at(-1)?.name ?? null) : null,
      };
    },
  });
  router.add({
    method: 'POST',
    path: '/api/v1/meter-groups',
    needs: 'meter:create',
    tag,
    summary: 'Create a group of meters: a list, or a selection that is looked up each time',
    body: byName.extend(groupFields),
    answer: groupShape,
    handler: async ({ caller, body, about }) => {
      if (await r.group(body.name)) throw new HttpError(409, `there is a group of meters ${body.name} already`);
      if (body.selection) checkSelection(selectionOf(body.selection), caller);
      about(`group of meters ${body.name}`);
      return groupJson(await r.putGroup(body.name, fields(body), byOf(caller, context)));
    },
  });
  router.add({
    method: 'GET',
    path: '/api/v1/meter-groups/:name',
    needs: 'meter:view',
    tag,
    summary: 'Show a group of meters; its meters are found by POST /api/v1/meters/search',
    params: byName,
    answer: groupShape,
    handler: async ({ params }) => groupJson((await r.group(params.name)) ?? none(params.name)),
  });
  router.add({
    method: 'PATCH',
    path: '/api/v1/meter-groups/:name',
    needs: 'meter:modify',
    tag,
    summary: 'Change a group of meters',
    params: byName,
    body: z.object(groupFields),
    answer: groupShape,
    handler: async ({ caller, params, body, about }) => {
      if (!(await r.group(params.name))) none(params.name);
      if (body.selection) checkSelection(selectionOf(body.selection), caller);
      about(`group of meters ${params.name}`);
      return groupJson(await r.putGroup(params.name, fields(body), byOf(caller, context)));
    },
  });
  router.add({
    method: 'DELETE',
    path: '/api/v1/meter-groups/:name',
    needs: 'meter:delete',
    tag,
    summary: 'Delete a group of meters; the meters stay',
    params: byName,
    handler: async ({ caller, params, about, reply }) => {
      if (!(await r.removeGroup(params.name, byOf(caller, context)))) none(params.name);
      about(`group of meters ${params.name}`);
      return reply.code(204).send();
    },
  });
  router.add({
    method: 'POST',
    path: '/api/v1/meter-groups/:name/members',
    needs: 'meter:modify',
    tag,
    summary: 'Add meters to a list, or take them out',
    params: byName,
    body: members,
    answer: z.object({ added: z.number(), removed: z.number() }),
    scoped: true,
    handler: async ({ caller, params, body, about }) => {
      if (!(await r.group(params.name))) none(params.name);
      const by = byOf(caller, context);
      const added = body.add ? await r.addToGroup(params.name, body.add, caller.scope, by) : 0;
      const removed = body.remove ? await r.removeFromGroup(params.name, body.remove, caller.scope, by) : 0;
      about(`group of meters ${params.name}`, { added, removed });
      return { added, removed };
    },
  });
}

export function ratioRoutes(router: Router, context: Context): void {
  const r = context.store.registry;
  const tag = 'metering points';
  const kind = z.enum(['current', 'voltage']);
  const amount = z.number().int().min(1).max(1_000_000_000);
  const none = (what: string): never => {
    throw new HttpError(404, `there is no metering point ${what}`);
  };
  router.add({
    method: 'GET',
    path: '/api/v1/metering-points/:id/ratios',
    needs: 'metering-point:view',
    tag,
    summary: 'Ratios of current and voltage transformers, by time',
    params: byId,
    query: z.object({ replaced: z.stringbool().default(false).describe('Also what was corrected') }),
    answer: z.object({ ratios: z.array(ratioShape) }),
    scoped: true,
    handler: async ({ caller, params, query }) => ({
      ratios: ((await r.ratios(params.id, caller.scope, query.replaced)) ?? none(params.id)).map(ratioJson),
    }),
  });
  router.add({
    method: 'GET',
    path: '/api/v1/metering-points/:id/multiplier',
    needs: 'metering-point:view',
    tag,
    summary: 'By what values are multiplied at a time: current times voltage, as a fraction',
    params: byId,
    query: z.object({ at: when.optional() }),
    answer: z.object({ at: z.string(), numerator: z.string(), denominator: z.string(), multiplier: z.number() }),
    scoped: true,
    handler: async ({ caller, params, query }) => {
      if (!(await r.ratios(params.id, caller.scope))) none(params.id);
      const at = query.at ?? context.now();
      const { numerator, denominator } = await r.multiplierAt(params.id, at);
      return {
        at: isoTime(at),
        numerator: String(numerator),
        denominator: String(denominator),
        multiplier: Number(numerator) / Number(denominator),
      };
    },
  });
  router.add({
    method: 'POST',
    path: '/api/v1/metering-points/:id/ratios',
    needs: 'metering-point:modify',
    tag,
    summary: 'A ratio holds from a time on; the one before ends then',
    params: byId,
    body: z.object({ kind, primary: amount, secondary: amount, from: when.optional(), to: when.optional() }),
    answer: ratioShape,
    scoped: true,
    handler: async ({ caller, params, body, about }) => {
      if (!(await r.ratios(params.id, caller.scope))) none(params.id);
      const by = byOf(caller, context);
      about(`metering point ${params.id}`, { [body.kind]: `${body.primary}/${body.secondary}` });
      return ratioJson(
        await r.putRatio({ ...body, meteringPoint: params.id, from: body.from ?? by.at }, caller.scope, by),
      );
    },
  });
  router.add({
    method: 'POST',
    path: '/api/v1/metering-points/:id/ratios/end',
    needs: 'metering-point:modify',
    tag,
    summary: 'No transformers of this kind any more',
    params: byId,
    body: z.object({ kind, to: when.optional() }),
    answer: ratioShape,
    scoped: true,
    handler: async ({ caller, params, body, about }) => {
      if (!(await r.ratios(params.id, caller.scope))) none(params.id);
      const by = byOf(caller, context);
      about(`metering point ${params.id}`, { [body.kind]: null });
      return ratioJson(await r.endRatio(params.id, body.kind, body.to ?? by.at, caller.scope, by));
    },
  });
  router.add({
    method: 'PATCH',
    path: '/api/v1/metering-points/:id/ratios/:ratio',
    needs: 'metering-point:modify',
    tag,
    summary: 'Correct a ratio; what was written down before is kept',
    params: z.object({ id, ratio: id }),
    body: z.object({
      primary: amount.optional(),
      secondary: amount.optional(),
      from: when.optional(),
      to: when.nullable().optional(),
      never: z.boolean().optional().describe('It never was'),
      reason: text(500).min(1),
    }),
    answer: z.object({ ratio: ratioShape.nullable() }),
    scoped: true,
    handler: async ({ caller, params, body, about }) => {
      const own = (await r.ratios(params.id, caller.scope)) ?? none(params.id);
      const wrong = own.find((x) => x.id === params.ratio);
      if (!wrong) throw new HttpError(404, `there is no ratio ${params.ratio} of metering point ${params.id}`);
      const right = body.never
        ? undefined
        : {
            primary: body.primary ?? wrong.primary,
            secondary: body.secondary ?? wrong.secondary,
            from: body.from ?? wrong.from,
            to: body.to === undefined ? wrong.to : body.to,
          };
      const ratio = await r.correctRatio(params.ratio, right, body.reason, caller.scope, byOf(caller, context));
      about(`metering point ${params.id}`, { ratio: params.ratio });
      return { ratio: ratio ? ratioJson(ratio) : null };
    },
  });
}

const countsShape = {
  planned: z.number(),
  new: z.number(),
  installed: z.number(),
  removed: z.number(),
  seen: z.number().describe('Heard at least once'),
  lost: z.number().describe('Heard once, and not since'),
  silent: z.number().describe('Never heard'),
  failed: z.number().nullable().describe('Of whom a reading failed; null: nothing reads'),
};

export function summaryRoutes(router: Router, context: Context): void {
  const r = context.store.registry;
  router.add({
    method: 'GET',
    path: '/api/v1/registry/summary',
    needs: 'network:view',
    tag: 'network',
    summary: 'New, installed, lost and failed meters by region or another kind of node, by type; nodes by kind',
    query: z.object({
      by: z.enum(['region', 'substation', 'transformer', 'feeder', 'concentrator']).default('region'),
      under: id.optional(),
      days: z.coerce
        .number()
        .min(0.01)
        .max(3650)
        .default(2)
        .describe('Lost is who was not heard for so many days; failed, within them'),
      limit: page.shape.limit,
    }),
    answer: z.object({
      since: z.string(),
      total: z.object(countsShape),
      below: z.array(z.object({ id: z.string(), code: z.string(), name: z.string().nullable(), ...countsShape })),
      types: z.array(z.object({ meterType: z.string().nullable(), meters: z.number() })),
      nodes: z.record(z.string(), z.number()),
    }),
    scoped: true,
    handler: async ({ caller, query }) => {
      if (query.under !== undefined && !(await r.node(query.under, caller.scope)))
        throw new HttpError(404, `there is no node ${query.under}`);
      const since = Math.trunc(context.now() - query.days * DAY);
      const failed = await r.marked({ attribute: 'failed', is: 'exists', value: since });
      const found = await r.summary(
        { by: query.by, under: query.under, since, limit: query.limit, failed },
        caller.scope,
      );
      return { since: isoTime(since), ...found };
    },
  });
}

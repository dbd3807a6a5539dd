/**
 * GET /api/v1/areas: the street by its feeders, transformers, substations or regions, with what each draws and feeds now.
 *
 * Decides: power is summed from memory, of the meters that tell theirs; where each of them stands is asked of the registry
 * and believed for half a minute.
 */
import { may } from '@amiable/model';
import type { NodeId } from '@amiable/store';
import { z } from 'zod';
import type { Context } from '../../context.ts';
import { id63 } from '../../http/queries.ts';
import type { Router } from '../../http/router.ts';

export const areaKind = z.enum(['region', 'substation', 'transformer', 'feeder']);
type AreaKind = z.infer<typeof areaKind>;

const power = z.object({
  import: z.number().describe('W'),
  export: z.number().describe('W'),
  meters: z.number().int().describe('Meters that told theirs in the last five minutes'),
});
const areaList = z.object({
  areas: z.array(
    z.object({
      id: z.string(),
      code: z.string(),
      name: z.string().nullable(),
      meters: z.number().int().describe('10,001 stands for more'),
      power: power.nullable().describe('null where no meter tells its power'),
    }),
  ),
  next: z.string().nullable(),
});

/** How long it is believed where a meter stands, ms. */
const BELIEVED = 30_000;
/** Whoever was silent for longer does not count, ms. */
const SILENT = 5 * 60_000;
/** Meters asked for in one statement. */
const AT_ONCE = 50_000;

export function areaRoutes(router: Router, { store, live, access }: Context): void {
  const places = new Map<AreaKind, { at: number; of: Promise<ReadonlyMap<string, NodeId>> }>();

  async function load(kind: AreaKind): Promise<ReadonlyMap<string, NodeId>> {
    const meters = [...live.powers()].map(({ meter }) => meter);
    const of = new Map<string, NodeId>();
    for (let i = 0; i < meters.length; i += AT_ONCE)
      for (const [meter, area] of await store.registry.areasOf(kind, meters.slice(i, i + AT_ONCE))) of.set(meter, area);
    return of;
  }
  function placesOf(kind: AreaKind): Promise<ReadonlyMap<string, NodeId>> {
    const known = places.get(kind);
    if (known && performance.now() - known.at < BELIEVED) return known.of;
    const of = load(kind);
    of.catch(() => places.delete(kind));
    places.set(kind, { at: performance.now(), of });
    return of;
  }

  router.add({
    method: 'GET',
    path: '/api/v1/areas',
    needs: 'network:view',
    tag: 'network',
    summary: 'Areas of one kind, in pages by id, with their meters and what they draw and feed now',
    query: z.object({
      kind: areaKind.default('feeder'),
      limit: z.coerce.number().int().min(1).max(200).default(200),
      after: id63.optional(),
    }),
    answer: areaList,
    scoped: true,
    handler: async ({ caller, query: { kind, limit, after } }) => {
      const found = await store.registry.areas(kind, caller.scope, { after, limit });
      const sums = new Map(found.map(({ id }) => [id, { import: 0, export: 0, meters: 0 }]));
      if (found.length > 0 && may(caller, 'reading:view')) {
        const seen = await access.scopes.of(caller.scope);
        const placed = await placesOf(kind);
        const all = [...live.powers(seen)];
        const latest = all.reduce((most, one) => Math.max(most, one.time), 0);
        for (const one of all) {
          const sum = sums.get(placed.get(one.meter) ?? '');
          if (!sum || one.time < latest - SILENT) continue;
          sum.meters++;
          if (one.power > 0) sum.import += one.power;
          else sum.export -= one.power;
        }
      }
      return {
        areas: found.map(({ id, code, name, meters }) => {
          const sum = sums.get(id);
          return { id, code, name, meters, power: sum && sum.meters > 0 ? sum : null };
        }),
        next: found.length === limit ? (found.at(-1)?.id ?? null) : null,
      };
    },
  });
}

import { MisuseError } from '@amiable/bytes';
import type { Scope } from '@amiable/model';
import fc from 'fast-check';
import pg from 'pg';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Store } from '../src/interface.ts';
import { productAt, rational } from '../src/registry/ratios.ts';
import { come, correct, holdsAt, type KeptStay, leave, type Stay } from '../src/registry/stays.ts';
import type { Condition, MeterSelection } from '../src/registry/types.ts';
import { openStore } from '../src/store.ts';
import { createTestDatabase, type TestDatabase } from './harness.ts';

let db: TestDatabase;
let store: Store;
let client: pg.Client;
const T0 = Date.UTC(2026, 0, 1);
const HOUR = 3_600_000;
const by = { who: 'anna', at: Date.UTC(2026, 10, 20) };
/** One after the other: numbers rise with the names. */
async function each<T, R>(list: Iterable<T>, make: (item: T) => Promise<R>): Promise<R[]> {
  const out: R[] = [];
  for (const item of list) out.push(await make(item));
  return out;
}
const id = (n: { readonly id: string }): string => n.id;

beforeAll(async () => {
  db = await createTestDatabase();
  store = await openStore({ url: db.url });
  client = new pg.Client(db.url);
  await client.connect();
});
afterAll(async () => {
  await client.end();
  await store.close();
  await db.drop();
});

describe('stays over time', () => {
  type Step =
    | { readonly op: 'come'; readonly from: number; readonly to: number | null; readonly what: string }
    | { readonly op: 'leave'; readonly to: number }
    | { readonly op: 'correct'; readonly k: number; readonly right: (Stay & { readonly what: string }) | undefined };
  const time = fc.integer({ min: 0, max: 30 });
  const end = fc.option(time, { nil: null });
  const what = fc.constantFrom('a', 'b', 'c');
  const step: fc.Arbitrary<Step> = fc.oneof(
    fc.record({ op: fc.constant('come' as const), from: time, to: end, what }),
    fc.record({ op: fc.constant('leave' as const), to: time }),
    fc.record({
      op: fc.constant('correct' as const),
      k: fc.nat(5),
      right: fc.option(fc.record({ from: time, to: end, what }), { nil: undefined }),
    }),
  );

  /** The model: who is where at each hour. `null` is nowhere. */
  const paint = (stays: readonly (Stay & { readonly what: string })[]): (string | null)[] =>
    Array.from({ length: 40 }, (_, t) => {
      const there = stays.filter((s) => holdsAt(s, t)).map((s) => s.what);
      return there.length > 1 ? `overlap of ${there}` : (there[0] ?? null);
    });

  it('never overlap, change only what was said, and keep what they replace', () => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 12 }), (steps) => {
        let stays: KeptStay<string>[] = [];
        let next = 0;
        const all: { id: string; replaced: boolean }[] = [];
        for (const s of steps) {
          const before = paint(stays);
          const wrong = s.op === 'correct' ? stays[s.k] : undefined;
          let change: ReturnType<typeof come<string>>;
          try {
            if (s.op === 'come') change = come(stays, s, s.what);
            else if (s.op === 'leave') change = leave(stays, s.to);
            else change = correct(stays, wrong?.id ?? 'none', s.right);
          } catch (error) {
            expect(error).toBeInstanceOf(MisuseError);
            continue;
          }
          const gone = new Set(change.replace);
          stays = [
            ...stays.filter((x) => !gone.has(x.id)),
            ...change.add.map((a) => ({ ...a, id: String(++next) })),
          ].sort((a, b) => a.from - b.from);
          for (const x of all) if (gone.has(x.id)) x.replaced = true;
          for (const x of stays) if (!all.some((y) => y.id === x.id)) all.push({ id: x.id, replaced: false });
          expect(all.length).toBe(next);
          const said = before.map((was, t) => {
            if (s.op === 'come') return holdsAt(s, t) ? s.what : was;
            if (s.op === 'leave') return t >= s.to ? null : was;
            return s.right && holdsAt(s.right, t) ? s.right.what : wrong && holdsAt(wrong, t) ? null : was;
          });
          expect(paint(stays)).toEqual(said);
        }
      }),
      { numRuns: 100 },
    );
  });

  it('refuse what overlaps, in words', () => {
    const stays = [{ id: '7', from: 0, to: 10, what: 'a' }];
    expect(() => come(stays, { from: 5, to: null }, 'b')).toThrow('overlaps the stay from 1970-01-01T00:00:00.000Z');
    expect(() => leave(stays, 5)).toThrow('no stay to end');
    expect(() => come([], { from: 5, to: 5 }, 'b')).toThrow('ends after it begins');
    expect(come(stays, { from: 10, to: null }, 'b').replace).toEqual([]);
  });
});

describe('the network', () => {
  it('is a tree: what may stand under what, no loops, no towers', async () => {
    const r = store.registry;
    const region = await r.createNode({ kind: 'region', code: 'TREE', from: T0 }, 'all', by);
    const inner = await r.createNode({ kind: 'region', code: 'TREE-1', parent: region.id, from: T0 }, 'all', by);
    const trafo = await r.createNode({ kind: 'transformer', code: 'TREE-T', parent: inner.id, from: T0 }, 'all', by);
    const point = await r.createNode(
      { kind: 'metering-point', code: 'TREE-MP', parent: trafo.id, from: T0 },
      'all',
      by,
    );
    expect(point.path).toEqual([region, inner, trafo, point].map(id));
    await expect(r.createNode({ kind: 'region', code: 'TREE' }, 'all', by)).rejects.toThrow('the code TREE already');
    await expect(r.createNode({ kind: 'region', code: 'TREE-2', parent: trafo.id }, 'all', by)).rejects.toThrow(
      'a region stands under region, not under a transformer',
    );
    await expect(r.link({ kind: 'under', child: region.id, parent: inner.id, from: T0 }, 'all', by)).rejects.toThrow(
      'loop',
    );
    await expect(r.link({ kind: 'under', child: region.id, parent: region.id, from: T0 }, 'all', by)).rejects.toThrow(
      'loop',
    );
    await expect(r.removeNode(trafo.id, 'all', by)).rejects.toThrow('1 nodes stand under it');
    await expect(
      r.link({ kind: 'under', child: trafo.id, parent: region.id, from: by.at + 1 }, 'all', by),
    ).rejects.toThrow('in the future');
    await client.query(
      `insert into amiable.node (id, kind, code, parent, path)
        select 9000 + k, 'region', 'TOWER-' || k, case k when 0 then $1::bigint else 8999 + k end,
          array[$1::bigint] || array(select 9000 + j from generate_series(0, k) j) from generate_series(0, 30) k`,
      [region.id],
    );
    const refused = await r.createNode({ kind: 'region', code: 'TOO-HIGH', parent: '9030' }, 'all', by).catch((e) => e);
    expect(String(refused)).toContain('at most 32 levels');
    expect((await r.children(region.id, 'all', { limit: 10 })).map((c) => [c.code, c.nodes])).toEqual([
      ['TREE-1', 1],
      ['TOWER-0', 1],
    ]);
    expect((await r.findNodes({ q: 'tree-', limit: 10 }, 'all')).map((n) => n.code)).toEqual([
      'TREE-1',
      'TREE-T',
      'TREE-MP',
    ]);
    expect(await r.findNodes({ q: "tree'\\:*|&", limit: 10 }, 'all')).toEqual([]);
  });

  it('moves with all that stands below, and history tells where it was', async () => {
    const r = store.registry;
    const [a, b] = await each(['MV-A', 'MV-B'], (code) => r.createNode({ kind: 'region', code, from: T0 }, 'all', by));
    if (!a || !b) throw new Error('no regions');
    const trafo = await r.createNode({ kind: 'transformer', code: 'MV-T', parent: a.id, from: T0 }, 'all', by);
    const point = await r.createNode({ kind: 'metering-point', code: 'MV-MP', parent: trafo.id, from: T0 }, 'all', by);
    const meter = await r.createMeter({ serial: 'MV-1', timeZone: 'UTC' }, 'all', by);
    expect(meter).toMatchObject({ life: 'planned', places: [] });
    await r.link({ kind: 'installed', child: meter.id, parent: point.id, from: T0 + HOUR }, 'all', by);
    await r.link({ kind: 'under', child: trafo.id, parent: b.id, from: T0 + 5 * HOUR }, 'all', by);
    expect((await r.entry(meter.id, 'all'))?.places.map((p) => p.code)).toEqual(['MV-B', 'MV-T', 'MV-MP']);
    expect((await r.entry(meter.id, 'all'))?.life).toBe('installed');
    const under = (node: string, at?: number): Promise<readonly string[]> =>
      r.select({ under: node, ...(at === undefined ? {} : { at }) }, 'all', { limit: 10 });
    expect(await under(a.id)).toEqual([]);
    expect(await under(b.id)).toEqual([meter.id]);
    expect(await under(a.id, T0 + 2 * HOUR)).toEqual([meter.id]);
    expect(await under(b.id, T0 + 2 * HOUR)).toEqual([]);
    expect(await under(a.id, T0)).toEqual([]);
    expect(
      await r.select({ where: [{ attribute: 'region', is: '=', value: 'MV-A' }], at: T0 + 2 * HOUR }, 'all', {
        limit: 5,
      }),
    ).toEqual([meter.id]);
    // It came an hour earlier than was written down: the old row stays, marked.
    const [stay] = (await r.linksOfMeter(meter.id, 'all', { limit: 5 })) ?? [];
    await r.correctLink(stay?.id ?? '', { from: T0, reason: 'the note said so' }, 'all', { who: 'per', at: by.at + 1 });
    expect(await under(a.id, T0)).toEqual([meter.id]);
    const all = await r.linksOfMeter(meter.id, 'all', { limit: 5, replaced: true });
    expect(all?.map((l) => [l.from, l.recordedBy, l.replacedBy, l.reason])).toEqual([
      [T0 + HOUR, 'anna', 'per', 'the note said so'],
      [T0, 'per', null, null],
    ]);
    await expect(r.patchEntry(meter.id, { life: 'removed' }, 'all', by)).rejects.toThrow('end its stay first');
    await r.endLink('installed', meter.id, T0 + 9 * HOUR, 'all', by);
    expect(await r.entry(meter.id, 'all')).toMatchObject({ life: 'removed', places: [] });
    await expect(r.removeNode(point.id, 'all', by)).rejects.toThrow('history is kept');
    const { rows } = await client.query(
      `select serial, metering_point, region, transformer, to_time from amiable.installation where serial = 'MV-1'`,
    );
    expect(rows).toEqual([
      {
        serial: 'MV-1',
        metering_point: 'MV-MP',
        region: 'MV-B',
        transformer: 'MV-T',
        to_time: new Date(T0 + 9 * HOUR),
      },
    ]);
  });

  it('has four slaves at most behind a master, on channels of their own', async () => {
    const r = store.registry;
    const made = await each([...'MABCDE'], (s) => r.createMeter({ serial: `SL-${s}`, timeZone: 'UTC' }, 'all', by));
    const [master, ...slaves] = made.map(id) as [string, ...string[]];
    const behind = (child: string, channel: number, parent = master): Promise<unknown> =>
      r.link({ kind: 'behind', child, parent, channel, from: T0 }, 'all', by);
    for (const [k, slave] of slaves.slice(0, 4).entries()) await behind(slave, k + 1);
    await expect(behind(slaves[4] as string, 5)).rejects.toThrow('channels 1 to 4');
    await expect(behind(slaves[4] as string, 2)).rejects.toThrow('channel 2 of meter SL-M has another slave');
    await expect(behind(slaves[4] as string, 1, slaves[0])).rejects.toThrow('is a slave itself');
    await expect(behind(master, 1, slaves[4])).rejects.toThrow('is a master itself');
    await expect(behind(master, 1, master)).rejects.toThrow('behind itself');
    const point = await r.createNode({ kind: 'metering-point', code: 'SL-MP', from: T0 }, 'all', by);
    await r.link({ kind: 'installed', child: master, parent: point.id, from: T0 }, 'all', by);
    // A slave without a place of its own stands where its master does.
    expect((await r.entry(slaves[0] as string, 'all'))?.places.map((p) => p.code)).toEqual(['SL-MP']);
    expect((await r.entry(master, 'all'))?.slaves.map((s) => [s.channel, s.serial])).toEqual([
      [1, 'SL-A'],
      [2, 'SL-B'],
      [3, 'SL-C'],
      [4, 'SL-D'],
    ]);
    expect(await r.select({ where: [{ attribute: 'master', is: '=', value: 'SL-M' }] }, 'all', { limit: 9 })).toEqual(
      slaves.slice(0, 4),
    );
    expect(await r.select({ q: 'SL-MP' }, 'all', { limit: 9 })).toEqual([master, ...slaves.slice(0, 4)]);
    await r.endLink('behind', slaves[0] as string, T0 + HOUR, 'all', by);
    expect(await r.entry(slaves[0] as string, 'all')).toMatchObject({ life: 'removed', places: [], master: null });
  });

  it('multiplies by exact ratios of their time', async () => {
    const r = store.registry;
    const point = await r.createNode({ kind: 'metering-point', code: 'CT-MP', from: T0 }, 'all', by);
    const put = (kind: 'current' | 'voltage', primary: number, secondary: number, from: number): Promise<unknown> =>
      r.putRatio({ meteringPoint: point.id, kind, primary, secondary, from }, 'all', by);
    await put('current', 600, 5, T0);
    await put('voltage', 22_000, 110, T0 + HOUR);
    await put('current', 400, 5, T0 + 2 * HOUR);
    expect(await r.multiplierAt(point.id, T0)).toEqual(rational(120n, 1n));
    expect(await r.multiplierAt(point.id, T0 + HOUR)).toEqual(rational(24_000n, 1n));
    expect(await r.multiplierAt(point.id, T0 + 2 * HOUR)).toEqual(rational(16_000n, 1n));
    expect(await r.multiplierAt(point.id, T0 - 1)).toEqual(rational(1n, 1n));
    await expect(put('current', 0, 5, T0 + 3 * HOUR)).rejects.toThrow('whole numbers above zero');
    await expect(put('current', 300, 5, T0 + HOUR)).rejects.toThrow('overlaps');
    const meter = await r.createMeter({ serial: 'CT-1', timeZone: 'UTC' }, 'all', by);
    await r.link({ kind: 'installed', child: meter.id, parent: point.id, from: T0 + HOUR / 2 }, 'all', by);
    expect(
      (await r.multipliersOfMeters([meter.id], T0, T0 + 3 * HOUR)).map((m) => [
        m.kind,
        m.from - T0,
        m.to && m.to - T0,
        m.multiplier.numerator,
      ]),
    ).toEqual([
      ['current', HOUR / 2, 2 * HOUR, 120n],
      ['voltage', HOUR, null, 200n],
      ['current', 2 * HOUR, null, 80n],
    ]);
    expect((await r.ratios(point.id, 'all', true))?.filter((x) => x.replacedAt !== null)).toHaveLength(1);
    expect(productAt([{ primary: 1n, secondary: 3n, from: 0, to: null }], 5)).toEqual(rational(1n, 3n));
  });

  it('is seen within the caller’s segments only', async () => {
    const r = store.registry;
    await client.query(`insert into amiable.segment (id, name) values (71, 'seven')`);
    const node = await r.createNode({ kind: 'region', code: 'SEG', segment: 71 }, 'all', by);
    const meter = await r.createMeter({ serial: 'SEG-1', timeZone: 'UTC', segment: 71 }, 'all', by);
    const point = await r.createNode({ kind: 'metering-point', code: 'SEG-MP', parent: node.id, from: T0 }, [71], by);
    expect(point.segment).toBe(71);
    await r.link({ kind: 'installed', child: meter.id, parent: point.id, from: T0 }, [71], by);
    const other: Scope = [1];
    expect(await r.node(node.id, other)).toBeUndefined();
    expect(await r.entry(meter.id, other)).toBeUndefined();
    expect(await r.linksOfMeter(meter.id, other, { limit: 5 })).toBeUndefined();
    expect(await r.patchNode(node.id, { name: 'x' }, other, by)).toBeUndefined();
    expect(await r.patchEntry(meter.id, { paramId: 'x' }, other, by)).toBeUndefined();
    expect(await r.removeNode(node.id, other, by)).toBe(false);
    await expect(r.endLink('installed', meter.id, by.at, other, by)).rejects.toThrow('there is no meter');
    await expect(r.select({ under: node.id }, other, { limit: 5 })).rejects.toThrow('there is no node');
    expect(await r.select({ q: 'SEG-1' }, other, { limit: 5 })).toEqual([]);
    expect(await r.count({ where: [{ attribute: 'segment', is: '=', value: 71 }] }, other)).toBe(0);
    expect(await r.select({ q: 'SEG-1' }, [71], { limit: 5 })).toEqual([meter.id]);
    expect(await r.select({ q: 'SEG-1' }, [], { limit: 5 })).toEqual([]);
    await expect(r.patchEntry(meter.id, { segment: 1 }, [71], by)).rejects.toThrow('there is no segment 1');
    await expect(r.patchNode(node.id, { segment: 99 }, 'all', by)).rejects.toThrow('there is no segment 99');
    const summary = await r.summary({ by: 'region', since: T0, limit: 10 }, [71]);
    expect(summary.below).toMatchObject([{ code: 'SEG', installed: 1, new: 0, silent: 1, failed: null }]);
    expect(summary.nodes).toEqual({ region: 1, 'metering-point': 1 });
    const areas = await r.areas('region', [71], { limit: 10 });
    expect(areas.map(({ code, meters }) => [code, meters])).toEqual([['SEG', 1]]);
    expect((await r.areas('region', other, { limit: 100 })).map(id)).not.toContain(node.id);
    const serials = async (query: Parameters<Store['meters']>[0]) => {
      const list = await store.meters(query);
      return [list.total, list.meters.map(({ serial }) => serial)];
    };
    expect(await serials({ under: node.id })).toEqual([1, ['SEG-1']]);
    expect(await serials({ under: node.id, q: 'seg', state: 'new', scope: [71] })).toEqual([1, ['SEG-1']]);
    expect(await serials({ under: node.id, scope: other })).toEqual([0, []]);
    expect(await serials({ under: node.id, q: 'nothing' })).toEqual([0, []]);
    expect(await serials({ under: node.id, after: meter.id })).toEqual([1, []]);
    expect(await serials({ outside: 'region', scope: [71] })).toEqual([0, []]);
    expect(await serials({ outside: 'feeder', scope: [71] })).toEqual([1, ['SEG-1']]);
    expect(await r.areasOf('region', [meter.id, '999999'])).toEqual(new Map([[meter.id, node.id]]));
    expect((await r.areasOf('feeder', [meter.id])).size).toBe(0);
  });

  it('keeps personal data of premises apart, and out of its history', async () => {
    const r = store.registry;
    const home = await r.createNode({ kind: 'premises', code: 'PP-1' }, 'all', by);
    await r.putPremises(home.id, { customer: "Kari O'Hara", address: 'Storgata 12' }, 'all', by);
    const meter = await r.createMeter({ serial: 'PP-M', timeZone: 'UTC' }, 'all', by);
    const point = await r.createNode({ kind: 'metering-point', code: 'PP-MP', parent: home.id, from: T0 }, 'all', by);
    await r.link({ kind: 'installed', child: meter.id, parent: point.id, from: T0 }, 'all', by);
    const found = (attribute: string, is: Condition['is'], value: string): Promise<readonly string[]> =>
      r.select({ where: [{ attribute, is, value }] }, 'all', { limit: 5 });
    expect(await found('customer', 'begins', "kari o'h")).toEqual([meter.id]);
    expect(await found('address', 'begins', 'storg')).toEqual([meter.id]);
    expect(await found('address', '=', 'Storgata 12')).toEqual([meter.id]);
    expect(await found('address', '=', 'Storgata 1')).toEqual([]);
    expect(await found('customer', 'begins', 'storg')).toEqual([]);
    expect(JSON.stringify(await r.changesOfNode(home.id, 'all', 50))).not.toMatch(/Kari|Storgata/);
    expect((await r.changesOfNode(home.id, 'all', 50))?.map((c) => c.field)).toEqual([
      'address',
      'customer',
      'created',
    ]);
  });
});

describe('what is defined once', () => {
  it('is checked, and not deleted while it is used', async () => {
    const r = store.registry;
    await r.putMeterType('E450', { maker: 'L+G', registerNames: { '1-0:1.8.0': 'Active energy' } }, by);
    await expect(r.putMeterType('E450', { registerNames: { 'x; drop table': 'y' } }, by)).rejects.toThrow(
      'no OBIS code',
    );
    const meter = await r.createMeter({ serial: 'DEF-1', timeZone: 'UTC', meterType: 'E450' }, 'all', by);
    expect(meter.meterType).toBe('E450');
    await expect(r.removeMeterType('E450', by)).rejects.toThrow('1 meters are of the type E450');
    await expect(r.createMeter({ serial: 'DEF-2', timeZone: 'UTC', meterType: 'none' }, 'all', by)).rejects.toThrow(
      'no meter type "none"',
    );
    const base = {
      object: 'meter',
      description: null,
      required: false,
      lowest: null,
      highest: null,
      choices: [],
      searchable: false,
    } as const;
    await r.putDefinition({ ...base, name: 'def_kva', type: 'number', lowest: 1, highest: 1000 }, by);
    await r.putDefinition({ ...base, name: 'def_day', type: 'date' }, by);
    for (const [attributes, words] of [
      [{ def_kva: 0 }, 'at least 1'],
      [{ def_kva: '12' }, 'a number'],
      [{ def_kva: Number.NaN }, 'a number'],
      [{ def_day: '2026-02-30' }, 'a day such as'],
      [{ def_none: 1 }, 'there is no attribute "def_none"'],
    ] as const)
      await expect(
        r.patchEntry(meter.id, { attributes: attributes as Record<string, string | number> }, 'all', by),
      ).rejects.toThrow(words);
    await r.patchEntry(meter.id, { attributes: { def_kva: 315, def_day: '2026-02-28' } }, 'all', by);
    await expect(r.removeDefinition('meter', 'def_kva', by)).rejects.toThrow('1 objects have the attribute');
    await r.patchEntry(meter.id, { attributes: { def_kva: null } }, 'all', by);
    expect(await r.removeDefinition('meter', 'def_kva', by)).toBe(true);
    await expect(r.putDefinition({ ...base, name: 'def_day', type: 'text' }, by)).rejects.toThrow(
      'a type is not changed',
    );
    expect((await r.changesOfMeter(meter.id, 'all', 9))?.map((c) => c.field)).toEqual([
      'attributes',
      'attributes',
      'created',
    ]);
  });

  it('groups meters by list or by selection', async () => {
    const r = store.registry;
    const meters = await each([1, 2, 3], (k) =>
      r.createMeter({ serial: `GR-${k}`, timeZone: 'UTC', paramId: `p${k}` }, 'all', by),
    );
    await r.putGroup('list', {}, by);
    expect(await r.addToGroup('list', meters.slice(0, 2).map(id), 'all', by)).toBe(2);
    expect(await r.addToGroup('list', [...meters.map(id), '999999999', 'x'], 'all', by)).toBe(1);
    expect(await r.removeFromGroup('list', [meters[0]?.id ?? ''], 'all', by)).toBe(1);
    expect(await r.select({ group: 'list' }, 'all', { limit: 9 })).toEqual(meters.slice(1).map(id));
    await r.putGroup('chosen', { selection: { where: [{ attribute: 'paramId', is: '=', value: 'p1' }] } }, by);
    expect(await r.select({ group: 'chosen' }, 'all', { limit: 9 })).toEqual([meters[0]?.id]);
    expect(await r.select({ group: 'chosen', q: 'GR-2' }, 'all', { limit: 9 })).toEqual([]);
    await expect(r.putGroup('nested', { selection: { group: 'list' } }, by)).rejects.toThrow('by another group');
    await expect(
      r.putGroup('wrong', { selection: { where: [{ attribute: 'nothing', is: '=', value: 1 }] } }, by),
    ).rejects.toThrow('no such attribute');
    await expect(
      r.putGroup('person', { selection: { where: [{ attribute: 'customer', is: '=', value: 'Kari' }] } }, by),
    ).rejects.toThrow('personal data do not stand in a group');
    await expect(r.select({ group: 'nobody' }, 'all', { limit: 9 })).rejects.toThrow('there is no group');
  });
});

describe('a selection', () => {
  interface Naive {
    readonly id: string;
    readonly serial: string;
    readonly maker: string | null;
    readonly paramId: string | null;
    readonly phases: number | null;
    readonly attributes: Readonly<Record<string, string | number | boolean>>;
  }
  let all: Naive[];

  beforeAll(async () => {
    const base = { object: 'meter', description: null, required: false, lowest: null, highest: null } as const;
    for (const [name, type, searchable] of [
      ['colour', 'choice', false],
      ['note', 'text', true],
      ['checked', 'boolean', false],
    ] as const)
      await store.registry.putDefinition(
        { ...base, name, type, searchable, choices: type === 'choice' ? ['red', 'green'] : [] },
        by,
      );
    await store.registry.putDefinition({ ...base, name: 'größe', type: 'number', searchable: true, choices: [] }, by);
    await client.query(`insert into amiable.meter (serial, time_zone, maker, param_id, phases, attributes)
      select 'sel-' || case when k % 2 = 0 then 'Ab%' else 'aB_' end || k, 'UTC',
        (array['Kamstrup', 'Aidon', 'kaifa', null])[1 + k % 4], nullif((k % 3)::text, '0'), nullif(k % 4, 2),
        jsonb_strip_nulls(jsonb_build_object('colour', (array['red', 'green', null])[1 + k % 3], 'größe', nullif(k % 7, 0) * 1.5,
          'note', (array['Big box', 'a\\b', '%_', null])[1 + k % 4], 'checked', (array[true, false, null])[1 + k % 3]))
      from generate_series(1, 120) k`);
    const { rows } = await client.query(
      `select id::text, serial, maker, param_id as "paramId", phases, attributes from amiable.meter m order by m.id`,
    );
    all = rows;
  });

  const fields = ['serial', 'maker', 'paramId', 'phases', 'x.colour', 'x.größe', 'x.note', 'x.checked'] as const;
  const fieldOf = (m: Naive, attribute: string): string | number | boolean | null | undefined =>
    attribute.startsWith('x.')
      ? m.attributes[attribute.slice(2)]
      : (m as unknown as Record<string, string | number | null>)[attribute];

  function holds(m: Naive, c: Condition): boolean {
    const v = fieldOf(m, c.attribute) ?? null;
    const w = c.value as string | number | boolean;
    if (c.is === 'exists') return v !== null;
    if (c.is === 'missing') return v === null;
    if (c.is === '!=') return v !== w;
    if (v === null) return false;
    if (c.is === 'in') return (c.value as readonly (string | number)[]).includes(v as string);
    const low = String(v).toLowerCase();
    if (c.is === 'contains') return low.includes(String(w).toLowerCase());
    if (c.is === 'begins') return low.startsWith(String(w).toLowerCase());
    if (c.is === '=') return v === w;
    return c.is === '<' ? v < w : c.is === '<=' ? v <= w : c.is === '>' ? v > w : v >= w;
  }

  const condition: fc.Arbitrary<Condition> = fc.constantFrom(...fields).chain((attribute) => {
    const number = attribute === 'phases' || attribute === 'x.größe';
    const value: fc.Arbitrary<string | number | boolean> =
      attribute === 'x.checked'
        ? fc.boolean()
        : number
          ? fc.constantFrom(0, 1, 1.5, 3, 4.5)
          : fc.constantFrom(
              'sel-Ab%12',
              'ab',
              'SEL',
              'AIDON',
              'Kamstrup',
              'kaifa',
              '1',
              '2',
              'red',
              'green',
              'box',
              'Big box',
              '%',
              '_',
              'a\\b',
              "'",
              'z',
            );
    const signs =
      attribute === 'x.checked'
        ? (['=', '!='] as const)
        : number
          ? (['=', '!=', '<', '<=', '>', '>='] as const)
          : (['=', '!=', '<', '<=', '>', '>=', 'contains', 'begins'] as const);
    const compared = fc.record({
      attribute: fc.constant(attribute),
      is: fc.constantFrom<Condition['is'][]>(...signs),
      value,
    });
    const listed = fc.record({
      attribute: fc.constant(attribute),
      is: fc.constant('in' as const),
      value: fc.array(value as fc.Arbitrary<string | number>, { maxLength: 3 }),
    });
    const plain = fc.record({
      attribute: fc.constant(attribute),
      is: fc.constantFrom('exists' as const, 'missing' as const),
    });
    return attribute === 'x.checked' ? fc.oneof(compared, plain) : fc.oneof(compared, compared, listed, plain);
  });

  it('finds what a filter over all meters finds, in pages of any size', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(condition, { maxLength: 3 }),
        fc.option(fc.constantFrom('ab', 'sel-', 'SEL-ab%1', 'b_3 sel', '%'), { nil: undefined }),
        fc.integer({ min: 1, max: 60 }),
        async (where, q, limit) => {
          const selection: MeterSelection = { where, ...(q === undefined ? {} : { q }) };
          const words = q?.toLowerCase().split(' ') ?? [];
          const want = all
            .filter((m) => where.every((c) => holds(m, c)) && words.every((w) => m.serial.toLowerCase().includes(w)))
            .map(id);
          const got: string[] = [];
          for (let after = '0'; ; ) {
            const page = await store.registry.select(selection, 'all', { after, limit });
            got.push(...page);
            if (page.length < limit) break;
            after = page.at(-1) as string;
          }
          expect(got).toEqual(want);
          expect(await store.registry.count(selection, 'all')).toBe(want.length);
          expect(await store.registry.count(selection, 'all', 3)).toBe(Math.min(want.length, 4));
        },
      ),
      { numRuns: 25 },
    );
  });

  it('is helped by an index of every run of three characters', async () => {
    const texts = fc.sample(fc.string({ unit: fc.constantFrom(...'aBøÆ 1\n€😀'), maxLength: 12 }), {
      numRuns: 300,
      seed: 7,
    });
    const { rows } = await client.query(
      'select t from unnest($1::text[]) t where not amiable.runs(t) @> amiable.trigrams(t)',
      [texts],
    );
    expect(rows).toEqual([]);
  });

  it('refuses or bounds what is hostile, and changes nothing', async () => {
    const select = (s: unknown): Promise<readonly string[]> =>
      store.registry.select(s as MeterSelection, 'all', { limit: 5 });
    const where = (...conditions: unknown[]): unknown => ({ where: conditions });
    for (const [selection, words] of [
      [
        where(...Array.from({ length: 10_000 }, () => ({ attribute: 'serial', is: '=', value: 'x' }))),
        'at most 50 conditions',
      ],
      [where({ attribute: "serial'; drop table amiable.meter --", is: '=', value: 1 }), 'no such attribute'],
      [where({ attribute: "x.a' = 'b", is: '=', value: 1 }), 'no such user-defined attribute'],
      [where({ attribute: 'x.\0\ud800', is: '=', value: 1 }), 'no such user-defined attribute'],
      [where({ attribute: '__proto__', is: '=', value: 1 }), 'no such attribute'],
      [where({ attribute: 'constructor', is: '=', value: 1 }), 'no such attribute'],
      [where({ attribute: 'serial', is: 'or 1=1 --', value: 'x' }), 'no comparison'],
      [where({ attribute: 'serial', is: '=', value: { $ne: 1 } }), 'no text'],
      [where({ attribute: 'serial', is: 'in', value: Array.from({ length: 2000 }, () => 'x') }), 'at most 1000 values'],
      [where({ attribute: 'serial', is: 'contains', value: '' }), 'part of everything'],
      [where({ attribute: 'serial', is: '=', value: 'x'.repeat(1000) }), 'more than 200 characters'],
      [where({ attribute: 'phases', is: '=', value: '1 or 1=1' }), 'no number'],
      [where({ attribute: 'x.größe', is: '<', value: Number.POSITIVE_INFINITY }), 'no number'],
      [where({ attribute: 'state', is: '=', value: 'gone' }), 'none of new, named'],
      [where({ attribute: 'firstSeen', is: '>', value: 'yesterday' }), 'no time such as'],
      [where({ attribute: 'region', is: 'contains', value: 'N' }), 'compare codes'],
      [where({ attribute: 'failed', is: 'exists' }), 'no such attribute'],
      [where(null), 'a condition has'],
      [{ under: '1; drop' }, 'there is no node'],
      [{ q: 'a b c d e f g h i j k' }, 'at most 10 words'],
      [{ at: Number.NaN }, '`at` is a time'],
    ] as const)
      await expect(select(selection), words).rejects.toThrow(words);
    for (const value of ["'; drop table amiable.meter; --", '\0', '\ud800', 'q\\', '%%%'])
      for (const is of ['=', 'contains', 'in'])
        for (const attribute of [
          'serial',
          'maker',
          'port',
          'x.colour',
          'x.note',
          'meterType',
          'region',
          'master',
          'customer',
        ]) {
          if (['region', 'master'].includes(attribute) && is !== '=' && is !== 'in') continue;
          if (attribute === 'customer' && is === 'in') continue;
          expect(
            await select(where({ attribute, is, value: is === 'in' ? [value] : value })),
            `${attribute} ${is} ${value}`,
          ).toEqual([]);
        }
    expect(await select({ q: '\0' })).toEqual([]);
    expect(await select({ meters: ['1; drop', '-1', '9'.repeat(30)] })).toEqual([]);
    for (const serial of ['a\0b', '\udc00', '', ' x', 'x'.repeat(101)])
      await expect(store.registry.createMeter({ serial, timeZone: 'UTC' }, 'all', by)).rejects.toThrow(MisuseError);
    await expect(store.registry.createNode({ kind: 'region', code: 'a\0' }, 'all', by)).rejects.toThrow(
      'cannot be stored',
    );
    expect((await client.query('select count(*)::integer as n from amiable.meter')).rows).toEqual([{ n: all.length }]);
  });

  it('has the indexes of its searchable attributes made again where they lack', async () => {
    const there = async (): Promise<unknown[]> =>
      (
        await client.query(
          `select relname from pg_class where relname like 'meter\\_x\\_%' and relkind = 'i' order by 1`,
        )
      ).rows;
    const before = await there();
    expect(before.length).toBeGreaterThan(2);
    for (const row of before as { relname: string }[]) await client.query(`drop index amiable.${row.relname}`);
    await store.registry.ensureIndexes();
    expect(await there()).toEqual(before);
  });

  it('takes what other parts know', async () => {
    store.registry.provide('gaps', async (c) => (c.value === 1 ? [all[0]?.id ?? ''] : []));
    expect(
      await store.registry.select({ where: [{ attribute: 'gaps', is: '>=', value: 1 }] }, 'all', { limit: 5 }),
    ).toEqual([all[0]?.id]);
  });

  it('knows when a meter was last heard', async () => {
    await client.query(`insert into amiable.meter_state values ($1, $2, $2, $2)`, [all[3]?.id, new Date(T0)]);
    const heard = (is: Condition['is'], value?: number): Promise<readonly string[]> =>
      store.registry.select(
        { where: [{ attribute: 'lastSeen', is, ...(value === undefined ? {} : { value }) }] },
        'all',
        { limit: 5 },
      );
    expect(await heard('<', T0 + 1)).toEqual([all[3]?.id]);
    expect(await heard('<', T0)).toEqual([]);
    expect(await heard('exists')).toEqual([all[3]?.id]);
    expect(await heard('missing')).not.toContain(all[3]?.id);
    // Who says nothing by itself but answers when it is read is heard too; a try without answer is not.
    for (const [meter, at] of [
      [all[3]?.id, T0 + 10],
      [all[4]?.id, T0 + 20],
      [all[5]?.id, null],
    ] as const)
      await client.query(
        `insert into amiable.readout_state (meter, tried_at, read_at, outcome) values ($1, $2, $3, 'x')`,
        [meter, new Date(T0), at === null ? null : new Date(at)],
      );
    expect(await heard('exists')).toEqual([all[3]?.id, all[4]?.id]);
    expect(await heard('<', T0 + 1)).toEqual([]);
    expect(await heard('<', T0 + 11)).toEqual([all[3]?.id]);
    expect(new Date((await store.meter(all[3]?.id as string, 'all'))?.lastSeen as string).getTime()).toBe(T0 + 10);
    const { total } = await store.registry.summary({ by: 'region', since: T0 + 15, limit: 10 }, 'all');
    expect(total).toMatchObject({ lost: 1 });
  });
});

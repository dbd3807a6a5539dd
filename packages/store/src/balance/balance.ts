/** Balances as they are kept; what is computed of them comes from the central system. */
import { MisuseError } from '@amiable/bytes';
import type { Scope } from '@amiable/model';
import { partOf } from '../billing/points.ts';
import type { Database } from '../pg/database.ts';
import type { Multiplier, Ratios } from '../registry/ratios.ts';
import { isId } from '../registry/selection.ts';
import { balanceSql as sql } from '../sql/balance.ts';
import type { MeterId } from '../types.ts';
import type { AreaSummary, BalanceAlarm, BalanceDay, BalanceStore, Belonging, StoredArea } from './types.ts';

const iso = (ms: number): string => new Date(ms).toISOString();
const segments = (scope: Scope): readonly number[] | null => (scope === 'all' ? null : scope);

interface Stay {
  readonly meter: MeterId;
  readonly serial: string;
  readonly master?: MeterId;
  readonly from: number;
  readonly to: number | null;
}

export function createBalanceStore(db: Database, ratios: Pick<Ratios, 'multipliersOfMeters'>): BalanceStore {
  const rows = async <T>(text: string, values: readonly unknown[]): Promise<T[]> =>
    (await db.read((client) => client.query(text, [...values]))).rows as T[];
  const get = async (name: string, scope: Scope): Promise<StoredArea | undefined> =>
    (await rows<StoredArea>(sql.byName, [segments(scope), name]))[0];
  const alarm = async (id: string, scope: Scope): Promise<BalanceAlarm | undefined> =>
    isId(id) ? (await rows<BalanceAlarm>(sql.alarm, [segments(scope), id]))[0] : undefined;

  async function staysUnder(node: string, from: number, to: number, scope: Scope, behind: boolean): Promise<Stay[]> {
    const found = await rows<Stay>(sql.staysUnder, [node, iso(from), iso(to), segments(scope)]);
    const masters = new Map<MeterId, Stay[]>();
    for (const stay of found) masters.set(stay.meter, [...(masters.get(stay.meter) ?? []), stay]);
    if (masters.size === 0 || !behind) return found;
    const slaves = await rows<Stay>(sql.staysBehind, [[...masters.keys()], iso(from), iso(to), segments(scope)]);
    const own = new Set(masters.keys());
    for (const slave of slaves) {
      if (own.has(slave.meter)) continue;
      for (const stay of masters.get(slave.master as MeterId) ?? []) {
        const begin = Math.max(slave.from, stay.from);
        const end = Math.min(slave.to ?? Number.POSITIVE_INFINITY, stay.to ?? Number.POSITIVE_INFINITY);
        if (begin < end)
          found.push({ meter: slave.meter, serial: slave.serial, from: begin, to: Number.isFinite(end) ? end : null });
      }
    }
    return found;
  }

  return {
    list: ({ after = '', limit, scope }) => rows<StoredArea>(sql.list, [segments(scope), after, limit]),
    get,
    put: ({ name, definition, segment }, by, at, scope) =>
      db.write(async (client) => {
        const text = JSON.stringify(definition);
        const node = definition.node ?? null;
        const before = (await client.query(sql.byName, [null, name])).rows[0] as StoredArea | undefined;
        if (before && scope !== 'all' && !scope.includes(before.segment)) throw new MisuseError('this name is taken');
        const reads = segments(scope);
        if (
          before &&
          JSON.stringify(before.definition) === text &&
          JSON.stringify(before.reads) === JSON.stringify(reads)
        )
          return before;
        let id = before?.id;
        let version = 1;
        if (before)
          version = (
            (await client.query(sql.update, [before.id, node, text, by, iso(at), reads])).rows[0] as { version: number }
          ).version;
        else
          id = (
            (await client.query(sql.insert, [name, node, text, segment, by, iso(at), reads])).rows[0] as
              | { id: string }
              | undefined
          )?.id;
        if (id === undefined) throw new MisuseError('this name is taken');
        await client.query(sql.addVersion, [id, version, text, by, iso(at)]);
        return (await client.query(sql.byName, [null, name])).rows[0] as StoredArea;
      }),
    remove: (name, scope) =>
      db.write(async (client) => {
        const found = (await client.query(sql.byName, [segments(scope), name])).rows[0] as StoredArea | undefined;
        if (!found) return false;
        await client.query(sql.removeDays, [found.id]);
        await client.query(sql.removeAlarms, [found.id]);
        return (await client.query(sql.remove, [found.id])).rows.length > 0;
      }),
    versions: (id) => rows(sql.versions, [id]),
    async putDays(area, days) {
      await db.write(async (client) => {
        for (const d of days) {
          const sums = [d.supplied, d.consumed, d.produced, d.loss].map(String);
          await client.query(sql.putDay, [
            area,
            d.day,
            iso(d.from),
            iso(d.to),
            d.version,
            d.step,
            d.scaler,
            ...sums,
            d.intervals,
            d.complete,
            d.meters,
            JSON.stringify(d.detail),
            iso(d.computedAt),
          ]);
        }
      });
    },
    days: (area, from, to) => rows<BalanceDay>(sql.days, [area, from, to]),
    summary: ({ from, to, after = '', limit, scope }) =>
      rows<AreaSummary>(sql.summary, [segments(scope), after, limit, from, to]),
    setAlarms: (area, found, at) =>
      db.write(async (client) => {
        let opened = 0;
        for (const a of found) {
          const numbers = JSON.stringify(a.numbers);
          const open = (await client.query(sql.openAlarm, [area, a.kind])).rows[0] as { id: string } | undefined;
          if (open) {
            await client.query(sql.renewAlarm, [
              open.id,
              a.severity,
              a.lastDay,
              a.firstDay,
              a.sentence,
              numbers,
              iso(at),
            ]);
            continue;
          }
          await client.query(sql.addAlarm, [
            area,
            a.kind,
            a.severity,
            a.firstDay,
            a.lastDay,
            a.sentence,
            numbers,
            iso(at),
          ]);
          opened++;
        }
        const closed = (await client.query(sql.settle, [area, found.map((a) => a.kind), iso(at)])).rows.length;
        return { opened, closed };
      }),
    alarms: ({ states, area, after, limit, scope }) =>
      rows<BalanceAlarm>(sql.alarms, [segments(scope), states ?? null, area ?? null, after ?? null, limit]),
    async decide(id, { state, owner, note }, by, at, scope) {
      const before = await alarm(id, scope);
      if (!before) return undefined;
      const { rows: done } = await db.write((client) =>
        client.query(sql.decide, [id, state ?? null, owner ?? null, note ?? null, iso(at), by]),
      );
      if (done.length === 0) throw new MisuseError(`alarm ${id} is closed; what is found again opens another`);
      return alarm(id, scope);
    },
    async belonging(who, { from, to, scope, ratios: multiplied = true, slaves = true }) {
      let stays: Stay[];
      if ('node' in who) stays = isId(who.node) ? await staysUnder(who.node, from, to, scope, slaves) : [];
      else {
        const known = await rows<{ meter: MeterId; serial: string }>(sql.meters, [
          who.meters.filter(isId),
          segments(scope),
        ]);
        stays = known.map((m) => ({ ...m, from, to }));
      }
      const meters = [...new Set(stays.map((s) => s.meter))];
      const byMeter = new Map<MeterId, Multiplier[]>();
      if (multiplied && meters.length > 0)
        for (const m of await ratios.multipliersOfMeters(meters, from, to))
          byMeter.set(m.meter, [...(byMeter.get(m.meter) ?? []), m]);
      const out = new Map<MeterId, Belonging & { spans: Belonging['spans'][number][] }>();
      for (const stay of stays) {
        const own = out.get(stay.meter) ?? { meter: stay.meter, serial: stay.serial, spans: [] };
        out.set(stay.meter, own);
        const clipped = { meter: stay.meter, from: Math.max(stay.from, from), to: Math.min(stay.to ?? to, to) };
        for (const { from: begin, to: end, multiplier } of partOf(clipped, byMeter.get(stay.meter) ?? []).ratios)
          own.spans.push({
            from: begin,
            to: end,
            numerator: Number(multiplier.numerator),
            denominator: Number(multiplier.denominator),
          });
      }
      return [...out.values()];
    },
  };
}

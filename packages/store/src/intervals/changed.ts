/** What of meterings was written since some time: changes, arrivals, whole days; for what depends on them. */
import { DAY } from '../codec/block.ts';
import type { Database } from '../pg/database.ts';
import type { Registers } from '../registers.ts';
import { intervalSql } from '../sql/intervals.ts';
import { dayText } from '../sql/partitions.ts';
import type { MeterId } from '../types.ts';
import { checkSpan, meteringsOf } from './registers.ts';
import type { ChangedMetering, ChangedQuery } from './types.ts';

/** A write says when it began; it is seen when it is committed. */
const OVERLAP = 600_000;

interface Row {
  readonly meter: MeterId;
  readonly register: number;
  readonly day: number;
  readonly latest: string;
}

export async function changedSince(
  { db, registers }: { readonly db: Database; readonly registers: Registers },
  { since, from, to, meters, quantities }: ChangedQuery,
): Promise<ChangedMetering[]> {
  checkSpan(from, to);
  await registers.load();
  const ids = meteringsOf(registers, quantities).map((r) => r.id);
  if (ids.length === 0 || meters.length === 0) return [];
  const some = meters === 'all' ? null : meters;
  const after = since - OVERLAP;
  const at = new Date(after).toISOString();
  const days = [dayText(Math.floor(from / DAY)), dayText(Math.floor((to - 1) / DAY))];
  const rows = await db.read(async (client) => [
    ...((
      await client.query(intervalSql.changed, [at, ids, new Date(from).toISOString(), new Date(to).toISOString(), some])
    ).rows as Row[]),
    ...((await client.query(intervalSql.arrived, [at, ids, ...days, some])).rows as Row[]),
    ...((await client.query(intervalSql.came, [after, ids, ...days, some])).rows as Row[]),
  ]);
  const found = new Map<string, { meter: MeterId; register: number; days: Set<number>; latest: number }>();
  for (const { meter, register, day, latest } of rows) {
    const key = `${meter} ${register}`;
    let one = found.get(key);
    if (!one) {
      one = { meter, register, days: new Set(), latest: 0 };
      found.set(key, one);
    }
    one.days.add(day * DAY);
    one.latest = Math.max(one.latest, Number(latest));
  }
  return [...found.values()]
    .map((one) => {
      const register = registers.byId(one.register);
      return {
        meter: one.meter,
        quantity: register?.name ?? '',
        period: register?.period ?? 0,
        days: [...one.days].sort((a, b) => a - b),
        latest: one.latest,
      };
    })
    .sort(
      (a, b) =>
        a.meter.length - b.meter.length ||
        (a.meter < b.meter ? -1 : a.meter > b.meter ? 1 : 0) ||
        (a.quantity < b.quantity ? -1 : a.quantity > b.quantity ? 1 : a.period - b.period),
    );
}

/**
 * What lacks (AMI system description §3.5): ranges of a profile that have to be fetched, per meter. A row lacks when one of its
 * registers does; what was given up does not lack any more.
 */
import type { Database } from '../pg/database.ts';
import type { Registers } from '../registers.ts';
import { missingSql } from '../sql/missing.ts';
import { dayText } from '../sql/partitions.ts';
import type { MeterId } from '../types.ts';
import { scanMeters } from './scan.ts';
import { localDay, type Slots, slotsOf } from './slots.ts';
import type { Missing, MissingQuery, ReadoutProfile, Wanted } from './types.ts';

/** Meters in one statement. */
const CHUNK = 2000;

export function createMissing({
  db,
  registers,
}: {
  readonly db: Database;
  readonly registers: Registers;
}): MissingQuery {
  return {
    async missing(meters, wanted, timeZone) {
      const found = new Map<MeterId, Missing[]>();
      const slots = slotsOf(wanted.profile, timeZone, wanted.from, wanted.to);
      if (slots.times.length === 0) return found;
      const ids = [...new Set(await registers.ensure(wanted.registers))];
      for (let at = 0; at < meters.length; at += CHUNK) {
        const some = meters.slice(at, at + CHUNK);
        await db.read(async (client) => {
          const gone = await givenUp(client, some, wanted, timeZone);
          // A profile of which nothing is known yet lacks each row once.
          const width = Math.max(1, ids.length);
          await scanMeters(client, some, ids, slots, (meter, have) => {
            const ranges = rangesOf(slots, have, width, gone.get(meter), wanted.profile, wanted.to);
            if (ranges.length > 0) found.set(meter, ranges);
          });
        });
      }
      return found;
    },
  };
}

async function givenUp(
  client: Parameters<Parameters<Database['read']>[0]>[0],
  meters: readonly MeterId[],
  { profile, from, to }: Wanted,
  zone: string,
): Promise<Map<MeterId, Set<number>>> {
  const values = [meters, profile.name, dayText(localDay(zone, from)), dayText(localDay(zone, to - 1))];
  const { rows } = await client.query(missingSql.givenUp, values);
  const found = new Map<MeterId, Set<number>>();
  for (const { meter, day } of rows as { meter: MeterId; day: number }[])
    found.set(meter, (found.get(meter) ?? new Set()).add(day));
  return found;
}

/** Slots that lack, merged. A range ends where the next slot begins, or one period after its last. */
export function rangesOf(
  slots: Slots,
  have: Uint16Array,
  width: number,
  gone: ReadonlySet<number> | undefined,
  profile: Pick<ReadoutProfile, 'kind' | 'period'>,
  to: number,
): Missing[] {
  const out: Missing[] = [];
  const { times, days } = slots;
  let from = -1;
  let count = 0;
  for (let k = 0; k <= times.length; k++) {
    const lacks = k < times.length && !gone?.has(days[k] as number) ? width - Math.min(width, have[k] as number) : 0;
    if (lacks > 0) {
      if (from < 0) from = k;
      count += lacks;
      continue;
    }
    if (from < 0) continue;
    const end =
      profile.kind === 'profile'
        ? (times[k - 1] as number) + profile.period * 1000
        : (times[k] ?? Number.POSITIVE_INFINITY);
    out.push({ from: times[from] as number, to: Math.min(end, to), count });
    from = -1;
    count = 0;
  }
  return out;
}

/** Counting meters by local day: those that have the same profile, registers and zone go together. */
import type { Client } from '../pg/database.ts';
import type { Registers } from '../registers.ts';
import { type ExpectedMeter, profileOf, registersOf, widthOf } from './expected.ts';
import { scanMeters } from './scan.ts';
import type { Slots } from './slots.ts';
import type { ReadoutProfile, ReadoutSet } from './types.ts';

/** Counts of one meter and day. */
export interface DayCount {
  expected: number;
  missing: number;
  estimated: number;
}

/** Meters that are counted alike. */
export interface Alike {
  readonly profile: ReadoutProfile;
  readonly zone: string;
  readonly registers: readonly number[];
  readonly width: number;
  readonly meters: ExpectedMeter[];
}

export function alike(
  meters: readonly ExpectedMeter[],
  name: string,
  sets: ReadonlyMap<string, ReadoutSet>,
  registers: Registers,
): Alike[] {
  const groups = new Map<string, Alike>();
  for (const meter of meters) {
    const profile = profileOf(sets.get(meter.readout), name);
    if (!profile) continue;
    const ids = registersOf(registers, meter, profile);
    const width = widthOf(meter, profile);
    const key = `${meter.zone} ${meter.readout} ${width} ${ids.join()}`;
    let group = groups.get(key);
    if (!group) {
      group = { profile, zone: meter.zone, registers: ids, width, meters: [] };
      groups.set(key, group);
    }
    group.meters.push(meter);
  }
  return [...groups.values()];
}

/** Counts by local day of each meter; days on which nothing is expected are left out. */
export async function countDays(
  client: Client,
  group: Alike,
  slots: Slots,
  take: (meter: ExpectedMeter, day: number, count: DayCount, have: Uint16Array, first: number, last: number) => void,
): Promise<void> {
  const byId = new Map(group.meters.map((meter) => [meter.id, meter]));
  const { times, days } = slots;
  await scanMeters(client, [...byId.keys()], group.registers, slots, (id, have, estimated) => {
    const meter = byId.get(id) as ExpectedMeter;
    for (let first = 0; first < times.length; ) {
      const day = days[first] as number;
      const count = { expected: 0, missing: 0, estimated: 0 };
      let k = first;
      for (; k < times.length && days[k] === day; k++) {
        const time = times[k] as number;
        if (time < meter.since || time >= meter.until) continue;
        count.expected += group.width;
        count.missing += group.width - Math.min(group.width, have[k] as number);
        count.estimated += Math.min(group.width, estimated[k] as number);
      }
      if (count.expected > 0) take(meter, day, count, have, first, k);
      first = k;
    }
  });
}

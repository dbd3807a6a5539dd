/**
 * The meter's clock as a straight line over virtual time: it begins anew when it is set, and runs off by its drift between.
 *
 * Decides both ways of conversion, and what day, month and season of daylight saving a time belongs to. Leaves out the
 * rules of setting it (set-clock.ts) and what it sets off (schedule.ts).
 */
import { zoneOffset } from '@amiable/calendar';
import type { Core } from './core.ts';

/** The clock at virtual instant `at`, as it is set now. */
export function clockAt(core: Core, at: number): number {
  const { clockBase, clockAt: from } = core.s;
  const passed = at - from;
  const { drift } = core;
  return clockBase + passed + (drift === 0 ? 0 : Math.trunc((passed * drift) / 1e6));
}

/** What the clock shows now. Without mains it runs on its reserve and then stands still. */
export function clockNow(core: Core): number {
  const { s, config } = core;
  return clockAt(core, s.powered ? s.now : Math.min(s.now, s.downSince + config.clockReserve));
}

/** The first virtual instant at which the clock shows `clock` or later. */
export function instantOf(core: Core, clock: number): number {
  const { clockBase, clockAt: from } = core.s;
  const wanted = clock - clockBase;
  const { drift } = core;
  if (drift === 0) return from + wanted;
  let passed = Math.round(wanted / (1 + drift / 1e6));
  while (passed + Math.trunc((passed * drift) / 1e6) >= wanted) passed--;
  while (passed + Math.trunc((passed * drift) / 1e6) < wanted) passed++;
  return from + passed;
}

/** Whether daylight saving is on: the zone stands further east than its least offset of that year. */
export function isDst(zone: string, clock: number): boolean {
  const year = new Date(clock).getUTCFullYear();
  const winter = Math.min(zoneOffset(zone, Date.UTC(year, 0, 15)), zoneOffset(zone, Date.UTC(year, 6, 15)));
  return zoneOffset(zone, clock) > winter;
}

/** Local midnights, remembered: thousands of meters of one zone ask for those of the same days. */
import { add, startOf } from '@amiable/calendar';

/** Of one zone, by the time that was asked for. */
interface Midnights {
  readonly before: Map<number, number>;
  readonly after: Map<number, number>;
}

const ZONES = 100;
const TIMES = 20_000;
const known = new Map<string, Midnights>();

function midnightsOf(zone: string): Midnights {
  let found = known.get(zone);
  if (!found || found.before.size + found.after.size > TIMES) {
    if (known.size > ZONES) known.clear();
    found = { before: new Map(), after: new Map() };
    known.set(zone, found);
  }
  return found;
}

/** The last local midnight at `time` or before. */
export function midnightBefore(zone: string, time: number): number {
  const { before } = midnightsOf(zone);
  let found = before.get(time);
  if (found === undefined) {
    found = startOf('day', zone, time);
    before.set(time, found);
  }
  return found;
}

/** The first one after `time`. */
export function midnightAfter(zone: string, time: number): number {
  const { after } = midnightsOf(zone);
  let found = after.get(time);
  if (found === undefined) {
    found = add('day', zone, startOf('day', zone, time), 1);
    after.set(time, found);
  }
  return found;
}

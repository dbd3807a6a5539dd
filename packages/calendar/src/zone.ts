/**
 * Time zones for hot loops. Offsets come from the runtime's own zone data (Intl) once per quarter of an hour at most and
 * are then remembered as whole transitions, so that converting a million times costs arithmetic only.
 *
 * Local time is carried as "wall milliseconds": the epoch milliseconds that the wall clock would show if it were UTC.
 */

const HOUR = 3_600_000;
/** Offsets are learnt in spans of this length and refined by bisection inside one where they differ at its ends. */
const SPAN = 32 * 24 * HOUR;
const MAX_SPANS = 4096;

interface Zone {
  readonly format: Intl.DateTimeFormat;
  /** By span number: start instants (UTC) and offsets that hold from them on. */
  readonly spans: Map<number, readonly { readonly from: number; readonly offset: number }[]>;
  lastKey: number;
  last: readonly { readonly from: number; readonly offset: number }[];
}

const zones = new Map<string, Zone>();

function zoneOf(name: string): Zone {
  let zone = zones.get(name);
  if (!zone) {
    let format: Intl.DateTimeFormat;
    try {
      format = new Intl.DateTimeFormat('en-US', {
        timeZone: name,
        hourCycle: 'h23',
        era: 'short',
        year: 'numeric',
        month: '2-digit',
        day: '2-digit',
        hour: '2-digit',
        minute: '2-digit',
        second: '2-digit',
      });
    } catch {
      throw new RangeError(`unknown time zone ${JSON.stringify(name)}; give an IANA name such as Europe/Oslo`);
    }
    zone = { format, spans: new Map(), lastKey: Number.NaN, last: [] };
    zones.set(name, zone);
  }
  return zone;
}

/** Whether `name` is an IANA time zone that the runtime knows. */
export function isValidZone(name: string): boolean {
  try {
    zoneOf(name);
    return true;
  } catch {
    return false;
  }
}

function askOffset(zone: Zone, utc: number): number {
  const parts: Record<string, number> = {};
  let bc = false;
  for (const part of zone.format.formatToParts(utc)) {
    if (part.type === 'era') bc = part.value.startsWith('B');
    else parts[part.type] = Number(part.value);
  }
  const year = bc ? 1 - (parts.year ?? 1) : (parts.year ?? 1970);
  const wall = Date.UTC(2000, (parts.month ?? 1) - 1, parts.day, parts.hour, parts.minute, parts.second);
  const shifted = new Date(wall);
  shifted.setUTCFullYear(year, (parts.month ?? 1) - 1, parts.day);
  return shifted.getTime() - Math.floor(utc / 1000) * 1000;
}

function learn(zone: Zone, key: number): readonly { readonly from: number; readonly offset: number }[] {
  const known = zone.spans.get(key);
  if (known) return known;
  const found: { from: number; offset: number }[] = [];
  const start = key * SPAN;
  found.push({ from: start, offset: askOffset(zone, start) });
  // Zones change at most a few times in a span; halves of a day are fine enough to see each change apart.
  let at = start;
  let offset = (found[0] as { offset: number }).offset;
  while (at < start + SPAN) {
    const next = at + 12 * HOUR;
    const nextOffset = askOffset(zone, next);
    if (nextOffset !== offset) {
      let low = at;
      let high = next;
      while (high - low > 1000) {
        const middle = low + Math.floor((high - low) / 2000) * 1000;
        if (askOffset(zone, middle) === offset) low = middle;
        else high = middle;
      }
      found.push({ from: high, offset: nextOffset });
      offset = nextOffset;
    }
    at = next;
  }
  if (zone.spans.size >= MAX_SPANS) zone.spans.clear();
  zone.spans.set(key, found);
  return found;
}

/** What `zone`'s clocks add to UTC at the instant `utcMs`, milliseconds. @throws RangeError for an unknown zone */
export function zoneOffset(zone: string, utcMs: number): number {
  const z = zoneOf(zone);
  const key = Math.floor(utcMs / SPAN);
  if (key !== z.lastKey) {
    z.last = learn(z, key);
    z.lastKey = key;
  }
  const steps = z.last;
  for (let i = steps.length - 1; i > 0; i--) {
    const step = steps[i] as { from: number; offset: number };
    if (utcMs >= step.from) return step.offset;
  }
  return (steps[0] as { offset: number }).offset;
}

/** UTC to wall milliseconds. */
export function toLocal(zone: string, utcMs: number): number {
  return utcMs + zoneOffset(zone, utcMs);
}

export interface LocalHints {
  /** The clock's own summer-time mark, where it has one. */
  readonly dst?: boolean;
  /** An instant that the result should not precede if it can be helped: the time of the message before. */
  readonly after?: number;
}

/**
 * Wall milliseconds to UTC. In the hour that is repeated in autumn the summer-time mark decides; without one the first
 * candidate that is not before `after`, else the first. A time in spring's gap is taken as the clock running on
 * unchanged (02:30 becomes 03:30).
 */
export function localToUtc(zone: string, localMs: number, hints: LocalHints = {}): number {
  const early = zoneOffset(zone, localMs - 14 * HOUR);
  const late = zoneOffset(zone, localMs + 14 * HOUR);
  if (early === late) {
    const simple = localMs - early;
    if (zoneOffset(zone, simple) === early) return simple;
  }
  const first = localMs - Math.max(early, late);
  const second = localMs - Math.min(early, late);
  const firstFits = first + zoneOffset(zone, first) === localMs;
  const secondFits = second + zoneOffset(zone, second) === localMs;
  if (firstFits && secondFits && first !== second) {
    if (hints.dst !== undefined) return hints.dst ? first : second;
    return hints.after !== undefined && first < hints.after && second >= hints.after ? second : first;
  }
  if (firstFits) return first;
  if (secondFits) return second;
  return localMs - early;
}

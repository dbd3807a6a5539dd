/**
 * Interruptions of supply out of the events of meters, and the indices of reliability (IEEE 1366: SAIDI, SAIFI, CAIDI, MAIFI).
 *
 * Decides: a power-down begins an interruption, the next restoration ends it; a second power-down in between changes
 * nothing, a restoration without a power-down nothing either. An interruption counts once, in the period in which it begins; its
 * minutes count where they lie. Momentary or sustained is decided by its whole length, of one that lasts by its length so far.
 * What begins within announced work does not count before that work ends. Customers are metering points in service, by the
 * share of the period. Times are epoch ms, spans half open.
 */
const MINUTE = 60_000;

export interface SupplyEvent {
  readonly time: number;
  /** Word of the event catalogue. */
  readonly event: string;
  /** Of a failure told after it was over: how long it had lasted, ms. */
  readonly duration?: number;
}

/** All phases, or one of them. */
export type Interrupted = 'all' | 'l1' | 'l2' | 'l3';

export interface Outage {
  readonly phase: Interrupted;
  readonly from: number;
  /** Undefined while it lasts. */
  readonly to: number | undefined;
}

export interface Span {
  readonly from: number;
  readonly to: number;
}

/** What begins and what ends: by word, the phase and whether supply is on after it. */
const EDGES: ReadonlyMap<string, readonly [phase: Interrupted, on: boolean]> = new Map([
  ['power-down', ['all', false]],
  ['power-up', ['all', true]],
  ['power-up-short', ['all', true]],
  ['power-up-long', ['all', true]],
  ...(['l1', 'l2', 'l3'] as const).flatMap((phase): [string, readonly [Interrupted, boolean]][] => [
    [`phase-outage-${phase}`, [phase, false]],
    [`phase-restored-${phase}`, [phase, true]],
    [`voltage-normal-${phase}`, [phase, true]],
  ]),
]);

/** Interruptions of one meter. @param events in order of time */
export function outagesOf(events: readonly SupplyEvent[]): Outage[] {
  const out: Outage[] = [];
  const since = new Map<Interrupted, number>();
  for (const { time, event, duration } of events) {
    if (event === 'power-failure-long' && duration !== undefined && duration > 0) {
      out.push({ phase: 'all', from: time - duration, to: time });
      continue;
    }
    const edge = EDGES.get(event);
    if (!edge) continue;
    const [phase, on] = edge;
    const from = since.get(phase);
    if (!on && from === undefined) since.set(phase, time);
    else if (on && from !== undefined) {
      since.delete(phase);
      if (time > from) out.push({ phase, from, to: time });
    }
  }
  for (const [phase, from] of since) out.push({ phase, from, to: undefined });
  return out.sort((a, b) => a.from - b.from || (a.phase < b.phase ? -1 : a.phase > b.phase ? 1 : 0));
}

/** The part of an outage that counts: none of what begins within announced work, until that ends. */
export function unplanned(outage: Outage, planned: readonly Span[]): Outage | undefined {
  let { from } = outage;
  // Works may follow each other; each moves the beginning on, so each is met once at most.
  for (let moved = true; moved; ) {
    moved = false;
    for (const work of planned)
      if (from >= work.from && from < work.to) {
        from = work.to;
        moved = true;
      }
  }
  if (outage.to !== undefined && from >= outage.to) return undefined;
  return from === outage.from ? outage : { ...outage, from };
}

/** Sums of which indices are made; they add up over meters, and over periods of one length. */
export interface SupplySums {
  /** Meters times the share of the period in which they were in service. */
  customers: number;
  /** Sustained interruptions that began in the period, one for each meter. */
  sustained: number;
  momentary: number;
  /** Minutes of sustained interruptions that lie in the period, of all meters. */
  minutes: number;
}

export const noSums = (): SupplySums => ({ customers: 0, sustained: 0, momentary: 0, minutes: 0 });

export interface SumOptions {
  readonly period: Span;
  /** When the metering point was in service. */
  readonly service: Span;
  readonly planned?: readonly Span[];
  /** Interruptions up to this length are momentary, ms; three minutes. */
  readonly momentary?: number;
  /** Up to when the events are known: what has not ended lasts until then. */
  readonly until: number;
}

/** Adds one meter. Interruptions of single phases do not count. */
export function addMeter(sums: SupplySums, outages: readonly Outage[], options: SumOptions): void {
  const { period, service, planned = [], momentary = 3 * MINUTE, until } = options;
  const from = Math.max(period.from, service.from);
  const to = Math.min(period.to, service.to);
  if (to <= from) return;
  sums.customers += (to - from) / (period.to - period.from);
  for (const whole of outages) {
    if (whole.phase !== 'all') continue;
    const outage = unplanned(whole, planned);
    if (!outage) continue;
    const end = outage.to ?? until;
    if (end <= outage.from) continue;
    const isSustained = end - outage.from > momentary;
    if (outage.from >= from && outage.from < to) {
      if (isSustained) sums.sustained++;
      else sums.momentary++;
    }
    if (isSustained) sums.minutes += Math.max(0, Math.min(end, to) - Math.max(outage.from, from)) / MINUTE;
  }
}

export interface SupplyIndices {
  /** Minutes without supply per customer. */
  readonly saidi: number | null;
  /** Sustained interruptions per customer. */
  readonly saifi: number | null;
  /** Minutes per sustained interruption. */
  readonly caidi: number | null;
  /** Momentary interruptions per customer. */
  readonly maifi: number | null;
}

/** Null where there is nothing to divide by. */
export function indicesOf({ customers, sustained, momentary, minutes }: SupplySums): SupplyIndices {
  const per = (a: number, b: number): number | null => (b > 0 ? a / b : null);
  return {
    saidi: per(minutes, customers),
    saifi: per(sustained, customers),
    caidi: per(minutes, sustained),
    maifi: per(momentary, customers),
  };
}

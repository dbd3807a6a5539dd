/**
 * A tariff made ready for a billing period: which version holds when, how far back components look, and the rates of intervals.
 *
 * Decides: a version holds from its first local day until the next one begins; a day without a version is refused. Calendars are laid
 * over a grid of intervals once and used for every customer with the same tariff and period.
 */
import { MisuseError } from '@amiable/bytes';
import { isValidZone, localToUtc, toLocal } from '@amiable/calendar';
import { type Tariff, tariffFaults } from '@amiable/model';
import { civilDay, dayNumber, dayText, parseDay } from './days.ts';
import { type RateChanges, rateChanges, rateRuns, ratesOf } from './slots.ts';
import type { TariffVersion } from './types.ts';

const DAY = 86_400_000;
/** Ten years: what is longer is no billing period. */
const MOST_DAYS = 3660;
const LATEST = Date.UTC(2200, 0, 1);
/** Meters of one tariff may have intervals of several lengths and phases; the last grids are kept. */
const MOST_GRIDS = 64;

/** A part of the period with one version. */
export interface Span {
  readonly version: string;
  readonly tariff: Tariff;
  readonly from: number;
  readonly to: number;
  /** The same as days of the wall calendar. */
  readonly fromDay: number;
  readonly toDay: number;
  /** Wall day from which some component looks at intervals. */
  readonly historyDay: number;
  /** Place of each rate by its name. */
  readonly rates: ReadonlyMap<string, number>;
}

/** Intervals of a length over a span and what lies before it. */
export interface Grid {
  /** Start of interval 0. */
  readonly origin: number;
  readonly step: number;
  /** Up to the end of the period. */
  readonly count: number;
  /** Triples over all of it. */
  readonly runs: Int32Array;
  /** The same for the span alone. */
  readonly spanRuns: Int32Array;
  /** Rate of each interval. */
  readonly rates: Uint16Array;
}

export interface CompiledTariff {
  readonly zone: string;
  readonly currency: string;
  readonly from: number;
  readonly to: number;
  readonly spans: readonly Span[];
  /** Intervals are needed from here on. */
  readonly earliest: number;
  /** @throws MisuseError where intervals do not begin with the span, or a rate changes within one */
  grid(span: Span, start: number, step: number, what: string): Grid;
}

/** First instant of a day of the wall calendar. */
export const instantOf = (zone: string, day: number): number => localToUtc(zone, day * DAY);
/** Day of the wall calendar at an instant. */
export const wallDayOf = (zone: string, at: number): number => Math.floor(toLocal(zone, at) / DAY);
/** First day of the month that lies `n` months from that of a day. */
export function monthStart(day: number, n: number): number {
  const { year, month } = civilDay(day);
  const months = year * 12 + month - 1 + n;
  return dayNumber(Math.floor(months / 12), (months % 12) + 1, 1);
}

/**
 * @param from local midnight
 * @param to local midnight
 * @throws MisuseError where no version holds, versions disagree on zone or currency, a tariff has a fault, or the period is none
 */
export function compileTariff(versions: readonly TariffVersion[], from: number, to: number): CompiledTariff {
  const first = versions[0];
  if (!first) throw new MisuseError('there is no version of the tariff; nothing can be billed');
  const { zone, currency } = first.tariff;
  if (!isValidZone(zone)) throw new MisuseError(`there is no time zone ${JSON.stringify(zone)}`);
  for (const { version, tariff } of versions) {
    const [fault] = tariffFaults(tariff);
    if (fault)
      throw new MisuseError(`version ${version} of tariff ${tariff.name}: ${fault.path.join('.')}: ${fault.sentence}`);
    if (tariff.zone !== zone || tariff.currency !== currency)
      throw new MisuseError(
        `version ${version} of tariff ${tariff.name} is in ${tariff.zone} and ${tariff.currency}, version ${first.version} in ${zone} and ${currency}; ` +
          'a bill has one zone and one currency, so bill up to the change and from it on',
      );
  }
  if (!(Number.isSafeInteger(from) && Number.isSafeInteger(to) && from < to))
    throw new MisuseError('a billing period has a beginning before its end');
  if (from < 0 || to > LATEST) throw new MisuseError('a billing period lies between the years 1970 and 2200');
  const fromDay = wallDayOf(zone, from);
  const toDay = wallDayOf(zone, to);
  if (instantOf(zone, fromDay) !== from || instantOf(zone, toDay) !== to)
    throw new MisuseError(`a billing period begins and ends at midnight of ${zone}`);
  if (toDay - fromDay > MOST_DAYS) throw new MisuseError('a billing period is ten years at most');
  const spans = spansOf(versions, zone, from, to, fromDay, toDay);
  const grids = new Map<string, Grid>();
  const changes = new Map<string, RateChanges>();
  return {
    zone,
    currency,
    from,
    to,
    spans,
    earliest: spans.reduce((least, span) => Math.min(least, instantOf(zone, span.historyDay)), from),
    grid(span, start, step, what) {
      if (!(step >= 60_000 && step <= DAY))
        throw new MisuseError(`intervals of ${what} are between a minute and a day long`);
      if (mod(span.from - start, step) !== 0)
        throw new MisuseError(
          `the intervals of ${what} (${step / 60_000} minutes) do not begin at ${new Date(span.from).toISOString()}, where the period or a price version begins`,
        );
      const earliest = instantOf(zone, span.historyDay);
      const origin = earliest + mod(start - earliest, step);
      const key = `${span.from} ${origin} ${step}`;
      const known = grids.get(key);
      if (known) return known;
      if (grids.size >= MOST_GRIDS) {
        grids.clear();
        changes.clear();
      }
      let found = changes.get(`${span.from} ${origin}`);
      if (!found) {
        found = rateChanges(span.tariff, origin, to);
        changes.set(`${span.from} ${origin}`, found);
      }
      if ((to - origin) % step !== 0)
        throw new MisuseError(
          `the intervals of ${what} (${step / 60_000} minutes) do not end with the period at ${new Date(to).toISOString()}`,
        );
      const count = (to - origin) / step;
      const runs = rateRuns(found, origin, step, count, span.tariff);
      const grid: Grid = {
        origin,
        step,
        count,
        runs,
        spanRuns: cutRuns(runs, (span.from - origin) / step, Math.ceil((span.to - origin) / step)),
        rates: ratesOf(runs, count),
      };
      grids.set(key, grid);
      return grid;
    },
  };
}

const mod = (a: number, b: number): number => ((a % b) + b) % b;

function spansOf(
  versions: readonly TariffVersion[],
  zone: string,
  from: number,
  to: number,
  fromDay: number,
  toDay: number,
): Span[] {
  const sorted = versions.map((v) => ({ ...v, day: firstDayOf(v) })).sort((a, b) => a.day - b.day);
  for (const [i, v] of sorted.entries())
    if (i > 0 && sorted[i - 1]?.day === v.day)
      throw new MisuseError(
        `versions ${sorted[i - 1]?.version} and ${v.version} of the tariff both begin on ${v.from}; one must go`,
      );
  const firstDay = (sorted[0] as { day: number }).day;
  if (firstDay > fromDay)
    throw new MisuseError(
      `no price version holds from ${dayText(fromDay)} to ${dayText(Math.min(firstDay, toDay) - 1)}; the first one begins on ${dayText(firstDay)}`,
    );
  const spans: Span[] = [];
  for (const [i, { version, tariff, day }] of sorted.entries()) {
    const begin = Math.max(day, fromDay);
    const end = Math.min(sorted[i + 1]?.day ?? toDay, toDay);
    if (begin >= end) continue;
    spans.push({
      version,
      tariff,
      from: begin === fromDay ? from : instantOf(zone, begin),
      to: end === toDay ? to : instantOf(zone, end),
      fromDay: begin,
      toDay: end,
      historyDay: historyOf(tariff, begin, fromDay),
      rates: new Map(tariff.rates.map(({ name }, place) => [name, place])),
    });
  }
  return spans;
}

/** How far back the components of a version look. */
function historyOf(tariff: Tariff, day: number, periodDay: number): number {
  let least = day;
  for (const component of tariff.components) {
    if (component.kind === 'capacity') {
      const { within, months, ratchet } = component;
      least = Math.min(least, monthStart(day, -(within - 1 + months - 1 + (ratchet?.months ?? 0))));
    }
    if (component.kind === 'net') least = Math.min(least, settlementStart(component, day, periodDay));
  }
  return least;
}

/** First day of the settlement that a day belongs to. */
export function settlementStart(
  component: { readonly over: 'year' | 'month' | 'period'; readonly from: string },
  day: number,
  periodDay: number,
): number {
  if (component.over === 'period') return periodDay;
  if (component.over === 'month') return monthStart(day, 0);
  const { year } = civilDay(day);
  const [month, of] = component.from.split('-').map(Number) as [number, number];
  const begin = dayNumber(year, month, of);
  return begin <= day ? begin : dayNumber(year - 1, month, of);
}

/** The part of runs that lies in [from, to). */
export function cutRuns(runs: Int32Array, from: number, to: number): Int32Array {
  const out = new Int32Array(runs.length);
  let n = 0;
  for (let r = 0; r < runs.length; r += 3) {
    const a = Math.max(runs[r] as number, from);
    const b = Math.min(runs[r + 1] as number, to);
    if (a >= b) continue;
    out[n++] = a;
    out[n++] = b;
    out[n++] = runs[r + 2] as number;
  }
  return out.slice(0, n);
}

/** Intervals are needed from here on, to bill a period. */
export const earliest = (
  versions: readonly TariffVersion[],
  from: number,
  to: number,
  since = Number.NEGATIVE_INFINITY,
): number => Math.max(compileTariff(versions, from, to).earliest, Math.min(since, from));

/** @throws MisuseError where a version does not say a day */
export function firstDayOf({ version, from }: Pick<TariffVersion, 'version' | 'from'>): number {
  const day = /^\d{4}-\d\d-\d\d$/.test(from) ? parseDay(from) : Number.NaN;
  if (Number.isNaN(day) || dayText(day) !== from)
    throw new MisuseError(
      `version ${version} begins on ${JSON.stringify(from)}, which is no day; say it as 2026-01-01`,
    );
  return day;
}

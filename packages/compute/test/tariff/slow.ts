/**
 * Billing once more, slowly and by other means: every interval asks Intl for its local time and walks the calendar as text; numbers are
 * pairs of big integers. Shares no code with the kernels. What both say must be equal to the last digit.
 */
import type { CapacityComponent, EnergyComponent, NetComponent, Tariff } from '@amiable/model';
import type { RatingInput } from '../../src/index.ts';

type Q = readonly [bigint, bigint];
const q = (n: number | bigint, d: number | bigint = 1): Q => [BigInt(n), BigInt(d)];
const add = (a: Q, b: Q): Q => reduce([a[0] * b[1] + b[0] * a[1], a[1] * b[1]]);
const sub = (a: Q, b: Q): Q => add(a, [-b[0], b[1]]);
const mul = (a: Q, b: Q): Q => reduce([a[0] * b[0], a[1] * b[1]]);
const less = (a: Q, b: Q): boolean => a[0] * b[1] < b[0] * a[1];
const most = (a: Q, b: Q): Q => (less(a, b) ? b : a);
function reduce([n, d]: Q): Q {
  let a = n < 0n ? -n : n;
  let b = d;
  while (b) [a, b] = [b, a % b];
  return a > 1n ? [n / a, d / a] : [n, d];
}
/** Reads a decimal digit by digit. */
function dec(text: string): Q {
  let n = 0n;
  let d = 1n;
  let after = false;
  for (const c of text.replace('-', ''))
    if (c === '.') after = true;
    else {
      n = n * 10n + BigInt(c);
      if (after) d *= 10n;
    }
  return [text.startsWith('-') ? -n : n, d];
}
function pow10(e: number): Q {
  let n = 1n;
  for (let i = 0; i < Math.abs(e); i++) n *= 10n;
  return e < 0 ? [1n, n] : [n, 1n];
}
/** Rounds by looking at the two neighbours. */
export function roundSlow(x: Q, decimals: number, mode: string): Q {
  const unit = pow10(-decimals);
  const sign = x[0] < 0n ? -1n : 1n;
  const size: Q = [x[0] * sign, x[1]];
  const steps = (size[0] * unit[1]) / (size[1] * unit[0]);
  const low = mul([steps, 1n], unit);
  const high = add(low, unit);
  const below = sub(size, low);
  const above = sub(high, size);
  let out = low;
  if (below[0] !== 0n) {
    if (mode === 'up') out = high;
    else if (mode !== 'down') {
      if (less(above, below)) out = high;
      else if (!less(below, above)) out = mode === 'half-up' || steps % 2n === 1n ? high : low;
    }
  }
  return [out[0] * sign, out[1]];
}

interface Local {
  /** `2026-03-29` */
  readonly date: string;
  /** `02:15` */
  readonly clock: string;
  readonly offset: number;
}

const formats = new Map<string, Intl.DateTimeFormat>();
const locals = new Map<string, Local>();
export function localOf(zone: string, at: number): Local {
  const key = `${zone}${at}`;
  const known = locals.get(key);
  if (known) return known;
  let format = formats.get(zone);
  if (!format) {
    format = new Intl.DateTimeFormat('sv-SE', { timeZone: zone, dateStyle: 'short', timeStyle: 'short' });
    formats.set(zone, format);
  }
  const text = format.format(at);
  const date = text.slice(0, 10);
  const clock = text.slice(11, 16);
  const local = { date, clock, offset: Date.parse(`${date}T${clock}:00Z`) - at };
  if (locals.size > 200_000) locals.clear();
  locals.set(key, local);
  return local;
}

const dayMs = 86_400_000;
const asDate = (date: string): Date => new Date(`${date}T00:00:00Z`);
const shift = (date: string, days: number): string =>
  new Date(asDate(date).getTime() + days * dayMs).toISOString().slice(0, 10);
const weekday = (date: string): number => asDate(date).getUTCDay() || 7;
const monthLength = (date: string): number =>
  new Date(Date.UTC(Number(date.slice(0, 4)), Number(date.slice(5, 7)), 0)).getUTCDate();
const yearLength = (date: string): number =>
  (Date.UTC(Number(date.slice(0, 4)) + 1, 0) - Date.UTC(Number(date.slice(0, 4)), 0)) / dayMs;
const monthsBefore = (month: string, n: number): string => {
  const date = new Date(`${month}-15T00:00:00Z`);
  date.setUTCMonth(date.getUTCMonth() - n);
  return date.toISOString().slice(0, 7);
};

/** Meeus, Jones and Butcher, as printed in almanacs. */
function easter(year: number): string {
  const a = year % 19;
  const b = Math.floor(year / 100);
  const c = year % 100;
  const d = Math.floor(b / 4);
  const e = b % 4;
  const f = Math.floor((b + 8) / 25);
  const g = Math.floor((b - f + 1) / 3);
  const h = (19 * a + b - d - g + 15) % 30;
  const i = Math.floor(c / 4);
  const k = c % 4;
  const l = (32 + 2 * e + 2 * i - h - k) % 7;
  const m = Math.floor((a + 11 * h + 22 * l) / 451);
  const month = Math.floor((h + l - 7 * m + 114) / 31);
  const day = ((h + l - 7 * m + 114) % 31) + 1;
  return `${year}-${`${month}`.padStart(2, '0')}-${`${day}`.padStart(2, '0')}`;
}

function tableOf(tariff: Tariff, date: string): string {
  for (const special of tariff.calendar.specialDays) {
    const year = Number(date.slice(0, 4));
    if ('date' in special && (special.date === date || special.date === date.slice(5))) return special.day;
    if ('easter' in special && shift(easter(year), special.easter) === date) return special.day;
    if ('nth' in special && weekday(date) === special.weekday && Number(date.slice(5, 7)) === special.month) {
      const day = Number(date.slice(8));
      if (special.nth === -1 ? day + 7 > monthLength(date) : Math.ceil(day / 7) === special.nth) return special.day;
    }
    if ('onOrAfter' in special && weekday(date) === special.weekday)
      for (let back = 0; back < 7; back++) if (shift(date, -back).slice(5) === special.onOrAfter) return special.day;
  }
  const md = date.slice(5);
  const season = tariff.calendar.seasons.find(({ from, to }) =>
    from <= to ? from <= md && md <= to : md >= from || md <= to,
  );
  const week = tariff.calendar.weeks.find(({ name }) => name === season?.week);
  const days = [
    week?.monday,
    week?.tuesday,
    week?.wednesday,
    week?.thursday,
    week?.friday,
    week?.saturday,
    week?.sunday,
  ];
  return days[weekday(date) - 1] as string;
}

const tables = new WeakMap<Tariff, Map<string, string>>();
export function rateAt(tariff: Tariff, { date, clock }: Local): string {
  let of = tables.get(tariff);
  if (!of) {
    of = new Map();
    tables.set(tariff, of);
  }
  const table = of.get(date) ?? tableOf(tariff, date);
  of.set(date, table);
  let rate = '';
  for (const point of tariff.calendar.days.find(({ name }) => name === table)?.switches ?? [])
    if (point.at <= clock) rate = point.rate;
  return rate;
}

export interface SlowLine {
  readonly component: string;
  readonly version: string;
  readonly amount: Q;
}

/** One interval of one metering. */
interface Value {
  readonly at: number;
  readonly local: Local;
  readonly energy: Q | undefined;
}

const units: Record<string, number> = { Wh: 0, kWh: 3, MWh: 6, kW: 3, W: 0 };

export function slowRate(input: RatingInput): { lines: SlowLine[]; total: Q; energy: Map<string, Q> } {
  const zone = input.versions[0]?.tariff.zone as string;
  const sorted = [...input.versions].sort((a, b) => (a.from < b.from ? -1 : 1));
  const versionOf = (date: string): (typeof sorted)[number] =>
    sorted.findLast(({ from }) => from <= date) as (typeof sorted)[number];
  /** Local dates of the period in order, by a walk in quarters. */
  const dates: string[] = [];
  for (let at = input.from; at < input.to; at += 900_000) {
    const { date } = localOf(zone, at);
    if (dates.at(-1) !== date) dates.push(date);
  }
  const valuesOf = (name: string): Value[] => {
    const series = input.series[name] as (typeof input.series)[string];
    return Array.from(series.values, (value, i) => ({
      at: series.start + i * series.step,
      local: localOf(zone, series.start + i * series.step),
      energy:
        Number.isNaN(value) || (series.quality[i] as number) > 3 ? undefined : mul(q(value), pow10(series.scaler)),
    })).filter(({ at }) => at < input.to && at >= (input.since ?? Number.NEGATIVE_INFINITY));
  };
  const cache = new Map<string, Value[]>();
  const values = (name: string): Value[] => {
    const found = cache.get(name) ?? valuesOf(name);
    cache.set(name, found);
    return found;
  };
  const lines: SlowLine[] = [];
  const energy = new Map<string, Q>();
  let total = q(0);
  for (const { version, tariff } of sorted) {
    const mine = dates.filter((date) => versionOf(date).version === version);
    if (mine.length === 0) continue;
    const own = new Set(mine);
    const inSpan = (v: Value): boolean => v.at >= input.from && own.has(v.local.date);
    const sums = new Map<string, Q>();
    const decimals = tariff.rounding.decimals ?? { JPY: 0, KWD: 3 }[tariff.currency] ?? 2;
    const put = (component: Tariff['components'][number], exact: Q): void => {
      const signed: Q = component.credit ? [-exact[0], exact[1]] : exact;
      const amount = tariff.rounding.of === 'lines' ? roundSlow(signed, decimals, tariff.rounding.mode) : signed;
      lines.push({ component: component.name, version, amount });
      sums.set(component.name, add(sums.get(component.name) ?? q(0), amount));
      total = add(total, amount);
    };
    const unitOf = (unit: string, value: Q): Q => mul(value, pow10(-(units[unit] as number)));
    /** Days of the version by calendar month or year, in order. */
    const groups = (per: string): string[][] => {
      const found = new Map<string, string[]>();
      for (const date of mine) {
        const key = per === 'day' || per === 'period' ? '' : per === 'year' ? date.slice(0, 4) : date.slice(0, 7);
        found.set(key, [...(found.get(key) ?? []), date]);
      }
      return [...found.values()];
    };
    const shareOf = (per: string, days: string[]): Q => {
      let share = q(0);
      for (const date of days)
        share = add(
          share,
          per === 'day'
            ? q(1)
            : per === 'year'
              ? q(1, yearLength(date))
              : q(1, monthLength(date) * (per === 'year/12' ? 12 : 1)),
        );
      return share;
    };
    const energyLines = (component: EnergyComponent): void => {
      const counted = values(component.of).filter(
        (v) => inSpan(v) && (!component.only || component.only.includes(rateAt(tariff, v.local))),
      );
      const sumOf = (list: Value[]): Q => {
        let sum = q(0);
        for (const { energy: e } of list) if (e) sum = add(sum, e);
        const amount = unitOf(component.unit, sum);
        return component.round ? roundSlow(amount, component.round.decimals, component.round.mode) : amount;
      };
      if (component.price) put(component, mul(sumOf(counted), dec(component.price)));
      if (component.prices)
        for (const [rate, price] of Object.entries(component.prices)) {
          const part = counted.filter((v) => rateAt(tariff, v.local) === rate);
          if (part.length) put(component, mul(sumOf(part), dec(price)));
        }
      if (component.spot) {
        const prices = input.prices?.[component.spot.prices] as NonNullable<typeof input.prices>[string];
        const { spot } = component;
        const step = (input.series[component.of] as { step: number }).step;
        let cost = q(0);
        for (const { at, energy: e } of counted) {
          let sum: Q | undefined = q(0);
          let n = 0;
          // Each quarter asks for its price; the interval has the mean.
          for (let part = at; part < at + step; part += Math.min(step, prices.step), n++) {
            const value = prices.values[Math.floor((part - prices.start) / prices.step)];
            sum =
              sum && value !== undefined && !Number.isNaN(value)
                ? add(sum, mul(q(value), pow10(prices.scaler)))
                : undefined;
          }
          let price: Q | undefined;
          if (sum) {
            const mean = mul(
              mul(sum, q(1, n)),
              mul(pow10(-(units[prices.unit] as number)), pow10(units[component.unit] as number)),
            );
            price = add(mul(mean, dec(spot.factor)), dec(spot.markup));
            if (spot.floor !== undefined) price = most(price, dec(spot.floor));
            if (spot.cap !== undefined && less(dec(spot.cap), price)) price = dec(spot.cap);
          } else if (spot.missing === 'substitute') price = dec(spot.substitute as string);
          if (price && e) cost = add(cost, mul(unitOf(component.unit, e), price));
        }
        put(component, cost);
      }
      if (component.steps) {
        const { steps } = component;
        for (const days of groups(steps.per)) {
          const share =
            !steps.prorate || steps.per === 'day'
              ? q(1)
              : steps.per === 'period'
                ? q(days.length, dates.length)
                : shareOf(steps.per, days);
          const used = steps.steps.map(() => q(0));
          for (const date of steps.per === 'day' ? days : [''])
            spreadSlow(
              sumOf(counted.filter((v) => (date === '' ? days.includes(v.local.date) : v.local.date === date))),
              steps,
              share,
              used,
            );
          const some = used.some(([n]) => n !== 0n);
          for (const [i, step] of steps.steps.entries())
            if ((used[i] as Q)[0] !== 0n || (!some && i === 0)) put(component, mul(used[i] as Q, dec(step.price)));
        }
      }
    };
    const capacityLines = (component: CapacityComponent): void => {
      const peaks = windowsSlow(
        tariff,
        component,
        values(component.of),
        (input.series[component.of] as { step: number }).step,
      );
      for (const days of groups('month')) {
        const month = (days[0] as string).slice(0, 7);
        const demand = demandSlow(component, peaks, month);
        if (!demand) continue;
        const share = shareOf(component.per, days);
        if (component.price) put(component, mul(mul(demand, dec(component.price)), share));
        else {
          const step = component.steps?.find(({ below }) => below === undefined || less(demand, dec(below)));
          put(component, mul(dec(step?.price as string), share));
        }
      }
    };
    const netLines = (component: NetComponent): void => {
      const beginOf = (date: string): string => {
        if (component.over === 'period') return dates[0] as string;
        if (component.over === 'month') return `${date.slice(0, 7)}-01`;
        const begun = `${date.slice(0, 4)}-${component.from}`;
        return begun <= date ? begun : `${Number(date.slice(0, 4)) - 1}-${component.from}`;
      };
      const settlements = new Map<string, string[]>();
      for (const date of mine) settlements.set(beginOf(date), [...(settlements.get(beginOf(date)) ?? []), date]);
      for (const [begin, days] of settlements) {
        const last = days.at(-1) as string;
        const ends = beginOf(shift(last, 1)) !== begin || (component.over === 'period' && last === dates.at(-1));
        for (const rate of component.prices ? Object.keys(component.prices) : [undefined]) {
          let some = false;
          const balance = (test: (v: Value) => boolean): Q => {
            let sum = q(0);
            for (const [name, sign] of [[component.import, 1] as const, [component.export, -1] as const])
              for (const v of values(name)) {
                if (v.local.date < begin || !test(v) || (rate !== undefined && rateAt(tariff, v.local) !== rate))
                  continue;
                some = true;
                if (v.energy) sum = add(sum, mul(v.energy, q(sign)));
              }
            return unitOf(component.unit, sum);
          };
          const now = balance((v) => v.local.date <= last);
          if (!some) continue;
          const before = component.settle === 'end' ? q(0) : balance((v) => v.local.date < (days[0] as string));
          if (component.settle === 'end' && !ends) continue;
          put(
            component,
            mul(
              sub(most(now, q(0)), most(before, q(0))),
              dec((rate === undefined ? component.price : component.prices?.[rate]) as string),
            ),
          );
          const left = sub(most(mul(now, q(-1)), q(0)), most(mul(before, q(-1)), q(0)));
          if (component.surplus !== undefined && left[0] !== 0n)
            put(component, mul(mul(left, dec(component.surplus)), q(-1)));
        }
      }
    };
    for (const component of tariff.components) {
      if (component.kind === 'energy') energyLines(component);
      if (component.kind === 'capacity') capacityLines(component);
      if (component.kind === 'net') netLines(component);
      if (component.kind === 'fixed')
        for (const days of groups(component.per))
          put(
            component,
            mul(
              mul(shareOf(component.per, days), dec(component.price)),
              component.times ? dec(input.parameters?.[component.times] as string) : q(1),
            ),
          );
    }
    // Taxes and minimums as often as it takes until each has all that it stands on.
    const waiting = tariff.components.filter((c) => c.kind === 'tax' || c.kind === 'minimum');
    const done = new Set(
      tariff.components.filter(({ kind }) => kind !== 'tax' && kind !== 'minimum').map(({ name }) => name),
    );
    while (waiting.length) {
      const at = waiting.findIndex((c) => basesOf(tariff, c).every((name) => done.has(name)));
      const [component] = waiting.splice(at, 1);
      if (component?.kind !== 'tax' && component?.kind !== 'minimum') throw new Error('a circle');
      let base = q(0);
      for (const name of basesOf(tariff, component)) base = add(base, sums.get(name) ?? q(0));
      if (component.kind === 'tax') put(component, mul(base, mul(dec(component.percent), q(1, 100))));
      else {
        let share = q(mine.length, dates.length);
        if (component.per !== 'period') {
          share = q(0);
          for (const days of groups(component.per)) share = add(share, shareOf(component.per, days));
        }
        const lacking = sub(mul(dec(component.amount), share), base);
        if (lacking[0] > 0n) put(component, lacking);
      }
      done.add(component.name);
    }
    for (const name of new Set(
      tariff.components.flatMap((c) => (c.kind === 'energy' ? [c.of] : c.kind === 'net' ? [c.import, c.export] : [])),
    ))
      for (const v of values(name))
        if (inSpan(v) && v.energy) {
          const key = `${version} ${name} ${rateAt(tariff, v.local)}`;
          energy.set(key, add(energy.get(key) ?? q(0), v.energy));
        }
  }
  return { lines, total, energy };
}

function basesOf(
  tariff: Tariff,
  component: Extract<Tariff['components'][number], { kind: 'tax' | 'minimum' }>,
): string[] {
  return tariff.components
    .filter((other) => {
      if (other === component) return false;
      const named =
        component.on.includes(other.name) || (other.group !== undefined && component.on.includes(other.group));
      const starred =
        component.on.includes('*') &&
        other.kind !== 'tax' &&
        !(component.kind === 'minimum' && other.kind === 'minimum');
      return named || starred;
    })
    .map(({ name }) => name);
}

function spreadSlow(quantity: Q, { count, steps }: NonNullable<EnergyComponent['steps']>, share: Q, used: Q[]): void {
  let left = quantity;
  let begin = q(0);
  for (const [i, step] of steps.entries()) {
    const limit = step.upTo === undefined ? undefined : mul(dec(step.upTo), share);
    const fits = limit === undefined || !less(limit, quantity);
    if (count === 'whole') {
      if (fits) {
        used[i] = add(used[i] as Q, quantity);
        return;
      }
      continue;
    }
    const room = limit && sub(limit, begin);
    const part = room && less(room, left) ? room : left;
    used[i] = add(used[i] as Q, part);
    left = sub(left, part);
    if (fits) return;
    begin = limit as Q;
  }
}

interface Window {
  readonly date: string;
  readonly at: number;
  readonly power: Q;
}

/** Whole windows with all their intervals, with weights. */
function windowsSlow(tariff: Tariff, component: CapacityComponent, values: Value[], step: number): Window[] {
  const size = (component.interval * 60_000) / step;
  const found = new Map<string, Value[]>();
  for (const v of values) {
    const minute = Number(v.local.clock.slice(0, 2)) * 60 + Number(v.local.clock.slice(3));
    const key = `${v.local.date} ${Math.floor(minute / component.interval)} ${v.local.offset}`;
    found.set(key, [...(found.get(key) ?? []), v]);
  }
  const out: Window[] = [];
  for (const list of found.values()) {
    const [first] = list as [Value];
    const rate = rateAt(tariff, first.local);
    if (component.only && !component.only.includes(rate)) continue;
    const weight = dec(component.weights?.[rate] ?? '1');
    if (weight[0] === 0n || list.length !== size || list.some(({ energy }) => !energy)) continue;
    let sum = q(0);
    for (const { energy } of list) sum = add(sum, energy as Q);
    const power = mul(mul(sum, pow10(-(units[component.unit] as number))), q(60, component.interval));
    out.push({ date: first.local.date, at: first.at, power: mul(power, weight) });
  }
  return out;
}

function demandSlow(component: CapacityComponent, windows: Window[], month: string): Q | undefined {
  const meanOf = (list: Q[]): Q => {
    let sum = q(0);
    for (const x of list) sum = add(sum, x);
    return mul(sum, q(1, list.length));
  };
  const monthValue = (of: string): Q | undefined => {
    // No pool before the first month that there is.
    if (!windows.some(({ date }) => date.slice(0, 7) <= of)) return undefined;
    const first = monthsBefore(of, component.within - 1);
    const pool = windows
      .filter(({ date }) => date.slice(0, 7) >= first && date.slice(0, 7) <= of)
      .sort((a, b) => (less(b.power, a.power) ? -1 : less(a.power, b.power) ? 1 : a.at - b.at));
    const taken: Q[] = [];
    const days = new Set<string>();
    for (const { date, power } of pool) {
      if (taken.length === component.highest || (component.differentDays && days.has(date))) continue;
      days.add(date);
      taken.push(power);
    }
    if (taken.length === 0) return undefined;
    return component.least === undefined ? meanOf(taken) : most(meanOf(taken), dec(component.least));
  };
  const smooth = (of: string): Q | undefined => {
    const list: Q[] = [];
    for (let n = 0; n < component.months; n++) {
      const value = monthValue(monthsBefore(of, n));
      if (value) list.push(value);
    }
    return list.length ? meanOf(list) : undefined;
  };
  let value = smooth(month);
  for (let n = 1; n <= (component.ratchet?.months ?? 0); n++) {
    const before = smooth(monthsBefore(month, n));
    if (before) value = most(value ?? q(0), mul(before, dec(component.ratchet?.share as string)));
  }
  return value && component.round ? roundSlow(value, component.round.decimals, component.round.mode) : value;
}

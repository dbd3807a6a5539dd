/**
 * Whose values they are and what they measure: meters by number, by metering point and time; quantities by name or OBIS code. What cannot be
 * is told by the line where it first stands.
 */
import { quantityOf as cosemQuantity } from '@amiable/cosem';
import { intervalRegister, QUANTITIES, type Quantity, type Scope } from '@amiable/model';
import type { MeterId, RegisterKey, Store } from '@amiable/store';
import type { Collected, Faults } from './collect.ts';
import type { ImportOptions } from './shapes.ts';

const DAY = 86_400_000;
const LIST = 1000;

/** Values of one register of one meter. */
export interface Placed {
  readonly meter: MeterId;
  readonly name: string;
  /** ms; 0: showings. */
  readonly period: number;
  readonly register: RegisterKey;
  /** Indices into `of`. */
  readonly from: number;
  readonly to: number;
  readonly of: Collected;
}

type Source = Pick<Store, 'registry' | 'billing'>;

const whole = (code: string): string => (/^\d+-\d+:/.test(code) ? code : `1-0:${code}`);

/** What is counted, for showings: the cumulative register of a quantity. */
function registerOf(what: string, unit: string | undefined, profile: number): RegisterKey | string {
  const named = QUANTITIES.find((one) => one.name === what);
  const obis = named ? whole((named.registers[0] as string).replace(/^(\d+):/, '$1-0:')) : whole(what);
  if (!/^\d{1,3}-\d{1,3}:\d{1,3}\.\d{1,3}\.\d{1,3}(\*\d{1,3})?$/.test(obis))
    return `${JSON.stringify(what.slice(0, 60))} is neither a quantity nor an OBIS code; there are ${QUANTITIES.map((one) => one.name).join(', ')}`;
  const known = cosemQuantity(obis);
  if (unit !== undefined && known.unit !== undefined && known.unit !== unit)
    return `${obis} is counted in ${known.unit}, not in ${unit}`;
  const its = known.unit ?? (unit as RegisterKey['unit']);
  return {
    obis,
    name: known.name,
    ...(its === undefined ? {} : { unit: its }),
    ...(profile === 0 ? {} : { period: profile }),
  };
}

function meteringOf(what: string, unit: string | undefined, period: number): RegisterKey | string {
  const found: Quantity | undefined = QUANTITIES.find(
    (one) => one.name === what || one.obis === whole(what) || one.intervals.includes(what),
  );
  if (!found && QUANTITIES.some((one) => one.registers.some((code) => code === what || whole(code) === what)))
    return `${what} is a register that counts up: its values are showings (period 0), no intervals; intervals are named by their quantity, such as energyImport`;
  if (!found)
    return `${JSON.stringify(what.slice(0, 60))} is no quantity of intervals; there are ${QUANTITIES.map((one) => one.name).join(', ')}`;
  if (unit !== undefined && unit !== found.unit) return `${found.name} is counted in ${found.unit}, not in ${unit}`;
  const seconds = period / 1000;
  if (!Number.isInteger(seconds) || seconds < 60 || 3600 % seconds !== 0)
    return `intervals of ${seconds} s are not kept; whole parts of an hour from a minute on are`;
  return intervalRegister(found, seconds);
}

export async function place(
  store: Source,
  series: readonly Collected[],
  options: ImportOptions,
  scope: Scope,
  now: number,
  faults: Faults,
): Promise<Placed[]> {
  const numbers = new Map<string, MeterId>();
  for (const [by, attribute] of [
    ['serial', 'serial'],
    ['utilitySerial', 'utilitySerial'],
    ['id', 'id'],
  ] as const) {
    const wanted = [
      ...new Set(
        series.filter((one) => one.by === by && (by !== 'id' || /^\d{1,18}$/.test(one.meter))).map((one) => one.meter),
      ),
    ];
    for (let i = 0; i < wanted.length; i += LIST) {
      const value = wanted.slice(i, i + LIST);
      const ids = await store.registry.select({ where: [{ attribute, is: 'in', value }] }, scope, { limit: LIST });
      for (const entry of await store.registry.entries(ids)) {
        const own = entry[attribute];
        if (own !== null) numbers.set(`${by} ${own}`, entry.id);
      }
    }
  }
  const out: Placed[] = [];
  const at = (one: Collected, i = 0) => ({ line: one.lines[i] as number, column: one.columns[i] as number });
  for (const one of series) {
    if (one.times.length === 0) continue;
    const what = one.what ?? options.quantity;
    if (what === undefined) {
      faults.add({ ...at(one), message: 'nothing says what was measured; name the quantity, such as energyImport' });
      continue;
    }
    const register =
      one.period > 0 ? meteringOf(what, one.unit, one.period) : registerOf(what, one.unit, options.profile);
    if (typeof register === 'string') {
      faults.add({ ...at(one), message: register });
      continue;
    }
    let bad = false;
    for (let i = 0; i < one.times.length; i++) {
      const time = one.times[i] as number;
      if (time + one.period > now + DAY) {
        faults.add({ ...at(one, i), message: 'the value lies in the future' });
        bad = true;
      } else if (one.period > 0 && time % one.period !== 0) {
        faults.add({ ...at(one, i), message: `the interval does not begin on a whole ${one.period / 60_000} minutes` });
        bad = true;
      }
    }
    if (bad) continue;
    const common = { name: register.name, period: one.period, register, of: one };
    if (one.by !== 'point') {
      const meter = numbers.get(`${one.by} ${one.meter}`);
      if (meter === undefined)
        faults.add({ ...at(one), message: `there is no meter ${JSON.stringify(one.meter.slice(0, 100))}` });
      else out.push({ ...common, meter, from: 0, to: one.times.length });
      continue;
    }
    const node = await store.registry.nodeByCode('metering-point', one.meter, scope);
    if (!node) {
      faults.add({ ...at(one), message: `there is no metering point ${JSON.stringify(one.meter.slice(0, 100))}` });
      continue;
    }
    // Who stood there then.
    const first = one.times[0] as number;
    const parts =
      (await store.billing.parts([node.id], first, (one.times.at(-1) as number) + Math.max(one.period, 1))).get(
        node.id,
      ) ?? [];
    let i = 0;
    while (i < one.times.length) {
      const time = one.times[i] as number;
      const part = parts.find((p) => p.from <= time && time < p.to);
      if (!part) {
        faults.add({ ...at(one, i), message: `no meter stood at metering point ${one.meter} at that time` });
        break;
      }
      let end = i + 1;
      while (end < one.times.length && (one.times[end] as number) < part.to) end++;
      out.push({ ...common, meter: part.meter, from: i, to: end });
      i = end;
    }
  }
  return out;
}

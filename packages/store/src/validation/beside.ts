/**
 * What stands beside the values that are validated: use of the same days last year, registers of rates, marks of profile rows.
 *
 * Decides: last year's days come of header sums of the metering (UTC days; a day that lacks more than half says nothing); rates are read
 * of the coarsest profile that has them, for one comparison a day says all; marks are those of the profile of the source. What no meter
 * has is not asked for: registers of the catalogue tell. Leaves out: what marks mean (features/validation).
 */
import { toLocal } from '@amiable/calendar';
import { type Quantity, quantityOf } from '@amiable/model';
import { copyOut } from '../pg/copy.ts';
import type { Client } from '../pg/database.ts';
import type { Register, Registers } from '../registers.ts';
import { validationSql } from '../sql/validation.ts';
import { type PlanParts, readHeaders } from './plan.ts';
import { type ByRegister, type Filling, fillingOf, put, readInto, seriesOf, within } from './reading.ts';
import type { Headers } from './sources.ts';
import type { Beside, BesideQuery, ValidationTask } from './types.ts';

const DAY = 86_400_000;
const dayOf = (time: number): number => Math.floor(time / DAY);
/** Rates of a total: 1.8.1 to 1.8.63. */
const RATE = /^(\d+\.8)\.([1-9]|[1-5]\d|6[0-3])$/;
const MARKS = { obis: '0-0:96.10.1', name: 'profileFlags' } as const;

export async function readBeside(
  { db, registers }: PlanParts,
  tasks: readonly ValidationTask[],
  query: BesideQuery,
): Promise<readonly Beside[]> {
  const [years, sent] = await db.read(async (client) => [
    await readLastYear(client, tasks, query),
    await readSent(client, registers, tasks, query),
  ]);
  return tasks.map((_, i): Beside => {
    const lastYear = years[i];
    return { ...(lastYear ? { lastYear } : {}), ...sent[i] };
  });
}

interface Year {
  /** UTC days a year ago. */
  readonly from: number;
  readonly to: number;
  /** ms between then and now. */
  readonly shift: number;
}

/** From the same date of the year before to this one: 365 or 366 days, ms. */
function yearBefore(wall: number): number {
  const date = new Date(wall);
  return wall - date.setUTCFullYear(date.getUTCFullYear() - 1);
}

interface Day {
  readonly day: number;
  readonly sum: number;
  readonly count: number;
  readonly step: number;
  readonly scaler: number;
}

async function readLastYear(
  client: Client,
  tasks: readonly ValidationTask[],
  query: BesideQuery,
): Promise<(Beside['lastYear'] | undefined)[]> {
  const years = tasks.map((task): Year | undefined => {
    const back = query.lastYearOf(task);
    if (back === undefined) return undefined;
    const shift = yearBefore(toLocal(task.zone, task.from));
    return { from: dayOf(task.from - shift) - back, to: dayOf(task.to - 1 - shift), shift };
  });
  const asked = tasks.filter((_, i) => years[i]);
  if (asked.length === 0) return [];
  const first = years.reduce((n, year) => Math.min(n, year?.from ?? n), Number.POSITIVE_INFINITY);
  const last = years.reduce((n, year) => Math.max(n, year?.to ?? n), Number.NEGATIVE_INFINITY);
  const found: ByRegister<Day[]> = new Map();
  const ids = (of: (task: ValidationTask) => string | number) => [...new Set(asked.map(of))];
  const text = validationSql.copyDaily(
    ids((t) => t.meter) as string[],
    ids((t) => t.register) as number[],
    first,
    last,
  );
  await copyOut(client, text, (row) => {
    const own = within<Day[]>(found, String(row.long()), row.int(), () => []);
    own.push({ day: row.date(), sum: row.long(), count: row.int(), step: row.int(), scaler: row.short() });
  });
  return tasks.map((task, i) => {
    const year = years[i];
    const days = year && found.get(task.meter)?.get(task.register);
    return days && lastYearOf(days, year);
  });
}

function lastYearOf(days: readonly Day[], { from, to, shift }: Year): NonNullable<Beside['lastYear']> {
  const scaler = days.reduce((least, day) => Math.min(least, day.scaler), 0);
  const daily = new Float64Array(Math.max(0, to - from + 1)).fill(Number.NaN);
  for (const { day, sum, count, step, scaler: own } of days) {
    const whole = DAY / step;
    if (day < from || day > to || !(step > 0) || count < whole / 2) continue;
    daily[day - from] = ((sum * whole) / count) * 10 ** (own - scaler);
  }
  return { first: from * DAY + shift, daily, scaler, shift };
}

/** Registers of rates by the code that they share with their total (`1.8`). */
function ratesIn(registers: Registers): Map<string, Register[]> {
  const found = new Map<string, Register[]>();
  for (const register of registers.all()) {
    const { obis, short, stat, address, storage, tariff, subunit } = register;
    const code = obis?.startsWith('1-') && short !== undefined ? RATE.exec(short)?.[1] : undefined;
    if (code === undefined || stat !== 'value' || address !== undefined) continue;
    if ((storage ?? 0) !== 0 || (tariff ?? 0) !== 0 || (subunit ?? 0) !== 0) continue;
    const own = found.get(code);
    if (own) own.push(register);
    else found.set(code, [register]);
  }
  return found;
}

const totalOf = (quantity: Quantity | undefined): string | undefined =>
  quantity?.medium === 'electricity' ? quantity.registers[0]?.slice(0, -2) : undefined;

async function readSent(
  client: Client,
  registers: Registers,
  tasks: readonly ValidationTask[],
  query: BesideQuery,
): Promise<Omit<Beside, 'lastYear'>[]> {
  const rates = ratesIn(registers);
  const marks = new Map<number, number>();
  for (const { id, obis, name, period } of registers.all())
    if (obis === MARKS.obis && name === MARKS.name) marks.set(period, id);
  const wanted = tasks.map((task) => {
    const code = query.ratesOf(task) ? totalOf(quantityOf(task.quantity)) : undefined;
    const mark = marks.get(registers.byId(task.source)?.period ?? -1);
    return { rates: (code !== undefined && rates.get(code)) || [], mark };
  });
  const all = new Set(
    wanted.flatMap((w) => [...w.rates.map(({ id }) => id), ...(w.mark === undefined ? [] : [w.mark])]),
  );
  if (all.size === 0) return [];
  const from = tasks.reduce((n, task) => Math.min(n, dayOf(task.context)), Number.POSITIVE_INFINITY);
  const to = tasks.reduce((n, task) => Math.max(n, dayOf(task.end) + 1), 0);
  const meters = [...new Set(tasks.map((task) => task.meter))];
  const headers = await readHeaders(client, meters, [...all], from, to);
  const filling: ByRegister<Filling[]> = new Map();
  const fill = (task: ValidationTask, register: number): Filling | undefined => {
    const there = headers.get(task.meter)?.get(register);
    if (!there) return undefined;
    const one = fillingOf(there, dayOf(task.context), dayOf(task.end) + 1);
    within<Filling[]>(filling, task.meter, register, () => []).push(one);
    return one;
  };
  const filled = tasks.map((task, i) => {
    const { rates: own, mark } = wanted[i] as (typeof wanted)[number];
    return {
      rates: coarsest(own, headers.get(task.meter)).flatMap((register) => {
        const one = fill(task, register.id);
        return one ? [{ name: register.short as string, one }] : [];
      }),
      marks: mark === undefined ? undefined : fill(task, mark),
    };
  });
  await readInto(client, filling, (list, row) => {
    for (const one of list) if (row.day >= one.first && row.day <= one.last) put(one, row);
  });
  return filled.map(({ rates: own, marks: marked }) => ({
    ...(own.length > 0 ? { rates: own.map(({ name, one }) => ({ name, showings: seriesOf(one) })) } : {}),
    ...(marked && marked.n > 0 ? { marks: seriesOf(marked) } : {}),
  }));
}

/** Of several profiles that hold rates the coarsest up to days; one register of each code. */
function coarsest(rates: readonly Register[], headers: ReadonlyMap<number, Headers> | undefined): Register[] {
  const there = headers ? rates.filter(({ id, period }) => period <= 86_400 && headers.has(id)) : [];
  const period = there.reduce((most, register) => Math.max(most, register.period), -1);
  const byCode = new Map<string, Register>();
  for (const register of there) if (register.period === period) byCode.set(register.short as string, register);
  return [...byCode.values()];
}

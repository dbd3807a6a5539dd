/**
 * The catalogue of registers in memory: what can be measured, by the number that blocks and messages carry. Rows are only
 * ever added, so what was read once stays right; a number that is not known yet is looked up.
 *
 * A register says what, not of which device: the gas meter behind one electricity meter and the one behind another share
 * a register. Which device stands behind a channel is a text reading of its own, kept on change.
 */
import { createHash } from 'node:crypto';
import type { Item, Unit } from '@amiable/model';
import type { Client, Database } from './pg/database.ts';
import { catalogueSql, insertRegisters } from './sql/catalogue.ts';
import { runRows } from './sql/values.ts';
import type { RegisterKey, Stat } from './types.ts';

export interface Register {
  readonly id: number;
  readonly obis?: string;
  /** C.D.E of the OBIS code. */
  readonly short?: string;
  readonly address?: string;
  readonly name: string;
  readonly unit?: Unit;
  readonly between?: string;
  readonly channel?: number;
  readonly storage?: number;
  readonly tariff?: number;
  readonly subunit?: number;
  readonly function?: NonNullable<Item['function']>;
  readonly period: number;
  readonly stat: Stat;
  readonly source?: number;
}

const MAX_REGISTERS = 100_000;

export interface Registers {
  byId(id: number): Register | undefined;
  all(): Iterable<Register>;
  /** Numbers of registers, made known where they are not; in the order asked. */
  ensure(keys: readonly RegisterKey[]): Promise<number[]>;
  /** The derived register of a source, if it exists. */
  derived(source: number, period: number, stat: Stat): Register | undefined;
  load(): Promise<void>;
}

/** The columns of the natural key, in a fixed order. */
const columns = (k: RegisterKey): readonly (string | number | null)[] => [
  k.obis ?? null,
  k.address ?? null,
  k.name,
  k.unit ?? null,
  k.between ?? null,
  k.channel ?? null,
  k.storage ?? null,
  k.tariff ?? null,
  k.subunit ?? null,
  k.function ?? null,
  k.period ?? 0,
  k.stat ?? 'value',
];

export const digest = (value: unknown): string =>
  createHash('sha256').update(JSON.stringify(value)).digest('hex').slice(0, 32);

/** PostgreSQL's text holds no NUL. */
export const clean = (text: string): string => {
  const whole = text.includes('\0') ? text.replaceAll('\0', '') : text;
  // Half a surrogate pair is no character; the driver would write this one, and the row would not be found again.
  return /\p{Surrogate}/u.test(whole) ? whole.replace(/\p{Surrogate}/gu, '\u{fffd}') : whole;
};

export function createRegisters(db: Database): Registers {
  const byId = new Map<number, Register>();
  const byKey = new Map<string, number>();
  const bySource = new Map<string, Register>();
  /** Digests of keys that were seen: who writes much passes the same object again and again. */
  const prints = new WeakMap<RegisterKey, string>();
  let last = 0;

  function printOf(key: RegisterKey): string {
    let print = prints.get(key);
    if (print === undefined) {
      print = digest(columns(key));
      prints.set(key, print);
    }
    return print;
  }

  function add(row: Record<string, unknown>): void {
    const obis = row.obis as string | null;
    const register: Register = {
      id: row.id as number,
      name: row.name as string,
      period: row.period as number,
      stat: row.stat as Stat,
      ...(obis === null ? {} : { obis, short: obis.slice(obis.indexOf(':') + 1).replace(/\*.*$/, '') }),
      ...(row.address === null ? {} : { address: row.address as string }),
      ...(row.unit === null ? {} : { unit: row.unit as Unit }),
      ...(row.line === null ? {} : { between: row.line as string }),
      ...(row.channel === null ? {} : { channel: row.channel as number }),
      ...(row.storage === null ? {} : { storage: row.storage as number }),
      ...(row.tariff === null ? {} : { tariff: row.tariff as number }),
      ...(row.subunit === null ? {} : { subunit: row.subunit as number }),
      ...(row.function === null ? {} : { function: row.function as NonNullable<Item['function']> }),
      ...(row.source === null ? {} : { source: row.source as number }),
    };
    byId.set(register.id, register);
    byKey.set(row.key as string, register.id);
    if (register.source !== undefined) bySource.set(`${register.source} ${register.period} ${register.stat}`, register);
    last = Math.max(last, register.id);
  }

  async function refresh(client: Client): Promise<void> {
    const { rows } = await client.query(catalogueSql.registers, [last]);
    for (const row of rows as Record<string, unknown>[]) add(row);
  }

  async function insert(keys: readonly RegisterKey[]): Promise<void> {
    await db.write(async (client) => {
      await client.query(catalogueSql.lockCatalogue);
      await refresh(client);
      const rows: unknown[][] = [];
      let next = last;
      const seen = new Set<string>();
      for (const key of keys) {
        const natural = columns(key);
        const print = digest(natural);
        if (byKey.has(print) || seen.has(print)) continue;
        seen.add(print);
        const source = derivedOf(key);
        rows.push([++next, print, ...natural.map((x) => (typeof x === 'string' ? clean(x) : x)), source]);
      }
      if (next > MAX_REGISTERS)
        throw new RangeError(`more than ${MAX_REGISTERS} kinds of readings; something sends ever new names`);
      await runRows(client, insertRegisters, rows);
    });
    await db.read(refresh);
  }

  const derivedOf = (key: RegisterKey): number | null => {
    if ((key.period ?? 0) === 0) return null;
    const { period: _, stat: __, ...source } = key;
    return byKey.get(digest(columns(source))) ?? null;
  };

  return {
    byId: (id) => byId.get(id),
    all: () => byId.values(),
    derived: (source, period, stat) => bySource.get(`${source} ${period} ${stat}`),
    load: () => db.read(refresh),
    async ensure(keys) {
      const wanted = keys.map(printOf);
      if (wanted.some((print) => !byKey.has(print))) {
        await db.read(refresh);
        const missing = keys.filter((_, i) => !byKey.has(wanted[i] as string));
        if (missing.length > 0) {
          // A derived register names its source, which is therefore made first.
          const sources = missing
            .filter((k) => (k.period ?? 0) > 0)
            .map(({ period: _, stat: __, ...source }) => source);
          if (sources.length > 0) await insert(sources);
          await insert(missing);
        }
      }
      return wanted.map((print) => byKey.get(print) as number);
    },
  };
}

/** What of an item makes a register. */
export function registerKey(item: Item): RegisterKey {
  return {
    name: item.name,
    ...(item.obis === undefined ? {} : { obis: item.obis }),
    ...(item.address === undefined ? {} : { address: item.address }),
    ...(item.unit === undefined ? {} : { unit: item.unit }),
    ...(item.between === undefined ? {} : { between: item.between }),
    ...(item.channel === undefined ? {} : { channel: item.channel }),
    ...(item.storage === undefined ? {} : { storage: item.storage }),
    ...(item.tariff === undefined ? {} : { tariff: item.tariff }),
    ...(item.subunit === undefined ? {} : { subunit: item.subunit }),
    ...(item.function === undefined ? {} : { function: item.function }),
  };
}

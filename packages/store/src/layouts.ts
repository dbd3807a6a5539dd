/**
 * Layouts: what the values of a message mean, position by position, stored once. In the hot path a message finds its
 * layout by the identity of its `items` array; the values that follow from it are packed without a look at names.
 *
 * Layouts that differ in decimals only share a base. A message with coarser decimals than the finest known layout of its
 * base is scaled up into it (238 becomes 238.0), so that a meter that sometimes leaves decimals out makes no new ones.
 */
import type { Item, Message } from '@amiable/model';
import { type Bytes, Varints } from './codec/bytes.ts';
import type { Client, Database } from './pg/database.ts';
import { clean, digest, type Registers, registerKey } from './registers.ts';
import { catalogueSql } from './sql/catalogue.ts';

export interface Layout {
  readonly id: number;
  readonly base: string;
  readonly protocol: Message['protocol'];
  readonly maker: string | null;
  readonly list: string | null;
  readonly meterType: string | null;
  /** Numbers in the order sent. */
  readonly registers: readonly number[];
  readonly scalers: readonly number[];
  /** Texts in the order sent. */
  readonly texts: readonly number[];
  /** Position in the message of each, numbers first. */
  readonly places: readonly number[];
  /** 0 = the message's own time, k = the k-th other time; numbers first. */
  readonly clocks: readonly number[];
}

/** How a message of some `items` goes into its layout. */
interface Plan {
  readonly items: readonly Item[];
  readonly layout: Layout;
  /** By position in the message: is it text, and what to multiply a number by. */
  readonly text: readonly boolean[];
  readonly factor: readonly number[];
  readonly clock: readonly number[];
  readonly other: number;
  readonly head: string;
}

export interface Layouts {
  /** The plan of a message when it is known already. */
  known(message: Message): Plan | undefined;
  /** Makes the layouts of these messages known. */
  ensure(messages: readonly Message[]): Promise<void>;
  byId(id: number): Layout | undefined;
  /** Loads what other programs added. */
  load(): Promise<void>;
}

const MAX_LAYOUTS = 50_000;
const MAX_PLANS = 8;

/** Which readings share which time: 0 for the message's own, else numbered as they come. */
function clocksOf(message: Message): number[] {
  const { times, values } = message;
  if (!times) return new Array(values.length).fill(0);
  const others: number[] = [];
  return values.map((_, i) => {
    const time = times[i];
    if (time === undefined) return 0;
    const at = others.indexOf(time);
    return at >= 0 ? at + 1 : others.push(time);
  });
}

const headOf = (m: Message): string => `${m.protocol}\0${m.maker ?? ''}\0${m.list ?? ''}\0${m.meterType ?? ''}`;

export function createLayouts(db: Database, registers: Registers): Layouts {
  const byId = new Map<number, Layout>();
  const byBase = new Map<string, Layout[]>();
  const plans = new WeakMap<readonly Item[], Plan[]>();
  let last = 0;

  function add(row: Record<string, unknown>): void {
    const layout: Layout = {
      id: row.id as number,
      base: row.base as string,
      protocol: row.protocol as Message['protocol'],
      maker: row.maker as string | null,
      list: row.list as string | null,
      meterType: row.meter_type as string | null,
      registers: row.registers as number[],
      scalers: row.scalers as number[],
      texts: row.texts as number[],
      places: row.places as number[],
      clocks: row.clocks as number[],
    };
    if (byId.has(layout.id)) return;
    byId.set(layout.id, layout);
    const same = byBase.get(layout.base);
    if (same) same.push(layout);
    else byBase.set(layout.base, [layout]);
    last = Math.max(last, layout.id);
  }

  async function refresh(client: Client): Promise<void> {
    const { rows } = await client.query(catalogueSql.layouts, [last]);
    for (const row of rows as Record<string, unknown>[]) add(row);
  }

  function known(message: Message): Plan | undefined {
    const list = plans.get(message.items);
    if (!list) return undefined;
    for (const plan of list) if (fits(plan, message)) return plan;
    return undefined;
  }

  return {
    known,
    byId: (id) => byId.get(id),
    load: () => db.read(refresh),
    async ensure(messages) {
      for (const message of messages) {
        if (known(message)) continue;
        const ids = await registers.ensure(message.items.map(registerKey));
        const clock = clocksOf(message);
        const text = message.values.map((value) => typeof value === 'string');
        const numbers = text.flatMap((is, i) => (is ? [] : [i]));
        const texts = text.flatMap((is, i) => (is ? [i] : []));
        const places = [...numbers, ...texts];
        const shape = {
          protocol: message.protocol,
          maker: message.maker ?? null,
          list: message.list ?? null,
          meterType: message.meterType ?? null,
          registers: numbers.map((i) => ids[i] as number),
          texts: texts.map((i) => ids[i] as number),
          places,
          clocks: places.map((i) => clock[i] as number),
        };
        const base = digest(shape);
        const scalers = numbers.map((i) => (message.items[i] as Item).scaler);
        let layout = finest(byBase.get(base), scalers);
        if (!layout) {
          layout = await db.write(async (client) => {
            await client.query(catalogueSql.lockCatalogue);
            await refresh(client);
            const found = finest(byBase.get(base), scalers);
            if (found) return found;
            // As fine as any that came before, so that the next one of either kind fits.
            const before = byBase.get(base)?.at(-1);
            const fine = scalers.map((scaler, i) => Math.min(scaler, before?.scalers[i] ?? scaler));
            const id = last + 1;
            if (id > MAX_LAYOUTS)
              throw new RangeError(`more than ${MAX_LAYOUTS} forms of messages; something sends ever new ones`);
            const made: Layout = { id, base, ...shape, scalers: fine };
            const c = (t: string | null) => (t === null ? null : clean(t));
            await client.query(catalogueSql.insertLayout, [
              id,
              base,
              shape.protocol,
              c(shape.maker),
              c(shape.list),
              c(shape.meterType),
              shape.registers,
              fine,
              shape.texts,
              places,
              shape.clocks,
            ]);
            return made;
          });
          await db.read(refresh);
        }
        const factor = message.items.map(() => 1);
        numbers.forEach((i, k) => {
          factor[i] = 10 ** ((message.items[i] as Item).scaler - (layout.scalers[k] as number));
        });
        const plan: Plan = {
          items: message.items,
          layout,
          text,
          factor,
          clock,
          other: Math.max(0, ...clock),
          head: headOf(message),
        };
        const list = plans.get(message.items);
        if (!list) plans.set(message.items, [plan]);
        else {
          if (list.length >= MAX_PLANS) list.shift();
          list.push(plan);
        }
      }
    },
  };
}

/** A layout whose decimals are at least as fine, and not absurdly finer. */
function finest(layouts: readonly Layout[] | undefined, scalers: readonly number[]): Layout | undefined {
  return layouts?.findLast((layout) =>
    layout.scalers.every((s, i) => s <= (scalers[i] as number) && (scalers[i] as number) - s <= 9),
  );
}

function fits(plan: Plan, message: Message): boolean {
  const { values, times } = message;
  const { text, clock } = plan;
  if (values.length !== text.length) return false;
  for (let i = 0; i < values.length; i++) if ((typeof values[i] === 'string') !== text[i]) return false;
  if (plan.head !== headOf(message)) return false;
  if (!times) return plan.other === 0;
  const others: number[] = [];
  for (let i = 0; i < values.length; i++) {
    const time = times[i];
    const k = clock[i] as number;
    if ((time === undefined) !== (k === 0)) return false;
    if (time === undefined) continue;
    if (others.length < k) others.push(time);
    if (others[k - 1] !== time) return false;
  }
  return new Set(others).size === others.length;
}

export type { Plan };

const BIG = 2n ** 63n;

/** Packs the values of a message as its layout has them. @throws RangeError for a value that is no 64-bit integer */
export function packMessage(out: Bytes, plan: Plan, message: Message, time: number): void {
  const { values } = message;
  const { places, registers } = plan.layout;
  for (let k = 0; k < registers.length; k++) {
    const i = places[k] as number;
    const value = values[i] as number | bigint;
    const factor = plan.factor[i] as number;
    if (typeof value === 'number') {
      const scaled = value * factor;
      if (scaled < 2 ** 51 && scaled > -(2 ** 51) && Number.isInteger(value)) {
        out.signed(scaled);
        continue;
      }
      if (!Number.isSafeInteger(value)) throw new RangeError(`${plan.items[i]?.name}: ${value} is no whole mantissa`);
    }
    const big = BigInt(value) * BigInt(factor);
    if (big >= BIG || big < -BIG) throw new RangeError(`${plan.items[i]?.name}: ${value} does not fit in 64 bits`);
    out.bigSigned(big);
  }
  for (let k = 1; k <= plan.other; k++)
    out.signed(Math.round(time - (message.times?.[plan.clock.indexOf(k)] as number)));
  for (let k = registers.length; k < places.length; k++) {
    const bytes = Buffer.from(values[places[k] as number] as string, 'utf8');
    out.unsigned(bytes.length);
    out.bytes(bytes);
  }
}

export interface UnpackedMessage {
  /** As `layout.registers`. */
  readonly numbers: readonly (number | bigint)[];
  /** As `layout.texts`. */
  readonly texts: readonly string[];
  /** Time of each reading by clock: [0] is the message's. */
  readonly clocks: readonly number[];
}

export function unpackMessage(layout: Layout, v: Uint8Array, time: number): UnpackedMessage {
  const reader = new Varints(v);
  const numbers = layout.registers.map(() => {
    const big = reader.bigSigned();
    const small = Number(big);
    return Number.isSafeInteger(small) ? small : big;
  });
  const clocks = [time];
  const other = Math.max(0, ...layout.clocks);
  for (let k = 1; k <= other; k++) clocks.push(time - reader.signed());
  const texts = layout.texts.map(() => {
    const length = reader.unsigned();
    const bytes = v.subarray(reader.at, reader.at + length);
    reader.at += length;
    return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString('utf8');
  });
  return { numbers, texts, clocks };
}

/**
 * The values of some registers of one meter in a span of time, whatever they lie in: packed blocks, messages that are
 * still hot, and messages that came late and wait for the next compaction.
 */
import { unpackDay } from '../codec/block.ts';
import { unpackQuality } from '../codec/quality.ts';
import { type Layout, type Layouts, unpackMessage } from '../layouts.ts';
import { copyOut } from '../pg/copy.ts';
import type { Client } from '../pg/database.ts';
import type { Registers } from '../registers.ts';
import { blockSql } from '../sql/blocks.ts';
import { dayText } from '../sql/partitions.ts';
import { hotSql } from '../sql/query.ts';
import type { MeterId } from '../types.ts';
import { readBlocks, type StoredBlock } from '../write/block-rows.ts';
import { FINE } from '../write/bulk.ts';

export const DAY = 86_400_000;

/** Times rise; values in the register's unit. */
export interface Values {
  times: Float64Array;
  values: Float64Array;
  /** Worst quality code among them. */
  worst: number;
}

export interface ValueParts {
  readonly layouts: Layouts;
  readonly registers: Registers;
}

class Growing {
  times = new Float64Array(1024);
  values = new Float64Array(1024);
  length = 0;
  worst = 0;
  push(time: number, value: number): void {
    if (this.length === this.times.length) {
      const times = new Float64Array(this.length * 2);
      times.set(this.times);
      this.times = times;
      const values = new Float64Array(this.length * 2);
      values.set(this.values);
      this.values = values;
    }
    this.times[this.length] = time;
    this.values[this.length++] = value;
  }
  /** In order of time; of equal times the later one counts. */
  done(): Values {
    let sorted = true;
    for (let i = 1; i < this.length && sorted; i++) sorted = (this.times[i - 1] as number) < (this.times[i] as number);
    if (sorted)
      return { times: this.times.slice(0, this.length), values: this.values.slice(0, this.length), worst: this.worst };
    const order = Array.from({ length: this.length }, (_, i) => i).sort(
      (a, b) => (this.times[a] as number) - (this.times[b] as number) || a - b,
    );
    const kept = order.filter((at, i) => this.times[at] !== this.times[order[i + 1] as number]);
    return {
      times: Float64Array.from(kept, (at) => this.times[at] as number),
      values: Float64Array.from(kept, (at) => this.values[at] as number),
      worst: this.worst,
    };
  }
}

export const scale = (mantissa: number, scaler: number): number =>
  scaler >= 0 ? mantissa * 10 ** scaler : mantissa / 10 ** -scaler;

/**
 * @param coarse leave out fine source blocks (closer than a quarter of an hour)
 * @param firsts of these also the first value of such blocks, where nothing stands before: from there on a register counts
 */
export async function readValues(
  parts: ValueParts,
  client: Client,
  meter: MeterId,
  registers: readonly number[],
  from: number,
  to: number,
  coarse = false,
  firsts: ReadonlySet<number> = NONE,
): Promise<Map<number, Values>> {
  const growing = new Map(registers.map((id) => [id, new Growing()]));
  if (registers.length > 0 && from < to) {
    const { blocks, state } = await readStored(client, meter, registers, from, to);
    const earliest = firsts.size > 0 ? earliestOf(blocks, firsts) : undefined;
    for (const block of blocks) {
      if (coarse && parts.registers.byId(block.register)?.period === 0 && isFine(block)) {
        if (earliest?.get(block.register) === block && block.day > Math.floor(from / DAY)) {
          const day = unpackDay(block);
          const time = block.day * DAY + (day.times[0] as number);
          if (time < to) growing.get(block.register)?.push(time, scale(day.values[0] as number, day.scaler));
        }
        continue;
      }
      const day = unpackDay(block);
      const into = growing.get(block.register) as Growing;
      const base = block.day * DAY;
      for (let i = 0; i < day.values.length; i++) {
        const time = base + (day.times[i] as number);
        if (time < from || time >= to) continue;
        into.push(time, scale(day.values[i] as number, day.scaler));
        const quality = day.quality?.[i] ?? 0;
        if (quality > into.worst) into.worst = quality;
      }
    }
    if (state) await readHot(parts, client, meter, growing, from, to, state);
  }
  const found = new Map<number, Values>();
  for (const [id, values] of growing) if (values.length > 0) found.set(id, values.done());
  return found;
}

const NONE: ReadonlySet<number> = new Set();

function earliestOf(blocks: readonly DayBlock[], wanted: ReadonlySet<number>): Map<number, DayBlock> {
  const found = new Map<number, DayBlock>();
  for (const block of blocks) {
    if (!wanted.has(block.register)) continue;
    const best = found.get(block.register);
    if (!best || block.day < best.day || (block.day === best.day && block.start < best.start))
      found.set(block.register, block);
  }
  return found;
}

/** A source whose values lie closer than a quarter of an hour: means are kept of it, it is thinned itself. */
export const isFine = (block: { readonly step: number; readonly n: number }): boolean =>
  block.step === 0 ? block.n > 100 : block.step < FINE;

/** How far a meter is compacted, epoch ms, and its days before that with late messages. */
interface State {
  readonly compacted: number;
  readonly late: readonly number[];
}

/** A register that carries the list's own clock stands up to some minutes before its message. */
const AFTER = 3_600_000;

/**
 * The blocks, and the state as it was then or before: a compaction that ends in between leaves its messages where they
 * are, so what it moved is read twice at worst and never missed.
 */
async function readStored(
  client: Client,
  meter: MeterId,
  registers: readonly number[],
  from: number,
  to: number,
): Promise<{ blocks: readonly DayBlock[]; state: State | undefined }> {
  const first = Math.floor(from / DAY);
  const last = Math.floor((to - 1) / DAY);
  const late = Math.floor((to - 1 + AFTER) / DAY);
  if (registers.length * (last - first + 1) <= FEW) {
    const { rows } = await client.query({
      name: 'block.fewAndState',
      text: blockSql.fewAndState,
      values: [meter, registers, dayText(first), dayText(last), dayText(late)],
      rowMode: 'array',
    });
    const blocks: DayBlock[] = [];
    let state: State | undefined;
    for (const row of rows as unknown as FewRow[]) {
      const [register, day, start, step, n, scaler, v, s, at, days] = row;
      if (register < 0) state = { compacted: Number(at), late: days };
      else blocks.push({ register, day, start, step, n, scaler, v, s });
    }
    return { blocks, state };
  }
  const { rows } = await client.query({
    name: 'hot.state',
    text: hotSql.state,
    values: [meter, dayText(first), dayText(late)],
  });
  const row = rows[0] as { at: string; late: number[] } | undefined;
  return {
    blocks: await readBlocks(client, [meter], registers, first, last),
    state: row && { compacted: Number(row.at), late: row.late },
  };
}

type DayBlock = Pick<StoredBlock, 'register' | 'day' | 'start' | 'step' | 'n' | 'scaler' | 'v' | 's'>;
type FewRow = [number, number, number, number, number, number, Buffer, Buffer, string, number[]];

/** So many blocks are sooner read by a prepared statement than by COPY, which is parsed and planned each time. */
const FEW = 400;

async function readHot(
  parts: ValueParts,
  client: Client,
  meter: MeterId,
  growing: ReadonlyMap<number, Growing>,
  from: number,
  to: number,
  state: State,
): Promise<void> {
  const until = to + AFTER;
  const spans: [number, number][] = state.late.map((day) => [day * DAY, Math.min((day + 1) * DAY, state.compacted)]);
  spans.push([Math.max(state.compacted, from), until]);
  for (const [first, last] of spans)
    if (first < last)
      await copyOut(client, hotSql.copy(meter, first, last), (row) => {
        const time = row.time();
        const layout = parts.layouts.byId(row.int());
        if (!layout) return;
        takeMessage(layout, row.blob(), row.blob(), time, (register, at, value, quality) => {
          const into = growing.get(register);
          if (!into || at < from || at >= to) return;
          into.push(at, value);
          if (quality > into.worst) into.worst = quality;
        });
      });
}

function takeMessage(
  layout: Layout,
  v: Buffer,
  s: Buffer,
  time: number,
  take: (register: number, time: number, value: number, quality: number) => void,
): void {
  const { numbers, clocks } = unpackMessage(layout, v, time);
  const quality = unpackQuality(s, layout.places.length);
  for (let k = 0; k < numbers.length; k++)
    take(
      layout.registers[k] as number,
      clocks[layout.clocks[k] as number] as number,
      scale(Number(numbers[k]), layout.scalers[k] as number),
      quality?.[k] ?? 0,
    );
}

/** Two runs of values in order of time; of equal times that of `over`. */
export function join(under: Values | undefined, over: Values | undefined): Values | undefined {
  if (!under || !over) return under ?? over;
  const n = under.times.length + over.times.length;
  const times = new Float64Array(n);
  const values = new Float64Array(n);
  let i = 0;
  let j = 0;
  let count = 0;
  while (i < under.times.length || j < over.times.length) {
    const a = under.times[i] ?? Number.POSITIVE_INFINITY;
    const b = over.times[j] ?? Number.POSITIVE_INFINITY;
    times[count] = Math.min(a, b);
    values[count++] = (b <= a ? over.values[j] : under.values[i]) as number;
    if (a <= b) i++;
    if (b <= a) j++;
  }
  return {
    times: times.subarray(0, count),
    values: values.subarray(0, count),
    worst: Math.max(under.worst, over.worst),
  };
}

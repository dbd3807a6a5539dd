/**
 * Imports of readings: a file is read, its values are placed, compared with what is there and what was billed, then written.
 *
 * Decides: any fault refuses the file before anything of it is written; writing itself is a transaction for intervals and another for showings, and what
 * breaks between them is completed by the same file again; values of billed time are refused, for a bill must stay defensible; the same bytes a second time
 * are told. Values of intervals come in as a metering, showings as registers of the meter, both with source `import`, user and file.
 */
import { createHash } from 'node:crypto';
import { MisuseError } from '@amiable/bytes';
import {
  createCimReader,
  createEspiReader,
  createFlatReader,
  createMsconsReader,
  createSimpleReader,
  type ReadingReader,
  type ReadingSink,
} from '@amiable/formats';
import { type Caller, isoTime, QUALITIES } from '@amiable/model';
import { flatFormat } from '@amiable/model/schemas';
import type { ReadingsImport, SeriesData, Store } from '@amiable/store';
import { createCollector, Faults, TooMuch } from './collect.ts';
import { type Placed, place } from './place.ts';
import type { ImportOptions, Report } from './shapes.ts';

/** Bytes of a file. */
export const MAX_FILE = 512 * 1024 * 1024;
const DAY = 86_400_000;
/** Who imports says so this often; who says nothing for so long is dead. */
const TELL = 60_000;
const HOLD = 15 * TELL;

export interface ImportParts {
  readonly store: Store;
  /** Epoch ms. */
  readonly now: () => number;
  /** Epoch ms of the machine. */
  readonly clock: () => number;
  readonly zone: string;
}
export interface ImportOrder {
  readonly options: ImportOptions;
  readonly dry: boolean;
  /** True: although the same bytes were imported before. */
  readonly again: boolean;
  readonly name: string | null;
  readonly caller: Caller;
}

async function readerOf(store: Store, options: ImportOptions, zone: string, sink: ReadingSink): Promise<ReadingReader> {
  const how = {
    zone: options.zone ?? zone,
    period: options.period * 1000,
    ...(options.meter === undefined ? {} : { meter: { by: 'serial' as const, name: options.meter } }),
    ...(options.quantity === undefined ? {} : { what: options.quantity }),
  };
  switch (options.format) {
    case 'flat': {
      const found = options.flat === undefined ? undefined : await store.delivery.formats.get(options.flat);
      if (!found)
        throw new MisuseError(
          `there is no format ${options.flat ?? '(none was named)'}; \`amiable format list\` lists them`,
        );
      return createFlatReader(flatFormat.parse(found.definition), sink, how);
    }
    case 'cim':
      return createCimReader(sink);
    case 'espi':
      return createEspiReader(sink, options.meter === undefined ? {} : { meter: options.meter });
    case 'mscons':
      return createMsconsReader(sink);
    default:
      return createSimpleReader(sink, how);
  }
}

export async function importReadings(
  parts: ImportParts,
  order: ImportOrder,
  bytes: AsyncIterable<Uint8Array>,
): Promise<ReadingsImport> {
  const { store, now, zone } = parts;
  const { options, dry, name, caller } = order;
  const faults = new Faults();
  const collector = createCollector(faults);
  const reader = await readerOf(store, options, zone, {
    row: (row) => collector.row(row),
    fault: (fault) => faults.add(fault),
  });
  const { imports } = store.delivery;
  const segments = caller.scope === 'all' ? null : caller.scope;
  const id = await imports.begin({
    dry,
    name,
    format: options.format,
    detail: { ...options },
    segments,
    who: caller.name,
    started: now(),
    held: parts.clock() + HOLD,
  });
  const holding = setInterval(() => void imports.hold(id, parts.clock() + HOLD).catch(() => {}), TELL);
  holding.unref();
  const hash = createHash('sha256');
  const counts = { values: 0, meters: 0, fresh: 0, changed: 0, same: 0, kept: 0, missing: 0 };
  const ended = async (state: ReadingsImport['state'], error?: string, digest?: string): Promise<ReadingsImport> => {
    const report: Report = {
      ...counts,
      faultCount: faults.count,
      faults: [...faults.first].sort((a, b) => a.line - b.line || a.column - b.column),
      ...(error === undefined ? {} : { error }),
    };
    await imports.end(id, state, { at: now(), report, ...(digest === undefined ? {} : { digest }) });
    return (await imports.get(id, 'all')) as ReadingsImport;
  };
  let broken = 'the import failed before anything was written; give the file again';
  try {
    let going = true;
    let size = 0;
    for await (const piece of bytes) {
      size += piece.length;
      if (size > MAX_FILE)
        throw new TooMuch(`the file has more than ${MAX_FILE / 1024 / 1024} MB; cut it into several`);
      hash.update(piece);
      if (going) going = reader.push(piece);
    }
    if (going) reader.end();
    collector.settle();
    const digest = hash.digest('hex');
    const before = order.again ? undefined : await imports.sameBytes(digest);
    if (before)
      faults.add({
        line: 1,
        column: 1,
        message: `these very bytes were imported ${isoTime(before.ended ?? before.started)} as import ${before.id}; say \`again\` to import them once more`,
      });
    const placed = await place(store, collector.series, options, caller.scope, now(), faults);
    counts.missing = collector.missing;
    counts.same = collector.same;
    counts.values = collector.series.reduce((sum, one) => sum + one.times.length, 0) + collector.same;
    counts.meters = new Set(placed.map(({ meter }) => meter)).size;
    if (counts.values === 0 && faults.count === 0)
      faults.add({ line: 1, column: 1, message: 'the file has no values' });
    await refuseBilled(store, placed, faults);
    for (const one of placed) await compare(store, one, counts);
    if (faults.count > 0) return await ended('refused', undefined, digest);
    if (dry) return await ended('done', undefined, digest);
    const how = { source: 'import', user: caller.name, reason: `import ${id}${name === null ? '' : ` of ${name}`}` };
    broken = 'the import failed while it was written: some values may be there; give the file again, it completes them';
    const meterings = placed.filter((one) => one.period > 0).flatMap(meteringRows);
    if (meterings.length > 0) counts.kept = (await store.intervals.write(meterings, { ...how, at: now() })).kept;
    const showings = placed.filter((one) => one.period === 0).map(showingRow);
    if (showings.length > 0) await store.writeBlocks(showings, how);
    return await ended('done', undefined, digest);
  } catch (error) {
    if (error instanceof TooMuch || error instanceof MisuseError) return ended('refused', error.message);
    await ended('failed', broken);
    throw error;
  } finally {
    clearInterval(holding);
  }
}

/** Time that was billed is left alone: an edit says who and why, and a difference can be billed of it. */
async function refuseBilled(store: Store, placed: readonly Placed[], faults: Faults): Promise<void> {
  for (const { meter, of, from, to, period } of placed) {
    const spans = await store.billing.billedOverlap(
      meter,
      of.times[from] as number,
      (of.times[to - 1] as number) + Math.max(period, 1),
    );
    for (const span of spans) {
      let first = -1;
      let n = 0;
      for (let i = from; i < to; i++) {
        const time = of.times[i] as number;
        // A showing at the end of a period is its last: it counts for it.
        const within = period > 0 ? time < span.to && time + period > span.from : time >= span.from && time <= span.to;
        if (!within) continue;
        if (first < 0) first = i;
        n++;
      }
      if (first >= 0)
        faults.add({
          line: of.lines[first] as number,
          column: of.columns[first] as number,
          message: `${n} ${n === 1 ? 'value lies' : 'values lie'} in time that was billed (bill ${span.bill}, ${span.product}, ${isoTime(span.from)} to ${isoTime(span.to)}); change them by an edit with a reason, then bill the difference`,
        });
    }
  }
}

/** What is there already. */
async function compare(
  store: Store,
  one: Placed,
  counts: { fresh: number; changed: number; same: number },
): Promise<void> {
  const { meter, of, from, to, period, register } = one;
  const first = of.times[from] as number;
  const end = (of.times[to - 1] as number) + Math.max(period, 1);
  const there = new Map<number, number>();
  if (period > 0) {
    const found = await store.intervals.one(meter, { quantity: one.name, period: period / 1000, from: first, to: end });
    if (found)
      for (let i = 0; i < found.values.length; i++)
        if (found.quality[i] !== 4)
          there.set(found.start + i * found.step, (found.values[i] as number) * 10 ** found.scaler);
  } else {
    const { times, values } = await store.values(meter, register, first, end);
    for (let i = 0; i < times.length; i++) there.set(times[i] as number, values[i] as number);
  }
  for (let i = from; i < to; i++) {
    const old = there.get(of.times[i] as number);
    const now = (of.mantissas[i] as number) * 10 ** (of.scalers[i] as number);
    if (old === undefined) counts.fresh++;
    else if (Math.abs(old - now) <= Math.abs(now) * 1e-12) counts.same++;
    else counts.changed++;
  }
}

/** The finest scaler of a series, and its values with that. */
function rescaled({ of, from, to }: Placed): { readonly scaler: number; readonly values: number[] } {
  let scaler = 0;
  for (let i = from; i < to; i++) scaler = Math.min(scaler, of.scalers[i] as number);
  const values: number[] = [];
  for (let i = from; i < to; i++) {
    const value = Math.round((of.mantissas[i] as number) * 10 ** ((of.scalers[i] as number) - scaler));
    if (!Number.isSafeInteger(value))
      throw new MisuseError(`line ${of.lines[i]}: beside the decimals of others the number has more than 15 digits`);
    values.push(value);
  }
  return { scaler, values };
}

/** Meterings are regular: days without a value between are cut out. */
function meteringRows(one: Placed): SeriesData[] {
  const { meter, register, of, from, to, period } = one;
  const { scaler, values } = rescaled(one);
  const out: SeriesData[] = [];
  let begin = from;
  for (let i = from + 1; i <= to; i++) {
    if (i < to && (of.times[i] as number) - (of.times[i - 1] as number) < DAY) continue;
    const start = of.times[begin] as number;
    const n = ((of.times[i - 1] as number) - start) / period + 1;
    const row = new Float64Array(n).fill(Number.NaN);
    // What the file does not have is not said, and stays.
    const quality = new Uint8Array(n);
    for (let k = begin; k < i; k++) {
      const at = ((of.times[k] as number) - start) / period;
      row[at] = values[k - from] as number;
      quality[at] = of.qualities[k] as number;
    }
    out.push({ meter, register, scaler, start, step: period, values: row, quality });
    begin = i;
  }
  return out;
}

function showingRow(one: Placed): SeriesData {
  const { meter, register, of, from, to } = one;
  const { scaler, values } = rescaled(one);
  return {
    meter,
    register,
    scaler,
    times: of.times.slice(from, to),
    values,
    quality: of.qualities.slice(from, to).map((code) => QUALITIES[code]),
  };
}

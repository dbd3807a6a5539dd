/** Series and facts that the tests of all formats write. */
import { QUANTITIES } from '@amiable/model';
import type { DeliveredSeries, FileFacts, FileWriter, ReadingFault, ReadingReader, ReadingRow } from '../src/series.ts';

export const QUARTER = 900_000;
export const facts: FileFacts = {
  created: Date.UTC(2026, 10, 20, 22, 30),
  from: Date.UTC(2026, 10, 19, 23),
  to: Date.UTC(2026, 10, 20, 23),
  reference: '4711',
  sender: '9900204000002',
  receiver: '4012345000023',
  zone: 'Europe/Oslo',
};
const quantityOf = (name: string) => {
  const found = QUANTITIES.find((quantity) => quantity.name === name);
  if (!found) throw new Error(name);
  return { name: found.name, obis: found.obis, unit: found.unit as string };
};
const meter = (n: number) => ({
  id: String(n),
  serial: `6970631${String(n).padStart(9, '0')}`,
  utilitySerial: n % 2 === 0 ? null : `U-${n}`,
  point: `70705750000000${String(n).padStart(4, '0')}`,
  zone: 'Europe/Oslo',
});

export function intervals(
  n: number,
  values: readonly (number | null)[],
  change: Partial<DeliveredSeries> = {},
): DeliveredSeries {
  return {
    meter: meter(n),
    quantity: quantityOf('energyImport'),
    start: facts.from,
    step: QUARTER,
    values: Float64Array.from(values, (value) => value ?? Number.NaN),
    quality: Uint8Array.from(values, (value) => (value === null ? 4 : 0)),
    scaler: 0,
    ...change,
  };
}
export const showings = (n: number, times: readonly number[], values: readonly number[]): DeliveredSeries => ({
  meter: meter(n),
  quantity: quantityOf('energyImport'),
  start: 0,
  step: 0,
  times: Float64Array.from(times),
  values: Float64Array.from(values),
  quality: new Uint8Array(times.length),
  scaler: 0,
});
export const sample: readonly DeliveredSeries[] = [
  intervals(1, [250, 275, null, 300], { quality: Uint8Array.of(0, 3, 4, 2) }),
  intervals(2, [12_345, 0, 7, 1], { scaler: -1, quantity: quantityOf('energyExport') }),
];

const joined = (pieces: readonly Uint8Array[]): Uint8Array => Uint8Array.from(Buffer.concat(pieces));
export const fileOf = (writer: FileWriter, series: readonly DeliveredSeries[]): Uint8Array =>
  joined([writer.head(), ...series.map((one) => writer.series(one)), writer.tail()]);
export const textOf = (writer: FileWriter, series: readonly DeliveredSeries[]): string =>
  Buffer.from(fileOf(writer, series)).toString('utf8');

export function readAll(
  make: (sink: { row(row: ReadingRow): void; fault(fault: ReadingFault): void }) => ReadingReader,
  bytes: Uint8Array | string,
  piece = 1 << 20,
) {
  const rows: ReadingRow[] = [];
  const faults: ReadingFault[] = [];
  const reader = make({ row: (row) => void rows.push(row), fault: (fault) => void faults.push(fault) });
  const whole = typeof bytes === 'string' ? new TextEncoder().encode(bytes) : bytes;
  let going = true;
  for (let at = 0; at < whole.length && going; at += piece) going = reader.push(whole.subarray(at, at + piece));
  const ended = going && reader.end();
  return { rows, faults, ended };
}
/** What was written, as a reader should give it: meter, time, value in the base unit. */
export const expected = (series: readonly DeliveredSeries[]) =>
  series.flatMap((one) =>
    Array.from(one.values, (value, i) => ({
      meter: one.meter.serial,
      what: one.quantity.name,
      time: one.times ? (one.times[i] as number) : one.start + i * one.step,
      period: one.step,
      value: Number.isNaN(value) ? null : Number((value * 10 ** one.scaler).toPrecision(12)),
    })).filter((row) => row.value !== null),
  );
export const given = (rows: readonly ReadingRow[]) =>
  rows.map(({ meter, what, time, period, mantissa, scaler }) => ({
    meter,
    what,
    time,
    period,
    value: mantissa === null ? null : Number((mantissa * 10 ** scaler).toPrecision(12)),
  }));

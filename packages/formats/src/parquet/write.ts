/**
 * Parquet for those who calculate: one row for each value, row groups of some ten thousand, dictionaries for what repeats.
 *
 * Decides: times as milliseconds of UTC, values exact (mantissa and scaler) and as a double beside. Leaves out: encoding itself, which
 * is hyparquet-writer's.
 */
import { toNumber } from '@amiable/model';
import { ByteWriter } from 'hyparquet-writer/src/bytewriter.js';
import { ParquetWriter } from 'hyparquet-writer/src/parquet-writer.js';
import { schemaFromColumnData } from 'hyparquet-writer/src/schema.js';
import { type DeliveredSeries, type FileFacts, type FileWriter, QUALITY_NAMES, timeAt } from '../series.ts';

const GROUP = 50_000;
const MISSING = 4;

interface Rows {
  meter: string[];
  utility: (string | null)[];
  point: (string | null)[];
  quantity: string[];
  obis: string[];
  unit: string[];
  time: Date[];
  period: number[];
  mantissa: (bigint | null)[];
  scaler: number[];
  value: (number | null)[];
  quality: string[];
}
const none = (): Rows => ({
  meter: [],
  utility: [],
  point: [],
  quantity: [],
  obis: [],
  unit: [],
  time: [],
  period: [],
  mantissa: [],
  scaler: [],
  value: [],
  quality: [],
});

const columnsOf = (rows: Rows) => [
  { name: 'meter', data: rows.meter, type: 'STRING' as const, nullable: false },
  { name: 'utility_serial', data: rows.utility, type: 'STRING' as const, nullable: true },
  { name: 'metering_point', data: rows.point, type: 'STRING' as const, nullable: true },
  { name: 'quantity', data: rows.quantity, type: 'STRING' as const, nullable: false },
  { name: 'obis', data: rows.obis, type: 'STRING' as const, nullable: false },
  { name: 'unit', data: rows.unit, type: 'STRING' as const, nullable: false },
  { name: 'time', data: rows.time, type: 'TIMESTAMP' as const, nullable: false },
  { name: 'period', data: rows.period, type: 'INT32' as const, nullable: false },
  { name: 'mantissa', data: rows.mantissa, type: 'INT64' as const, nullable: true },
  { name: 'scaler', data: rows.scaler, type: 'INT32' as const, nullable: false },
  { name: 'value', data: rows.value, type: 'DOUBLE' as const, nullable: true },
  { name: 'quality', data: rows.quality, type: 'STRING' as const, nullable: false },
];

/** @param most rows of a group, which is held until it is full */
export function createParquetWriter(facts: FileFacts, most = GROUP): FileWriter {
  const bytes = new ByteWriter(1 << 16);
  const writer = new ParquetWriter({
    writer: bytes,
    schema: schemaFromColumnData({ columnData: columnsOf(none()) }),
    createdBy: 'amiable',
    kvMetadata: [
      { key: 'reference', value: facts.reference },
      { key: 'sender', value: facts.sender },
      { key: 'from', value: new Date(facts.from).toISOString() },
      { key: 'to', value: new Date(facts.to).toISOString() },
    ],
  });
  let rows = none();
  let count = 0;

  /** What has been written; the writer goes on behind it. */
  const taken = (): Uint8Array => {
    const out = bytes.getBytes().slice();
    bytes.index = 0;
    return out;
  };
  const group = (): void => {
    if (rows.meter.length === 0) return;
    writer.write({ columnData: columnsOf(rows), rowGroupSize: most * 2 });
    rows = none();
  };

  return {
    head: taken,
    series(series: DeliveredSeries) {
      const { meter, quantity, step, scaler, values, quality } = series;
      for (let i = 0; i < values.length; i++) {
        const mantissa = values[i] as number;
        const lacks = Number.isNaN(mantissa) || quality[i] === MISSING;
        rows.meter.push(meter.serial);
        rows.utility.push(meter.utilitySerial);
        rows.point.push(meter.point);
        rows.quantity.push(quantity.name);
        rows.obis.push(quantity.obis);
        rows.unit.push(quantity.unit);
        rows.time.push(new Date(timeAt(series, i)));
        rows.period.push(step / 1000);
        rows.mantissa.push(lacks ? null : BigInt(mantissa));
        rows.scaler.push(scaler);
        rows.value.push(lacks ? null : toNumber(mantissa, scaler));
        rows.quality.push(lacks ? 'missing' : (QUALITY_NAMES[quality[i] as number] as string));
        count++;
        if (rows.meter.length >= most) group();
      }
      return taken();
    },
    tail() {
      group();
      writer.finish();
      return taken();
    },
    get rows() {
      return count;
    },
  };
}

/** Data records of a telegram as objects, for whoever looks at single records; messages go through layouts (message.ts). */
import type { Item, Value } from '@amiable/model';
import { layOut, type Slot } from './layout.ts';
import { type Columns, readAlong, readingOf } from './read.ts';
import type { DecodedRecords, MbusRecord, RecordOptions } from './types.ts';

/** Reads the records in bytes[start, end). @throws DecodeError */
export function decodeRecords(
  bytes: Uint8Array,
  start = 0,
  end = bytes.length,
  { msbFirst = false }: RecordOptions = {},
): DecodedRecords {
  const layout = layOut(bytes, start, end, msbFirst);
  return recordsAlong(readAlong(readingOf(layout), bytes, start), start);
}

/** The records of what was read, as objects. */
export function recordsAlong(columns: Columns, start: number): DecodedRecords {
  const { layout } = columns;
  const records: MbusRecord[] = [];
  let manufacturerData: DecodedRecords['manufacturerData'];
  layout.slots.forEach((slot, i) => {
    if (slot.head === undefined)
      manufacturerData = { offset: start + slot.at, length: slot.length, hex: columns.values[i] as string };
    else
      records.push(
        recordOf(
          slot,
          columns.items[i] as Item,
          columns.values[i] as Value,
          columns.qualities?.[i] === 'missing',
          start,
        ),
      );
  });
  return { records, ...(manufacturerData && { manufacturerData }), moreFollows: layout.moreFollows };
}

function recordOf(slot: Slot, item: Item, value: Value, missing: boolean, start: number): MbusRecord {
  const head = slot.head!;
  return {
    function: head.function,
    storage: head.storage,
    tariff: head.tariff,
    subunit: head.subunit,
    dif: head.dif,
    difes: head.difes,
    vif: head.vif,
    vifes: head.vifes,
    quantity: head.quantity,
    name: head.name,
    ...(item.unit !== undefined && { unit: item.unit }),
    scaler: item.scaler,
    value,
    ...(missing && { missing }),
    offset: start + slot.start,
    length: slot.at + slot.length - slot.start,
  };
}

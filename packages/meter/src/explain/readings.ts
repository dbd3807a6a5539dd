/**
 * Which reading of a message each field is about, where its explainer does not say so: lines of text by their addresses, records
 * of M-Bus by their places. For a page that lights up the bytes of the value under the mouse; a field it is not sure of has none.
 */
import type { Layer, MessageField } from './layers.ts';

export interface NamedReading {
  readonly name: string;
  /** As sent. */
  readonly address?: string | undefined;
}

/** The same layers; fields of values with the index of their reading. */
export function withReadings(layers: readonly Layer[], readings: readonly NamedReading[]): Layer[] {
  const last = readings.length - 1;
  return layers.map((layer) => {
    const ofLine = linesOf(layer.fields, readings);
    const fields = layer.fields.map((field): MessageField => {
      const record = /^mbus\/record(\d+)\/data$/.exec(field.path);
      const place = /^records\/(\d+)\//.exec(field.path);
      const makers = field.path === 'mbus/manufacturerData' && readings[last]?.name === 'manufacturerData';
      const at = record ? Number(record[1]) - 1 : place ? Number(place[1]) : makers ? last : ofLine.get(field);
      return at === undefined || at > last ? field : { ...field, reading: at };
    });
    return { ...layer, fields };
  });
}

/** Lines and readings stand in one order; a line may have several, one for each of its values. */
function linesOf(fields: readonly MessageField[], readings: readonly NamedReading[]): Map<MessageField, number> {
  const found = new Map<MessageField, number>();
  let next = 0;
  fields.forEach((line, i) => {
    const address = /^\S+?(?=: )/.exec(line.text)?.[0];
    if (address === undefined || !/^(?:p1|data|block)\/\d+$/.test(line.path)) return;
    const values: MessageField[] = [];
    for (let j = i + 1; fields[j]?.path.startsWith(`${line.path}/`); j++) {
      const value = fields[j] as MessageField;
      if (/\/\d+$/.test(value.path)) values.push(value);
    }
    const first = readings.findIndex((reading, at) => at >= next && reading.address === address);
    if (first < 0) return;
    let count = 1;
    while (count < values.length && readings[first + count]?.address === address) count++;
    // One reading of several values (a time and a value) is what all of them are about; else which is which must be plain.
    if (count === 1 || count === values.length)
      values.forEach((value, k) => {
        found.set(value, first + (count === 1 ? 0 : k));
      });
    next = first + count;
  });
  return found;
}

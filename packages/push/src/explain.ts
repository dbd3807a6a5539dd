/** Which bytes of a notification are which reading: `explainApdu`, with name and value where the list gives them. */
import { DecodeError, type Field } from '@amiable/bytes';
import { explainApdu } from '@amiable/dlms';
import { decimal, type Item, type Value } from '@amiable/model';
import { createPushDecoder, planByTheBook } from './decoder.ts';

export interface ReadingField extends Field {
  /** Index of the reading that these bytes are the value of. */
  readonly reading?: number;
}

/** Fields of a plain Data-Notification, in the order of its bytes. Never throws. */
export function explainNotification(apdu: Uint8Array): ReadingField[] {
  const fields = explainApdu(apdu);
  let plan: ReturnType<typeof planByTheBook>;
  try {
    plan = planByTheBook(apdu, true);
  } catch (error) {
    if (error instanceof DecodeError) return fields;
    throw error;
  }
  const { items, values } = createPushDecoder({ layouts: 0 }).decode(apdu, 0, apdu, true);
  const readings = new Map<number, number>();
  plan.starts.forEach((start, i) => {
    readings.set(start, i);
  });
  const marked: ReadingField[] = [];
  let last = 0;
  const tell = (i: number, path: string): ReadingField => {
    const offset = plan.starts[i] as number;
    return {
      path,
      offset,
      length: (plan.ends[i] as number) - offset,
      text: say(items[i] as Item, values[i] as Value),
      reading: i,
    };
  };
  for (const field of fields) {
    // Layouts that the standard does not know (untagged descriptors, swapped tags) break off in a fault: there the
    // readings that stand in it are told by their places, and the bytes between them as such.
    if (field.path !== 'fault') {
      const i = readings.get(field.offset);
      const whole = i !== undefined && plan.ends[i] === field.offset + field.length && field.length > 0;
      marked.push(whole ? tell(i, field.path) : field);
      last = field.offset + field.length;
      continue;
    }
    const inside = [...readings].filter(([start]) => start >= last).sort((a, b) => a[0] - b[0]);
    for (const [start, i] of inside) {
      const end = plan.ends[i] as number;
      if (start < last || end <= start) continue;
      if (start > last)
        marked.push({ path: `notification/list/${i}`, offset: last, length: start - last, text: codeOf(items[i]) });
      marked.push(tell(i, `notification/list/${i}/value`));
      last = end;
    }
    const understood = inside.length > 0 && !plan.flags.includes('truncated');
    const rest = { offset: last, length: apdu.length - last };
    if (!understood) marked.push({ path: 'fault', ...rest, text: field.text });
    else if (rest.length > 0) marked.push({ path: 'notification/list/end', ...rest, text: 'end of the list' });
  }
  return marked;
}

const codeOf = (item: Item | undefined): string => `code ${item?.obis ?? 'none'}`;

function say(item: Item, value: Value): string {
  const text = typeof value === 'string' ? value : decimal(value, item.scaler);
  const unit = item.unit === undefined || item.unit === '1' ? '' : ` ${item.unit}`;
  return `${item.name} ${text}${unit}${item.between ? ` (${item.between})` : ''}`;
}

/** Layers of an explanation, and putting fields of one into those of another. */
import type { Field } from '@amiable/bytes';

export interface MessageField extends Field {
  /** Index into the message's readings. */
  readonly reading?: number;
}

export interface Layer {
  readonly name: string;
  readonly bytes: Uint8Array;
  readonly fields: readonly MessageField[];
}

/** The same fields in a buffer that begins `by` bytes earlier. */
export const shift = (fields: readonly MessageField[], by: number): MessageField[] =>
  fields.map((f) => ({ ...f, offset: f.offset + by }));

/** Puts finer fields in the place of the coarse one that lies in [from, to). */
export function replaceBy(fields: MessageField[], from: number, to: number, finer: readonly MessageField[]): void {
  const first = fields.findIndex((f) => f.offset >= from && f.offset + f.length <= to);
  const kept = fields.filter((f) => f.offset < from || f.offset + f.length > to || f.length === 0);
  fields.splice(0, fields.length, ...kept);
  fields.splice(first < 0 ? fields.length : first, 0, ...finer);
}

/** The fields in order, side by side and over all of the bytes: what overlaps is cut, what nobody explained is named `rest`. */
export function covering(fields: readonly MessageField[], length: number, rest = 'not explained'): MessageField[] {
  const out: MessageField[] = [];
  let at = 0;
  const fill = (to: number): void => {
    if (to > at) out.push({ path: 'rest', offset: at, length: to - at, text: rest });
    at = Math.max(at, to);
  };
  for (const field of [...fields].sort((a, b) => a.offset - b.offset)) {
    const from = Math.max(at, Math.min(field.offset, length));
    const end = Math.min(field.offset + field.length, length);
    if (field.length === 0) {
      fill(from);
      out.push({ ...field, offset: from });
    } else if (end > from) {
      fill(from);
      out.push({ ...field, offset: from, length: end - from });
      at = end;
    }
  }
  fill(length);
  return out;
}

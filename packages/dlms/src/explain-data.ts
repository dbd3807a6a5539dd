/**
 * What every byte of a value is: type, count or length, contents. Codes, text and dates inside octet-strings are told as
 * such. Elements of a compact-array are told one by one, although they carry no tags.
 */
import { DecodeError, Reader } from '@amiable/bytes';
import { type Explainer, printable, upperHex } from './apdu/explainer.ts';
import { decodeDescription } from './compact-array.ts';
import { decodeContents, decodeData } from './data.ts';
import { Budget, type Data, DEFAULT_LIMITS, decodeLength, type TypeDescription, typeOfTag } from './data-types.ts';
import { type DlmsDateTime, decodeDateTime, wallMillis } from './date-time.ts';

const MAX_DEPTH = 16;

/** Adds the fields of the value that stands at the reader, and passes over it. */
export function explainData(out: Explainer, path: string, depth = 0): void {
  const { reader } = out;
  const start = reader.pos;
  const type = typeOfTag(reader.u8('data type'));
  if ((type === 'array' || type === 'structure') && depth < MAX_DEPTH) {
    const count = decodeLength(reader);
    out.add(path, start, `${type} of ${count}`);
    for (let i = 0; i < count; i++) explainData(out, `${path}/${i}`, depth + 1);
    return;
  }
  if (type === 'compact-array') {
    explainCompactArray(out, path, start);
    return;
  }
  reader.pos = start;
  const data = decodeData(reader);
  const end = reader.pos;
  const long = data.type === 'octet-string' || data.type === 'visible-string' || data.type === 'utf8-string';
  const contents = long || data.type === 'bit-string' ? end - data.value.length : start + 1;
  reader.pos = contents;
  out.add(path, start, long ? `${data.type} of ${data.value.length}` : data.type);
  reader.pos = end;
  if (end > contents) out.add(`${path}/value`, contents, valueText(data));
}

function explainCompactArray(out: Explainer, path: string, start: number): void {
  const { reader } = out;
  const budget = new Budget(DEFAULT_LIMITS);
  out.add(path, start, 'compact-array');
  const at = reader.pos;
  const description = decodeDescription(reader, budget);
  out.add(`${path}/description`, at, `elements are ${descriptionText(description)}`);
  const lengthAt = reader.pos;
  const length = decodeLength(reader);
  out.add(`${path}/length`, lengthAt, `${length} bytes of contents`);
  out.within(`${path}/contents`, length, () => {
    for (let i = 0; out.reader.remaining > 0; i++) {
      const before = out.reader.pos;
      explainContents(out, `${path}/${i}`, description, budget);
      if (out.reader.pos === before)
        throw new DecodeError('value', 'elements of a compact-array take no bytes', before);
    }
  });
}

function explainContents(out: Explainer, path: string, description: TypeDescription, budget: Budget): void {
  const { reader } = out;
  budget.spend(reader.pos);
  if (description.type === 'array') {
    for (let i = 0; i < description.count; i++) explainContents(out, `${path}/${i}`, description.of, budget);
    return;
  }
  if (description.type === 'structure') {
    description.of.forEach((of, i) => {
      explainContents(out, `${path}/${i}`, of, budget);
    });
    return;
  }
  const start = reader.pos;
  const data = decodeContents(reader, description.type, budget);
  if (reader.pos > start) out.add(path, start, `${data.type} ${valueText(data)}`);
}

function descriptionText(description: TypeDescription): string {
  if (description.type === 'array') return `array of ${description.count} ${descriptionText(description.of)}`;
  if (description.type === 'structure') return `structure of (${description.of.map(descriptionText).join(', ')})`;
  return description.type;
}

/** A value for a person; codes and dates inside octet-strings are told as such. */
function valueText(data: Data): string {
  switch (data.type) {
    case 'octet-string': {
      const b = data.value;
      if (b.length === 6 && b[5] === 255) return `OBIS ${b[0]}-${b[1]}:${b[2]}.${b[3]}.${b[4]}*${b[5]}`;
      const text = printable(b);
      if (text !== undefined) return text;
      if (b.length === 12) {
        const date = decodeDateTime(new Reader(b));
        if (wallMillis(date) !== undefined) return dateText(date);
      }
      return upperHex(b);
    }
    case 'visible-string':
    case 'utf8-string':
      return printable(data.value) ?? upperHex(data.value);
    case 'bit-string':
      return `${data.bits} bits ${upperHex(data.value)}`;
    case 'boolean':
      return data.value ? 'true' : 'false';
    case 'date-time':
      return dateText(data.value);
    case 'date':
    case 'time':
      return JSON.stringify(data.value);
    case 'compact-array':
      return `${data.value.length} elements`;
    case 'array':
    case 'structure':
    case 'null-data':
    case 'dont-care':
      return data.type;
    default:
      return String(data.value);
  }
}

const two = (n: number | undefined): string => (n === undefined ? '??' : String(n).padStart(2, '0'));

/** Date, time, offset and clock status in words; `??` is not specified. */
export function dateText(d: DlmsDateTime): string {
  const hundredths = d.hundredths === undefined ? '' : `.${two(d.hundredths)}`;
  let text = `${d.year ?? '????'}-${two(d.month)}-${two(d.day)} ${two(d.hour)}:${two(d.minute)}:${two(d.second)}${hundredths}`;
  if (d.deviation === undefined) text += ', offset not given';
  else {
    const ahead = Math.abs(d.deviation);
    text += `, UTC${d.deviation > 0 ? '-' : '+'}${two(Math.floor(ahead / 60))}:${two(ahead % 60)}`;
  }
  if (d.status !== undefined) {
    if (d.status & 0x01) text += ', clock invalid';
    if (d.status & 0x02) text += ', clock doubtful';
    if (d.status & 0x80) text += ', daylight saving';
  }
  return text;
}

/**
 * Says of every octet of a telegram what it is: identification, addresses, values with what they mean, check sum. A telegram that
 * is cut or damaged is explained as far as it makes sense; nothing here throws. A ciphered one is explained as the APDU that it is,
 * by package dlms; open it first to see the telegram inside.
 */
import { crc16Arc, DecodeError, type Field, toHex } from '@amiable/bytes';
import { printObis, quantityOf } from '@amiable/cosem';
import { explainApdu } from '@amiable/dlms';
import { decimal, isoTime } from '@amiable/model';
import { DEFAULT_ZONE, DIGITS, markOf, PortClock, wallAt } from './clock.ts';
import { headerOf } from './header.ts';
import { SLASH_EVEN, stripParity } from './parity.ts';
import { type Cell, codeOf, KIND, readSense, type Sense, spokenText } from './readings.ts';
import { ascii, checksumAt, type DataObject, type Layout, layoutTelegram, type Span } from './telegram.ts';

const SEALED = 0xdb;

/** `zone`: of the meter's clock, Central European Time unless said. The fields stand in order and cover all octets. */
export function explainTelegram(bytes: Uint8Array, { zone = DEFAULT_ZONE }: { zone?: string } = {}): Field[] {
  if (bytes[0] === SEALED) return explainApdu(bytes);
  const seven = bytes[0] === SLASH_EVEN;
  const stripped = seven ? stripParity(bytes) : { bytes, wrong: -1 };
  const out = new Explanation(stripped.bytes, zone);
  const fields = out.all();
  if (!seven || fields.length === 0) return fields;
  const first = fields[0] as Field;
  const parity = stripped.wrong < 0 ? 'right' : `wrong at octet ${stripped.wrong}`;
  return [{ ...first, text: `${first.text}; seven data bits and even parity, ${parity}` }, ...fields.slice(1)];
}

class Explanation {
  readonly #b: Uint8Array;
  readonly #clock: PortClock;
  readonly #fields: Field[] = [];
  #at = 0;

  constructor(b: Uint8Array, zone: string) {
    this.#b = b;
    this.#clock = new PortClock(zone);
  }

  all(): Field[] {
    const b = this.#b;
    if (b.length === 0) return [];
    let layout: Layout;
    let sense: Sense;
    try {
      layout = layoutTelegram(b);
      sense = readSense(b, layout);
    } catch (e) {
      if (!(e instanceof DecodeError)) throw e;
      this.#upTo(b.length, 'error', `no telegram: ${e.message}`);
      return this.#fields;
    }
    this.#identification(layout.identification);
    const cells = new Map(sense.cells.map((cell): [number, Cell] => [cell.span.start, cell]));
    const parts: { readonly start: number; say(): void }[] = [
      ...layout.objects.map((object, i) => ({
        start: object.address.start,
        say: () => this.#object(object, i, cells),
      })),
      ...layout.junk.map((line) => ({ start: line.start, say: () => this.#junk(line) })),
    ].sort((x, y) => x.start - y.start);
    for (const part of parts) {
      if (part.start < this.#at) continue;
      this.#upTo(part.start, 'end of line', 'end of line');
      part.say();
    }
    this.#upTo(layout.end, 'end of line', 'end of line');
    this.#end(layout.end);
    return this.#fields;
  }

  #upTo(end: number, path: string, text: string): void {
    if (end <= this.#at) return;
    this.#fields.push({ path: `p1/${path}`, offset: this.#at, length: end - this.#at, text });
    this.#at = end;
  }

  #identification(span: Span): void {
    const text = ascii(this.#b, span);
    const { maker, meterType } = headerOf(text);
    const what = [maker, meterType && `type ${meterType}`].filter(Boolean).join(', ');
    this.#upTo(span.end, 'identification', `identification ${visible(text)}${what ? `: ${what}` : ''}`);
  }

  #object({ address, values }: DataObject, index: number, cells: ReadonlyMap<number, Cell>): void {
    const text = ascii(this.#b, address);
    const code = codeOf(text.trim());
    const first = values.map((value) => cells.get(value.start)).find((cell) => cell !== undefined);
    const name = first?.item.name ?? (code ? quantityOf(printObis(code)).name : 'no code that is known');
    const device = first?.item.deviceId === undefined ? '' : `, device ${first.item.deviceId}`;
    this.#upTo(address.end, `${index}/address`, `${visible(text)}: ${name}${device}`);
    values.forEach((value, i) => {
      // Both brackets belong to the value; so does the end of line before one that stands on the next.
      const close = Math.min(value.end + 1, this.#b.length);
      this.#upTo(close, `${index}/value/${i}`, this.#value(value, cells.get(value.start)));
    });
  }

  #value(span: Span, cell: Cell | undefined): string {
    const b = this.#b;
    const sent = ascii(b, span);
    if (sent === '') return 'empty';
    if (cell?.kind === KIND.number || typeof cell?.value === 'bigint' || typeof cell?.value === 'number') {
      const { unit, scaler } = cell.item;
      const digits = BigInt(sent.replace('.', '').replace(/\*.*$/s, ''));
      return `${visible(sent)}: ${decimal(digits, scaler)}${unit === undefined || unit === '1' ? '' : ` ${unit}`}`;
    }
    if (/^\d{12}[SWsw]?$/.test(sent)) {
      const wall = wallAt(b, span.start);
      if (Number.isNaN(wall)) return `${sent}: no possible time, so nothing was measured`;
      const mark = markOf(b[span.start + DIGITS] as number);
      return `${sent}: ${isoTime(this.#clock.utc(wall, mark))}`;
    }
    if (cell?.kind === KIND.message) return `${visible(sent)}: ${JSON.stringify(spokenText(sent))}`;
    if (typeof cell?.value === 'string' && cell.value !== '' && cell.value !== sent)
      return `${visible(sent)}: ${cell.value}`;
    return visible(sent);
  }

  #junk(line: Span): void {
    this.#upTo(line.end, 'line', `no data: ${visible(ascii(this.#b, line))}`);
  }

  #end(bang: number): void {
    const b = this.#b;
    if (bang >= b.length) return;
    this.#upTo(bang + 1, 'end', 'end of the telegram');
    const sent = checksumAt(b, bang + 1, b.length);
    if (sent.value >= 0) {
      const want = crc16Arc(b, 0, bang + 1);
      const verdict = sent.value === want ? 'right' : `wrong, the octets give ${hex4(want)}`;
      this.#upTo(sent.end, 'crc', `check sum ${hex4(sent.value)}, ${verdict}`);
    }
    let end = this.#at;
    while (end < b.length && (b[end] === 0x0d || b[end] === 0x0a)) end++;
    this.#upTo(end, 'end of line', sent.value < 0 ? 'end of line; there is no check sum' : 'end of line');
    if (end < b.length) this.#upTo(b.length, 'rest', `${b.length - end} octets behind the telegram`);
  }
}

const hex4 = (v: number) => v.toString(16).toUpperCase().padStart(4, '0');

/** What cannot be shown is written as hexadecimal. */
function visible(text: string): string {
  return text.replace(/[^\x20-\x7e\xa1-\xff]/g, (c) => `\\x${toHex(Uint8Array.of(c.charCodeAt(0)))}`);
}

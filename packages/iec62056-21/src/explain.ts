/**
 * Says of every octet of a read-out or an exchange (one direction after the other, or one of them) what it is; nothing here throws.
 *
 * Decides: the pieces: requests, identifications, option selects, blocks with their data sets, single characters, padding.
 * What no piece begins with is told as it is, so that the fields always cover the whole buffer, in order.
 */
import { DecodeError, type Field } from '@amiable/bytes';
import { ACK, blockCheck, CR, DEL, EOT, ETX, LF, NAK, NUL, parityOf, SOH, STX, textOf, visible } from './characters.ts';
import { parseDataLine } from './data-set.ts';
import { errorText, errorWords } from './errors.ts';
import { parseIdentification, parseOptionSelect, parseRequest, RATES } from './identification.ts';
import { isHeatCode, meaningOf } from './items.ts';
import { makerName } from './makers.ts';
import { unitOfText } from './units.ts';

const SLASH = 0x2f;
const END = 0x21;
const COMMANDS: Readonly<Record<string, string>> = {
  P: 'password',
  W: 'write',
  R: 'read',
  E: 'execute',
  B: 'exit (break)',
};
const OPTIONS: Readonly<Record<string, string>> = { 0: 'read-out', 1: 'programming mode', 2: 'binary mode (HDLC)' };

export function explainReadout(bytes: Uint8Array): Field[] {
  const explainer = new Explainer(bytes);
  explainer.run();
  return explainer.fields;
}

class Explainer {
  readonly fields: Field[] = [];
  readonly #bytes: Uint8Array;
  readonly #text: string;
  #at = 0;
  /** Address that a line of values alone goes on with. */
  #previous = '';
  #heat: boolean;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
    this.#text = textOf(bytes);
    this.#heat = (this.#text.match(/(?:^|[\s)])(6\.\d+)\(/g) ?? []).some((found) =>
      isHeatCode(found.replace(/[\s()]/g, '')),
    );
    const { parity, broken } = parityOf(bytes);
    // A field of no length says what holds for all.
    if (parity === 'even')
      this.fields.push({
        path: 'parity',
        offset: 0,
        length: 0,
        text: broken === 0 ? 'even parity in bit 7, all right' : `even parity in bit 7, ${broken} octets wrong`,
      });
  }

  #add(path: string, length: number, text: string): void {
    if (length > 0) this.fields.push({ path, offset: this.#at, length, text });
    this.#at += length;
  }

  run(): void {
    const text = this.#text;
    while (this.#at < text.length) {
      const c = text.charCodeAt(this.#at);
      if (c === SOH || c === STX) this.#block(c);
      else if (c === SLASH) this.#slash();
      else if (c === ACK) this.#ack();
      else if (c === NAK) this.#add('nak', 1, 'NAK: once more, please');
      else if (c === CR || c === LF) this.#lineEnd();
      else if (c === NUL || c === DEL)
        this.#run(
          'padding',
          (d) => d === NUL || d === DEL,
          c === NUL ? 'NUL: padding, or waking the meter' : 'DEL: padding',
        );
      else if (c === END) this.#add('end', 1, 'end of the data block');
      else if (c === ETX) this.#add('etx', 1, 'ETX without STX');
      else this.#line(this.#lineLength(), 'data');
    }
  }

  #run(path: string, belongs: (c: number) => boolean, text: string): void {
    let n = 1;
    while (this.#at + n < this.#text.length && belongs(this.#text.charCodeAt(this.#at + n))) n++;
    this.#add(path, n, n === 1 ? text : `${text}, ${n} of them`);
  }

  #lineEnd(): void {
    this.#run('line-end', (c) => c === CR || c === LF, 'end of line');
  }

  /** Up to CR, LF, a control character that begins something, or the end. */
  #lineLength(): number {
    let end = this.#at;
    while (end < this.#text.length && !/[\r\n]/.test(this.#text[end] as string)) end++;
    return end - this.#at;
  }

  #slash(): void {
    const length = this.#lineLength();
    const line = this.#text.slice(this.#at, this.#at + length);
    const address = parseRequest(line);
    if (address !== undefined) {
      this.#add('request/start', 2, 'request');
      this.#add('request/address', address.length, `for the meter with address ${address}`);
      this.#add('request/end', 1, address === '' ? 'end: to every meter' : 'end');
      return;
    }
    const found = parseIdentification(line);
    if (!found) {
      this.#line(length, 'data');
      return;
    }
    const rate =
      found.mode === 'A' ? 'mode A, 300 Bd' : `${found.mode === 'B' ? 'mode B' : 'mode C or D'}, ${found.baud} Bd`;
    this.#add('identification/start', 1, 'identification');
    this.#add(
      'identification/maker',
      3,
      `maker ${makerName(found.maker)}${found.reaction === 20 ? ', answers within 20 ms' : ''}`,
    );
    this.#add('identification/rate', 1, `rate character ${found.z}: ${rate}`);
    this.#add(
      'identification/marks',
      found.marks.length,
      found.marks.includes('\\2') ? 'binary mode (HDLC) is there: mode E' : `mark ${found.marks}`,
    );
    this.#add('identification/text', found.identification.length, `identification ${found.identification.trim()}`);
  }

  #ack(): void {
    const option = parseOptionSelect(this.#text.slice(this.#at, this.#at + 4));
    if (!option) {
      this.#add('ack', 1, 'ACK: understood');
      return;
    }
    this.#add('select/ack', 1, 'acknowledgement with option select');
    this.#add(
      'select/procedure',
      1,
      option.v === '2' ? 'HDLC procedure' : option.v === '0' ? 'normal procedure' : `procedure ${option.v}`,
    );
    const rate = RATES[Number(option.z)];
    this.#add('select/rate', 1, rate === undefined ? `rate character ${option.z}` : `${rate} Bd from here on`);
    this.#add('select/mode', 1, OPTIONS[option.y] ?? `option ${option.y} of the maker`);
  }

  #block(first: number): void {
    const text = this.#text;
    const start = this.#at;
    let end = start + 1;
    while (end < text.length && text.charCodeAt(end) !== ETX && text.charCodeAt(end) !== EOT) end++;
    const whole = end < text.length;
    if (first === SOH) {
      this.#add('command/start', 1, 'SOH: command');
      const letter = text[this.#at] ?? '';
      const type = text[this.#at + 1] ?? '';
      const head = Math.max(0, Math.min(2, end - this.#at));
      const meant = letter === 'P' && type === '0' ? 'password operand' : (COMMANDS[letter] ?? 'unknown command');
      this.#add('command/code', head, `${letter}${type}: ${meant}`);
      if (text.charCodeAt(this.#at) === STX) this.#add('command/stx', 1, 'STX: its data');
    } else this.#add('block/stx', 1, 'STX: data block');
    const path = first === SOH ? 'command' : 'block';
    const content = text.slice(this.#at, end);
    const problem = first === STX ? errorText(content) : undefined;
    if (problem !== undefined) this.#add(`${path}/error`, content.length, `error message ${errorWords(problem)}`);
    else while (this.#at < end) this.#blockLine(end, path);
    if (!whole) {
      this.fields.push({ path: `${path}/error`, offset: this.#at, length: 0, text: 'cut: no ETX comes' });
      return;
    }
    const more = text.charCodeAt(end) === EOT;
    this.#add(`${path}/etx`, 1, more ? 'EOT: more blocks follow' : 'ETX: end of the block');
    if (this.#at >= text.length) return;
    const given = text.charCodeAt(this.#at);
    const right = blockCheck(this.#bytes, start + 1, end + 1);
    const hex = (n: number): string => n.toString(16).toUpperCase().padStart(2, '0');
    this.#add(
      `${path}/bcc`,
      1,
      `block check ${hex(given)}, ${given === right ? 'right' : `wrong, the characters give ${hex(right)}`}`,
    );
  }

  #blockLine(end: number, path: string): void {
    const c = this.#text.charCodeAt(this.#at);
    if (c === CR || c === LF) {
      let n = 1;
      while (this.#at + n < end && /[\r\n]/.test(this.#text[this.#at + n] as string)) n++;
      this.#add(`${path}/line-end`, n, 'end of line');
    } else if (c === END) this.#add(`${path}/end`, 1, 'end of the data block');
    else this.#line(Math.min(this.#lineLength(), end - this.#at), path);
  }

  /** A line of data sets, or something that is none. */
  #line(length: number, path: string): void {
    const from = this.#at;
    const line = this.#text.slice(from, from + length);
    let sets: ReturnType<typeof parseDataLine>['sets'];
    try {
      // An operand or an answer may have no address.
      ({ sets } = parseDataLine(line, this.#previous === '' ? ' ' : this.#previous, from));
    } catch (error) {
      if (!(error instanceof DecodeError)) throw error;
      this.#add(
        `${path}/text`,
        length,
        `${visible(line.slice(0, 60))}: ${error.message.replace(/ \(at byte \d+\)$/, '')}`,
      );
      return;
    }
    for (const set of sets) {
      const name =
        set.address.trim() === '' ? '' : meaningOf(set.address, unitOf(set.values[0]?.unit), this.#heat).name;
      const first = set.values[0]?.offset ?? set.offset;
      if (set.offset > this.#at) this.#add(`${path}/stray`, set.offset - this.#at, 'belongs to no data set');
      if (first > this.#at) this.#add(`${path}/${set.address}/address`, first - this.#at, `${set.address}: ${name}`);
      set.values.forEach(({ value, unit, offset, length: n }, i) => {
        if (offset > this.#at) this.#add(`${path}/stray`, offset - this.#at, 'belongs to no data set');
        this.#add(
          `${path}/${set.address.trim()}/${i}`,
          n,
          `${visible(value) || 'empty'}${unit === undefined ? '' : unit === '' ? ', the unit is empty' : ` ${visible(unit)}`}`,
        );
      });
      if (set.address.trim() !== '') this.#previous = set.address;
    }
    const rest = from + length - this.#at;
    if (rest <= 0) return;
    const stray = this.#text.slice(this.#at, from + length);
    const mark = stray.indexOf('!');
    if (mark < 0) this.#add(`${path}/stray`, rest, 'belongs to no data set');
    else {
      this.#add(`${path}/stray`, mark, 'control characters before the end mark');
      this.#add(`${path}/end`, 1, 'end of the data block');
      this.#add(`${path}/stray`, rest - mark - 1, 'behind the end mark');
    }
  }
}

const unitOf = (text: string | undefined) => (text === undefined ? undefined : unitOfText(text)?.unit);

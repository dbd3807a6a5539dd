/**
 * Compact frames and format frames (EN 13757-3 clause 9 and annex G): values without their record headers.
 *
 * Decides: the signature of a format (CRC-16 over all record headers), what is remembered of which meter, and how a compact
 * frame becomes the full frame that it stands for, which its second CRC proves. Formats that are well known are there from
 * the beginning. Leaves out: what records mean.
 *
 * A compact frame is: format signature (2), CRC of the full frame (2), data. A format frame is: length (1), format signature
 * (2), record headers.
 */
import { crc16En13757, DecodeError, fromHex } from '@amiable/bytes';

/** Octets of data by the low half of a DIF; -1 varies, -2 is a DIF that is no record. */
const DATA_OCTETS = [0, 1, 2, 3, 4, 4, 6, 8, 0, 1, 2, 3, 4, -1, 6, -2] as const;
const EXTENSION = 0x80;
const IDLE = 0x2f;
const MAX_EXTENSIONS = 10;

interface RecordHead {
  /** Where the data begins. */
  readonly data: number;
  readonly octets: number;
}

/** The head of the record at `at`. @throws DecodeError `truncated`, `record` */
function recordHead(bytes: Uint8Array, at: number, end: number): RecordHead {
  const dif = bytes[at] as number;
  let next = skipExtended(bytes, at, end);
  if (next >= end) throw new DecodeError('truncated', 'a record header is cut', end);
  const vif = bytes[next] as number;
  const plainText = (vif & 0x7f) === 0x7c;
  next = skipExtended(bytes, next, end);
  // The unit in text stands behind the VIFEs.
  if (plainText) next += 1 + (bytes[next] ?? 0);
  if (next > end) throw new DecodeError('truncated', 'a record header is cut', end);
  return { data: next, octets: DATA_OCTETS[dif & 0x0f] as number };
}

function skipExtended(bytes: Uint8Array, at: number, end: number): number {
  let next = at;
  for (let n = 0; (bytes[next++] as number) & EXTENSION; n++) {
    if (n > MAX_EXTENSIONS) throw new DecodeError('record', 'too many extensions in a record header', at);
    if (next >= end) throw new DecodeError('truncated', 'a record header is cut', end);
  }
  return next;
}

/** Octets of data whose first octet, at `at`, says how many there are (LVAR). */
function variableOctets(bytes: Uint8Array, at: number): number {
  const lvar = bytes[at];
  if (lvar === undefined) return 1;
  if (lvar <= 0xbf) return 1 + lvar;
  if (lvar <= 0xc9) return 1 + (lvar - 0xc0);
  if (lvar >= 0xd0 && lvar <= 0xd9) return 1 + (lvar - 0xd0);
  if (lvar >= 0xe0 && lvar <= 0xef) return 1 + (lvar - 0xe0);
  if (lvar >= 0xf0 && lvar <= 0xf4) return 1 + 4 * (lvar - 0xec);
  return 1;
}

/**
 * The record headers of a full frame's records, without their data. Idle fillers are no records; the maker's octets at the
 * end begin with a DIF that stands in the format, too.
 * @throws DecodeError `truncated`, `record`
 */
export function formatOf(bytes: Uint8Array, start: number, end: number): Uint8Array {
  const out = new Uint8Array(end - start);
  let to = 0;
  for (let at = start; at < end; ) {
    const dif = bytes[at] as number;
    if (dif === IDLE) {
      at++;
      continue;
    }
    if ((dif & 0x0f) === 0x0f) {
      out[to++] = dif;
      break;
    }
    const head = recordHead(bytes, at, end);
    out.set(bytes.subarray(at, head.data), to);
    to += head.data - at;
    at = head.data + (head.octets < 0 ? variableOctets(bytes, head.data) : head.octets);
    if (at > end) throw new DecodeError('truncated', 'the data of a record is cut', end);
  }
  return out.subarray(0, to);
}

export function formatSignature(format: Uint8Array): number {
  return crc16En13757(format);
}

/**
 * Headers and data joined to the full frame again.
 * @throws DecodeError `compact` when the data does not fit the format
 */
export function fullFrame(format: Uint8Array, data: Uint8Array): Uint8Array {
  const out = new Uint8Array(format.length + data.length);
  let to = 0;
  let from = 0;
  for (let at = 0; at < format.length; ) {
    if (((format[at] as number) & 0x0f) === 0x0f) {
      out[to++] = format[at++] as number;
      break;
    }
    const head = recordHead(format, at, format.length);
    out.set(format.subarray(at, head.data), to);
    to += head.data - at;
    at = head.data;
    const octets = head.octets < 0 ? variableOctets(data, from) : head.octets;
    if (from + octets > data.length)
      throw new DecodeError('compact', 'less data than the format has records for', from);
    out.set(data.subarray(from, from + octets), to);
    to += octets;
    from += octets;
  }
  // Fillers of the last enciphered block are no part of the full frame.
  let end = data.length;
  if (((format[format.length - 1] as number) & 0x0f) !== 0x0f) while (end > from && data[end - 1] === IDLE) end--;
  out.set(data.subarray(from, end), to);
  return out.subarray(0, to + end - from);
}

/** The other way: signature, CRC and data of a full frame. */
export function compactOf(full: Uint8Array): Uint8Array {
  const format = formatOf(full, 0, full.length);
  const data = new Uint8Array(full.length);
  let to = 0;
  for (let at = 0; at < full.length; ) {
    const dif = full[at] as number;
    if ((dif & 0x0f) === 0x0f && dif !== IDLE) {
      data.set(full.subarray(at + 1), to);
      to += full.length - at - 1;
      break;
    }
    if (dif === IDLE) {
      at++;
      continue;
    }
    const head = recordHead(full, at, full.length);
    const octets = head.octets < 0 ? variableOctets(full, head.data) : head.octets;
    data.set(full.subarray(head.data, head.data + octets), to);
    to += octets;
    at = head.data + octets;
  }
  const signature = formatSignature(format);
  const crc = crc16En13757(full);
  const out = new Uint8Array(4 + to);
  out.set([signature & 0xff, signature >> 8, crc & 0xff, crc >> 8]);
  out.set(data.subarray(0, to), 4);
  return out;
}

/** Formats that meters are known to send compactly: Kamstrup heat, water, pressure, electricity; Engelmann; Carlo Gavazzi. */
const WELL_KNOWN: readonly string[] = [
  '02F9FF15040604EEFF0704EEFF0804148440148480401402FD17026C426C44064414C44014C4804014043B0259025D',
  '030643060314426C022D01FF21',
  '030E430E0313426C022D01FF21',
  '040604FF0704FF080414043B0259025D04FF22026C44064414426C',
  '040F04FF0704FF08041484401484804014043B0259025D142D84100F84200F04FF22026C440F4414C44014C4804014426C',
  '0406041404FF0704FF080259025D023B02FF22026C44064414426C',
  '22691269026905FF0905FF0A02FD17',
  '02FF2004134413615B6167',
  '02FF20041392013BA1015B8101E7FF0F',
  '04FF234413523B06FF1B426C61675167023B04138101E7FF0F',
  '02FF2004134413426C523B615B616751678101E7FF0F06FF1B',
  '02FF2004134413A1015B8101E7FF0F',
  '02FF2004134413615B5167',
  '02FF2004134413',
  '02FF200413523B',
  '04FF2304134413426C023B92013BA2013B06FF1BA1015B91015BA10167',
  '040404843C042B04AB3C',
  '426C441301FD17840113C40113840213C40213840313C40313840413C40413840513C40513840613C40613840713C40713840813046D0413',
  '040504FB827504853C04FB82F53C01FD17',
];

let wellKnown: Map<number, Uint8Array> | undefined;

function wellKnownFormat(signature: number): Uint8Array | undefined {
  if (!wellKnown) {
    wellKnown = new Map();
    for (const hex of WELL_KNOWN) {
      const format = fromHex(hex);
      wellKnown.set(formatSignature(format), format);
    }
  }
  return wellKnown.get(signature);
}

/** Formats remembered at once, over all meters. */
const MAX_FORMATS = 4096;

export interface FormatMemory {
  /** A full frame of the meter was seen. */
  learn(meter: string, bytes: Uint8Array, start: number, end: number): void;
  /** A format frame was seen: `format` are its record headers. */
  learnFormat(meter: string, format: Uint8Array): void;
  /**
   * The full frame that a compact one (from its signature on) stands for; undefined when no format for it is known.
   * @throws DecodeError `truncated`; `compact` when the format is known and the data does not fit it
   */
  expand(meter: string, compact: Uint8Array): Expanded | undefined;
}

export interface Expanded {
  readonly full: Uint8Array;
  /** Its CRC proves it. Else the signature is the only witness (two octets) beside the length, which fits. */
  readonly proved: boolean;
}

export function createFormatMemory(): FormatMemory {
  const formats = new Map<string, Uint8Array>();
  function keep(key: string, format: Uint8Array): void {
    if (formats.has(key)) return;
    if (formats.size >= MAX_FORMATS) formats.delete(formats.keys().next().value as string);
    formats.set(key, format.slice());
  }
  const learnFormat = (meter: string, format: Uint8Array) => {
    const signature = formatSignature(format);
    keep(`${meter}/${signature}`, format);
    // Meters of a kind have the same formats: what one has sent in full explains the others.
    keep(`/${signature}`, format);
  };
  return {
    learnFormat,
    learn(meter, bytes, start, end) {
      let format: Uint8Array;
      try {
        format = formatOf(bytes, start, end);
      } catch (e) {
        if (!(e instanceof DecodeError)) throw e;
        return;
      }
      if (format.length > 0) learnFormat(meter, format);
    },
    expand(meter, compact) {
      if (compact.length < 4) throw new DecodeError('truncated', 'a compact frame is cut', compact.length);
      const signature = (compact[0] as number) | ((compact[1] as number) << 8);
      const crc = (compact[2] as number) | ((compact[3] as number) << 8);
      const data = compact.subarray(4);
      let fault: DecodeError | undefined;
      let unproved: Uint8Array | undefined;
      for (const format of [
        formats.get(`${meter}/${signature}`),
        wellKnownFormat(signature),
        formats.get(`/${signature}`),
      ]) {
        if (!format) continue;
        try {
          const full = fullFrame(format, data);
          if (crc16En13757(full) === crc) return { full, proved: true };
          unproved ??= full;
        } catch (e) {
          if (!(e instanceof DecodeError)) throw e;
          fault ??= e;
        }
      }
      if (unproved) return { full: unproved, proved: false };
      if (fault) throw fault;
      return undefined;
    },
  };
}

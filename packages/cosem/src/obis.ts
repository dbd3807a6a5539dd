/**
 * OBIS codes (IEC 62056-61; IEC 62056-6-1): reading what people and meters write, and the one form used here.
 *
 * The canonical form is `A-B:C.D.E`, with `*F` when F is not 255. Accepted beside it: short codes (`1.8.0`, `1.8.0*03`),
 * which are completed as electricity, channel 0; letters C, F, L, P for 96 to 99; six dotted numbers; six bytes.
 */
import { DecodeError, MisuseError } from '@amiable/bytes';

export interface Obis {
  /** Medium: 0 abstract, 1 electricity, 4 heat cost allocator, 5 cooling, 6 heat, 7 gas, 8 and 9 cold and hot water. */
  readonly a: number;
  /** Channel. */
  readonly b: number;
  /** Quantity. */
  readonly c: number;
  /** Processing. */
  readonly d: number;
  /** Rate or further classification. */
  readonly e: number;
  /** Billing period; 255 is none. */
  readonly f: number;
}

const LETTERS: Record<string, number> = { C: 96, F: 97, L: 98, P: 99 };
const FORM =
  /^(?:(\d{1,3})-(?:(\d{1,3}):)?)?([0-9]{1,3}|[CFLP])\.([0-9]{1,3}|[CFLP])(?:\.([0-9]{1,3}|[CFLP]))?(?:[*&](\d{1,3}))?$/i;
const DOTTED = /^(\d{1,3})\.(\d{1,3})\.(\d{1,3})\.(\d{1,3})\.(\d{1,3})\.(\d{1,3})$/;

function group(text: string | undefined, otherwise: number): number {
  if (text === undefined) return otherwise;
  return LETTERS[text.toUpperCase()] ?? Number(text);
}

/** The six value groups of a code in any accepted form; undefined when the text is none. */
export function obisGroups(text: string): Obis | undefined {
  const dotted = DOTTED.exec(text);
  let obis: Obis;
  if (dotted) {
    const [a, b, c, d, e, f] = dotted.slice(1).map(Number) as [number, number, number, number, number, number];
    obis = { a, b, c, d, e, f };
  } else {
    const found = FORM.exec(text);
    if (!found) return undefined;
    const [, a, b, c, d, e, f] = found;
    obis = {
      a: group(a, 1),
      b: group(b, 0),
      c: group(c, 0),
      d: group(d, 0),
      e: group(e, 0),
      f: group(f, 255),
    };
  }
  const { a, b, c, d, e, f } = obis;
  return a > 255 || b > 255 || c > 255 || d > 255 || e > 255 || f > 255 ? undefined : obis;
}

export function printObis({ a, b, c, d, e, f }: Obis): string {
  const short = `${a}-${b}:${c}.${d}.${e}`;
  return f === 255 ? short : `${short}*${f}`;
}

/** Any accepted form to the canonical one, completing short codes: `1.8.0` is `1-0:1.8.0`. Undefined when it is none. */
export function parseObis(text: string): string | undefined {
  const obis = obisGroups(text);
  return obis && printObis(obis);
}

/** The canonical form of six bytes. @throws DecodeError when fewer are left */
export function obisFromBytes(bytes: Uint8Array, offset = 0): string {
  if (offset + 6 > bytes.length) throw new DecodeError('truncated', 'an OBIS code has six bytes', offset);
  return printObis({
    a: bytes[offset] as number,
    b: bytes[offset + 1] as number,
    c: bytes[offset + 2] as number,
    d: bytes[offset + 3] as number,
    e: bytes[offset + 4] as number,
    f: bytes[offset + 5] as number,
  });
}

/** The six bytes of a code in any accepted form. @throws MisuseError when the text is none */
export function obisToBytes(text: string): Uint8Array {
  const obis = obisGroups(text);
  if (!obis) throw new MisuseError(`${JSON.stringify(text)} is no OBIS code; write it as 1-0:1.8.0 or 1.8.0`);
  return Uint8Array.of(obis.a, obis.b, obis.c, obis.d, obis.e, obis.f);
}

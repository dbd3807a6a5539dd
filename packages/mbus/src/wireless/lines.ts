/**
 * Wireless frames in lines of text, as sticks and receivers print them: rtl_wmbus (`T1;1;1;time;rssi;rssi;id;0xhex`), CUL sticks
 * (`b` and hex, `bY` for format B, two octets of quality and strength at the end), wmbusmeters' simulations (`telegram=|hex|`),
 * rtl_433 (JSON with `data`), and bare hex, with or without blanks and other signs between octets.
 *
 * Decides: what of a line is frame, which form it is in, and the signal strength where the format has a defined one. Several frames
 * may stand on one line, with commas between. Leaves out: lines that are none of these (undefined).
 */
import { hexDigit } from '@amiable/bytes';
import type { WirelessForm } from './frame.ts';

export interface LineFrame {
  readonly bytes: Uint8Array;
  /** Known only where the format says it. */
  readonly form?: WirelessForm;
  /** dBm. */
  readonly strength?: number;
  /** The receiver saw it damaged. */
  readonly damaged?: boolean;
}

const RTL_WMBUS = /^[STC]\d?(?:\+?[STC]\d?)?;([01]);([01]);[^;]*;[^;]*;[^;]*;[^;]*;(?:0x)?([0-9a-f]+)\s*$/i;
const CUL = /^b(Y?)([0-9a-f]{20,})\s*$/i;
const TELEGRAM = /^telegram=([0-9a-f|_ ]+?)\|?(?:\+\d+)?\s*$/i;
const RTL_433 = /^\{.*"data"\s*:\s*"([0-9a-f]+)"/i;
/** Digits and what people put between octets. */
const HEX = /^[\s"']*(?:0x)?[0-9a-f][0-9a-f\s|_:,;"'-]*$/i;

/** Strength as radios of Texas Instruments say it, dBm. */
export function strengthOfTi(octet: number): number {
  return (octet >= 128 ? octet - 256 : octet) / 2 - 74;
}

/** The digits of `text`; other signs are passed over, half an octet at the end is left out. */
export function hexOf(text: string): Uint8Array {
  const out = new Uint8Array(text.length >> 1);
  let to = 0;
  let high = -1;
  for (let i = 0; i < text.length; i++) {
    const digit = hexDigit(text.charCodeAt(i));
    if (digit < 0) continue;
    if (high < 0) high = digit;
    else {
      out[to++] = (high << 4) | digit;
      high = -1;
    }
  }
  return out.subarray(0, to);
}

/** The frames of one line; empty for an empty line and a remark; undefined for a line that is no frame. */
export function framesOfLine(line: string): LineFrame[] | undefined {
  const text = line.trim();
  if (text === '' || text.startsWith('#') || text.startsWith('//')) return [];
  const rtl = RTL_WMBUS.exec(text);
  if (rtl) {
    const damaged = rtl[1] === '0' || rtl[2] === '0';
    // It has checked the CRCs and left them out.
    const bytes = hexOf(rtl[3] as string);
    return [damaged ? { bytes, form: 'bare', damaged } : { bytes, form: 'bare' }];
  }
  const cul = CUL.exec(text);
  if (cul) {
    const bytes = hexOf(cul[2] as string);
    const strength = strengthOfTi(bytes[bytes.length - 1] as number);
    return [{ bytes, ...(cul[1] ? { form: 'B' as const } : {}), strength }];
  }
  const other = TELEGRAM.exec(text) ?? RTL_433.exec(text);
  if (other) return [{ bytes: hexOf(other[1] as string) }];
  if (!HEX.test(text)) return undefined;
  const pieces = text.split(/[,;]/).map((piece) => hexOf(piece.replace(/^[\s"']*0x/i, '')));
  // Commas between octets, or between frames.
  if (pieces.length > 1 && pieces.every((piece) => piece.length <= 2))
    return [{ bytes: hexOf(text.replace(/0x/gi, '')) }];
  return pieces.filter((piece) => piece.length > 0).map((bytes) => ({ bytes }));
}

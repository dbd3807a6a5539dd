/**
 * An APDU as it may stand in a log (IEC 62056-5-3 §8): hex, bounded, and nothing in it that opens a meter.
 *
 * Decides: of an AARQ and an AARE the values of authentication and the user information are masked (passwords, challenges,
 * dedicated keys); of what is written or invoked only the head is shown (key transfer, secrets, passwords of ports and
 * networks are all written so), but for a few classes that hold none; blocks of a longer APDU are not shown at all, for
 * nobody knows what they are a part of. Ciphered APDUs are shown as they are. What cannot be taken apart is not shown.
 */
import { toHex } from '@amiable/bytes';

export interface ApduDetail {
  readonly direction: 'sent' | 'received';
  /** `get-request`, `aarq`, `glo-get-request` … */
  readonly apdu: string;
  /** Length of the whole. */
  readonly bytes: number;
  readonly hex: string;
  /** Where it went ciphered: that form. */
  readonly ciphered?: string;
  /** Why not all of it is shown. */
  readonly withheld?: string;
}

/** Bytes shown at most. */
const MOST = 512;

const NAMES: Readonly<Record<number, string>> = {
  1: 'initiate-request',
  5: 'read-request',
  6: 'write-request',
  8: 'initiate-response',
  12: 'read-response',
  13: 'write-response',
  14: 'confirmed-service-error',
  15: 'data-notification',
  24: 'information-report-request',
  33: 'glo-initiate-request',
  37: 'glo-read-request',
  38: 'glo-write-request',
  40: 'glo-initiate-response',
  44: 'glo-read-response',
  45: 'glo-write-response',
  96: 'aarq',
  97: 'aare',
  98: 'rlrq',
  99: 'rlre',
  192: 'get-request',
  193: 'set-request',
  194: 'event-notification-request',
  195: 'action-request',
  196: 'get-response',
  197: 'set-response',
  199: 'action-response',
  200: 'glo-get-request',
  201: 'glo-set-request',
  202: 'glo-event-notification-request',
  203: 'glo-action-request',
  204: 'glo-get-response',
  205: 'glo-set-response',
  207: 'glo-action-response',
  208: 'ded-get-request',
  209: 'ded-set-request',
  211: 'ded-action-request',
  212: 'ded-get-response',
  213: 'ded-set-response',
  215: 'ded-action-response',
  216: 'exception-response',
  219: 'general-glo-ciphering',
  220: 'general-ded-ciphering',
  221: 'general-ciphering',
  223: 'general-signing',
  224: 'general-block-transfer',
};

/** Classes whose attributes and methods hold no secret: clock, activity calendar, single action schedule, disconnect control. */
const HARMLESS: ReadonlySet<number> = new Set([8, 20, 22, 70]);
/** Tags that are cipher text, whatever they carry. */
const isCiphered = (tag: number): boolean =>
  (tag >= 33 && tag <= 45 && NAMES[tag]?.startsWith('glo-') === true) ||
  (tag >= 200 && tag <= 215) ||
  (tag >= 219 && tag <= 221);

const bounded = (bytes: Uint8Array): string =>
  bytes.length <= MOST ? toHex(bytes) : `${toHex(bytes.subarray(0, MOST))}… ${bytes.length} bytes`;

/** @param ciphered the form in which it went, where that is another */
export function apduDetail(direction: ApduDetail['direction'], plain: Uint8Array, ciphered?: Uint8Array): ApduDetail {
  const tag = plain[0] ?? 0;
  const { hex, withheld } = shown(plain, tag);
  return {
    direction,
    apdu: NAMES[tag] ?? `tag ${tag}`,
    bytes: plain.length,
    hex,
    ...(ciphered === undefined ? {} : { ciphered: bounded(ciphered) }),
    ...(withheld === undefined ? {} : { withheld }),
  };
}

interface Shown {
  readonly hex: string;
  readonly withheld?: string;
}

const head = (apdu: Uint8Array, bytes: number, withheld: string): Shown =>
  apdu.length <= bytes ? { hex: toHex(apdu) } : { hex: `${toHex(apdu.subarray(0, bytes))}…`, withheld };

function shown(apdu: Uint8Array, tag: number): Shown {
  if (apdu.length === 0) return { hex: '' };
  if (isCiphered(tag)) return { hex: bounded(apdu) };
  switch (tag) {
    case 96:
    case 97:
      return association(apdu);
    case 1:
    case 8:
      // May carry a dedicated key.
      return head(apdu, 1, 'the user information may hold a key');
    case 193:
    case 195: {
      if (apdu[1] !== 1 || apdu.length < 13) return head(apdu, 3, 'what is written or invoked may be a secret');
      const classId = ((apdu[3] as number) << 8) | (apdu[4] as number);
      return HARMLESS.has(classId)
        ? { hex: bounded(apdu) }
        : head(apdu, 13, 'what is written or invoked may be a secret');
    }
    case 6:
      return head(apdu, 2, 'what is written may be a secret');
    case 5:
      return variableNames(apdu)
        ? { hex: bounded(apdu) }
        : head(apdu, 2, 'what a short name is called with may be a secret');
    case 192:
    case 196:
    case 197:
    case 199:
    case 12:
    case 13:
    case 14:
    case 15:
    case 24:
    case 98:
    case 99:
    case 194:
    case 216:
      return tag === 199 ? head(apdu, 4, 'what a method answers may be a secret') : { hex: bounded(apdu) };
    default:
      return head(apdu, 1, 'not known, or a part of something longer');
  }
}

/** A read of names alone: each element is choice 2 and a name of two octets. */
function variableNames(apdu: Uint8Array): boolean {
  const count = apdu[1] ?? 0;
  if (count > 127 || apdu.length !== 2 + count * 3) return false;
  for (let at = 2; at < apdu.length; at += 3) if (apdu[at] !== 2) return false;
  return true;
}

/** Values of authentication (of either side) and user information of an AARQ or AARE. */
const MASKED: ReadonlySet<number> = new Set([0xac, 0xaa, 0xbe]);

function association(apdu: Uint8Array): Shown {
  const withheld = 'passwords, challenges and user information are masked';
  const inside = lengthAt(apdu, 1);
  if (!inside || inside.from + inside.length !== apdu.length) return head(apdu, 1, withheld);
  let hex = toHex(apdu.subarray(0, inside.from));
  for (let at = inside.from; at < apdu.length; ) {
    const part = lengthAt(apdu, at + 1);
    if (!part || part.from + part.length > apdu.length) return head(apdu, 1, withheld);
    const end = part.from + part.length;
    hex += toHex(apdu.subarray(at, part.from));
    hex += MASKED.has(apdu[at] as number) ? '··'.repeat(part.length) : toHex(apdu.subarray(part.from, end));
    at = end;
  }
  return { hex: hex.length > 2 * MOST ? `${hex.slice(0, 2 * MOST)}… ${apdu.length} bytes` : hex, withheld };
}

/** BER length: where the content begins, and how long it is. */
function lengthAt(bytes: Uint8Array, at: number): { readonly from: number; readonly length: number } | undefined {
  const first = bytes[at];
  if (first === undefined) return undefined;
  if (first < 128) return { from: at + 1, length: first };
  const count = first & 127;
  if (count === 0 || count > 2 || at + count >= bytes.length) return undefined;
  let length = 0;
  for (let i = 1; i <= count; i++) length = (length << 8) | (bytes[at + i] as number);
  return { from: at + 1 + count, length };
}

/**
 * What a slave's long frame holds behind its CI (EN 13757-3 clause 4): header, security, records.
 *
 * Decides which CIs are answers with data (72, 76, 78, 7A, 73, 77), which report an error or an alarm (70, 71, and with headers 6E, 6F, 74,
 * 75), and what is not ours: frames of a master, DLMS, compact frames, which only wireless meters send.
 */
import { DecodeError } from '@amiable/bytes';
import { softwareAes } from '../wireless/aes.ts';
import { beginsPlain, transportDecipher } from '../wireless/security.ts';
import { LONG_HEADER, SHORT_HEADER } from './header.ts';
import type { MbusKeys } from './types.ts';

export type Content = 'records' | 'fixed' | 'error' | 'alarm';

/** Where things stand, by CI. */
interface Form {
  readonly content: Content;
  readonly header: 'long' | 'short' | 'none';
  readonly msbFirst: boolean;
}

const FORMS: readonly (Form | undefined)[] = (() => {
  const forms: (Form | undefined)[] = new Array(256).fill(undefined);
  const set = (ci: number, content: Content, header: Form['header'], msbFirst = false) => {
    forms[ci] = { content, header, msbFirst };
  };
  set(0x6e, 'error', 'short');
  set(0x6f, 'error', 'long');
  set(0x70, 'error', 'none');
  set(0x71, 'alarm', 'none');
  set(0x72, 'records', 'long');
  set(0x73, 'fixed', 'none');
  set(0x74, 'alarm', 'short');
  set(0x75, 'alarm', 'long');
  set(0x76, 'records', 'long', true);
  set(0x77, 'fixed', 'none', true);
  set(0x78, 'records', 'none');
  set(0x7a, 'records', 'short');
  return forms;
})();

export const formOf = (ci: number): Form | undefined => FORMS[ci];
export const headerLength = ({ header }: Form): number =>
  header === 'long' ? LONG_HEADER : header === 'short' ? SHORT_HEADER : 0;

export type Opened =
  | { readonly bytes: Uint8Array; readonly start: number; readonly end: number }
  | { readonly sealed: 'noKey' | 'wrongKey' | 'securityMode' };

/** Security modes that exist. Before there were any, the word was a signature with whatever bits: those telegrams are plain. */
const ENCIPHERING: ReadonlySet<number> = new Set([2, 3, 4, 5, 7, 8, 9, 10, 13]);

/** Security mode of a configuration word. */
export const modeOf = (configuration: number): number => (configuration >> 8) & 0x1f;

/**
 * The plain octets behind a long header at `at` whose configuration has a security mode. Some meters announce one and send plain: what begins
 * with two fillers is plain. @throws DecodeError `truncated` when there are fewer blocks than announced
 */
export function openRecords(
  frame: Uint8Array,
  at: number,
  end: number,
  configuration: number,
  identity: { readonly identification: string; readonly manufacturer: string },
  keys: MbusKeys | undefined,
): Opened {
  const start = at + LONG_HEADER;
  const mode = modeOf(configuration);
  const blocks = (configuration >> 4) & 0x0f;
  if (blocks === 0 || !ENCIPHERING.has(mode) || beginsPlain(frame, start)) return { bytes: frame, start, end };
  if (mode !== 5 && mode !== 4) return { sealed: 'securityMode' };
  const length = 16 * blocks;
  if (length > end - start)
    throw new DecodeError('truncated', `${length} enciphered octets are announced, ${end - start} are here`, start);
  // Manufacturer, identification, version, medium: the order of a wireless link header.
  const address = Uint8Array.of(
    ...frame.subarray(at + 4, at + 6),
    ...frame.subarray(at, at + 4),
    ...frame.subarray(at + 6, at + 8),
  );
  const candidates = keys?.candidates(identity.identification, identity.manufacturer) ?? [];
  for (const key of candidates) {
    const header = {
      ci: 0x72,
      kind: 'long' as const,
      address,
      accessNumber: frame[at + 8] as number,
      status: frame[at + 9] as number,
      configuration,
      mode,
      enciphered: length,
      extension: undefined,
      end: start,
    };
    const plain = transportDecipher(softwareAes, key, { header, address }, frame.subarray(start, start + length));
    if (plain === undefined || !beginsPlain(plain)) continue;
    const bytes = Uint8Array.of(...plain, ...frame.subarray(start + length, end));
    return { bytes, start: 0, end: bytes.length };
  }
  return { sealed: candidates.length > 0 ? 'wrongKey' : 'noKey' };
}

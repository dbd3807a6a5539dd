/**
 * Opens ciphered APDUs of somebody else's conversation, for explanation: both directions, any counter, any protection.
 *
 * Decides: whose system title goes into the nonce (an APDU of the client takes the client's), learnt from AARQ, AARE and
 * the general envelopes; that a dedicated key is learnt from the InitiateRequest; that without an authentication key the
 * text is deciphered unchecked, and said to be so. Left out: refusing anything, which is an association's business.
 */
import {
  type Apdu,
  type Crypto,
  createSecurityContext,
  decipher,
  decodeApdu,
  type InvocationCounter,
  memoryPeerCounter,
  NO_PROTECTION,
  type SecurityKeys,
  type SecuritySuite,
  SUITES,
  securityControl,
  serviceOfCiphered,
} from '@amiable/dlms';
import type { Direction } from './paste.ts';
import { isTelegram } from './ports.ts';

export interface ExplainKeys {
  /** Global unicast encryption key; 16 bytes, 32 in suite 2. */
  readonly unicast: Uint8Array;
  readonly authentication?: Uint8Array;
  readonly master?: Uint8Array;
  readonly dedicated?: Uint8Array;
  readonly clientSystemTitle?: Uint8Array;
  readonly serverSystemTitle?: Uint8Array;
}

export type Opened =
  | { readonly plain: Uint8Array; readonly hint?: string }
  | { readonly plain?: undefined; readonly hint: string };

const NEVER: InvocationCounter = { next: () => 0 };
const ALL = { lowest: () => 0, accept: () => {} };

export interface Opener {
  learnTitle(from: Direction, title: Uint8Array): void;
  learnDedicatedKey(key: Uint8Array): void;
  /** Whose system title it is, where that was learnt or given. */
  sender(title: Uint8Array): Direction | undefined;
  /** @returns undefined when the APDU is not ciphered */
  open(apdu: Uint8Array, direction: Direction): Opened | undefined;
}

export function createOpener(keys: ExplainKeys | undefined, crypto: Crypto | undefined): Opener {
  const titles: Record<Direction, Uint8Array | undefined> = {
    out: keys?.clientSystemTitle,
    in: keys?.serverSystemTitle,
  };
  let dedicated = keys?.dedicated;

  const open = (apdu: Uint8Array, direction: Direction): Opened | undefined => {
    const tag = apdu[0] as number;
    const service = serviceOfCiphered(tag);
    if (!service && (tag < 0xdb || tag > 0xdf || tag === 0xde)) return undefined;
    const envelope = decodeApdu(apdu);
    const named =
      'systemTitle' in envelope ? envelope.systemTitle : 'originator' in envelope ? envelope.originator : undefined;
    if (named?.length === 8) titles[direction] = named;
    if (!keys || !crypto) return { hint: 'Ciphered. Give the encryption key (and the authentication key) to open it.' };
    const title = titles[direction];
    const content =
      envelope.type === 'ciphered' || 'systemTitle' in envelope
        ? (envelope as { content: Uint8Array }).content
        : undefined;
    if (content && !title) {
      const whose = direction === 'out' ? "client's" : "meter's";
      return {
        hint: `Ciphered without naming its sender. Give the ${whose} system title, or the AARQ and AARE before it.`,
      };
    }
    if (content && !keys.authentication) return unchecked(content, title as Uint8Array);
    // An envelope that names no suite to us is tried with the suite that the key's length speaks for.
    const told = content ? securityControl(content[0] ?? 0).suite : keys.unicast.length === 32 ? 2 : 0;
    const facts = SUITES[told];
    if (!facts) return { hint: `Not opened: there is no security suite ${told}.` };
    if (keys.unicast.length !== facts.keyLength)
      return {
        hint: `Not opened: it says suite ${told}, whose keys have ${facts.keyLength} bytes, not ${keys.unicast.length}.`,
      };
    const other = direction === 'out' ? titles.in : titles.out;
    const all: SecurityKeys = {
      unicast: keys.unicast,
      authentication: keys.authentication ?? new Uint8Array(keys.unicast.length),
      broadcast: keys.unicast,
      ...(keys.master ? { master: keys.master } : {}),
    };
    const context = createSecurityContext({
      suite: told as SecuritySuite,
      role: direction === 'out' ? 'server' : 'client',
      ownSystemTitle: other ?? new Uint8Array(8),
      ...(title ? { peerSystemTitle: title } : {}),
      keys: all,
      ...(dedicated ? { dedicatedKey: dedicated } : {}),
      send: NO_PROTECTION,
      require: NO_PROTECTION,
      form: 'service-specific-global',
      counter: NEVER,
      peerCounter: ALL,
      dedicatedPeerCounter: ALL,
      broadcastPeerCounter: memoryPeerCounter(),
      crypto,
    });
    const opened = context.unprotect(apdu);
    if (opened.ok) return { plain: opened.plain };
    const text = telegramIn(envelope);
    if (text) return { plain: text };
    return { hint: `Not opened: ${opened.text}` };
  };

  /** A P1 telegram, which is no APDU and comes in the envelope of one. */
  const telegramIn = (envelope: Apdu): Uint8Array | undefined => {
    if (envelope.type !== 'general-glo-ciphering' || keys?.unicast.length !== 16 || !crypto) return undefined;
    const pair = { key: keys.unicast, ...(keys.authentication ? { authKey: keys.authentication } : {}) };
    const opened = decipher(envelope, [pair], crypto);
    return opened.ok && isTelegram(opened.plain) ? opened.plain : undefined;
  };

  const unchecked = (content: Uint8Array, title: Uint8Array): Opened => {
    const control = securityControl(content[0] as number);
    if (content.length < 5) return { hint: 'Not opened: too short for a security header.' };
    const end = content.length - (control.authenticated ? 12 : 0);
    if (end < 5) return { hint: 'Not opened: no room for the tag.' };
    const body = content.subarray(5, end);
    if (!control.encrypted) return { plain: body, hint: 'Authenticated only; the tag was not checked.' };
    const iv = new Uint8Array(12);
    iv.set(title);
    iv.set(content.subarray(1, 5), 8);
    const plain = (crypto as Crypto).gcmDecrypt((keys as ExplainKeys).unicast, iv, new Uint8Array(0), body, undefined);
    return plain
      ? { plain, hint: 'Deciphered without an authentication key: the tag was not checked, so the bytes may be wrong.' }
      : { hint: 'Not opened with this key.' };
  };

  return {
    learnTitle(from, title) {
      if (title.length === 8) titles[from] = title;
    },
    learnDedicatedKey(key) {
      dedicated = key;
    },
    sender: (title) => (['out', 'in'] as const).find((way) => titles[way]?.every((byte, i) => byte === title[i])),
    open,
  };
}

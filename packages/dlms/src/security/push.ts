/**
 * Pushed messages in general ciphering envelopes, security suite 0 (IEC 62056-5-3 clause 5.3.4, AES-GCM-128), of which
 * the reader knows keys but no association.
 *
 * Decides: nonce (system title, invocation counter), additional data (security control, authentication key, and the
 * plain text where nothing is encrypted), the 12-byte tag, and which of several keys fits. Leaves out: AES itself
 * (`Crypto`, implemented in package io), compression, suites 1 and 2, counters, and all of associations (context.ts).
 */
import { DecodeError, Reader } from '@amiable/bytes';
import { decodeApdu } from '../apdu/codec.ts';
import { APDU } from '../apdu/tags.ts';
import type { GeneralCiphering } from '../apdu/types.ts';
import { HEAD_LENGTH, SECURITY, type SecurityControl, securityControl, TAG_LENGTH } from './control.ts';
import type { AesGcm } from './crypto.ts';

export interface KeyPair {
  /** Encryption key, 16 bytes. */
  readonly key: Uint8Array;
  /** Authentication key, 16 bytes. */
  readonly authKey?: Uint8Array;
}

/** Where keys come from; several candidates are tried in turn. */
export interface KeyRing {
  candidates(systemTitle: Uint8Array | undefined, meterId?: string): readonly KeyPair[];
}

export type Deciphered =
  | {
      readonly ok: true;
      readonly plain: Uint8Array;
      readonly systemTitle: Uint8Array;
      readonly invocationCounter: number;
      readonly control: SecurityControl;
      /** False when no tag was sent or no authentication key was given to check it with. */
      readonly authenticated: boolean;
      readonly key: KeyPair;
    }
  | {
      readonly ok: false;
      /** noKey: none was given; wrongKey: of those given none opens it. */
      readonly reason: 'noKey' | 'wrongKey';
      readonly systemTitle: Uint8Array;
      readonly invocationCounter: number;
    };

/**
 * Opens an envelope with the first key that fits.
 * A key fits when the tag proves it; where the tag cannot be checked, when the plain text begins as an APDU does.
 * @param looksRight tells plain text from noise where no tag can be checked; an APDU unless said (P1 ciphers telegrams)
 * @throws DecodeError when the envelope itself is malformed or of a suite that is not suite 0
 */
export function decipher(
  apdu: GeneralCiphering,
  keys: readonly KeyPair[],
  crypto: AesGcm,
  titleOfAssociation?: Uint8Array,
  looksRight: (plain: Uint8Array) => boolean = looksLikeApdu,
): Deciphered {
  const reader = new Reader(apdu.content);
  const controlByte = reader.u8('security control');
  const control = securityControl(controlByte);
  if (control.suite !== 0) throw new DecodeError('security', `security suite ${control.suite} is not supported`, 0);
  if (control.compressed) throw new DecodeError('security', 'compressed messages are not supported', 0);
  const invocationCounter = reader.u32('invocation counter');
  const systemTitle = apdu.systemTitle.length === 8 ? apdu.systemTitle : (titleOfAssociation ?? apdu.systemTitle);
  if (systemTitle.length !== 8) throw new DecodeError('security', 'the system title is missing', 0);
  const tagLength = control.authenticated ? TAG_LENGTH : 0;
  if (reader.remaining < tagLength)
    throw new DecodeError('truncated', `no room for the tag of ${TAG_LENGTH} bytes`, reader.pos);
  const body = reader.bytes(reader.remaining - tagLength);
  const tag = control.authenticated ? reader.bytes(TAG_LENGTH) : undefined;
  const failed = { ok: false, systemTitle, invocationCounter } as const;
  // What is not encrypted can be read without a key; a tag, if there is one, stays unchecked.
  if (!control.encrypted && (!control.authenticated || (keys.length === 0 && looksRight(body)))) {
    const key = keys[0] ?? { key: new Uint8Array(16) };
    return { ok: true, plain: body, systemTitle, invocationCounter, control, authenticated: false, key };
  }
  if (keys.length === 0) return { ...failed, reason: 'noKey' };
  const iv = nonce(systemTitle, invocationCounter);
  let likely: Extract<Deciphered, { ok: true }> | undefined;
  for (const pair of keys) {
    const opened = open(pair, crypto, iv, controlByte, control, body, tag, looksRight);
    if (!opened) continue;
    const found = { ok: true, ...opened, systemTitle, invocationCounter, control, key: pair } as const;
    // Of several keys one may yield what looks right by chance: what reads right to its end goes before.
    if (opened.authenticated || keys.length === 1 || looksRight !== looksLikeApdu || readsWell(opened.plain))
      return found;
    likely ??= found;
  }
  return likely ?? { ...failed, reason: 'wrongKey' };
}

function readsWell(plain: Uint8Array): boolean {
  try {
    decodeApdu(plain);
    return true;
  } catch (error) {
    if (error instanceof DecodeError) return false;
    throw error;
  }
}

function open(
  pair: KeyPair,
  crypto: AesGcm,
  iv: Uint8Array,
  controlByte: number,
  control: SecurityControl,
  body: Uint8Array,
  tag: Uint8Array | undefined,
  looksRight: (plain: Uint8Array) => boolean,
): { plain: Uint8Array; authenticated: boolean } | undefined {
  const checked = tag !== undefined && pair.authKey !== undefined;
  if (!control.encrypted) {
    // Authenticated only: the text is plain, so it can be read whatever the keys; the tag alone speaks for it.
    if (!checked) return looksRight(body) ? { plain: body, authenticated: false } : undefined;
    const aad = additionalData(controlByte, pair.authKey as Uint8Array, body);
    const proof = crypto.gcmDecrypt(pair.key, iv, aad, new Uint8Array(0), tag);
    return proof ? { plain: body, authenticated: true } : undefined;
  }
  const aad = checked ? additionalData(controlByte, pair.authKey as Uint8Array) : new Uint8Array(0);
  const plain = crypto.gcmDecrypt(pair.key, iv, aad, body, checked ? tag : undefined);
  if (!plain || !(checked || looksRight(plain))) return undefined;
  return { plain, authenticated: checked };
}

/**
 * Whether decrypted bytes can be a Data-Notification with its body: tag, one of the four forms of a date-time, then an
 * array or structure. A wrong key passes once in some million times, and then mostly fails as a list.
 */
export function looksLikeApdu(plain: Uint8Array): boolean {
  const tag = plain[0];
  if (tag === APDU.generalBlockTransfer) return readsWell(plain);
  if (tag !== APDU.dataNotification || plain.length < 8) return false;
  const form = plain[5] as number;
  const at = form === 0x00 ? 6 : form === 0x0c ? 18 : form === 0x09 && plain[6] === 0x0c ? 19 : form === 0x07 ? 17 : -1;
  const body = plain[at];
  return at > 0 && (body === 0x01 || body === 0x02 || body === 0x13);
}

function nonce(systemTitle: Uint8Array, invocationCounter: number): Uint8Array {
  const iv = new Uint8Array(12);
  iv.set(systemTitle);
  iv[8] = invocationCounter >>> 24;
  iv[9] = invocationCounter >>> 16;
  iv[10] = invocationCounter >>> 8;
  iv[11] = invocationCounter;
  return iv;
}

function additionalData(controlByte: number, authKey: Uint8Array, plain?: Uint8Array): Uint8Array {
  const aad = new Uint8Array(1 + authKey.length + (plain?.length ?? 0));
  aad[0] = controlByte;
  aad.set(authKey, 1);
  if (plain) aad.set(plain, 1 + authKey.length);
  return aad;
}

export interface EncipherOptions {
  readonly type?: GeneralCiphering['type'];
  readonly systemTitle: Uint8Array;
  readonly invocationCounter: number;
  /** 0x10, 0x20 or 0x30; 0x30 unless said. */
  readonly security?: number;
}

/** Puts a plain APDU into an envelope. */
export function encipher(plain: Uint8Array, pair: KeyPair, options: EncipherOptions, crypto: AesGcm): GeneralCiphering {
  const controlByte = options.security ?? SECURITY.authenticated | SECURITY.encrypted;
  const control = securityControl(controlByte);
  const iv = nonce(options.systemTitle, options.invocationCounter);
  const authKey = pair.authKey ?? new Uint8Array(0);
  const tagLength = control.authenticated ? TAG_LENGTH : 0;
  let body = plain;
  let tag = new Uint8Array(0) as Uint8Array;
  if (control.encrypted) {
    const aad = control.authenticated ? additionalData(controlByte, authKey) : new Uint8Array(0);
    const sealed = crypto.gcmEncrypt(pair.key, iv, aad, plain, tagLength);
    body = sealed.ciphertext;
    tag = sealed.tag;
  } else if (control.authenticated) {
    const aad = additionalData(controlByte, authKey, plain);
    tag = crypto.gcmEncrypt(pair.key, iv, aad, new Uint8Array(0), tagLength).tag;
  }
  const content = new Uint8Array(HEAD_LENGTH + body.length + tagLength);
  content[0] = controlByte;
  content.set(iv.subarray(8), 1);
  content.set(body, HEAD_LENGTH);
  content.set(tag.subarray(0, tagLength), HEAD_LENGTH + body.length);
  return { type: options.type ?? 'general-glo-ciphering', systemTitle: options.systemTitle, content };
}

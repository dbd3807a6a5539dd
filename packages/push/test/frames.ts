/**
 * Takes the plain APDU out of a captured frame: just enough link layer for good frames, so that the tests of this package
 * stand without the link packages.
 */
import { createCipheriv, createDecipheriv } from 'node:crypto';
import { fromHex } from '@amiable/bytes';
import { type AesGcm, createBlockJoiner, decipher, decodeApdu, type KeyPair } from '@amiable/dlms';

export const crypto: AesGcm = {
  gcmDecrypt(key, iv, aad, ciphertext, tag) {
    const decipherer = createDecipheriv('aes-128-gcm', key, iv, { authTagLength: tag?.length ?? 16 });
    decipherer.setAAD(aad);
    if (tag) decipherer.setAuthTag(tag);
    const plain = new Uint8Array(decipherer.update(ciphertext));
    try {
      if (tag) decipherer.final();
    } catch {
      return undefined;
    }
    return plain;
  },
  gcmEncrypt(key, iv, aad, plaintext, tagLength) {
    const cipher = createCipheriv('aes-128-gcm', key, iv, { authTagLength: tagLength || 16 });
    cipher.setAAD(aad);
    const ciphertext = new Uint8Array(cipher.update(plaintext));
    cipher.final();
    return { ciphertext, tag: new Uint8Array(cipher.getAuthTag()).subarray(0, tagLength) };
  },
};

export interface Capture {
  readonly layer: string;
  readonly key?: string;
  readonly authKey?: string;
}

export function apduOf(hex: string, capture: Capture): Uint8Array {
  const bytes = fromHex(hex);
  let apdu = capture.layer === 'hdlc' ? fromHdlc(bytes) : capture.layer === 'mbus' ? fromMbus(bytes) : bytes;
  const outer = apdu[0] === 0x0f ? undefined : decodeApdu(apdu);
  if (outer && 'systemTitle' in outer) {
    const key: KeyPair = {
      key: fromHex(capture.key ?? ''),
      ...(capture.authKey ? { authKey: fromHex(capture.authKey) } : {}),
    };
    const opened = decipher(outer, [key], crypto);
    if (!opened.ok) throw new Error(opened.reason);
    apdu = opened.plain;
  }
  return apdu;
}

/** Information fields of HDLC frames, joined; blocks of a General-Block-Transfer joined too. */
function fromHdlc(b: Uint8Array): Uint8Array {
  const parts: number[] = [];
  const joiner = createBlockJoiner();
  for (let i = 0; i < b.length; ) {
    if (b[i] === 0x7e) {
      i++;
      continue;
    }
    const length = (((b[i] as number) & 7) << 8) | (b[i + 1] as number);
    let p = i + 2;
    for (let address = 0; address < 2; address++) {
      while (((b[p] as number) & 1) === 0) p++;
      p++;
    }
    let info = b.subarray(p + 3, i + length - 2);
    if (info[0] === 0xe6) info = info.subarray(3);
    if (info[0] === 0xe0) {
      const piece = decodeApdu(info);
      const whole = piece.type === 'general-block-transfer' ? joiner.push(piece) : undefined;
      if (whole) parts.push(...whole);
    } else parts.push(...info);
    i += length;
  }
  return Uint8Array.from(parts);
}

/** User data of wired M-Bus long frames behind control, address, CI and the two service access points. */
function fromMbus(b: Uint8Array): Uint8Array {
  const parts: number[] = [];
  for (let i = 0; i < b.length; i += (b[i + 1] as number) + 6)
    parts.push(...b.subarray(i + 9, i + 4 + (b[i + 1] as number)));
  return Uint8Array.from(parts);
}

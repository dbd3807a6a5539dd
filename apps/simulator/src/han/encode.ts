/**
 * From the values of a list to the bytes on the line: DLMS Data-Notification, ciphered if the meter has a key (general
 * global ciphering, suite 0: IEC 62056-5-3 clause 5.3.4), LLC header, one HDLC frame.
 */
import {
  type Crypto,
  type DlmsDateTime,
  encipher,
  encodeApdu,
  encodeDataNotification,
  type KeyPair,
} from '@amiable/dlms';
import { encodeFrame } from '@amiable/hdlc';
import { type Layout, listBody, type WireValue } from './lists.ts';

/** Destination and source LSAP of a push and LLC quality (IEC 62056-46 annex B). */
const LLC = Uint8Array.of(0xe6, 0xe7, 0x00);

export interface Cipher {
  readonly keys: KeyPair;
  readonly systemTitle: Uint8Array;
  readonly crypto: Crypto;
}

/** The Data-Notification alone. */
export function encodeNotification(layout: Layout, values: readonly WireValue[], dateTime?: DlmsDateTime): Uint8Array {
  return encodeDataNotification(listBody(layout, values), {
    invokeId: layout.invokeId,
    form: layout.dateTime,
    ...(dateTime && layout.dateTime !== 'none' ? { dateTime } : {}),
  });
}

export function wrapFrame(layout: Pick<Layout, 'destination' | 'source' | 'control'>, apdu: Uint8Array): Uint8Array {
  const info = new Uint8Array(LLC.length + apdu.length);
  info.set(LLC);
  info.set(apdu, LLC.length);
  return encodeFrame({ destination: layout.destination, source: layout.source, control: layout.control, info });
}

/** `counter`: the invocation counter, which must rise with every ciphered frame of the meter. */
export function encodeList(
  layout: Layout,
  values: readonly WireValue[],
  dateTime: DlmsDateTime | undefined,
  cipher?: Cipher,
  counter = 0,
): Uint8Array {
  let apdu = encodeNotification(layout, values, dateTime);
  if (cipher) {
    // Without an authentication key nothing can be vouched for: encrypted only, no tag.
    const security = cipher.keys.authKey ? 0x30 : 0x20;
    const options = { systemTitle: cipher.systemTitle, invocationCounter: counter, security };
    apdu = encodeApdu(encipher(apdu, cipher.keys, options, cipher.crypto));
  }
  return wrapFrame(layout, apdu);
}

/**
 * Octet strings that telegrams write as hexadecimal digits: texts for the customer and numbers of devices (DSMR P1 5.0.2 clause
 * 6.4, types Sn and Tag 9). Pure text, where a maker sends it as it is, stays.
 */
import { hexValue } from './telegram.ts';

/** The octets; undefined when the text is not pairs of hexadecimal digits. */
function octetsOf(text: string): Uint8Array | undefined {
  if (text.length === 0 || text.length % 2 !== 0) return undefined;
  const out = new Uint8Array(text.length / 2);
  for (let i = 0; i < out.length; i++) {
    const high = hexValue(text.charCodeAt(2 * i));
    const low = hexValue(text.charCodeAt(2 * i + 1));
    if (high < 0 || low < 0) return undefined;
    out[i] = high * 16 + low;
  }
  return out;
}

const NUL = '\0';
const utf8 = new TextDecoder('utf-8', { fatal: true });
const latin1 = (bytes: Uint8Array): string => {
  let text = '';
  for (const octet of bytes) text += String.fromCharCode(octet);
  return text;
};

/** A message to the customer: UTF-8, else Latin-1. Digits that hold control characters only are no text and stay. */
export function messageText(sent: string): string {
  const octets = octetsOf(sent);
  if (!octets) return sent;
  let text: string;
  try {
    text = utf8.decode(octets);
  } catch {
    text = latin1(octets);
  }
  while (text.endsWith(NUL)) text = text.slice(0, -1);
  return text === '' || /\P{Cc}/u.test(text) ? text : sent;
}

const withoutNul = (text: string): string => text.replaceAll(NUL, ' ').trim();

/** Digits of the longest number of a device. */
const MAX_NUMBER = 128;

/** What numbers of devices are made of; digits that yield anything else are the number itself. */
const NUMBER = /^[0-9A-Za-z _./:-]+$/;

/** The number of a device; undefined when it is empty, blank or nothing but NUL. */
export function deviceNumber(sent: string): string | undefined {
  if (sent.length > MAX_NUMBER) return undefined;
  const octets = octetsOf(sent);
  if (octets) {
    const text = withoutNul(latin1(octets));
    if (text === '') return undefined;
    if (NUMBER.test(text)) return text;
  }
  const plain = withoutNul(sent);
  return plain === '' ? undefined : plain;
}

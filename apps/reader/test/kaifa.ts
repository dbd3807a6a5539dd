/** Kaifa frames as the meters of the port guide send them, made here so that tests choose every value. */
import { Writer } from '@amiable/bytes';
import { encipher, encodeApdu } from '@amiable/dlms';
import { encodeFrame } from '@amiable/hdlc';
import { nodeCrypto } from '@amiable/io';

export type Clock = readonly [year: number, month: number, day: number, hour: number, minute: number, second: number];

export const KEY = Uint8Array.from({ length: 16 }, (_, i) => i * 0x11);
export const AUTH_KEY = Uint8Array.from({ length: 16 }, (_, i) => 0xd0 + i);
export const KEY_HEX = '00112233445566778899AABBCCDDEEFF';
export const AUTH_KEY_HEX = 'D0D1D2D3D4D5D6D7D8D9DADBDCDDDEDF';
const TITLE = Uint8Array.from([0x4b, 0x46, 0x4d, 0x10, 0x20, 0, 0, 1]);

function clockBytes(w: Writer, [year, month, day, hour, minute, second]: Clock): void {
  w.u16(year).u8(month).u8(day);
  w.u8(new Date(Date.UTC(year, month - 1, day)).getUTCDay() || 7);
  w.u8(hour).u8(minute).u8(second).u8(0xff).u16(0x8000).u8(0);
}

function text(w: Writer, value: string): void {
  w.u8(0x09).u8(value.length).bytes(new TextEncoder().encode(value));
}

/** @param listClock after the first 13 elements of a list 3 */
export function apdu(clock: Clock, values: readonly (string | number)[], listClock?: Clock): Uint8Array {
  const w = new Writer();
  w.u8(0x0f).u32(0x4000_0000).u8(0x09).u8(0x0c);
  clockBytes(w, clock);
  w.u8(0x02).u8(values.length + (listClock ? 1 : 0));
  values.forEach((value, i) => {
    if (listClock && i === 13) {
      w.u8(0x09).u8(0x0c);
      clockBytes(w, listClock);
    }
    if (typeof value === 'string') text(w, value);
    else w.u8(0x06).u32(value);
  });
  return w.finish().slice();
}

export function frame(payload: Uint8Array): Uint8Array {
  const info = new Uint8Array(3 + payload.length);
  info.set([0xe6, 0xe7, 0x00]);
  info.set(payload, 3);
  return encodeFrame({ destination: { value: 0, length: 1 }, source: { value: 129, length: 2 }, control: 0x10, info });
}

let counter = 0;
export function sealedFrame(payload: Uint8Array, { security = 0x30 }: { security?: number } = {}): Uint8Array {
  return frame(
    encodeApdu(
      encipher(
        payload,
        { key: KEY, authKey: AUTH_KEY },
        { systemTitle: TITLE, invocationCounter: ++counter, security },
        nodeCrypto,
      ),
    ),
  );
}

export const list1 = (clock: Clock, power = 220): Uint8Array => apdu(clock, [power]);
export const list2 = (clock: Clock): Uint8Array =>
  apdu(clock, ['KFM_001', '6970631400000066', 'MA304H3E', 220, 0, 0, 5, 905, 910, 27, 2404, 0, 2394]);
export const list3 = (clock: Clock, listClock: Clock): Uint8Array =>
  apdu(
    clock,
    ['KFM_001', '6970631400000226', 'MA304T3', 212, 0, 0, 3, 884, 0, 20, 2370, 0, 2395, 676_189, 716, 111_698, 4597],
    listClock,
  );

/** The three messages of the guide's figure 2. */
export const figure2: readonly Uint8Array[] = [
  frame(list1([2017, 1, 20, 16, 8, 38])),
  frame(list2([2017, 1, 20, 16, 8, 40])),
  frame(list3([2017, 1, 23, 14, 0, 10], [2017, 1, 23, 14, 0, 0])),
];

export function joined(...parts: readonly Uint8Array[]): Uint8Array {
  return new Uint8Array(Buffer.concat(parts));
}

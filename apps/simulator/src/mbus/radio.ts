/**
 * What a device sends over the air: wireless M-Bus, mode T1 or C1 frames, plain or enciphered in security mode 5 (EN 13757-4,
 * EN 13757-7; OMS volume 2).
 *
 * Decides: SND_NR with a short transport header (CI 7A); two idle fillers before the records where they are enciphered, filled up to
 * whole blocks. Leaves out: line coding and preambles, which a receiver takes away.
 */
import { encodeRecords, encodeWirelessFrame, manufacturerCode, softwareAes, type WirelessForm } from '@amiable/mbus';
import type { MbusDevice } from './device.ts';

const SND_NR = 0x44;
const SHORT_HEADER = 0x7a;
const FILLER = 0x2f;
const BLOCK = 16;

export interface Beacon {
  /** Link CRCs as format A or B has them, or none. Default 'A'. */
  readonly form?: WirelessForm;
  /** AES-128; absent: plain. */
  readonly key?: Uint8Array;
  readonly accessNumber: number;
}

/** One telegram of the device as it is now. */
export function encodeBeacon(device: MbusDevice, { form = 'A', key, accessNumber }: Beacon): Uint8Array {
  const { identification, manufacturer, version, medium } = device.identity;
  const maker = manufacturerCode(manufacturer);
  const address = Uint8Array.of(maker & 0xff, maker >> 8, 0, 0, 0, 0, version, medium);
  for (let i = 0; i < 4; i++) address[5 - i] = Number.parseInt(identification.slice(2 * i, 2 * i + 2), 16);
  const records = encodeRecords(device.beacon());
  let body = records;
  let configuration = 0;
  if (key) {
    const blocks = Math.ceil((records.length + 2) / BLOCK);
    const text = new Uint8Array(blocks * BLOCK).fill(FILLER);
    text.set(records, 2);
    const iv = new Uint8Array(BLOCK).fill(accessNumber);
    iv.set(address);
    body = softwareAes.cbcEncrypt(key, iv, text);
    // Mode 5, blocks, bidirectional access: none.
    configuration = 0x0500 | (blocks << 4);
  }
  const head = [
    SND_NR,
    ...address,
    SHORT_HEADER,
    accessNumber,
    device.status(),
    configuration & 0xff,
    configuration >> 8,
  ];
  return encodeWirelessFrame(Uint8Array.of(head.length + body.length, ...head, ...body), form);
}

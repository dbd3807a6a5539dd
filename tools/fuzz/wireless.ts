/** Wireless M-Bus for the fuzzer: telegrams of all kinds of security and of makers with drivers, changed, in every wrapping. */
import { fromHex, toHex } from '@amiable/bytes';
import {
  compactOf,
  createWmbusDecoder,
  decode3of6,
  decodeManchester,
  encodeRecords,
  encodeTelegram,
  encodeWirelessFrame,
  explainWireless,
  framesOfLine,
  type WirelessMeter,
  type WirelessSecurity,
  type WmbusDecoder,
} from '@amiable/mbus';
import { type Message, messageToJson } from '@amiable/model';
import { messageFromJson } from '@amiable/model/schemas';
import { type Dice, mutate } from './inputs.ts';

const KEY = fromHex('000102030405060708090a0b0c0d0e0f');
/** Maker, version and device type of meters that have a driver, and of some that have none. */
const METERS: readonly (readonly [string, number, number])[] = [
  ['APT', 0x03, 0x03],
  ['APT', 0x04, 0x11],
  ['APA', 0x05, 0x07],
  ['APA', 0x04, 0x08],
  ['APA', 0x14, 0x07],
  ['BMT', 0x13, 0x06],
  ['BMT', 0x05, 0x07],
  ['BMP', 0x53, 0x08],
  ['SAP', 0x01, 0x07],
  ['HYD', 0x85, 0x07],
  ['DME', 0x78, 0x07],
  ['BFW', 0x02, 0x08],
  ['ZRI', 0x0b, 0x16],
  ['GWF', 0x01, 0x0e],
  ['QDS', 0x34, 0x08],
  ['IME', 0x66, 0x02],
  ['TCH', 0x69, 0x80],
  ['TCH', 0x74, 0x62],
  ['TCH', 0x50, 0x72],
  ['TCH', 0x70, 0x62],
  ['TCH', 0x45, 0x04],
  ['TCH', 0x27, 0x04],
  ['TCH', 0x76, 0xf0],
  ['KAM', 0x1b, 0x16],
];
/** Beginnings of records and payloads. */
const PIECES = [
  '0f',
  '1f',
  '0dff5f3500',
  '8d04ee132c3bfe',
  '8d049313133cfe',
  '8d04931e3a34fe',
  '2f2f',
  '426c',
  '046d',
  '8c9f',
  '90',
].map((piece) => fromHex(piece.length % 2 ? `0${piece}` : piece));

export function wirelessTarget(roll: Dice, count: (what: string) => void) {
  const octets = (n: number) => Uint8Array.from({ length: n }, () => roll(256));

  function records(): Uint8Array {
    const out: number[] = [];
    for (let n = roll(6); n >= 0; n--) {
      if (roll(3) === 0) out.push(...(PIECES[roll(PIECES.length)] as Uint8Array), ...octets(roll(60)));
      else {
        const width = [1, 2, 3, 4, 6][roll(5)] as number;
        const value = roll(100);
        const data = { type: 'integer', octets: width, value } as const;
        out.push(...encodeRecords([{ vif: [roll(0x7b)], storage: roll(3) ? 0 : roll(20), data }]));
      }
    }
    return Uint8Array.from(out.slice(0, 170));
  }

  function odd(): Uint8Array {
    const [manufacturer, version, medium] = METERS[roll(METERS.length)] as readonly [string, number, number];
    const meter: WirelessMeter = { identification: String(10_000_000 + roll(4)), manufacturer, version, medium };
    const securities: readonly WirelessSecurity[] = [
      { mode: 'none' },
      { mode: 5, key: KEY },
      { mode: 7, key: KEY, messageCounter: roll(1000) },
      { mode: 'ell', key: KEY, session: roll(1000) },
    ];
    const security = securities[roll(3) ? 0 : roll(4)] as WirelessSecurity;
    const body = records();
    let compact = roll(6) === 0;
    if (compact)
      try {
        compactOf(body);
      } catch {
        compact = false;
      }
    let bare = encodeTelegram({ meter, accessNumber: roll(256), records: body, security, compact });
    if (roll(3) === 0) bare[10] = 0xa0 + roll(24);
    if (roll(3) === 0) bare = bounded(mutate(bare, roll, [bare]));
    const form = roll(4);
    const frame =
      form === 0 && bare.length < 240 ? safely(bare, 'A') : form === 1 && bare.length < 240 ? safely(bare, 'B') : bare;
    return roll(5) ? frame : mutate(frame, roll, [bare]);
  }

  /** L in accord with the length, so that what follows is looked at. */
  function bounded(bytes: Uint8Array): Uint8Array {
    const cut = bytes.slice(0, 256);
    if (cut.length > 10) cut[0] = cut.length - 1;
    return cut;
  }

  function safely(bare: Uint8Array, form: 'A' | 'B'): Uint8Array {
    return bare.length > 11 && bare[0] === bare.length - 1 ? encodeWirelessFrame(bare, form) : bare;
  }

  const check = (m: Message): void => {
    count(m.error ? `message: ${m.error.reason}` : 'messages');
    if (m.items.length !== m.values.length) throw new Error(`${m.items.length} items, ${m.values.length} values`);
    if (m.qualities && m.qualities.length !== m.items.length) throw new Error('qualities of another length');
    if (roll(32) === 0) messageFromJson(JSON.parse(messageToJson(m, { raw: true })));
  };
  let decoder: WmbusDecoder | undefined;
  let inputs = 0;
  const fresh = (): WmbusDecoder =>
    createWmbusDecoder(
      {
        reader: 'fuzz',
        port: 'wmbus',
        keys: { candidates: () => (roll(8) ? [KEY] : []) },
        now: () => 1_767_225_600_000 + inputs * 1000,
        live: roll(2) === 0,
        bad: roll(2) === 0,
        zone: roll(2) ? 'Europe/Oslo' : undefined,
      },
      { message: check, drop: () => count('drops') },
    );

  return {
    next: odd,
    run(input: Uint8Array, inPieces: (input: Uint8Array, push: (piece: Uint8Array) => void) => void): void {
      // A decoder lives through many inputs: what one leaves behind must not harm the next.
      if (!decoder || inputs % 500 === 0) {
        decoder?.end();
        decoder = fresh();
      }
      inputs++;
      const made = decoder;
      const way = roll(16);
      if (way > 2) made.frame(input);
      else if (way === 2) inPieces(new TextEncoder().encode(`${toHex(input)}\n`), (piece) => made.push(piece));
      else if (way === 1) inPieces(input, (piece) => made.push(piece));
      else made.idle();
      if (roll(16) === 0) {
        const { fields, bytes } = explainWireless(input, { keys: { candidates: () => [KEY] } });
        const told = fields.reduce((n, field) => n + field.length, 0);
        if (fields.every((field) => field.path !== 'refused') && told !== bytes.length)
          throw new Error(`${told} of ${bytes.length} octets are explained`);
        framesOfLine(String.fromCharCode(...input));
        for (const decode of [decode3of6, decodeManchester])
          try {
            decode(input);
          } catch (e) {
            if ((e as Error).name !== 'DecodeError') throw e;
          }
      }
    },
  };
}

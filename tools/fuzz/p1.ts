/** Telegrams of a P1 port for the fuzzer: real ones, changed, half of them with a right check sum again, some ciphered. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { crc16Arc, DecodeError, fromHex } from '@amiable/bytes';
import { nodeCrypto } from '@amiable/io';
import { type Message, messageToJson } from '@amiable/model';
import { messageFromJson } from '@amiable/model/schemas';
import {
  addParity,
  createP1Decoder,
  decodeTelegram,
  encodeTelegram,
  explainTelegram,
  type P1Decoder,
  sealTelegram,
} from '@amiable/p1';
import { type Dice, mutate, root } from './inputs.ts';

const KEY = { key: fromHex('0123456789abcdef0123456789abcdef'), authKey: fromHex('ffeeddccbbaa99887766554433221100') };
const SYSTEM_TITLE = fromHex('5341470500000001');
/** What telegrams are made of. */
const PIECES = [
  '/ISK5\\2M',
  '!',
  '\r\n',
  '(',
  ')',
  '*kWh',
  '0-1:24.1.0(004)\r\n',
  '0-1:24.3.0(',
  '1-0:99.97.0(',
  '(220528151729S)',
  '(632525252525W)',
  '0-0:96.13.0(4',
  '-',
  '.',
  'S',
  '0-0:96.1.1()\r\n',
];

export function p1Target(roll: Dice, count: (what: string) => void) {
  const folder = join(root, 'vectors/p1');
  const telegrams = readdirSync(folder)
    .filter((file) => file.endsWith('.txt'))
    .sort()
    .map((file) => new Uint8Array(readFileSync(join(folder, file))));
  const text = new TextEncoder();

  function odd(): Uint8Array {
    let bytes = telegrams[roll(telegrams.length)] as Uint8Array;
    if (roll(8) > 0) {
      bytes = bytes.slice();
      for (let n = roll(4); n > 0; n--) {
        const at = roll(bytes.length);
        const kind = roll(3);
        if (kind === 0) bytes[at] = 0x30 + roll(10);
        else if (kind === 1) bytes[at] = 0x20 + roll(0x60);
        else bytes.set(text.encode(PIECES[roll(PIECES.length)] as string).subarray(0, bytes.length - at), at);
      }
      if (roll(3) === 0) bytes = mutate(bytes, roll, telegrams);
    }
    const bang = bytes.lastIndexOf(0x21);
    if (roll(2) && bang > 0) {
      const crc = crc16Arc(bytes, 0, bang + 1)
        .toString(16)
        .toUpperCase()
        .padStart(4, '0');
      const fixed = new Uint8Array(bang + 7);
      fixed.set(bytes.subarray(0, bang + 1));
      fixed.set(text.encode(`${crc}\r\n`), bang + 1);
      bytes = fixed;
    }
    const form = roll(12);
    if (form === 0) return addParity(bytes);
    if (form === 1) {
      const sealed = sealTelegram(
        bytes,
        KEY,
        { systemTitle: SYSTEM_TITLE, invocationCounter: roll(2 ** 32) },
        nodeCrypto,
      );
      return roll(3) ? sealed : mutate(sealed, roll, telegrams);
    }
    return bytes;
  }

  const check = (m: Message): void => {
    count(m.error ? `message: ${m.error.reason}` : 'messages');
    if (m.items.length !== m.values.length) throw new Error(`${m.items.length} items, ${m.values.length} values`);
    if (roll(32) === 0) messageFromJson(JSON.parse(messageToJson(m, { raw: true })));
  };
  let decoder: P1Decoder | undefined;
  let inputs = 0;
  let clock = Date.UTC(2026, 0, 1);
  const fresh = (): P1Decoder =>
    createP1Decoder(
      {
        reader: 'fuzz',
        port: 'p1',
        keys: { candidates: () => (roll(8) ? [KEY] : []) },
        crypto: nodeCrypto,
        now: () => clock,
        live: roll(2) === 0,
        bad: roll(2) === 0,
      },
      { message: check, drop: () => count('drops') },
    );

  return {
    next: odd,
    run(input: Uint8Array, inPieces: (input: Uint8Array, push: (piece: Uint8Array) => void) => void): void {
      // A reader lives through many inputs: what one leaves behind must not harm the next.
      if (!decoder || inputs++ % 500 === 0) {
        decoder?.end();
        decoder = fresh();
      }
      const reader = decoder;
      clock += 1000;
      inPieces(input, (piece) => reader.push(piece));
      if (roll(4) === 0) reader.idle();
      if (roll(16) === 0) {
        const told = explainTelegram(input).reduce((n, field) => n + field.length, 0);
        if (input[0] !== 0xdb && told !== input.length)
          throw new Error(`${told} of ${input.length} octets are explained`);
        try {
          const telegram = decodeTelegram(input);
          if (telegram.objects.every((o) => o.address.trim() !== '')) encodeTelegram(telegram);
          count('decoded');
        } catch (e) {
          if (!(e instanceof DecodeError) && (e as Error).name !== 'MisuseError') throw e;
          count('refused');
        }
      }
    },
  };
}

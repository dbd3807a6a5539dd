/**
 * Fuzzing of wired M-Bus: streams of changed frames through the decoder, the explanation and a slave, and changed records through both ways
 * of reading them, which must agree.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { DecodeError, fromHex } from '@amiable/bytes';
import {
  createMbusDecoder,
  createMbusSlave,
  createTelegramReader,
  type DecodedRecords,
  decodeRecords,
  encodeLongFrame,
  explainLongFrame,
  recordsAlong,
} from '@amiable/mbus';
import { messageToJson } from '@amiable/model';
import { type Dice, mutate, root } from './inputs.ts';

function frames(): Uint8Array[] {
  const folder = join(root, 'vectors/mbus');
  const found = readdirSync(folder).filter((file) => file.endsWith('.hex'));
  return found.map((file) => fromHex(readFileSync(join(folder, file), 'utf8')));
}

/** CIs of slaves and masters, most often those with records. */
const CIS = [0x72, 0x72, 0x72, 0x76, 0x78, 0x7a, 0x73, 0x77, 0x70, 0x71, 0x74, 0x6e, 0x50, 0x51, 0x52, 0xb8];

/** Changed frames, half of them with a right check sum again, glued together. */
export function mbusStream(roll: Dice, count: (what: string) => void) {
  const corpus = frames();
  const pick = (): Uint8Array => corpus[roll(corpus.length)] as Uint8Array;
  const sink = {
    message(m: Parameters<typeof messageToJson>[0]) {
      messageToJson(m, { raw: true });
      count(m.error ? 'refused' : 'messages');
    },
    drop: () => count('drops'),
  };
  const options = { reader: 'fuzz', port: 'mbus0', now: () => 0, bad: true, zone: 'Europe/Oslo' };
  const decoder = createMbusDecoder({ ...options, keys: { candidates: () => [new Uint8Array(16)] } }, sink);
  const slave = createMbusSlave(
    {
      primaryAddress: 1,
      secondary: { identification: '12345678', manufacturer: 'KAM', version: 1, medium: 7 },
      respond: () => [Uint8Array.of(0x78, 1, 0x13, 5)],
    },
    { send: () => count('answers') },
  );
  return {
    next(): Uint8Array {
      const pieces = Array.from({ length: 1 + roll(2) }, () => {
        const bytes = mutate(pick(), roll, corpus);
        if (roll(4) === 0 || bytes.length < 10) return bytes;
        const data = bytes.subarray(7, Math.min(bytes.length - 2, 259));
        const controlInformation = roll(2) ? (bytes[6] as number) : (CIS[roll(CIS.length)] as number);
        return encodeLongFrame({ control: roll(4) ? 8 : 0x53, address: roll(3), controlInformation, data });
      });
      return Uint8Array.from(pieces.flatMap((piece) => [...piece]));
    },
    run(input: Uint8Array): void {
      decoder.push(input);
      if (roll(4) === 0) decoder.idle();
      slave.push(input);
      if (roll(4) === 0) slave.idle();
      let at = 0;
      for (const field of explainLongFrame(input)) at = Math.max(at, field.offset + field.length);
      if (at > input.length) throw new Error('octets are explained that are not there');
    },
  };
}

/** Records by the standard, and along learnt layouts. */
export function mbusRecords(roll: Dice, count: (what: string) => void) {
  const corpus = frames()
    .filter((bytes) => bytes[6] === 0x72 && bytes.length > 21)
    .map((bytes) => bytes.slice(19, -2));
  const reader = createTelegramReader();
  const told = (read: () => DecodedRecords): string => {
    try {
      let text = '';
      for (const { name, value, scaler, offset, missing } of read().records)
        text += `${name} ${value} ${scaler} ${offset} ${missing}\n`;
      return text;
    } catch (e) {
      if (e instanceof DecodeError) return `!${e.reason} ${e.offset}`;
      throw e;
    }
  };
  return {
    next: (): Uint8Array => mutate(corpus[roll(corpus.length)] as Uint8Array, roll, corpus),
    run(input: Uint8Array): void {
      const msbFirst = roll(8) === 0;
      const plain = told(() => decodeRecords(input, 0, input.length, { msbFirst }));
      const learnt = told(() => recordsAlong(reader.read(input, 0, input.length, msbFirst), 0));
      if (plain !== learnt) throw new Error('a learnt layout reads something else');
      count(plain.startsWith('!') ? 'refused' : 'decoded');
    },
  };
}

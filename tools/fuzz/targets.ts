/**
 * What is fuzzed. A target takes one input; it may refuse it in the way its package says (DecodeError, a drop) and must do
 * nothing else: any other exception is a finding.
 */
import { DecodeError, toHex } from '@amiable/bytes';
import {
  type Apdu,
  apduFromText,
  apduText,
  createWrapperReceiver,
  decodeApdu,
  encodeApdu,
  explainApdu,
  explainWrapper,
  type KeyRing,
} from '@amiable/dlms';
import { createHdlcScanner, decodeFrame, explainFrame } from '@amiable/hdlc';
import { nodeCrypto } from '@amiable/io';
import { createMbusReceiver, decodeLongFrame, explainLongFrame } from '@amiable/mbus';
import { createHanReader, explainHan, type HanReader, systemTitleOf } from '@amiable/meter';
import { type Message, messageToJson } from '@amiable/model';
import { messageFromJson } from '@amiable/model/schemas';
import { fuzzClient } from './client.ts';
import { exchangeTarget } from './exchange.ts';
import { formulaTarget } from './formula.ts';
import type { Corpus, Dice } from './inputs.ts';
import { loadApdus, mutate, oddPayload, oddStream } from './inputs.ts';
import { mbusRecords, mbusStream } from './mbus.ts';
import { opticalTarget } from './optical.ts';
import { p1Target } from './p1.ts';
import type { Target } from './target.ts';
import { waves } from './wave.ts';
import { wirelessTarget } from './wireless.ts';

export const TARGETS = [
  'hdlc',
  'mbus',
  'dlms',
  'apdu',
  'client',
  'wrapper',
  'push',
  'han',
  'p1',
  'optical',
  'mbus-wired',
  'mbus-records',
  'wave',
  'wmbus',
  'registry',
  'formula',
] as const;
export type TargetName = (typeof TARGETS)[number];

/** First bytes of all APDUs. */
const TAGS_OF_APDUS = [
  0x01, 0x05, 0x06, 0x08, 0x0c, 0x0d, 0x0e, 0x0f, 0x10, 0x16, 0x18, 0x21, 0x60, 0x61, 0x62, 0x63, 0xc0, 0xc1, 0xc2,
  0xc3, 0xc4, 0xc5, 0xc7, 0xc8, 0xd8, 0xd9, 0xda, 0xdb, 0xdc, 0xdd, 0xdf, 0xe0,
];

function refusing(work: () => void): boolean {
  try {
    work();
    return false;
  } catch (e) {
    if (e instanceof DecodeError) return true;
    throw e;
  }
}

/** Feeds `input` in pieces of random size. */
function inPieces(input: Uint8Array, roll: Dice, push: (piece: Uint8Array) => void): void {
  if (roll(2)) {
    push(input);
    return;
  }
  for (let at = 0; at < input.length; ) {
    const n = 1 + roll(roll(4) ? 64 : 3);
    push(input.slice(at, at + n));
    at += n;
  }
}

export function target(name: TargetName, corpus: Corpus, roll: Dice): Target {
  const tally: Record<string, number> = {};
  const count = (what: string) => {
    tally[what] = (tally[what] ?? 0) + 1;
  };
  const stream = () => oddStream(corpus, roll, nodeCrypto);
  const payload = () => oddPayload(corpus, roll);
  switch (name) {
    case 'optical':
      return opticalTarget(roll);
    case 'hdlc': {
      const sink = { frame: () => count('frames'), drop: () => count('drops') };
      const scanner = createHdlcScanner(sink, { refused: true });
      return {
        tally,
        next: stream,
        run(input) {
          inPieces(input, roll, scanner.push);
          if (roll(4) === 0) scanner.idle();
          count(refusing(() => decodeFrame(input)) ? 'refused' : 'decoded');
          explainFrame(input);
        },
      };
    }
    case 'mbus': {
      const receiver = createMbusReceiver({
        frame: () => count('frames'),
        drop: () => count('drops'),
        short: () => count('short'),
        acknowledge: () => count('acknowledge'),
      });
      return {
        tally,
        next: stream,
        run(input) {
          inPieces(input, roll, receiver.push);
          if (roll(4) === 0) receiver.idle();
          count(refusing(() => decodeLongFrame(input)) ? 'refused' : 'decoded');
          explainLongFrame(input);
        },
      };
    }
    case 'registry':
      return { tally, ...exchangeTarget(roll, count) };
    case 'formula':
      return { tally, ...formulaTarget(roll, count) };
    case 'mbus-wired':
      return { tally, ...mbusStream(roll, count) };
    case 'mbus-records':
      return { tally, ...mbusRecords(roll, count) };
    case 'dlms':
      return {
        tally,
        next: payload,
        run(input) {
          const bytes = input[0] === 0xe6 ? input.subarray(3) : input;
          count(refusing(() => encodeApdu(decodeApdu(bytes))) ? 'refused' : 'decoded');
        },
      };
    case 'apdu': {
      const apdus = loadApdus();
      return {
        tally,
        // A tag of its own choice now and then, so that what no recording has is met too.
        next() {
          const odd = mutate(apdus[roll(apdus.length)] as Uint8Array, roll, apdus);
          if (roll(4) === 0 && odd.length > 1) odd[0] = TAGS_OF_APDUS[roll(TAGS_OF_APDUS.length)] as number;
          return odd;
        },
        run(input) {
          let apdu: Apdu | undefined;
          count(
            refusing(() => {
              apdu = decodeApdu(input);
            })
              ? 'refused'
              : 'decoded',
          );
          const told = explainApdu(input).reduce((n, field) => n + field.length, 0);
          if (told !== input.length) throw new Error(`${told} of ${input.length} bytes are explained`);
          if (!apdu) return;
          const bytes = encodeApdu(apdu);
          if (toHex(encodeApdu(decodeApdu(bytes))) !== toHex(bytes)) throw new Error('not the same when read again');
          if (toHex(apduFromText(apduText(apdu))) !== toHex(bytes)) throw new Error('the text does not come back');
        },
      };
    }
    case 'client': {
      const apdus = loadApdus();
      return {
        tally,
        next: () => mutate(apdus[roll(apdus.length)] as Uint8Array, roll, apdus),
        run: (input) => fuzzClient(input, roll, count),
      };
    }
    case 'wrapper': {
      const apdus = loadApdus();
      return {
        tally,
        next() {
          const apdu = apdus[roll(apdus.length)] as Uint8Array;
          const head = Uint8Array.of(0, 1, 0, roll(256), 0, 1, apdu.length >> 8, apdu.length);
          return mutate(Uint8Array.from([...head, ...apdu, ...head, ...apdu]), roll, apdus);
        },
        run(input) {
          const receiver = createWrapperReceiver(
            { maxLength: 2000 },
            { frame: () => count('frames'), failed: () => count('failed') },
          );
          inPieces(input, roll, (piece) => receiver.push(piece));
          if (receiver.waiting > 2008) throw new Error(`${receiver.waiting} bytes wait`);
          explainWrapper(input);
        },
      };
    }
    case 'wave':
      return { tally, ...waves(roll, count) };
    case 'wmbus': {
      const wireless = wirelessTarget(roll, count);
      return {
        tally,
        next: wireless.next,
        run: (input) => wireless.run(input, (bytes, push) => inPieces(bytes, roll, push)),
      };
    }
    case 'p1': {
      const p1 = p1Target(roll, count);
      return { tally, next: p1.next, run: (input) => p1.run(input, (bytes, push) => inPieces(bytes, roll, push)) };
    }
    case 'push':
    case 'han': {
      const keys: KeyRing = { candidates: () => corpus.keys };
      let clock = Date.UTC(2026, 0, 1);
      let reader: HanReader | undefined;
      let inputs = 0;
      const check = (m: Message) => {
        count(m.error ? `message: ${m.error.reason}` : 'messages');
        if (m.items.length !== m.values.length) throw new Error(`${m.items.length} items, ${m.values.length} values`);
        if (roll(16)) return;
        messageFromJson(JSON.parse(messageToJson(m, { raw: true })));
        if (m.raw) {
          explainHan(m.raw, { keys, crypto: nodeCrypto });
          systemTitleOf(m.raw);
        }
      };
      const fresh = () =>
        createHanReader(
          {
            reader: 'fuzz',
            port: 'han0',
            keys,
            crypto: nodeCrypto,
            now: () => clock,
            live: roll(2) === 0,
            bad: roll(2) === 0,
            ...(name === 'push' && { protocol: 'apdu' as const }),
          },
          { message: check, drop: () => count('drops') },
        );
      return {
        tally,
        next: name === 'push' ? () => withoutLlc(payload()) : stream,
        run(input) {
          // A reader lives through many inputs: what one leaves behind must not harm the next.
          if (!reader || inputs++ % 500 === 0) {
            reader?.end();
            reader = fresh();
          }
          clock += 2000;
          inPieces(input, roll, reader.push);
          if (name === 'push' || roll(2)) reader.idle();
          if (roll(64) === 0) explainHan(input, { keys, crypto: nodeCrypto });
        },
      };
    }
  }
}

const withoutLlc = (bytes: Uint8Array): Uint8Array => (bytes[0] === 0xe6 ? bytes.subarray(3) : bytes);

import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fromHex } from '@amiable/bytes';
import type { Message } from '@amiable/model';
import { describe, expect, it } from 'vitest';
import { type AnyReaderOptions, createAnyReader, textProtocol } from '../src/any.ts';

const ascii = (text: string): Uint8Array => Uint8Array.from(text, (c) => c.charCodeAt(0));

function read(pieces: readonly Uint8Array[], more: Partial<AnyReaderOptions> = {}) {
  const messages: Message[] = [];
  const drops: string[] = [];
  const reader = createAnyReader(
    { reader: 'r', port: 'p', now: () => 1e12, ...more },
    { message: (m) => void messages.push(m), drop: (d) => void drops.push(d.reason) },
  );
  for (const piece of pieces) reader.push(piece);
  reader.end();
  return { messages, drops, reader };
}

const P1 = ascii('/KFM5KAIFA-METER\r\n\r\n1-3:0.2.8(42)\r\n1-0:1.8.1(00001.1*kWh)\r\n!2EF8\r\n');
const READOUT = ascii('/EMH4\\@01LZQJL0013F\r\nF.F(00000000)\r\n1-0:1.8.0*255(000051.916)\r\n!\r\n');
const MBUS = fromHex('681F1F680802727856341224400107550000000313153100DA023B13018B60043718021816');
const RADIO = fromHex('14442D2C785634121B167A010000000413D2040000');

function vectors(kind: string): [string, Uint8Array][] {
  const folder = new URL(`../../../vectors/${kind}/`, import.meta.url).pathname;
  return readdirSync(folder)
    .filter((name) => /\.(hex|txt)$/.test(name) && !name.startsWith('stream'))
    .map((name) => {
      const bytes = readFileSync(join(folder, name));
      return [name, name.endsWith('.hex') ? fromHex(bytes.toString('latin1').replace(/\s/g, '')) : bytes];
    });
}

describe('the protocol of a port', () => {
  it.each([
    ['p1', P1],
    ['iec62056-21', READOUT],
    ['mbus', MBUS],
    ['wmbus', RADIO],
  ])('%s is found', (protocol, bytes) => {
    const { messages, reader } = read([bytes]);
    expect(messages).toHaveLength(1);
    expect(messages[0]?.protocol).toBe(protocol);
    expect(reader.protocol).toBe(protocol);
  });

  it('is found in every vector of customer ports, byte by byte as in one piece, and nothing of another protocol is told', () => {
    for (const kind of ['han', 'p1', 'iec62056-21', 'mbus'])
      for (const [name, bytes] of vectors(kind)) {
        const whole = read([bytes]);
        const single = read(Array.from(bytes, (_, i) => bytes.slice(i, i + 1)));
        expect(
          single.messages.map((m) => m.id),
          name,
        ).toEqual(whole.messages.map((m) => m.id));
        for (const m of whole.messages)
          if (!m.error) expect([name, m.protocol]).toEqual([name, kind === 'han' ? 'han' : m.protocol]);
      }
  });

  it('does not change once it is found', () => {
    const { messages, reader } = read([P1, MBUS, P1]);
    expect(reader.protocol).toBe('p1');
    expect(messages.map((m) => m.protocol)).toEqual(['p1', 'p1']);
  });

  it('is forgotten when the line is another one; what was counted stays', () => {
    const messages: Message[] = [];
    const reader = createAnyReader(
      { reader: 'r', port: 'p', now: () => 1e12 },
      { message: (m) => void messages.push(m), drop: () => {} },
    );
    reader.push(P1);
    reader.reset();
    expect(reader.protocol).toBeUndefined();
    reader.push(MBUS);
    expect(messages.map((m) => m.protocol)).toEqual(['p1', 'mbus']);
    expect(reader.counters.good).toBe(2);
    expect(reader.counters.bytes).toBe(P1.length + MBUS.length);
  });

  it('wireless frames are told on a port that was opened in the middle of one', () => {
    const messages: Message[] = [];
    const reader = createAnyReader(
      { reader: 'r', port: 'p', now: () => 1e12, live: true },
      { message: (m) => void messages.push(m), drop: () => {} },
    );
    const one = (): void => {
      reader.push(RADIO);
      reader.idle();
    };
    reader.push(RADIO.subarray(9));
    reader.idle();
    for (let i = 0; i < 7; i++) one();
    expect(messages).toEqual([]);
    reader.push(Uint8Array.of(0x55));
    for (let i = 0; i < 10; i++) one();
    expect(reader.protocol).toBe('wmbus');
    expect(messages).toHaveLength(17);
  });

  it('what waited for proof on a clean line is told before the line becomes another one', () => {
    const messages: Message[] = [];
    const reader = createAnyReader(
      { reader: 'r', port: 'p', now: () => 1e12, live: true },
      { message: (m) => void messages.push(m), drop: () => {} },
    );
    for (let i = 0; i < 3; i++) {
      reader.push(RADIO);
      reader.idle();
    }
    reader.reset();
    expect(messages).toHaveLength(3);
  });

  it('can be forced', () => {
    expect(read([MBUS], { protocol: 'han' }).messages).toEqual([]);
    expect(read([RADIO, RADIO], { protocol: 'wmbus' }).messages).toHaveLength(2);
  });

  it('is not guessed from noise', () => {
    for (let seed = 1; seed < 20; seed++) {
      const noise = Uint8Array.from({ length: 3000 }, (_, i) => (i * 97 * seed + (i >> 3)) & 0xff);
      expect(read([noise]).messages.filter((m) => !m.error)).toEqual([]);
    }
  });

  it('is not guessed from noise that lasts, whose brackets and exclamation marks look like data sets', () => {
    let seed = 12_345;
    const chance = (): number => {
      seed = (Math.imul(seed, 1_664_525) + 1_013_904_223) >>> 0;
      return seed >>> 24;
    };
    const noise = Array.from({ length: 200 }, () => Uint8Array.from({ length: 1024 }, chance));
    const messages: Message[] = [];
    const reader = createAnyReader(
      { reader: 'r', port: 'p', now: () => 1e12, live: true },
      { message: (m) => void messages.push(m), drop: () => {} },
    );
    for (const piece of noise) reader.push(piece);
    reader.idle();
    expect(messages).toEqual([]);
    expect(reader.protocol).toBeUndefined();
    // What comes then is read all the same.
    reader.push(MBUS);
    expect(messages.map((m) => m.protocol)).toEqual(['mbus']);
  });

  it('a damaged telegram is no read-out', () => {
    const bad = P1.slice();
    bad[bad.indexOf(0x28) + 1] = 0x39;
    expect(read([bad]).messages).toEqual([]);
    const told = read([bad], { bad: true }).messages;
    expect(told.map((m) => [m.protocol, m.flags.includes('checksumBad')])).toEqual([['p1', true]]);
  });
});

describe('the two text protocols', () => {
  it('differ in their codes', () => {
    expect(textProtocol(P1)).toBe('p1');
    expect(textProtocol(READOUT)).toBe('iec62056-21');
    expect(textProtocol(ascii('/ABC5x\r\n\x021-0:1.8.0(1)\r\n!'))).toBe('iec62056-21');
    expect(textProtocol(ascii('/ESY5Q3DA\r\n\r\n1-0:0.0.0*255(1)\r\n1-0:1.8.0*255(2)\r\n!'))).toBe('iec62056-21');
    expect(textProtocol(new Uint8Array(0))).toBe('iec62056-21');
  });
});

/** Every port's bytes are recognised and explained to the last of them: real telegrams, read-outs and frames, as bytes and as pasted. */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { fromHex, toHex } from '@amiable/bytes';
import { bytesOf, encodeCommand, evenParity } from '@amiable/iec62056-21';
import { nodeCrypto } from '@amiable/io';
import { encodeRecords, encodeTelegram, encodeWirelessFrame } from '@amiable/mbus';
import type { Message } from '@amiable/model';
import { addParity, sealTelegram } from '@amiable/p1';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  type ConversationOptions,
  createAnyReader,
  type ExplainedPart,
  explainConversation,
  explainMessage,
  type Layer,
  type PortProtocol,
  parsePaste,
} from '../src/index.ts';

const vectors = new URL('../../../vectors/', import.meta.url);
const files = (kind: string, ending: string) =>
  readdirSync(new URL(`${kind}/`, vectors))
    .filter((name) => name.endsWith(ending))
    .map((name) => [name, new URL(`${kind}/${name}`, vectors)] as const);

function covers(layers: readonly Layer[]): void {
  for (const layer of layers) {
    let at = 0;
    for (const field of layer.fields) {
      expect(field.offset, `${layer.name} ${field.path}`).toBe(at);
      at += field.length;
    }
    expect(at, layer.name).toBe(layer.bytes.length);
  }
}

function explain(bytes: Uint8Array, options: ConversationOptions = {}): ExplainedPart[] {
  const parts = explainConversation(options).add(bytes);
  expect(parts.reduce((n, { length }) => n + length, 0)).toBe(bytes.length);
  for (const { layers } of parts) covers(layers);
  return parts;
}

const pasted = (text: string, options: ConversationOptions = {}): ExplainedPart[] => {
  const conversation = explainConversation(options);
  return parsePaste(text).pieces.flatMap((piece) => conversation.add(piece.bytes, piece.direction));
};
const titles = (parts: readonly ExplainedPart[]) => parts.map(({ title }) => title);
const allText = (parts: readonly ExplainedPart[]) =>
  parts.flatMap(({ layers }) => layers.flatMap(({ fields }) => fields.map(({ text }) => text))).join('\n');

const P1 = readFileSync(new URL('p1/ndokter_v5_two_mbus.txt', vectors));
const KEY = fromHex('000102030405060708090A0B0C0D0E0F');
const keyed = { keys: { unicast: KEY }, crypto: nodeCrypto };
const METER = { manufacturer: 'KAM', identification: '12345678', version: 27, medium: 4 };
const RECORDS = encodeRecords([{ vif: [0x13], data: { type: 'integer', octets: 4, value: 123_456 } }]);

describe('P1', () => {
  it('is recognised as bytes and as text that was pasted', () => {
    let seen = 0;
    for (const [name, url] of files('p1', '.txt')) {
      if (name.startsWith('stream')) continue;
      const bytes = new Uint8Array(readFileSync(url));
      const [part, ...more] = explain(bytes);
      expect([part?.title.startsWith('P1 telegram '), more.length, part?.direction], name).toEqual([true, 0, 'in']);
      // The clipboard has line feeds only; check sums are those of the line.
      const text = Buffer.from(bytes).toString('latin1');
      if (!text.includes('\x02'))
        expect(toHex(pasted(text.replaceAll('\r\n', '\n'))[0]?.layers[0]?.bytes as Uint8Array), name).toContain(
          toHex(bytes.subarray(0, bytes.lastIndexOf(0x21) + 1)),
        );
      seen++;
    }
    expect(seen).toBeGreaterThan(20);
  });
  it('tells telegrams in a row apart, cut ones too, with parity or hex as well', () => {
    const own = new Uint8Array(P1);
    const cut = own.subarray(0, 400);
    const found = explain(Uint8Array.of(...cut, 0x0d, 0x0a, ...own, ...own));
    expect(found.length).toBe(3);
    expect(found.every(({ title }) => title === found[0]?.title)).toBe(true);
    expect(titles(explain(addParity(own)))).toEqual([found[0]?.title]);
    expect(titles(pasted(toHex(own, ' ')))).toEqual([found[0]?.title]);
    const indented = `  log of today\n${Buffer.from(own).toString('latin1').replaceAll('\r', '').replace(/^/gm, '    ')}`;
    expect(pasted(indented)[0]?.hint).toBeUndefined();
  });
  it('is deciphered with its key, several in a row', () => {
    const systemTitle = fromHex('4B464D1000000001');
    const plain = new Uint8Array(P1);
    const sealed = [1, 2].map((invocationCounter) =>
      sealTelegram(plain, { key: KEY, authKey: KEY }, { systemTitle, invocationCounter }, nodeCrypto),
    );
    const stream = Uint8Array.from(sealed.flatMap((one) => [...one]));
    expect(explain(stream).map(({ hint }) => hint?.slice(0, 14))).toEqual(['Ciphered. Give', 'Ciphered. Give']);
    for (const keys of [{ unicast: KEY }, { unicast: KEY, authentication: KEY }]) {
      const opened = explain(stream, { keys, crypto: nodeCrypto });
      expect(titles(opened)).toEqual(
        ['general-glo-ciphering', 'general-glo-ciphering'].map((t) => `${t} > ${titles(explain(plain))[0]}`),
      );
      expect(opened[0]?.layers.at(-1)?.bytes).toEqual(plain);
      expect(allText(opened)).toContain('right');
    }
    const layers = explainMessage(sealed[0] as Uint8Array, {
      protocol: 'p1',
      crypto: nodeCrypto,
      keys: { candidates: () => [{ key: KEY, authKey: KEY }] } as never,
    });
    covers(layers);
    expect(layers.map(({ name }) => name)).toEqual(['on the wire', 'deciphered']);
  });
});

describe('IEC 62056-21', () => {
  it('is recognised, every read-out and exchange of the vectors', () => {
    for (const [name, url] of files('iec62056-21', '.txt')) {
      const parts = explain(new Uint8Array(readFileSync(url)));
      expect(allText(parts), name).toMatch(/: \w*(?:energy|volume|voltage|power)/i);
    }
  });
  const exchange = [
    ['out', bytesOf('/?!\r\n')],
    ['in', bytesOf('/ISK5\\2MT174-0001\r\n')],
    ['out', bytesOf('\x06051\r\n')],
    ['in', encodeCommand({ command: 'P', type: '0', data: '(11223344)', more: false })],
  ] as const;
  it('tells the parts of an exchange apart, and who sent them', () => {
    const stream = Uint8Array.from([...exchange.flatMap(([, bytes]) => [...bytes]), 0x06]);
    const parts = explain(stream);
    expect(parts.map(({ direction }) => direction)).toEqual(['out', 'in', 'out', 'in', undefined]);
    expect(titles(parts)).toEqual([
      'request to every meter',
      expect.stringContaining('MT174-0001'),
      'option select: programming mode',
      'P0: password operand',
      'ACK: understood',
    ]);
    expect(titles(explain(evenParity(stream)))).toEqual(titles(parts));
    // HDLC that follows the sign-on of mode E.
    const modeE = Uint8Array.from([
      ...bytesOf('/?!\r\n/ISK5\\2MT174-0001\r\n\x06252\r\n\x06252\r\n'),
      ...fromHex('7EA0070321930F017E'),
    ]);
    expect(titles(explain(modeE)).map((t) => t.split(/[ ,:]/)[0])).toEqual([
      'request',
      'identification',
      'option',
      'option',
      'SNRM',
    ]);
  });
  it('takes it from a log, with control characters as they are or by name', () => {
    const log = [
      '12:00:00.000 TX: /?!',
      '12:00:00.300 RX: /ISK5MT174-0001',
      '12:00:00.500 TX: <ACK>050',
      '12:00:01.000 RX: <STX>1.8.0(000123.4*kWh)',
      'F.F(00)',
      '!',
      '<ETX>?',
      '12:00:02.000 TX: <ACK>',
    ].join('\n');
    expect(titles(pasted(log))).toEqual([
      'request to every meter',
      expect.stringContaining('identification'),
      'option select: read-out',
      'data, 2 data sets',
      'ACK: understood',
    ]);
    expect(pasted(log).map(({ direction }) => direction)).toEqual(['out', 'in', 'out', 'in', 'out']);
    expect(toHex(parsePaste(log).pieces[3]?.bytes as Uint8Array)).toMatch(/^02312e.*210d0a033f$/);
    expect(
      titles(pasted('1.8.0(000123.4*kWh)\n2.8.0(0*kWh)\n!\nTX 7EA0070321930F017E')).map((t) => t.split(',')[0]),
    ).toEqual(['data', 'SNRM']);
  });
});

describe('wired M-Bus', () => {
  it('is recognised with its records, every frame of the vectors', () => {
    let records = 0;
    for (const [name, url] of files('mbus', '.hex')) {
      if (name.startsWith('unsup')) continue;
      const [part, ...more] = explain(fromHex(readFileSync(url, 'utf8').replace(/\s/g, '')));
      expect([part?.title.slice(0, 12), part?.direction, more.length], name).toEqual(['M-Bus RSP_UD', 'in', 0]);
      records += Number(/\d+ records?$/.exec(part?.title ?? '')?.[0].split(' ')[0] ?? 0);
    }
    expect(records).toBeGreaterThan(400);
  });
  it('knows short frames, the single character, and a frame with a wrong check sum', () => {
    const frame = fromHex(readFileSync(new URL('mbus/oms_frame1.hex', vectors), 'utf8').replace(/\s/g, ''));
    const stream = Uint8Array.of(0x10, 0x40, 0x01, 0x41, 0x16, 0xe5, 0x10, 0x5b, 0x01, 0x5c, 0x16, ...frame);
    expect(explain(stream).map(({ title, direction }) => [direction, title])).toEqual([
      ['out', 'M-Bus SND_NKE, initialise the link, address 1'],
      ['in', 'M-Bus acknowledgement'],
      ['out', 'M-Bus REQ_UD2, asks for data, address 1'],
      ['in', 'M-Bus RSP_UD, ELS 12345678, 3 records'],
    ]);
    const wrong = frame.slice();
    wrong[wrong.length - 2] = (wrong.at(-2) as number) ^ 1;
    expect(explain(wrong)[0]?.hint).toMatch(/^check sum .*, wrong/);
    covers(explainMessage(frame, { protocol: 'mbus' }));
  });
});

describe('wireless M-Bus', () => {
  const plain = encodeTelegram({ meter: METER, records: RECORDS, accessNumber: 7 });
  const sealed = encodeTelegram({
    meter: METER,
    records: RECORDS,
    accessNumber: 7,
    security: { mode: 5, key: KEY },
  });
  it.each(['A', 'B', 'bare'] as const)('is recognised in form %s, and deciphered', (form) => {
    const on = (bare: Uint8Array) => encodeWirelessFrame(bare, form);
    expect(titles(explain(on(plain)))).toEqual(['wireless M-Bus SND_NR, KAM 12345678, 1 record']);
    expect(explain(on(sealed))[0]?.hint).toContain('Give the encryption key');
    expect(explain(on(sealed), { keys: { unicast: new Uint8Array(16) }, crypto: nodeCrypto })[0]?.hint).toContain(
      'Not opened',
    );
    const [opened] = explain(on(sealed), keyed);
    expect([opened?.title, opened?.direction, opened?.hint]).toEqual([
      'wireless M-Bus SND_NR, KAM 12345678, 1 record',
      'in',
      undefined,
    ]);
    expect(opened?.layers.map(({ name }) => name)).toEqual([
      'on the wire',
      ...(form === 'bare' ? [] : ['without check sums']),
      'deciphered',
    ]);
    // One behind the other, and with what a stick says behind the last.
    expect(titles(explain(Uint8Array.of(...on(plain), ...on(sealed), 0x80, 0x30), keyed)).length).toBe(2);
  });
  it('is taken from the lines of receivers', () => {
    const hex = toHex(plain);
    const lines = [
      `T1;1;1;2026-11-20 12:00:00.000;84;45;12345678;0x${hex}`,
      `telegram=|${hex}|+1`,
      `b${toHex(encodeWirelessFrame(plain, 'A'))}8030`,
      hex,
    ].join('\n');
    expect(titles(pasted(lines))).toEqual(Array(4).fill('wireless M-Bus SND_NR, KAM 12345678, 1 record'));
  });
  const shared = new URL('../../../../shared/data/wmbus/telegrams.jsonl', import.meta.url);
  it.skipIf(!existsSync(shared))('is recognised in telegrams of all makers', () => {
    let seen = 0;
    let known = 0;
    for (const line of readFileSync(shared, 'utf8').trim().split('\n')) {
      if (line.includes('"wired mbus"')) continue;
      const digits = /"(?:raw|hex|telegram|frame)"\s*:\s*"([^"]+)"/.exec(line)?.[1]?.replace(/[\s|_]/g, '') ?? '';
      if (!/^(?:[\da-f]{2}){12,}$/i.test(digits)) continue;
      seen++;
      const part = explain(fromHex(digits))[0];
      known += Number(part?.title.startsWith('wireless M-Bus'));
    }
    expect(seen).toBeGreaterThan(100);
    expect(known / Math.max(1, seen)).toBeGreaterThan(0.95);
  });
});

describe('a stored message', () => {
  const read = (raw: Uint8Array, protocol: PortProtocol): Message => {
    const messages: Message[] = [];
    const options = { reader: 'r', port: 'p', now: () => 0, protocol };
    const reader = createAnyReader(options, { message: (m) => messages.push(m), drop() {} });
    reader.push(raw);
    reader.end();
    return messages[0] as Message;
  };
  it.each([
    ['p1', new Uint8Array(P1), 25],
    ['iec62056-21', new Uint8Array(readFileSync(new URL('iec62056-21/ndokter_esy5q3da1004_v304.txt', vectors))), 8],
    ['mbus', fromHex(readFileSync(new URL('mbus/els_falcon.hex', vectors), 'utf8').replace(/\s/g, '')), 8],
    ['wmbus', encodeTelegram({ meter: METER, records: RECORDS, accessNumber: 7 }), 1],
  ] as const)('of %s names the reading of each value', (protocol, raw, least) => {
    const message = read(raw, protocol);
    const layers = explainMessage(raw, { protocol, readings: message.items });
    for (const layer of layers) covers([layer]);
    const named = layers.flatMap(({ fields }) => fields.flatMap((f) => (f.reading === undefined ? [] : [f])));
    expect(new Set(named.map(({ reading }) => reading)).size).toBeGreaterThanOrEqual(least);
    for (const [at, value] of message.values.entries()) {
      const said = named.filter(({ reading }) => reading === at).map(({ text }) => text.replace(/[.\s]/g, ''));
      // What was sent as digits stands in the text of its fields.
      if (said.length > 0 && typeof value === 'number' && value > 100)
        expect(said.join(' '), message.items[at]?.name).toContain(String(value));
    }
  });
});

describe('whatever comes', () => {
  it('is explained without a fault, and to the last byte', () => {
    const pool = [new Uint8Array(P1), encodeTelegram({ meter: METER, records: RECORDS, accessNumber: 7 })];
    for (const kind of ['mbus', 'iec62056-21'])
      for (const [, url] of files(kind, kind === 'mbus' ? '.hex' : '.txt').slice(0, 4))
        pool.push(
          kind === 'mbus' ? fromHex(readFileSync(url, 'utf8').replace(/\s/g, '')) : new Uint8Array(readFileSync(url)),
        );
    const kinds = [undefined, 'p1', 'iec62056-21', 'mbus', 'wmbus'] as const;
    fc.assert(
      fc.property(
        fc.nat(pool.length - 1),
        fc.nat(),
        fc.nat(255),
        fc.nat(),
        fc.constantFrom(...kinds),
        (which, at, value, cut, kind) => {
          const bytes = (pool[which] as Uint8Array).slice();
          bytes[at % bytes.length] = value;
          explain(bytes.subarray(cut % bytes.length), { ...keyed, ...(kind ? { kind } : {}) });
          explain(bytes.subarray(0, 1 + (cut % bytes.length)), { ...keyed, ...(kind ? { kind } : {}) });
        },
      ),
      { numRuns: 80 },
    );
  });
  it('leaves hex alone that has something of a text', () => {
    // Lines that begin as a stick's do.
    expect(parsePaste(`${'BB'.repeat(30)}\n${'b0'.repeat(30)}`).pieces.length).toBe(1);
    for (const text of [
      'bytes(7EA0070321930F017E)',
      '/home/user/snrm.hex\n7EA0070321930F017E',
      'Frame 1.8: 7EA0070321930F017E',
      '// SNRM\n7EA0070321930F017E',
    ])
      expect(
        titles(pasted(text)).map((t) => t.slice(0, 4)),
        text,
      ).toEqual(['SNRM']);
  });
});

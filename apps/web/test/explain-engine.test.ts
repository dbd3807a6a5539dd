/** What the page that explains computes, without a browser: sources, bounds, keys, addresses. */
import { readdirSync, readFileSync } from 'node:fs';
import { fromHex, toHex } from '@amiable/bytes';
import { nodeCrypto } from '@amiable/io';
import { createPcapWriter, createTcpConversation, LINKTYPE } from '@amiable/pcap';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { mapLayer } from '../src/bytes/fields.ts';
import { layerText } from '../src/bytes/names.ts';
import { askedText, explainAddress, LONGEST_LINK, linkOf } from '../src/explain/address.ts';
import { createEngine, type Engine, type Explanation, LIMITS } from '../src/explain/engine.ts';
import { EXAMPLES } from '../src/explain/examples.ts';
import { hintOf } from '../src/explain/hints.ts';
import { keyUnwrap } from '../src/explain/key-unwrap.ts';
import { faultOf, keysOf } from '../src/explain/keys.ts';
import { sourcesOfFile, sourcesOfText } from '../src/explain/sources.ts';

const vectors = new URL('../../../vectors/', import.meta.url);
const example = (at: number) => EXAMPLES[at] as (typeof EXAMPLES)[number];
const CIPHERED = example(3);
const t = (key: string) => key;

function everything(engine: Engine, explanation: Explanation): string {
  return JSON.stringify([explanation, ...explanation.parts.map((_part, i) => engine.part(i))], (_key, value) =>
    value instanceof Uint8Array ? toHex(value) : value,
  );
}

describe('examples', () => {
  const known = ['dlms', 'han', 'p1', 'iec62056-21', 'mbus'].flatMap((folder) =>
    readdirSync(new URL(`${folder}/`, vectors)).map((name) => {
      const file = readFileSync(new URL(`${folder}/${name}`, vectors));
      return name.endsWith('.txt') ? file.toString('hex') : file.toString('utf8').replace(/\s/g, '').toLowerCase();
    }),
  );
  // An example of the OMS specification (volume 2, annex N).
  known.push('2e4493157856341233037a2a0020255923c95aaa26d1b2e7493b013ec4a6f6d3529b520edff0ea6defc99d6d69ebf3');

  it.each(EXAMPLES.map((one) => [JSON.stringify(one.name), one] as const))(
    '%s stands in vectors, and is opened',
    (_name, one) => {
      // Of text the last line may stand there without an end.
      for (const { bytes } of sourcesOfText(one.text).sources.flatMap((source) => source.pieces)) {
        const digits = toHex(bytes).replace(/0d0a$/, '');
        expect(known.some((text) => text.includes(digits))).toBe(true);
      }
      const engine = createEngine(() => 0);
      const keys = keysOf(one.keys ?? {});
      const explanation = engine.explain({ text: one.text, keys });
      expect(explanation.parts.length).toBeGreaterThan(0);
      expect(explanation.remarks).toEqual([]);
      let deciphered = 0;
      explanation.parts.forEach((part, i) => {
        expect(part.title).not.toMatch(/unknown|damaged/);
        for (const layer of engine.part(i)?.layers ?? []) {
          expect([...mapLayer(layer).leaf]).not.toContain(-1);
          deciphered += Number(layer.name.includes('deciphered'));
        }
      });
      expect(deciphered > 0).toBe(keys !== undefined);
    },
  );
});

describe('keys', () => {
  it('are in nothing that comes out', () => {
    const keys = { ...CIPHERED.keys, master: 'ab'.repeat(16), clientSystemTitle: 'cd'.repeat(8) };
    const engine = createEngine(() => 0);
    for (const wrong of [false, true]) {
      const given = wrong ? { ...keys, unicast: 'ef'.repeat(16) } : keys;
      const said = everything(engine, engine.explain({ text: CIPHERED.text, keys: keysOf(given) }));
      expect(said).toContain('fields');
      for (const key of Object.values(given)) expect(said).not.toContain(key);
    }
    // And they are forgotten: without keys nothing opens any more.
    expect(everything(engine, engine.explain({ text: CIPHERED.text }))).not.toContain('deciphered');
  });
  it('are measured as they are typed', () => {
    expect(faultOf('unicast', '')).toBeUndefined();
    expect(faultOf('unicast', '00 '.repeat(16))).toBeUndefined();
    expect(faultOf('unicast', '00'.repeat(32))).toBeUndefined();
    expect(faultOf('unicast', '0123')).toEqual({ kind: 'length', n: 4 });
    expect(faultOf('clientSystemTitle', '00'.repeat(16))).toEqual({ kind: 'length', n: 32 });
    expect(faultOf('master', 'key')).toEqual({ kind: 'digits' });
    expect(keysOf({ authentication: '00'.repeat(16) })).toBeUndefined();
    expect(keysOf({ unicast: '11'.repeat(16), master: '1' })).toEqual({ unicast: fromHex('11'.repeat(16)) });
  });
  it('unwraps keys as the machine does, and only with the right one', () => {
    const octets = (n: number) => fc.uint8Array({ minLength: n, maxLength: n });
    fc.assert(
      fc.property(fc.constantFrom(16, 32), fc.constantFrom(16, 32), fc.nat(47), (kekLength, keyLength, at) => {
        const [kek] = fc.sample(octets(kekLength), 1) as [Uint8Array];
        const [key] = fc.sample(octets(keyLength), 1) as [Uint8Array];
        const wrapped = nodeCrypto.keyWrap(kek, key);
        expect(keyUnwrap(kek, wrapped)).toEqual(key);
        const bad = wrapped.slice();
        bad[at % bad.length] = (bad[at % bad.length] as number) ^ 1;
        expect(keyUnwrap(kek, bad)).toBeUndefined();
      }),
      { numRuns: 20 },
    );
    // RFC 3394 clause 4.6: 256 bits of key data with a 256-bit KEK.
    const kek = fromHex('000102030405060708090A0B0C0D0E0F101112131415161718191A1B1C1D1E1F');
    const data = '00112233445566778899aabbccddeeff000102030405060708090a0b0c0d0e0f';
    const wrapped = fromHex('28C9F404C4B810F4CBCCB35CFB87F8263F5786E2D80ED326CBC7F0E71A99F43BFB988B9B7A02DD21');
    expect(toHex(keyUnwrap(kek, wrapped) as Uint8Array)).toBe(data);
    expect(keyUnwrap(kek, wrapped.subarray(1))).toBeUndefined();
  });
});

describe('sources', () => {
  it('takes the times of a log and the way of its lines', () => {
    const log = '2026-11-20 14:03:22.120 TX: 7EA0070321930F017E\nnothing here\n14:03:22,300 RX: 7EA0070321930F017E';
    const { sources, remarks } = sourcesOfText(log);
    expect(sources[0]?.pieces.map((piece) => [piece.direction, piece.times[0]?.time])).toEqual([
      ['out', '14:03:22.120'],
      ['in', '14:03:22,300'],
    ]);
    expect(remarks).toEqual([{ kind: 'skipped', n: 1 }]);
  });
  it('reads a capture: both ends, times, a frame that packets cut', () => {
    const writer = createPcapWriter(LINKTYPE.ethernet);
    const talk = createTcpConversation({
      client: { address: '192.0.2.1', port: 50_000 },
      server: { address: '192.0.2.2', port: 4059 },
    });
    const [request, answer] = sourcesOfText(example(1).text).sources.flatMap((source) =>
      source.pieces.map((piece) => piece.bytes),
    ) as [Uint8Array, Uint8Array];
    const packets = [
      ...talk.open(),
      ...talk.data('client', request.subarray(0, 10)),
      ...talk.data('client', request.subarray(10)),
      ...talk.data('server', answer),
    ].map((data, i) => writer.packet({ data, time: { seconds: 1_700_000_000 + i, nanoseconds: 5_000_000 } }));
    const file = Uint8Array.from([writer.header(), ...packets].flatMap((chunk) => [...chunk]));
    const explanation = createEngine(() => 0).explain({ text: '', file });
    expect(explanation.parts.map((part) => [part.direction, part.title.split(' ')[0]])).toEqual([
      ['out', 'get-request-normal'],
      ['in', 'get-response-normal'],
    ]);
    expect(explanation.sources).toEqual(['TCP 192.0.2.1:50000 – 192.0.2.2:4059']);
    expect(Number(explanation.parts[0]?.time) % 1000).toBe(5);
    // Cut short it still says what is there.
    expect(() => createEngine(() => 0).explain({ text: '', file: file.subarray(0, file.length - 7) })).not.toThrow();
  });
  it('takes a file of bytes as bytes, one of text as text', () => {
    const bytes = fromHex('7EA0070321930F017E');
    expect(sourcesOfFile(bytes).sources[0]?.pieces[0]?.bytes).toEqual(bytes);
    expect(sourcesOfFile(new TextEncoder().encode('7E A0')).sources[0]?.pieces[0]?.bytes).toEqual(fromHex('7ea0'));
    expect(sourcesOfFile(new Uint8Array(0)).sources[0]?.pieces[0]?.bytes.length).toBe(0);
  });
});

describe('bounds', () => {
  const N = 128 * 1024;
  const filled = (...pattern: number[]) =>
    Uint8Array.from({ length: N }, (_, i) => pattern[i % pattern.length] as number);
  const SNRM = [0x7e, 0xa0, 0x07, 0x03, 0x21, 0x93, 0x0f, 0x01, 0x7e];
  const HOSTILE: Record<string, Uint8Array> = {
    flags: filled(0x7e),
    'beginnings of frames': filled(0x7e, 0xa7),
    'frames without flags': filled(0xa7, 0xff),
    'M-Bus beginnings': filled(0x68),
    'M-Bus beginnings and ends': filled(0x68, 0x68, 0x68, 0x16),
    'arrays in arrays': filled(1, 1),
    'arrays without end': Uint8Array.from([1, 0x83, 1, 0xff, 0xf0, ...new Uint8Array(N - 5)]),
    'wrapper headers': filled(0, 1, 0, 16, 0, 1, 0, 4, 0xc0, 1, 0xc1, 0),
    'endless frames': filled(...SNRM),
    'arrays over frames': filled(...SNRM, 1, 0x82, 0xff, 0xff, 9, 9),
    zeros: filled(0),
    'zeros and ends of lines': filled(0, 13, 10, 127),
    'identifications without end': filled(...Buffer.from('/ABC5')),
    'identifications alone': filled(...Buffer.from('/ABC5X\r\n')),
    'data without end': filled(...Buffer.from('1.8.0(1\r\n')),
    'blocks without end': filled(2, ...Buffer.from('1.8(1)')),
    'commands without end': filled(...Buffer.from('\x01R1\x02')),
    acknowledgements: filled(0x06),
    'wireless frames': filled(...Buffer.from('0b44931578563412330378', 'hex'), 0x0f),
    'enciphered envelopes': filled(0xdb, 8, 1, 2, 3, 4, 5, 6, 7, 8, 1, 0),
    'short M-Bus frames': filled(0x10, 0x5b, 1, 0x5c, 0x16, 0xe5),
  };
  it.each(Object.entries(HOSTILE))('takes less than a second for %s', (_name, bytes) => {
    const engine = createEngine(() => performance.now());
    const text = toHex(bytes);
    const before = process.cpuUsage();
    const { parts } = engine.explain({ text });
    const { user } = process.cpuUsage(before);
    expect(parts.length).toBeGreaterThan(0);
    expect(parts.length).toBeLessThanOrEqual(LIMITS.parts);
    expect(user / 1000).toBeLessThan(1000);
  });
  it('takes less than a second for text that never ends', () => {
    for (const line of ['/ABC5X\n', '/?!\n', '1.8.0(1)\n', '<STX>', '/ABC5X\n7EA0', 'telegram=', '!\n\x03', '<']) {
      const text = line.repeat((256 * 1024) / line.length);
      const before = process.cpuUsage();
      createEngine(() => performance.now()).explain({ text });
      expect(process.cpuUsage(before).user / 1000, line).toBeLessThan(1000);
    }
  });
  it('draws a long part in a time that grows with its length only', () => {
    const engine = createEngine(() => 0);
    engine.explain({ text: toHex(HOSTILE['arrays without end'] as Uint8Array), kind: 'data' });
    const list = Uint8Array.from([
      1,
      0x82,
      0x60,
      0,
      ...Array.from({ length: 2 * 0x6000 }, (_, i) => (i % 2 ? 7 : 0x11)),
    ]);
    engine.explain({ text: toHex(list), kind: 'data' });
    const layer = engine.part(0)?.layers[0];
    expect(layer?.fields.length).toBeGreaterThan(15_000);
    const before = process.cpuUsage();
    const map = mapLayer(layer as NonNullable<typeof layer>);
    expect(process.cpuUsage(before).user / 1000).toBeLessThan(1000);
    expect(map.leaf.length).toBe(list.length);
  });
  it('says what it leaves out', () => {
    const limited = (limits: Partial<typeof LIMITS>, now = () => 0) => createEngine(now, { ...LIMITS, ...limits });
    const text = `${toHex(Uint8Array.from(SNRM))}\n`.repeat(20);
    expect(limited({ parts: 5 }).explain({ text })).toMatchObject({ cut: { by: 'parts', n: 5 } });
    expect(limited({ bytes: 30 }).explain({ text })).toMatchObject({ cut: { by: 'bytes', n: 30 } });
    let clock = 0;
    const slow = limited({ ms: 100 }, () => {
      clock += 40;
      return clock;
    }).explain({ text: CIPHERED.text });
    expect(slow.cut?.by).toBe('time');
    expect(slow.parts.length).toBeGreaterThan(0);
    expect(limited({}).explain({ text }).cut).toBeUndefined();
  });
  it('never fails, whatever is pasted', () => {
    fc.assert(
      fc.property(
        fc.oneof(
          fc.string(),
          fc.uint8Array({ maxLength: 400 }).map((b) => toHex(b)),
        ),
        (text) => {
          const engine = createEngine(() => 0);
          const { parts } = engine.explain({ text, keys: keysOf(CIPHERED.keys ?? {}) });
          parts.forEach((_part, i) => {
            engine.part(i)?.layers.forEach(mapLayer);
          });
        },
      ),
    );
  });
});

describe('addresses and words', () => {
  it('carries short bytes in the address, longer ones beside it', () => {
    const text = 'TX 7E A0\nRX 7E';
    const href = linkOf(text)?.href ?? '';
    expect(askedText(href.slice(href.indexOf('?')), null)).toBe(text);
    const long = '7E'.repeat(LONGEST_LINK);
    expect(linkOf(long)).toBeUndefined();
    const { href: bare, state } = explainAddress(long);
    expect(bare).toBe('/explain');
    expect(askedText('', state)).toBe(long);
    for (const odd of [null, undefined, 1, {}, { hex: 1 }]) expect(askedText('', odd)).toBe('');
  });
  it('knows the hints and the layers that the decoders give', () => {
    const engine = createEngine(() => 0);
    const hints = engine.explain({ text: CIPHERED.text }).parts.flatMap((part) => part.hint ?? []);
    const alone = CIPHERED.text.slice(CIPHERED.text.indexOf('TX 0001000100010020C81E'));
    hints.push(
      ...engine.explain({ text: alone, keys: keysOf(CIPHERED.keys ?? {}) }).parts.flatMap((part) => part.hint ?? []),
    );
    const { unicast } = CIPHERED.keys ?? {};
    hints.push(
      ...engine
        .explain({ text: CIPHERED.text, keys: keysOf({ unicast: unicast as string }) })
        .parts.flatMap((part) => part.hint ?? []),
    );
    const wrong = { ...CIPHERED.keys, unicast: 'ef'.repeat(16) };
    hints.push(
      ...engine.explain({ text: CIPHERED.text, keys: keysOf(wrong) }).parts.flatMap((part) => part.hint ?? []),
    );
    const found = new Set(hints.map((hint) => hintOf(t, hint).text));
    expect([...found].sort()).toEqual(['hintNoKey', 'hintNoTitle', 'hintNotOpened', 'hintUnchecked']);
    expect(hintOf(t, 'length 3, not 4')).toEqual({ text: 'length 3, not 4', language: 'en', keysHelp: false });
    expect(layerText(t, 'user-information, deciphered')).toBe('layerUser');
    expect(layerText(t, 'something else')).toBe('something else');
  });
});

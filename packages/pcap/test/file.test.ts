import { DecodeError, fromHex, toHex } from '@amiable/bytes';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  createCaptureReader,
  createPcapngWriter,
  createPcapWriter,
  decodeCapture,
  LINKTYPE,
  milliseconds,
  type Packet,
  packetTime,
  type WrittenPacket,
} from '../src/index.ts';

const cat = (...parts: Uint8Array[]) => Uint8Array.from(parts.flatMap((p) => [...p]));
const text = (p: Packet) =>
  `${p.linkType} ${p.time.seconds}.${p.time.nanoseconds} ${toHex(p.data)}/${p.originalLength} ${p.direction ?? ''} ${p.comment ?? ''}`;

// Written by hand after the two drafts: what the big-endian machine, the old microseconds and the odd resolutions look like.
const BIG_PCAP = fromHex(
  'a1b2c3d4 0002 0004 00000000 00000000 00040000 00000001 5f000001 000f423f 00000002 00000040 abcd',
);
const BIG_PCAPNG = fromHex(
  [
    '0a0d0d0a 0000001c 1a2b3c4d 0001 0000 ffffffff ffffffff 0000001c',
    // Interface 0: RTAC serial, no options: microseconds.
    '00000001 00000014 00fa 0000 00000000 00000014',
    // Interface 1: Ethernet, resolution 2^-10, offset 100 s.
    '00000001 0000002c 0001 0000 00000003 0009 0001 8a000000 000e 0008 0000000000000064 0000 0000 0000002c',
    // A name resolution block, which is passed over.
    '00000004 00000010 00000000 00000010',
    // Enhanced packet on 0: 1.5 s; inbound; comment "hi".
    '00000006 00000038 00000000 00000000 0016e360 00000003 00000003 01020300 0002 0004 00000001 0001 0002 68690000 0000 0000 00000038',
    // Enhanced packet on 1: 1536/1024 s after 100 s, cut to 1 of 9 octets.
    '00000006 00000024 00000001 00000000 00000600 00000001 00000009 ff000000 00000024',
    // Obsolete packet block on 1, and a simple packet on 0.
    '00000002 00000024 0001 0000 00000000 00000400 00000001 00000001 ee000000 00000024',
    '00000003 00000014 00000002 aabb0000 00000014',
  ]
    .join('')
    .replaceAll(' ', ''),
);

const packets = fc.array(
  fc.record({
    linkType: fc.constantFrom(1, 101, 250),
    seconds: fc.nat(0xffff_ffff),
    nanoseconds: fc.nat(999_999_999),
    data: fc.uint8Array({ maxLength: 50 }),
    direction: fc.constantFrom(undefined, 'inbound', 'outbound') as fc.Arbitrary<undefined | 'inbound' | 'outbound'>,
    comment: fc.option(fc.string({ minLength: 1, maxLength: 20, unit: 'grapheme' }), { nil: undefined }),
    extra: fc.nat(5),
  }),
  { maxLength: 12 },
);

/** Reads in chunks of `size`. */
function chunked(bytes: Uint8Array, size: number): string[] {
  const out: string[] = [];
  const reader = createCaptureReader((p) => out.push(text(p)));
  for (let at = 0; at < bytes.length; at += size) reader.push(bytes.slice(at, at + size));
  reader.end();
  return out;
}

describe('capture files', () => {
  test('big-endian pcap with microseconds', () => {
    expect(decodeCapture(BIG_PCAP).packets.map(text)).toEqual(['1 1593835521.999999000 abcd/64  ']);
  });

  test('big-endian pcapng: resolutions, offsets, directions, comments, old blocks', () => {
    const want = [
      '250 1.500000000 010203/3 inbound hi',
      '1 101.500000000 ff/9  ',
      '1 101.0 ee/1  ',
      '250 0.0 aabb/2  ',
    ];
    expect(decodeCapture(BIG_PCAPNG).packets.map(text)).toEqual(want);
    for (let size = 1; size < 60; size++) expect(chunked(BIG_PCAPNG, size)).toEqual(want);
  });

  test('pcap, written and read, octet by octet and joined', () => {
    fc.assert(
      fc.property(packets, fc.boolean(), fc.integer({ min: 1, max: 80 }), (list, microseconds, size) => {
        const writer = createPcapWriter(LINKTYPE.ethernet, { microseconds });
        const file = cat(
          writer.header(),
          ...list.map((p) =>
            writer.packet({
              data: p.data,
              time: { seconds: p.seconds, nanoseconds: p.nanoseconds },
              originalLength: p.data.length + p.extra,
            }),
          ),
        );
        const want = list.map((p) => {
          const nanoseconds = microseconds ? Math.floor(p.nanoseconds / 1000) * 1000 : p.nanoseconds;
          return `1 ${p.seconds}.${nanoseconds} ${toHex(p.data)}/${p.data.length + p.extra}  `;
        });
        expect(chunked(file, size)).toEqual(want);
        expect(decodeCapture(file).packets.map(text)).toEqual(want);
      }),
    );
  });

  test('pcapng, written and read, with several link types in one file', () => {
    fc.assert(
      fc.property(packets, fc.integer({ min: 1, max: 80 }), (list, size) => {
        const writer = createPcapngWriter(LINKTYPE.ethernet);
        const file = cat(
          writer.header(),
          ...list.map((p) => {
            const packet: WrittenPacket = {
              linkType: p.linkType,
              data: p.data,
              time: { seconds: p.seconds, nanoseconds: p.nanoseconds },
              originalLength: p.data.length + p.extra,
              ...(p.direction && { direction: p.direction }),
              ...(p.comment && { comment: p.comment }),
            };
            return writer.packet(packet);
          }),
        );
        const want = list.map(
          (p) =>
            `${p.linkType} ${p.seconds}.${p.nanoseconds} ${toHex(p.data)}/${p.data.length + p.extra} ${p.direction ?? ''} ${p.comment ?? ''}`,
        );
        expect(chunked(file, size)).toEqual(want);
        // Two sections, one after the other, are one capture.
        const twice = decodeCapture(cat(file, file));
        expect(twice.packets.map(text)).toEqual([...want, ...want]);
      }),
    );
  });

  test('a file that breaks off gives its whole packets and says so', () => {
    const writer = createPcapWriter(1);
    const one = writer.packet({ data: Uint8Array.of(1, 2, 3), time: packetTime(5) });
    const file = cat(writer.header(), one, one);
    for (let cut = 0; cut < one.length; cut++) {
      const { packets: got, damage } = decodeCapture(file.subarray(0, file.length - one.length + cut));
      expect(got.length).toBe(1);
      expect(damage?.reason).toBe(cut === 0 ? undefined : 'truncated');
    }
    const ng = decodeCapture(BIG_PCAPNG.subarray(0, BIG_PCAPNG.length - 3));
    expect([ng.packets.length, ng.damage?.reason]).toEqual([3, 'truncated']);
  });

  test('refuses with the reason and the place', () => {
    const at = (bytes: Uint8Array, offset: number, value: number) => {
      const copy = bytes.slice();
      copy[offset] = value;
      return copy;
    };
    expect(() => decodeCapture(fromHex('7ea0070321930f017e'))).toThrow(
      /starts with 7ea00703: no capture \(at byte 0\)/,
    );
    expect(decodeCapture(at(BIG_PCAP, 32, 0xff)).damage?.message).toMatch(/a packet of 42\d+ octets/);
    expect(decodeCapture(at(BIG_PCAPNG, 7, 0x1d)).damage?.message).toMatch(/block length of 29 octets \(at byte 4\)/);
    expect(decodeCapture(at(BIG_PCAPNG, 27, 0x20)).damage?.message).toMatch(/at its end is another/);
    const noInterface = BIG_PCAPNG.slice(0, 28);
    expect(decodeCapture(cat(noInterface, BIG_PCAPNG.slice(-20))).damage?.reason).toBe('interface');
    expect(() => createPcapWriter(1).packet({ linkType: 250, data: new Uint8Array(1), time: packetTime(0) })).toThrow(
      /one link type/,
    );
  });

  test('a huge block of unknown kind passes without being held', () => {
    const head = fromHex('0a0d0d0a1c0000004d3c2b1a01000000ffffffffffffffff1c000000');
    const unknown = new Uint8Array(8_000_000);
    unknown.set(fromHex('990000000012 7a00'.replaceAll(' ', '')));
    let seen = 0;
    const reader = createCaptureReader(() => seen++);
    reader.push(head);
    for (let i = 0; i < 1000; i++) reader.push(unknown.subarray(i * 8000, i * 8000 + 8000));
    expect(() => reader.end()).not.toThrow();
    expect(seen).toBe(0);
  });

  test('random octets only ever raise DecodeError', () => {
    const start = [BIG_PCAP.slice(0, 24), BIG_PCAPNG.slice(0, 92), new Uint8Array(0)];
    fc.assert(
      fc.property(fc.constantFrom(...start), fc.uint8Array({ maxLength: 200 }), (head, tail) => {
        try {
          decodeCapture(cat(head, tail));
        } catch (e) {
          expect(e).toBeInstanceOf(DecodeError);
        }
      }),
    );
    fc.assert(
      fc.property(fc.nat(BIG_PCAPNG.length - 1), fc.nat(255), (i, value) => {
        const copy = BIG_PCAPNG.slice();
        copy[i] = value;
        try {
          decodeCapture(copy);
        } catch (e) {
          expect(e).toBeInstanceOf(DecodeError);
        }
      }),
    );
  });

  test('time in and out', () => {
    for (const ms of [0, 1_795_000_000_123.25, 999.999999, -0.5])
      expect(milliseconds(packetTime(ms))).toBeCloseTo(ms, 3);
    expect(packetTime(1500.25)).toEqual({ seconds: 1, nanoseconds: 500_250_000 });
  });
});

import { fromHex, toHex } from '@amiable/bytes';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  createPcapngWriter,
  createPcapWriter,
  createStreamCollector,
  createTcpConversation,
  DLMS_PORT,
  decodeNetworkPacket,
  decodeSerialPacket,
  extractStreams,
  LINKTYPE,
  packetTime,
  type Side,
  type StreamOptions,
  serialPacket,
  udpPacket,
} from '../src/index.ts';

const CLIENT = { address: '192.0.2.10', port: 50_000 };
const SERVER = { address: '192.0.2.20', port: DLMS_PORT };
const ENDS = { client: CLIENT, server: SERVER };
const cat = (...parts: Uint8Array[]) => Uint8Array.from(parts.flatMap((p) => [...p]));

/** The sum over everything that a check sum covers, the check sum included, is FFFF when it is right. */
function sum16(...parts: Uint8Array[]): number {
  let sum = 0;
  for (const p of parts) for (let i = 0; i < p.length; i += 2) sum += ((p[i] as number) << 8) | (p[i + 1] ?? 0);
  while (sum > 0xffff) sum = (sum >>> 16) + (sum & 0xffff);
  return sum;
}

function checkSums(packet: Uint8Array): void {
  const ip = packet.subarray(14, 34);
  const rest = packet.subarray(34);
  expect(sum16(ip)).toBe(0xffff);
  const pseudo = cat(ip.subarray(12, 20), Uint8Array.of(0, ip[9] as number, rest.length >> 8, rest.length));
  expect(sum16(pseudo, rest)).toBe(0xffff);
}

/** Feeds Ethernet packets; gives what came out by side, with `-n` for a gap. */
function collect(packets: readonly Uint8Array[], options: StreamOptions = {}) {
  const out = { client: [] as string[], server: [] as string[] };
  const log: string[] = [];
  const collector = createStreamCollector(
    {
      data(stream, from, octets) {
        out[from as Side].push(toHex(octets));
        log.push(`${stream.client} ${stream.server} ${from} ${octets.length}`);
      },
      gap: (_, from, missing) => out[from as Side].push(`-${missing}`),
      closed: (stream) => log.push(`closed ${stream.client}`),
      damaged: (e) => log.push(e.reason),
    },
    options,
  );
  packets.forEach((data, i) => {
    collector.packet({ linkType: LINKTYPE.ethernet, data, time: packetTime(i) });
  });
  collector.end();
  return { client: out.client.join(''), server: out.server.join(''), pieces: out, log };
}

describe('packets', () => {
  test('a wrapper frame over TCP and UDP has right check sums, whatever its length', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 5000, size: 'max' }), fc.boolean(), (payload, fromClient) => {
        const tcp = createTcpConversation(ENDS);
        const side = fromClient ? 'client' : 'server';
        const packets = [...tcp.open(), ...tcp.data(side, payload), ...tcp.close(side)];
        for (const p of packets) checkSums(p);
        checkSums(udpPacket(CLIENT, SERVER, payload));
        const seen = decodeNetworkPacket(LINKTYPE.ethernet, udpPacket(CLIENT, SERVER, payload));
        expect(seen).toMatchObject({ protocol: 'udp', source: '192.0.2.10', destinationPort: 4059, cut: 0 });
        expect(toHex(seen?.payload as Uint8Array)).toBe(toHex(payload));
        expect(collect(packets)[side]).toBe(toHex(payload));
      }),
      { numRuns: 40 },
    );
  });

  test('sequence numbers follow each other, and each side acknowledges the other', () => {
    const tcp = createTcpConversation(ENDS);
    const next = { client: -1, server: -1 };
    const packets = [
      ...tcp.open(),
      ...tcp.data('client', new Uint8Array(3000)),
      ...tcp.data('server', new Uint8Array(10)),
      ...tcp.data('client', new Uint8Array(1)),
      ...tcp.close('server'),
    ];
    for (const p of packets.map((b) => decodeNetworkPacket(LINKTYPE.ethernet, b))) {
      if (!p) throw new Error('no TCP');
      const [from, to] = p.sourcePort === DLMS_PORT ? (['server', 'client'] as const) : (['client', 'server'] as const);
      if (next[from] >= 0) expect(p.sequence).toBe(next[from]);
      if (p.flags.ack) expect(p.acknowledgement).toBe(next[to]);
      next[from] = p.sequence + p.payload.length + (p.flags.syn || p.flags.fin ? 1 : 0);
    }
    expect(packets.length).toBe(3 + 3 + 1 + 1 + 3);
  });

  test('the caller’s mistakes', () => {
    for (const address of ['1.2.3', '1.2.3.256', '1.2.3.x', '1.2.3.4.5', '::1', ' 1.2.3.4'])
      expect(() => udpPacket({ address, port: 1 }, SERVER, new Uint8Array(1))).toThrow(/no IPv4 address/);
    expect(() => udpPacket({ ...CLIENT, port: 65_536 }, SERVER, new Uint8Array(1))).toThrow(/no port/);
    expect(() => udpPacket(CLIENT, SERVER, new Uint8Array(65_508))).toThrow(/longest/);
  });

  test('every link layer leads to the same payload', () => {
    const ethernet = udpPacket(CLIENT, SERVER, fromHex('0001001000010001'));
    const ip = ethernet.subarray(14);
    const forms: [number, string, Uint8Array][] = [
      [LINKTYPE.ethernet, '000000000001000000000002 8100 0064 88a8 0001 0800', ip],
      [LINKTYPE.raw, '', ip],
      [LINKTYPE.ipv4, '', ip],
      [12, '', ip],
      [LINKTYPE.null, '02000000', ip],
      [LINKTYPE.null, '00000002', ip],
      [LINKTYPE.loop, '00000002', ip],
      [LINKTYPE.linuxSll, '0000 0304 0006 000000000000 0000 0800', ip],
      [LINKTYPE.linuxSll2, '0800 0000 00000001 0304 00 06 0000000000000000', ip],
    ];
    const want = decodeNetworkPacket(LINKTYPE.ethernet, ethernet);
    expect(want?.payload.length).toBe(8);
    for (const [type, head, body] of forms)
      expect(decodeNetworkPacket(type, cat(fromHex(head), body, new Uint8Array(type === 1 ? 6 : 0)))).toEqual(want);
    // IPv6 with a destination options header before UDP.
    const v6 = cat(
      fromHex('60000000 0018 3c 40 20010db8000000000000000000000001 20010db8000000000000000000000002'),
      fromHex('1100010400000000'),
      ip.subarray(20),
    );
    for (const [type, head] of [
      [LINKTYPE.raw, ''],
      [LINKTYPE.ipv6, ''],
      [LINKTYPE.null, '1e000000'],
      [LINKTYPE.linuxSll, '0000 0304 0006 000000000000 0000 86dd'],
    ] as const)
      expect(decodeNetworkPacket(type, cat(fromHex(head), v6))).toMatchObject({
        source: '2001:db8:0:0:0:0:0:1',
        destinationPort: 4059,
        payload: want?.payload,
      });
    // ARP, ICMP, a fragment, an unknown link type are none.
    expect(decodeNetworkPacket(1, cat(fromHex('0000000000010000000000020806'), ip))).toBeUndefined();
    expect(
      decodeNetworkPacket(
        101,
        ip.map((b, i) => (i === 9 ? 1 : b)),
      ),
    ).toBeUndefined();
    expect(
      decodeNetworkPacket(
        101,
        ip.map((b, i) => (i === 6 ? 0x20 : b)),
      ),
    ).toBeUndefined();
    expect(decodeNetworkPacket(9999, ip)).toBeUndefined();
  });

  test('random and cut packets only ever raise DecodeError', () => {
    const types = [...Object.values(LINKTYPE), 12, 14];
    const whole = createTcpConversation(ENDS).data('client', new Uint8Array(30))[0] as Uint8Array;
    const collector = createStreamCollector({ data: () => {}, damaged: (e) => expect(e.name).toBe('DecodeError') });
    fc.assert(
      fc.property(
        fc.constantFrom(...types),
        fc.uint8Array({ maxLength: 90 }),
        fc.array(fc.tuple(fc.nat(whole.length - 1), fc.nat(255)), { maxLength: 4 }),
        fc.nat(whole.length),
        (linkType, noise, changes, cut) => {
          const changed = whole.slice(0, cut);
          for (const [i, value] of changes) if (i < cut) changed[i] = value;
          for (const data of [noise, changed]) collector.packet({ linkType, data, time: packetTime(0) });
        },
      ),
      { numRuns: 2000 },
    );
    collector.end();
  });
});

describe('streams', () => {
  /** A conversation in random pieces, as packets. */
  function talk(pieces: readonly [Side, Uint8Array][]) {
    const tcp = createTcpConversation(ENDS);
    const packets = [...tcp.open(), ...pieces.flatMap(([side, octets]) => tcp.data(side, octets)), ...tcp.close()];
    const want = (side: Side) => pieces.map(([s, octets]) => (s === side ? toHex(octets) : '')).join('');
    return { packets, client: want('client'), server: want('server') };
  }
  const conversation = fc.array(
    fc.tuple(fc.constantFrom<Side>('client', 'server'), fc.uint8Array({ minLength: 1, maxLength: 60 })),
    { minLength: 1, maxLength: 20 },
  );

  test('out of order and repeated: the same octets, once', () => {
    fc.assert(
      fc.property(conversation, fc.array(fc.tuple(fc.nat(1000), fc.boolean()), { maxLength: 20 }), (pieces, moves) => {
        const { packets, client, server } = talk(pieces);
        // Within a run of one side nothing acknowledges it, so the order there may be any. SYN and FIN stay where they are.
        const order = packets.slice(3, -3);
        for (const [at, twice] of moves) {
          const i = at % order.length;
          const a = order[i] as Uint8Array;
          const b = order[i + 1];
          if (twice) order.splice(i, 0, a);
          else if (b && a[35] === b[35] && a[34] === b[34]) [order[i], order[i + 1]] = [b, a];
        }
        const got = collect([...packets.slice(0, 3), ...order, ...packets.slice(-3)]);
        expect([got.client, got.server]).toEqual([client, server]);
        expect(got.log.filter((l) => l.startsWith('closed'))).toEqual(['closed 192.0.2.10:50000']);
      }),
    );
  });

  test('what is missing is told, and nothing else is lost', () => {
    fc.assert(
      fc.property(conversation, fc.nat(1000), (pieces, lost) => {
        const { packets } = talk(pieces);
        const index = 3 + (lost % pieces.length);
        const [side, octets] = pieces[index - 3] as [Side, Uint8Array];
        const got = collect(packets.filter((_, i) => i !== index));
        const later = pieces.slice(index - 2).some(([s]) => s === side);
        const want = pieces.map(([s, o], i) => {
          if (s !== side) return '';
          return i === index - 3 ? (later ? `-${octets.length}` : '') : toHex(o);
        });
        expect(got[side]).toBe(want.join('').replace(/-(\d+)$/, later ? '-$1' : ''));
      }),
    );
  });

  test('a segment that overlaps gives only what is new; sequence numbers go round', () => {
    const tcp = createTcpConversation(ENDS);
    const packets = [...tcp.open(), ...tcp.data('client', fromHex('0102030405'))];
    const move = (p: Uint8Array, by: number, length: number) => {
      const out = p.slice(0, 54 + length);
      const view = new DataView(out.buffer);
      view.setUint32(38, (view.getUint32(38) + by) >>> 0);
      view.setUint16(16, 40 + length);
      return out;
    };
    const data = packets[3] as Uint8Array;
    // The second stands 2 further on: its first octet is here already. The third is here altogether.
    const overlapping = [move(data, 0, 3), move(data, 2, 3), move(data, 1, 4)];
    expect(collect([...packets.slice(0, 3), ...overlapping]).client).toBe('0102030203');
    const round = packets.map((p, i) => move(p, i === 1 ? 0 : 0xffff_fffe - 0x1000_0000, i === 3 ? 5 : p.length - 54));
    expect(collect([...round.slice(0, 1), ...round.slice(2)]).client).toBe('0102030405');
  });

  test('bounds: waiting octets and connections', () => {
    const tcp = createTcpConversation(ENDS);
    const packets = [...tcp.open()];
    tcp.data('client', new Uint8Array(7)); // lost
    for (let i = 0; i < 50; i++) packets.push(...tcp.data('client', new Uint8Array(100).fill(i)));
    const got = collect(packets, { maxWaiting: 1000 });
    expect(got.pieces.client[0]).toBe('-7');
    expect(got.pieces.client.length).toBe(51);

    const many = Array.from({ length: 20 }, (_, i) =>
      createTcpConversation({ client: { ...CLIENT, port: 1000 + i }, server: SERVER }).open(),
    ).flat();
    expect(collect(many, { maxStreams: 5 }).log.length).toBe(20);
  });

  test('without SYN the well-known port says who is the server; a new SYN begins anew; RST ends', () => {
    const tcp = createTcpConversation(ENDS);
    tcp.open();
    const answer = tcp.data('server', fromHex('aa'));
    expect(collect(answer).log[0]).toBe('192.0.2.10:50000 192.0.2.20:4059 server 1');
    const again = createTcpConversation(ENDS);
    const second = again.open().map((p) => {
      const out = p.slice();
      const client = p[34] === CLIENT.port >> 8;
      out[38 + (client ? 0 : 4)] = 0x77;
      return out;
    });
    const { log } = collect([...tcp.data('client', fromHex('bb')), ...second, ...again.reset('server')]);
    expect(log).toEqual([
      '192.0.2.10:50000 192.0.2.20:4059 client 1',
      'closed 192.0.2.10:50000',
      'closed 192.0.2.10:50000',
    ]);
  });

  test('serial octets: direction and time survive, and octets of unknown direction are kept', () => {
    const time = packetTime(1_795_000_000_123);
    const packet = serialPacket('received', fromHex('7ea0'), time);
    expect(toHex(packet)).toBe('6afd86c00001e078021f00007ea0');
    expect(decodeSerialPacket(LINKTYPE.rtacSerial, packet)).toMatchObject({ direction: 'received', event: 2 });
    const writer = createPcapngWriter(LINKTYPE.rtacSerial);
    const file = cat(
      writer.header(),
      writer.packet({ data: serialPacket('transmitted', fromHex('01'), time), time }),
      writer.packet({ data: packet, time }),
      writer.packet({ linkType: LINKTYPE.user0, data: fromHex('02'), time, direction: 'outbound' }),
      writer.packet({ linkType: LINKTYPE.user0, data: fromHex('03'), time }),
      writer.packet({ linkType: LINKTYPE.rtacSerial, data: fromHex('0304'), time }),
      writer.packet({ linkType: 1, data: udpPacket(SERVER, CLIENT, fromHex('05')), time }),
    );
    const { streams, damage } = extractStreams(file);
    expect(
      streams.map((s) => [s.kind, s.client, ...s.pieces.map((p) => `${p.from} ${toHex(p.octets)}`)].join(' ')),
    ).toEqual([
      'serial this end client 01 server 7ea0',
      'serial this end client 02 unknown 03',
      'udp 192.0.2.10:50000 server 05',
    ]);
    expect(damage.map((d) => d.reason)).toEqual(['truncated']);
    expect(streams[0]?.pieces[0]?.time).toEqual(time);
  });

  test('a capture that breaks off gives the streams that it has', () => {
    const writer = createPcapWriter(LINKTYPE.ethernet);
    const tcp = createTcpConversation(ENDS);
    const packets = [...tcp.open(), ...tcp.data('client', fromHex('0102')), ...tcp.data('server', fromHex('03'))];
    const file = cat(writer.header(), ...packets.map((data) => writer.packet({ data, time: packetTime(0) })));
    const { streams, damage } = extractStreams(file.subarray(0, file.length - 1));
    expect(streams.map((s) => s.pieces.map((p) => toHex(p.octets)))).toEqual([['0102']]);
    expect(damage[0]?.reason).toBe('truncated');
  });
});

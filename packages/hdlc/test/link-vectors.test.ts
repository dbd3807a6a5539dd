import { fromHex, toHex } from '@amiable/bytes';
import { describe, expect, test } from 'vitest';
import {
  createHdlcClient,
  createHdlcServer,
  DEFAULT_PARAMETERS,
  decodeControl,
  decodeFrame,
  decodeParameters,
  decodeReject,
  encodeControl,
  encodeFrame,
  encodeParameters,
  encodeReject,
  explainFrame,
  type HdlcAddress,
  type HdlcClientOptions,
  negotiate,
} from '../src/index.ts';

// Frames of real meters and readers, as published in logs: Nartis 100 (client 32, server 1/16 in two octets), Kamstrup
// Omnipower (client 18, server 2064), readers at client 32, 48 and 1 of one-octet servers.
const one = (value: number): HdlcAddress => ({ value, length: 1 });

function clientOf(options: HdlcClientOptions) {
  const out: string[] = [];
  const got: string[] = [];
  const client = createHdlcClient(options, {
    write: (b) => out.push(toHex(b).toUpperCase()),
    connected: (p) => got.push(`connected ${p.maxInfoTransmit} ${p.maxInfoReceive} ${p.windowTransmit}`),
    information: (i) => got.push(toHex(i)),
    disconnected: (r) => got.push(`disconnected ${r}`),
    failed: (e) => got.push(e.message),
  });
  const receive = (hex: string) => client.receive(fromHex(hex), 0);
  return { client, out, got, receive };
}

describe('real exchanges', () => {
  test('Nartis: SNRM without parameters, UA with', () => {
    const { client, out, got, receive } = clientOf({
      client: one(32),
      server: { value: 0x90, length: 2 },
      negotiate: false,
      limits: { maxInfoTransmit: 1024, maxInfoReceive: 1024 },
    });
    client.connect(0);
    expect(out.pop()).toBe('7EA0080221419350B47E');
    receive('7ea02141022173dbd8818014050201000602010007040000000108040000000169 6d7e');
    expect(got.pop()).toBe('connected 256 256 1');
  });

  test('a reader at client 32: the second I frame of an association', () => {
    const { client, out, got, receive } = clientOf({ client: one(32), server: one(1), negotiate: false });
    client.connect(0);
    receive(toHex(encodeFrame({ destination: one(32), source: one(1), control: encodeControl('UA', true) })));
    client.send(fromHex('60'), 0);
    const info = fromHex('e6e70061');
    receive(
      toHex(encodeFrame({ destination: one(32), source: one(1), control: encodeControl('I', true, 0, 1), info })),
    );
    expect(got.pop()).toBe('61');
    client.send(fromHex('c001c100170000160000ff0900'), 0);
    expect(out.pop()).toBe('7EA0190341323ABDE6E600C001C100170000160000FF090015C97E');
  });

  test('a reader at client 32: RR after each segment, then DISC', () => {
    const { client, out, got, receive } = clientOf({ client: one(32), server: one(1), negotiate: false });
    const segment = (n: number, segmented: boolean, info: string) =>
      receive(
        toHex(
          encodeFrame({
            destination: one(32),
            source: one(1),
            segmented,
            control: encodeControl('I', true, n, 1),
            info: fromHex(info),
          }),
        ),
      );
    client.connect(0);
    expect(out.pop()).toBe('7EA0070341935A647E');
    receive(toHex(encodeFrame({ destination: one(32), source: one(1), control: encodeControl('UA', true) })));
    expect(got.pop()).toBe('connected 128 128 1');
    client.send(fromHex('c0'), 0);
    segment(0, true, 'e6e70001');
    expect(out.pop()).toBe('7EA00703413142E27E');
    segment(1, true, '02');
    expect(out.pop()).toBe('7EA00703415144817E');
    segment(2, true, '03');
    expect(out.pop()).toBe('7EA00703417146A07E');
    segment(3, false, '04');
    expect(got.pop()).toBe('01020304');
    client.disconnect(0);
    expect(out.pop()).toBe('7EA00703415356A27E');
  });

  test('SNRM with parameters in one octet, four-octet server address', () => {
    const { client, out } = clientOf({ client: one(32), server: { value: (1 << 14) | (2 << 7), length: 4 } });
    client.connect(0);
    expect(out).toEqual(['7EA02100020401419323C5818012050180060180070400000001080400000001533B7E']);
  });

  test('SNRM with parameters in two octets; the server answers as the meter did', () => {
    const out: string[] = [];
    const server = createHdlcServer(
      { accepts: () => true },
      {
        write: (b) => out.push(toHex(b).toUpperCase()),
        connected: () => {},
        information: () => {},
        disconnected: () => {},
        failed: () => {},
      },
    );
    server.receive(fromHex('7EA020030393FEC98180140502008006020080070400000001080400000001CE6A7E'), 0);
    expect(out).toEqual(['7EA01E03037340CC818012050180060180070400000001080400000001533B7E']);
  });

  test('Kamstrup: UA that allows 1010 octets', () => {
    const { client, got, receive } = clientOf({
      client: one(18),
      server: { value: 2064, length: 2 },
      limits: { maxInfoTransmit: 2030, maxInfoReceive: 800, windowTransmit: 7 },
    });
    client.connect(0);
    receive('7ea0212520217350858180140502 03f2060203f20704000000010804000000010a757e');
    expect(got).toEqual(['connected 1010 800 1']);
  });

  test('SNRM that asks for more than there is gets what there is', () => {
    const out: Uint8Array[] = [];
    const server = createHdlcServer(
      { accepts: () => true, limits: { maxInfoTransmit: 2030, maxInfoReceive: 500, windowReceive: 3 } },
      {
        write: (b) => out.push(b),
        connected: () => {},
        information: () => {},
        disconnected: () => {},
        failed: () => {},
      },
    );
    server.receive(fromHex('7ea0200361931b9f8180140502080006020800070400000007080400000007b3c67e'), 0);
    expect(decodeParameters(decodeFrame(out[0] as Uint8Array).info)).toEqual({
      maxInfoTransmit: 2030,
      maxInfoReceive: 500,
      windowTransmit: 1,
      windowReceive: 3,
    });
  });
});

describe('fields', () => {
  test('every control octet is one thing, and written again the same', () => {
    const kinds: Record<string, number> = {};
    for (let octet = 0; octet < 256; octet++) {
      const { kind, pf, ns, nr } = decodeControl(octet);
      kinds[kind] = (kinds[kind] ?? 0) + 1;
      if (kind !== 'unknown') expect(encodeControl(kind, pf, ns, nr)).toBe(octet);
    }
    expect(kinds).toEqual({ I: 128, RR: 16, RNR: 16, UI: 2, DM: 2, DISC: 2, UA: 2, SNRM: 2, FRMR: 2, unknown: 84 });
    expect([0x93, 0x73, 0x53, 0x1f, 0x97, 0x13].map((c) => decodeControl(c).kind)).toEqual([
      'SNRM',
      'UA',
      'DISC',
      'DM',
      'FRMR',
      'UI',
    ]);
  });

  test('parameters: forms met, defaults, and what is refused', () => {
    expect(decodeParameters(new Uint8Array(0))).toEqual(DEFAULT_PARAMETERS);
    expect(decodeParameters(fromHex('818000'))).toEqual(DEFAULT_PARAMETERS);
    expect(decodeParameters(fromHex('81800405020040 '))).toEqual({ ...DEFAULT_PARAMETERS, maxInfoTransmit: 64 });
    expect(decodeParameters(fromHex('818007050 20040070107'.replaceAll(' ', '')))).toMatchObject({ windowTransmit: 7 });
    expect(decodeParameters(fromHex('8180140502270f0602270f070400000009080400000001'))).toEqual({
      maxInfoTransmit: 2030,
      maxInfoReceive: 2030,
      windowTransmit: 7,
      windowReceive: 1,
    });
    // An unknown parameter and a group of user data are passed over.
    expect(decodeParameters(fromHex('8180070901ff06020100f00101'))).toMatchObject({ maxInfoReceive: 256 });
    for (const bad of ['80', '8180', '818005050200', '81800305020', '8180020502', '818003050100', '818003070100'])
      expect(() => decodeParameters(fromHex(bad.length % 2 ? `${bad}0` : bad))).toThrow(/at byte/);
    for (const size of [32, 128, 255, 256, 2030])
      for (const window of [1, 7]) {
        const p = { maxInfoTransmit: size, maxInfoReceive: 128, windowTransmit: window, windowReceive: 1 };
        expect(decodeParameters(encodeParameters(p))).toEqual(p);
        expect(negotiate(DEFAULT_PARAMETERS, p)).toMatchObject({ maxInfoReceive: Math.min(size, 128) });
      }
    expect(() => clientOf({ client: one(1), server: one(1), limits: { windowTransmit: 8 } })).toThrow(/1 to 7/);
  });

  test('FRMR both ways', () => {
    for (let i = 0; i < 16; i++) {
      const r = {
        control: 0x51,
        vs: i & 7,
        vr: 7 - (i & 7),
        response: i > 7,
        undefinedControl: (i & 1) > 0,
        informationNotAllowed: (i & 2) > 0,
        tooLong: (i & 4) > 0,
        invalidNr: (i & 8) > 0,
      };
      expect(decodeReject(encodeReject(r))).toEqual(r);
    }
    expect(decodeReject(fromHex('5100'))).toBeUndefined();
  });

  test('SNRM, UA and FRMR are explained octet by octet', () => {
    for (const hex of [
      '7EA020030393FEC98180140502008006020080070400000001080400000001CE6A7E',
      toHex(encodeFrame({ destination: one(1), source: one(1), control: 0x97, info: fromHex('510e08') })),
      toHex(encodeFrame({ destination: one(1), source: one(1), control: 0x73, info: fromHex('8180060502ff') })),
      toHex(encodeFrame({ destination: one(1), source: one(1), control: 0x73, info: fromHex('77') })),
    ]) {
      let at = 0;
      for (const f of explainFrame(fromHex(hex))) {
        expect(f.offset).toBe(at);
        at += f.length;
      }
      expect(at).toBe(hex.length / 2);
    }
    const fields = explainFrame(fromHex('7EA020030393FEC98180140502008006020080070400000001080400000001CE6A7E'));
    expect(fields.filter((f) => f.path.startsWith('hdlc/information')).map((f) => f.text)).toEqual([
      'format identifier 81: negotiation of parameters',
      'group 80: HDLC parameters, 20 octets',
      'maximum information field length, transmit 128',
      'maximum information field length, receive 128',
      'window size, transmit 1',
      'window size, receive 1',
    ]);
    expect(fields.find((f) => f.path === 'hdlc/control')?.text).toBe(
      'control: SNRM, set normal response mode, poll/final',
    );
  });
});

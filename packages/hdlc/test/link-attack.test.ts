/** What a link does with peers that break the rules, and with those that use the corners of them. */
import { DecodeError, toHex } from '@amiable/bytes';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  CONTROL,
  createHdlcClient,
  createHdlcServer,
  decodeControl,
  decodeFrame,
  decodeParameters,
  decodeReject,
  encodeControl,
  encodeFrame,
  encodeParameters,
  explainFrame,
  type HdlcAddress,
  type HdlcServerLink,
} from '../src/index.ts';
import { CLIENT, createWorld, numbered, randomOf, SERVER } from './line.ts';

const wide = { maxInfoTransmit: 128, maxInfoReceive: 128, windowTransmit: 7, windowReceive: 7 };

/** A client whose server is this test; what it wrote and told is in `out` and `got`. */
function lonelyClient(options: Parameters<typeof createWorld>[0] = {}) {
  const out: Uint8Array[] = [];
  const got: string[] = [];
  let error = '';
  const client = createHdlcClient(
    { client: CLIENT, server: SERVER, responseTimeout: 100, limits: wide, ...options.client },
    {
      write: (b) => out.push(b),
      connected: () => got.push('connected'),
      information: (i) => got.push(toHex(i)),
      disconnected: (r) => got.push(r),
      failed(e) {
        error = e.message;
        got.push('failed');
      },
      unnumbered: (i, { source }, final) => got.push(`ui ${toHex(i)} ${source.value} ${final}`),
      stray: (i, { source }) => got.push(`stray ${toHex(i)} ${source.value}`),
    },
  );
  const receive = (control: number, info: Uint8Array = new Uint8Array(0), segmented = false, now = 0) =>
    client.receive(encodeFrame({ destination: CLIENT, source: SERVER, control, info, segmented }), now);
  client.connect(0);
  receive(encodeControl('UA', true), encodeParameters(wide));
  out.length = got.length = 0;
  return {
    client,
    out,
    got,
    receive,
    error: () => error,
    kinds: () => out.splice(0).map((b) => decodeControl(decodeFrame(b).control)),
  };
}

function lonelyServer(options: Partial<Parameters<typeof createHdlcServer>[0]> = {}) {
  const out: Uint8Array[] = [];
  const got: string[] = [];
  let link: HdlcServerLink | undefined;
  let error = '';
  const server = createHdlcServer(
    { accepts: () => true, limits: wide, ...options },
    {
      write: (b) => out.push(b),
      connected(l) {
        link = l;
        got.push(`connected ${l.server.value}/${l.server.length} ${l.client.value}`);
      },
      information: (l, i) => got.push(`${l.server.value}: ${toHex(i)}`),
      disconnected: (l, r) => got.push(`${l.server.value} ${r}`),
      failed(_, e) {
        error = e.message;
        got.push('failed');
      },
      unnumbered: (i, { destination }, poll) => got.push(`ui ${toHex(i)} ${destination.value} ${poll}`),
    },
  );
  const receive = (
    control: number,
    info: Uint8Array = new Uint8Array(0),
    segmented = false,
    destination: HdlcAddress = SERVER,
    source: HdlcAddress = CLIENT,
    now = 0,
  ) => server.receive(encodeFrame({ destination, source, control, info, segmented }), now);
  return {
    server,
    out,
    got,
    receive,
    link: () => link as HdlcServerLink,
    error: () => error,
    kinds: () => out.splice(0).map((b) => decodeControl(decodeFrame(b).control).kind),
  };
}

const LLC = [0xe6, 0xe7, 0];
const info = (...bytes: number[]) => Uint8Array.of(...LLC, ...bytes);

describe('a client and a bad server', () => {
  test('N(R) out of range fails the link and shows the frame', () => {
    const c = lonelyClient();
    c.client.send(Uint8Array.of(1), 0);
    c.receive(encodeControl('RR', true, 0, 5));
    expect(c.got).toEqual(['failed']);
    expect(c.error()).toMatch(
      /in state connected, V\(S\) 1, V\(A\) 0, V\(R\) 0: expected N\(R\) from 0 to 1, came RR, receive ready 5, poll\/final: A00A/,
    );
    expect(c.client.state).toBe('disconnected');
  });

  test('more I frames than the window: what is beyond is asked for again', () => {
    const c = lonelyClient({ client: { limits: { ...wide, windowReceive: 2 } } });
    c.client.send(Uint8Array.of(1), 0);
    for (let n = 0; n < 4; n++) c.receive(encodeControl('I', n === 3, n, 1), info(n));
    expect(c.got).toEqual(['00', '01']);
    expect(c.kinds().at(-1)).toEqual({ kind: 'RR', pf: true, ns: 0, nr: 2 });
  });

  test('an information without end is bounded, and segments of nothing are refused', () => {
    const c = lonelyClient({ client: { maxInformation: 1000 } });
    c.client.send(Uint8Array.of(1), 0);
    let n = 0;
    for (; c.got.length === 0 && n < 100; n++) c.receive(encodeControl('I', true, n & 7, 1), new Uint8Array(128), true);
    expect(n).toBe(8);
    expect(c.error()).toMatch(/expected information of at most 1000 octets/);

    const empty = lonelyClient();
    empty.client.send(Uint8Array.of(1), 0);
    empty.receive(encodeControl('I', true, 0, 1), new Uint8Array(0), true);
    expect(empty.error()).toMatch(/expected a segment with information/);
  });

  test('answers that never acknowledge come to an end', () => {
    for (const count of [1, 3]) {
      const c = lonelyClient();
      for (let i = 0; i < count; i++) c.client.send(Uint8Array.of(i), 0);
      let now = 0;
      let rounds = 0;
      for (; c.client.state === 'connected' && rounds < 1000; rounds++) {
        now = Math.min(now + 1, c.client.nextDeadline());
        c.client.tick(now);
        // The first frame is answered while the others wait; then all three are out.
        c.receive(encodeControl('RR', true, 0, 0), undefined, false, now);
        now = Math.max(now, Math.min(now + 100, c.client.nextDeadline()));
        c.client.tick(now);
      }
      expect(c.got).toEqual(['failed']);
      expect(rounds).toBeLessThan(20);
    }
  });

  test('a gap that is never filled comes to an end', () => {
    const c = lonelyClient();
    c.client.send(Uint8Array.of(1), 0);
    for (let i = 0; i < 10; i++) c.receive(encodeControl('I', true, 3, 1), info(1));
    expect(c.got[0]).toBe('failed');
    expect(c.error()).toMatch(/or N\(S\) 0, came 4 answers with neither/);
  });

  test('RNR for ever comes to an end; RNR for a while does not hurt', () => {
    const c = lonelyClient({ client: { busyTimeout: 1000, pollInterval: 50 } });
    c.client.send(Uint8Array.of(1), 0);
    let now = 0;
    for (let i = 0; i < 100 && c.client.state === 'connected'; i++) {
      c.receive(encodeControl('RNR', true, 0, 0), undefined, false, now);
      now = Math.min(now + 1000, c.client.nextDeadline());
      c.client.tick(now);
    }
    expect(c.error()).toMatch(/expected RR within 1000 ms, came only RNR/);
    expect(now).toBeLessThan(1200);

    const w = createWorld();
    w.client.connect(0);
    w.run(0);
    w.link?.setBusy(true);
    w.client.send(Uint8Array.of(7), 0, false);
    w.run(2000);
    expect(w.serverGot).toEqual([]);
    w.link?.setBusy(false);
    w.run(3000);
    expect(w.serverGot.map((i) => toHex(i))).toEqual(['07']);
  });

  test('a server that stops half-way in an information', () => {
    const c = lonelyClient({ client: { answerTimeout: 1000, pollInterval: 100 } });
    c.client.send(Uint8Array.of(1), 0);
    c.receive(encodeControl('I', true, 0, 1), info(1), true);
    let now = 0;
    for (let i = 0; i < 100 && c.client.state === 'connected'; i++) {
      c.receive(encodeControl('RR', true, 0, 1), undefined, false, now);
      now = Math.min(now + 1000, c.client.nextDeadline());
      c.client.tick(now);
    }
    expect(c.error()).toMatch(/expected the rest of an information from N\(S\) 1 on within 1000 ms/);
    expect(now).toBeLessThan(1300);
  });

  test('no LLC octets, FRMR, DM, a UA of nonsense', () => {
    const llc = lonelyClient();
    llc.client.send(Uint8Array.of(1), 0);
    llc.receive(encodeControl('I', true, 0, 1), Uint8Array.of(1, 2, 3, 4));
    expect(llc.error()).toMatch(/expected the LLC octets E6 E7 00, came I, send 0, receive 1/);

    const frmr = lonelyClient();
    frmr.client.send(Uint8Array.of(1), 0);
    frmr.receive(encodeControl('FRMR', true), Uint8Array.of(0x10, 0, 4));
    expect(frmr.error()).toMatch(/refused I, send 0, receive 0, poll\/final: information field too long/);

    const dm = lonelyClient();
    dm.receive(encodeControl('DM', true));
    expect(dm.got).toEqual(['peer']);
    expect(() => dm.client.send(Uint8Array.of(1), 0)).toThrow(/connect first/);

    dm.client.connect(0);
    dm.receive(encodeControl('UA', true), Uint8Array.of(0x81, 0x80, 3, 5, 1, 0));
    expect(dm.error()).toMatch(/in state connecting: expected UA with parameters .* lets nothing pass/);
    dm.client.connect(0);
    dm.receive(encodeControl('DM', true));
    expect(dm.error()).toMatch(/expected UA, the server refuses the link: came DM/);
  });

  test('an answer that is not ready is polled for, and no longer than allowed', () => {
    const w = createWorld({ client: { pollInterval: 50, answerTimeout: 400 } });
    w.client.connect(0);
    w.run(0);
    w.client.send(Uint8Array.of(1), 0);
    w.run(170);
    w.link?.send(Uint8Array.of(9), 170);
    w.run(1000);
    expect(w.clientGot.map((i) => toHex(i))).toEqual(['09']);
    expect(w.toServer.length).toBe(2 + 4);
    w.client.send(Uint8Array.of(2), 1000);
    w.run(10_000);
    expect(w.client.state).toBe('connected');
    expect(w.client.counters.framesOut).toBeLessThan(20);
  });

  test('a poll may wait for its answer at the server', () => {
    const w = createWorld({ server: { answerTime: 500 } });
    w.client.connect(0);
    w.run(0);
    w.client.send(Uint8Array.of(1), 0);
    w.run(170);
    expect(w.toClient.length).toBe(1);
    w.link?.send(Uint8Array.of(9), 170);
    w.run(171);
    expect(w.clientGot.length).toBe(1);
    w.client.send(Uint8Array.of(1), 171);
    w.run(670);
    expect(w.toClient.length).toBe(2);
    w.run(671);
    expect(w.toClient.length).toBe(3);
  });

  test('UI and I frames from anywhere, in any state', () => {
    const c = lonelyClient();
    const other = { value: 0x80, length: 2 } as const;
    const ui = encodeFrame({ destination: CLIENT, source: other, control: 0x13, info: info(0x0f) });
    const stray = encodeFrame({ destination: { value: 1, length: 1 }, source: other, control: 0x10, info: info(0x0f) });
    c.client.receive(ui, 0);
    c.client.receive(stray, 0);
    c.client.reset();
    c.client.receive(ui, 0);
    c.receive(encodeControl('I', false, 0, 0), info(5));
    expect(c.got).toEqual(['ui 0f 128 true', 'stray e6e7000f 128', 'ui 0f 128 true', `stray e6e70005 ${SERVER.value}`]);
  });

  test('UI from the client: with poll to one station, without to all', () => {
    for (const [server, control] of [
      [SERVER, 0x13],
      [{ value: 0x7f, length: 1 }, 0x03],
    ] as const) {
      const out: Uint8Array[] = [];
      const nothing = () => {};
      const client = createHdlcClient(
        { client: CLIENT, server },
        { write: (b) => out.push(b), connected: nothing, information: nothing, disconnected: nothing, failed: nothing },
      );
      client.sendUnnumbered(Uint8Array.of(1), 0, true);
      const { control: sent, info: field, destination } = decodeFrame(out[0] as Uint8Array);
      expect([sent, toHex(field), destination]).toEqual([control, 'e6e60001', server]);
    }
  });

  test('information is the receiver’s own, also when the line reuses its buffers', () => {
    const got: Uint8Array[] = [];
    const server = createHdlcServer(
      { accepts: () => true },
      {
        write: () => {},
        connected: () => {},
        information: (_, i) => got.push(i),
        disconnected: () => {},
        failed: () => {},
        unnumbered: (i) => got.push(i),
      },
    );
    for (const control of [0x93, 0x10, 0x03]) {
      const parts = { destination: SERVER, source: CLIENT, control };
      const chunk = Buffer.from(encodeFrame(control === 0x93 ? parts : { ...parts, info: info(1, 2, 3) }));
      server.receive(chunk, 0);
      chunk.fill(0xee);
    }
    expect(got.map((i) => toHex(i))).toEqual(['010203', '010203']);
    expect(got[0]?.constructor).toBe(Uint8Array);
  });

  test('an idle link is kept alive by polls', () => {
    const w = createWorld({ client: { keepAlive: 300 }, server: { inactivityTimeout: 1000 } });
    w.client.connect(0);
    w.run(10_000);
    expect(w.events).toEqual(['server connected', 'client connected']);
    const idle = createWorld({ server: { inactivityTimeout: 1000 } });
    idle.client.connect(0);
    idle.run(10_000);
    expect(idle.events.at(-1)).toBe('server disconnected inactivity');
    // The client finds out when it next polls.
    idle.client.poll(10_000);
    idle.run(10_001);
    expect(idle.events.at(-1)).toBe('client disconnected peer');
  });

  test('DISC waits for the turn; a busy client takes nothing', () => {
    const w = createWorld({
      onServer: (world, link) => link.send(numbered(5, 400), world.now),
      onClient: (world) => world.client.disconnect(world.now),
    });
    w.client.connect(0);
    w.run(0);
    w.client.setBusy(true, 0);
    w.client.send(Uint8Array.of(1), 0);
    w.run(50);
    expect(w.clientGot.length).toBe(0);
    w.client.setBusy(false, 50);
    w.run(100);
    expect(toHex(w.clientGot[0] as Uint8Array)).toBe(toHex(numbered(5, 400)));
    expect(w.events.slice(2)).toEqual(['server disconnected peer', 'client disconnected requested']);
  });
});

describe('a server and bad clients', () => {
  test('FRMR says why, once to the user and to every poll', () => {
    const cases: [number, Uint8Array, string][] = [
      [encodeControl('RR', true, 0, 4), new Uint8Array(0), 'invalidNr'],
      [encodeControl('I', true, 0, 4), info(1), 'invalidNr'],
      [encodeControl('I', true, 0, 0), new Uint8Array(129), 'tooLong'],
      [encodeControl('RR', true), Uint8Array.of(1), 'informationNotAllowed'],
      [0xbf, new Uint8Array(0), 'undefinedControl'],
    ];
    for (const [control, field, reason] of cases) {
      const s = lonelyServer();
      s.receive(encodeControl('SNRM', true), encodeParameters(wide));
      s.out.length = 0;
      s.receive(control, field);
      s.receive(encodeControl('RR', true));
      expect(s.out.length).toBe(2);
      for (const frame of s.out) {
        const f = decodeFrame(frame);
        expect(decodeControl(f.control)).toMatchObject({ kind: 'FRMR', pf: true });
        expect(decodeReject(f.info)).toMatchObject({ [reason]: true, control });
      }
      expect(s.got.slice(1)).toEqual(['failed']);
      expect(s.error()).toMatch(/in state connected, .*expected .*came .*: A0/);
      s.receive(encodeControl('SNRM', true));
      expect(s.link().open).toBe(true);
    }
  });

  test('information without end is bounded; more than the window waits; no LLC is dropped', () => {
    const s = lonelyServer({ maxInformation: 500, limits: { ...wide, windowReceive: 2 } });
    s.receive(encodeControl('SNRM', true), encodeParameters(wide));
    for (let n = 0; n < 5; n++) s.receive(encodeControl('I', n === 4, n, 0), info(n));
    expect(s.got.length).toBe(3);
    expect(decodeControl(decodeFrame(s.out.at(-1) as Uint8Array).control)).toMatchObject({ kind: 'RR', nr: 2 });
    s.receive(encodeControl('I', true, 2, 0), Uint8Array.of(1, 2, 3, 4));
    expect(s.got.length).toBe(3);
    for (let n = 3; n < 10 && s.error() === ''; n++)
      s.receive(encodeControl('I', true, n & 7, 0), new Uint8Array(128), true);
    expect(s.error()).toMatch(/information of 500 octets at most/);
  });

  test('a meter per lower address, memory only for those that are read, and a bound for those', () => {
    let asked = 0;
    const s = lonelyServer({
      maxLinks: 3,
      accepts(a) {
        asked++;
        return a.length === 4 && (a.value & 0x3fff) >= 100 && (a.value & 0x3fff) < 10_100;
      },
    });
    const meter = (n: number): HdlcAddress => ({ value: (1 << 14) | n, length: 4 });
    s.receive(encodeControl('SNRM', true), undefined, false, meter(10_099));
    s.receive(encodeControl('SNRM', true), undefined, false, meter(50));
    s.receive(encodeControl('SNRM', true), undefined, false, { value: 1, length: 1 });
    expect(s.kinds()).toEqual(['UA']);
    expect(asked).toBe(3);
    s.receive(encodeControl('SNRM', true), undefined, false, meter(200));
    s.receive(encodeControl('SNRM', true), undefined, false, meter(200), { value: 1, length: 1 });
    s.receive(encodeControl('I', true, 0, 0), info(1), false, meter(200), { value: 1, length: 1 });
    s.receive(encodeControl('I', true, 0, 0), info(2), false, meter(10_099));
    expect(s.got.slice(-2)).toEqual([`${meter(200).value}: 01`, `${meter(10_099).value}: 02`]);
    s.receive(encodeControl('RR', true, 0, 0), undefined, false, meter(200));
    s.kinds();
    s.receive(encodeControl('SNRM', true), undefined, false, meter(300));
    expect(s.kinds()).toEqual(['DM']);
    expect(s.server.links.size).toBe(3);
    s.receive(encodeControl('DISC', true), undefined, false, meter(200));
    s.receive(encodeControl('SNRM', true), undefined, false, meter(300));
    expect(s.kinds().slice(-2)).toEqual(['UA', 'UA']);
    s.server.reset();
    expect(s.server.links.size).toBe(0);
    expect(s.got.filter((g) => g.endsWith('peer')).length).toBe(4);
  });

  test('SNRM from everywhere: the oldest link that said no more goes, those in use stay', () => {
    const s = lonelyServer({ maxLinks: 4 });
    const from = (n: number): HdlcAddress => ({ value: n, length: 1 });
    s.receive(encodeControl('SNRM', true), undefined, false, SERVER, from(1));
    s.receive(encodeControl('I', true, 0, 0), info(1), false, SERVER, from(1));
    for (let n = 2; n < 100; n++) s.receive(encodeControl('SNRM', true), undefined, false, SERVER, from(n));
    expect([...s.server.links].map(({ client }) => client.value)).toEqual([1, 97, 98, 99]);
    expect(s.got.filter((g) => g.endsWith('inactivity'))).toHaveLength(95);
    // Whose link has gone learns it at the next poll.
    s.kinds();
    s.receive(encodeControl('RR', true, 0, 0), undefined, false, SERVER, from(50));
    s.receive(encodeControl('I', true, 1, 0), info(2), false, SERVER, from(1));
    expect(s.kinds()).toEqual(['DM', 'RR']);
  });

  test('what waits to be sent is bounded in octets, and what is acknowledged makes room', () => {
    const s = lonelyServer({ maxQueuedOctets: 1000 });
    s.receive(encodeControl('SNRM', true), encodeParameters(wide), false);
    const [link] = s.server.links as ReadonlySet<HdlcServerLink>;
    if (!link) throw new Error('no link');
    // One alone may be longer.
    link.send(new Uint8Array(1500), 0);
    expect(() => link.send(new Uint8Array(1), 0)).toThrow('1500 octets wait');
    expect(link.held).toBe(1500);
    let nr = 0;
    for (let polls = 0; polls < 40 && link.held > 0; polls++) {
      s.receive(encodeControl('RR', true, 0, nr), undefined, false);
      nr = (nr + s.kinds().filter((kind) => kind === 'I').length) & 7;
    }
    expect(link.held).toBe(0);
    link.send(new Uint8Array(400), 0);
    link.send(new Uint8Array(600), 0);
    expect(() => link.send(new Uint8Array(1), 0)).toThrow('1000 octets wait');
  });

  test('addresses of other lengths are other stations, and are answered in their own', () => {
    const s = lonelyServer();
    const forms: HdlcAddress[] = [
      { value: 1, length: 1 },
      { value: 1, length: 2 },
      { value: 1, length: 4 },
    ];
    for (const destination of forms)
      for (const source of forms) {
        s.receive(encodeControl('SNRM', true), undefined, false, destination, source);
        s.receive(encodeControl('I', true, 0, 0), info(1), false, destination, source);
        const answer = decodeFrame(s.out.at(-1) as Uint8Array);
        expect([answer.destination, answer.source]).toEqual([source, destination]);
        expect(s.got.at(-1)).toBe('1: 01');
      }
    expect(s.server.links.size).toBe(9);
  });

  test('all stations hear UI without poll only; no station hears nothing', () => {
    const s = lonelyServer();
    const all: HdlcAddress[] = [
      { value: 0x7f, length: 1 },
      { value: (1 << 7) | 0x7f, length: 2 },
      { value: (1 << 14) | 0x3fff, length: 4 },
    ];
    for (const a of all) for (const control of [0x03, 0x13, 0x93, 0x53, 0x10]) s.receive(control, info(1), false, a);
    for (const length of [1, 2, 4] as const)
      for (const control of [0x03, 0x93]) s.receive(control, info(1), false, { value: 0, length });
    expect(s.got).toEqual(all.map((a) => `ui 01 ${a.value} false`));
    expect(s.out).toEqual([]);
  });

  test('UI with poll is answered, by the user or by what the state says', () => {
    const s = lonelyServer();
    s.receive(CONTROL.UI | 0x10, info(1));
    expect(s.kinds()).toEqual(['DM']);
    s.receive(encodeControl('SNRM', true));
    s.receive(CONTROL.UI | 0x10, info(1));
    s.receive(CONTROL.UI, info(1));
    expect(s.kinds()).toEqual(['UA', 'RR']);
    s.link().send(Uint8Array.of(4), 0);
    s.receive(CONTROL.UI | 0x10, info(1));
    expect(s.kinds()).toEqual(['I']);
    s.server.sendUnnumbered(Uint8Array.of(3), { destination: CLIENT, source: SERVER });
    expect(decodeFrame(s.out[0] as Uint8Array)).toMatchObject({ control: 0x03, destination: CLIENT });
  });

  test('a client that polls again while its answer is awaited gets one answer a poll', () => {
    const s = lonelyServer({ answerTime: 1000 });
    s.receive(encodeControl('SNRM', true), encodeParameters(wide));
    s.receive(encodeControl('I', true, 0, 0), info(1));
    expect(s.kinds()).toEqual(['UA']);
    s.receive(encodeControl('RR', true));
    expect(s.kinds()).toEqual(['RR']);
    s.receive(encodeControl('RR', true));
    expect(s.kinds()).toEqual([]);
    // Now an answer is handed in while the next request is being handled.
    const answering = lonelyServer({ answerTime: 1000 });
    answering.receive(encodeControl('SNRM', true), encodeParameters(wide));
    answering.receive(encodeControl('I', true, 0, 0), info(1));
    const push = answering.got.push.bind(answering.got);
    answering.got.push = (...items) => {
      answering.link().send(Uint8Array.of(9), 0);
      return push(...items);
    };
    answering.receive(encodeControl('I', true, 1, 0), info(2));
    expect(answering.kinds()).toEqual(['UA', 'I']);
  });

  test('a link that is lost and begun anew is told at once, and its old handle is dead', () => {
    const s = lonelyServer();
    s.receive(encodeControl('SNRM', true));
    const old = s.link();
    old.context = 'association';
    s.receive(encodeControl('I', true, 0, 0), info(1));
    s.receive(encodeControl('SNRM', true));
    expect(s.got.slice(2)).toEqual([`${SERVER.value} reconnected`, `connected ${SERVER.value}/4 16`]);
    expect([old.open, s.link().open, s.link().context, s.server.links.size]).toEqual([false, true, undefined, 1]);
    expect(() => old.send(Uint8Array.of(1), 0)).toThrow(/closed/);
    old.close();
    expect(s.link().open).toBe(true);
    s.link().close();
    s.receive(encodeControl('RR', true));
    expect(s.kinds().at(-1)).toBe('DM');
  });

  test('a user that closes a link while it is told of refuses it', () => {
    const out: Uint8Array[] = [];
    const server = createHdlcServer(
      { accepts: () => true },
      {
        write: (b) => out.push(b),
        connected: (l) => l.close(),
        information: () => {},
        disconnected: () => {},
        failed: () => {},
      },
    );
    server.receive(encodeFrame({ destination: SERVER, source: CLIENT, control: 0x93 }), 0);
    expect(out.map((b) => decodeControl(decodeFrame(b).control).kind)).toEqual(['DM']);
    expect(server.links.size).toBe(0);
  });
});

describe('random octets', () => {
  const kinds = ['I', 'RR', 'RNR', 'UI', 'DM', 'DISC', 'UA', 'SNRM', 'FRMR'] as const;

  /** A right frame of any kind with any numbers, any length, any flags; now and then plain noise. */
  function anything(random: () => number, destination: HdlcAddress, source: HdlcAddress): Uint8Array {
    const n = (below: number) => Math.floor(random() * below);
    const body = Uint8Array.from({ length: n(4) === 0 ? 0 : n(200) }, () => n(256));
    if (random() < 0.1) return body;
    if (random() < 0.5) body.set(LLC.slice(0, body.length));
    const kind = kinds[n(kinds.length)] as (typeof kinds)[number];
    const field = kind === 'UA' || kind === 'SNRM' ? encodeParameters(wide) : body;
    const control = random() < 0.1 ? n(256) : encodeControl(kind, random() < 0.7, n(8), n(3));
    const parts = { destination, source, control, info: random() < 0.2 ? body : field, segmented: random() < 0.3 };
    return encodeFrame(parts);
  }

  test('at any state: nothing is thrown, and each connection ends once', () => {
    for (let seed = 0; seed < 10; seed++) {
      const random = randomOf(seed);
      let alive = 0;
      const told = (by: number) => {
        alive += by;
        expect(alive === 0 || alive === 1).toBe(true);
      };
      const client = createHdlcClient(
        { client: CLIENT, server: SERVER, maxInformation: 2000, limits: wide },
        {
          write: () => {},
          connected: () => {},
          information: () => {},
          disconnected: () => told(-1),
          failed: () => told(-1),
        },
      );
      const open = new Set<HdlcServerLink>();
      const server = createHdlcServer(
        { accepts: () => true, maxInformation: 2000, limits: wide, answerTime: 20, inactivityTimeout: 5000 },
        {
          write: (b) => decodeFrame(b),
          connected: (l) => open.add(l),
          information: (l) => random() < 0.5 && l.send(Uint8Array.of(1, 2, 3), 0),
          disconnected: (l) => expect(open.delete(l)).toBe(true),
          failed: (l) => expect(open.delete(l)).toBe(true),
        },
      );
      for (let now = 0; now < 30_000; now += 50 + Math.floor(random() * 100)) {
        if (client.state === 'disconnected') {
          client.connect(now);
          told(1);
        } else if (client.state === 'connected' && random() < 0.3) client.send(Uint8Array.of(5), now);
        client.receive(anything(random, CLIENT, SERVER), now);
        server.receive(anything(random, SERVER, CLIENT), now);
        client.tick(now);
        server.tick(now);
        expect(client.state !== 'disconnected').toBe(alive === 1);
        expect(server.links.size).toBeLessThanOrEqual(1);
      }
    }
  });

  test('parameters and explanations of any octets', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 30 }), fc.boolean(), (b, headed) => {
        const field = headed ? Uint8Array.of(0x81, 0x80, b.length, ...b) : b;
        try {
          decodeParameters(field);
        } catch (e) {
          expect(e).toBeInstanceOf(DecodeError);
        }
        const frame = encodeFrame({ destination: CLIENT, source: SERVER, control: 0x73, info: field });
        let at = 0;
        for (const f of explainFrame(frame)) {
          expect(f.offset).toBe(at);
          at += f.length;
        }
        expect(at).toBe(frame.length);
      }),
    );
  });
});

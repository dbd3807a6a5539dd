/** What a bad peer, or a bad line, does to a session: it ends in time, and says the state, what was expected, the bytes. */
import { LinkError, MisuseError, PeerError } from '@amiable/bytes';
import { DlmsPeerError, memoryCounter } from '@amiable/dlms';
import { nodeCrypto, type VirtualClock, virtualClock } from '@amiable/io';
import { hdlcTransport, openSession, type Session, type SessionOptions, wrapperTransport } from '@amiable/meter';
import { describe, expect, test } from 'vitest';
import {
  type DeviceOptions,
  type Line,
  lineTo,
  lineToDevice,
  ln,
  ROWS,
  SECRET,
  securityOf,
  u32,
} from './session-device.ts';

const REGISTER = { classId: 3, instanceId: ln('1-0:1.8.0'), attributeId: 2 };
const LONG = { classId: 1, instanceId: ln('0-0:96.13.0'), attributeId: 2 };
const PROFILE = ln('1-0:99.1.0');
/** Wrapper header. */
const HEAD = 8;

interface Opened {
  readonly session: Session;
  readonly line: Line;
  readonly clock: VirtualClock;
}

async function opened(
  options: DeviceOptions = {},
  more: Partial<SessionOptions> = {},
  over: 'wrapper' | 'hdlc' = 'wrapper',
): Promise<Opened> {
  const clock = virtualClock();
  const { line } = lineToDevice(options, clock, over);
  const { authentication, security } = options;
  const session = await openSession({
    transport: over === 'hdlc' ? hdlcTransport(line.link, clock) : wrapperTransport(line.link),
    clock,
    crypto: nodeCrypto,
    ...(authentication && { authentication }),
    ...(security && { security }),
    ...more,
  });
  return { session, line, clock };
}

/** What an operation fails with, while time passes. */
async function failure(clock: VirtualClock, operation: Promise<unknown>, ms = 700_000): Promise<Error> {
  const caught = operation.then(
    (value) => {
      throw new Error(`it succeeded: ${JSON.stringify(value)}`);
    },
    (error: Error) => error,
  );
  await clock.advance(ms);
  return caught;
}

/** Changes the APDU of the n-th frame from here on. */
function change(line: Line, n: number, edit: (apdu: Uint8Array) => void): void {
  let at = 0;
  line.tamper.toClient = (bytes) => {
    if (++at === n) edit(bytes.subarray(HEAD));
    return bytes;
  };
}

function leftNothing({ line, clock, session }: Opened): void {
  expect(line.closed).toBe(true);
  expect(clock.pending).toBe(0);
  expect(session.state).toBe('closed');
}

describe('a peer that', () => {
  test('stalls: the operation ends within its timeout', async () => {
    const o = await opened();
    o.line.tamper.toClient = () => undefined;
    let ended: Error | undefined;
    o.session.get(REGISTER).catch((error: Error) => {
      ended = error;
    });
    await o.clock.advance(9_999);
    expect(ended).toBeUndefined();
    await o.clock.advance(2);
    expect(ended).toBeInstanceOf(LinkError);
    expect(ended?.message).toMatch(
      /^GET 3\/1-0:1\.8\.0\/2: no answer in 10 s; expected get-response-normal or .* with invoke id 1; the last that came: 61/,
    );
    leftNothing(o);
    await expect(o.session.get(REGISTER)).rejects.toThrow(/no answer in 10 s/);
  });

  test('never answers the AARQ, or the connection', async () => {
    const clock = virtualClock();
    const { line } = lineToDevice({}, clock, 'wrapper');
    line.tamper.toClient = () => undefined;
    const error = await failure(clock, openSession({ transport: wrapperTransport(line.link), clock }));
    expect(error.message).toMatch(/^association: no answer in 10 s; expected AARE/);
    expect(line.closed).toBe(true);
    const never = {
      describe: 'nowhere',
      open: () => new Promise<void>(() => {}),
      write: async () => {},
      close: async () => {},
    };
    const connect = await failure(clock, openSession({ transport: wrapperTransport(never), clock }));
    expect(connect).toBeInstanceOf(LinkError);
    expect(connect.message).toMatch(/nowhere: connecting: no connection in 10 s/);
    const hdlc = lineToDevice({}, clock, 'hdlc');
    hdlc.line.tamper.toClient = () => undefined;
    const snrm = await failure(clock, openSession({ transport: hdlcTransport(hdlc.line.link, clock), clock }));
    expect(snrm).toBeInstanceOf(LinkError);
    expect(hdlc.line.closed).toBe(true);
    expect(clock.pending).toBe(0);
  });

  test('sends blocks for ever, each in time: the whole operation has its time', async () => {
    const o = await opened({}, { maxPduSize: 256, timeouts: { operation: 30_000 } });
    const { line, clock } = o;
    line.tamper.toClient = (bytes) => {
      clock.after(5_000, () => line.inject(bytes));
      return undefined;
    };
    const { error } = (await settled(clock, o.session.getProfile(PROFILE))) as { error: Error };
    expect(error.message).toMatch(/not finished in 30 s; expected get-response-with-datablock, block \d+/);
    leftNothing(o);
  });

  test('lies about lengths inside the right answer: that operation ends, others go on', async () => {
    const o = await opened();
    change(o.line, 1, (a) => a.set([0x09, 0x40], 4));
    const error = await failure(o.clock, o.session.get(REGISTER), 0);
    expect(error).toMatchObject({ name: 'PeerError', kind: 'answer' });
    expect(error.message).toMatch(
      /^GET 3\/1-0:1\.8\.0\/2: what came cannot be read: .*; expected .*; the bytes: c401c100/,
    );
    expect(await o.session.get(REGISTER)).toEqual(u32(123456));
    await o.session.release();
    expect(o.clock.pending).toBe(0);
  });

  test('drips: the time for an answer goes on with each byte, that of the operation does not', async () => {
    const o = await opened({}, { timeouts: { operation: 60_000 } });
    const { line, clock } = o;
    let sent = 0;
    const drip = (): void => {
      if (line.closed) return;
      sent++;
      line.inject(Uint8Array.of(sent === 2 || sent === 4 ? 1 : sent === 6 ? 16 : sent === 7 ? 1 : 0));
      clock.after(5_000, drip);
    };
    line.tamper.toClient = () => {
      drip();
      return undefined;
    };
    const error = await failure(clock, o.session.get(REGISTER));
    expect(error.message).toMatch(/not finished in 60 s; .*; 1[23] bytes of an unfinished APDU came/);
    leftNothing(o);
  });

  test('says a longer length than it sends', async () => {
    const o = await opened();
    o.line.tamper.toClient = (bytes) => {
      bytes[7] = (bytes[7] as number) + 5;
      return bytes;
    };
    const error = await failure(o.clock, o.session.get(REGISTER));
    expect(error.message).toMatch(/no answer in 10 s; .*; 17 bytes of an unfinished APDU came/);
    leftNothing(o);
  });

  test.each<[string, (apdu: Uint8Array) => void, RegExp]>([
    [
      'another invoke id',
      (a) => a.set([0xc7], 2),
      /the invoke id is 7, not 1; expected .*invoke id 1; the bytes: c401c70006/,
    ],
    ['another type', (a) => a.set([0xc5], 0), /it is set-response-normal|cannot be read/],
    ['no APDU at all', (a) => a.set([0x99], 0), /what came cannot be read: .*; the bytes: 9901c1/],
    ['an AARE again', (a) => a.set([0x61, 0x07], 0), /cannot be read|it is aare/],
  ])('answers with %s', async (_, edit, message) => {
    const o = await opened();
    change(o.line, 1, edit);
    const error = await failure(o.clock, o.session.get(REGISTER), 0);
    expect(error).toBeInstanceOf(DlmsPeerError);
    expect(error.name).toBe('PeerError');
    expect(error.message).toMatch(/^GET 3\/1-0:1\.8\.0\/2: /);
    expect(error.message).toMatch(message);
    leftNothing(o);
  });

  test.each<[string, (apdu: Uint8Array) => void, RegExp]>([
    [
      'skips a block',
      (a) => a.set([9], 7),
      /it is block 9, not block 3; expected get-response-with-datablock, block 3/,
    ],
    ['repeats a block', (a) => a.set([2], 7), /it is block 2, not block 3/],
    ['ends blocks with another answer', (a) => a.set([0x01], 1), /get-response-normal|cannot be read/],
  ])('%s: what came whole is kept', async (_, edit, message) => {
    const o = await opened({}, { maxPduSize: 256 });
    change(o.line, 3, edit);
    const got = await o.session.getProfile(PROFILE);
    expect(got.complete).toBe(false);
    expect(got.error?.message).toMatch(message);
    // Two blocks of some 240 bytes, rows of 36.
    expect(got.rows.length).toBeGreaterThan(8);
    expect(got.rows.length).toBeLessThan(ROWS);
    expect(got.buffer[0]).toBe(1);
    await o.session.close();
    leftNothing(o);
  });

  test('resets in mid-block: the rows before are there', async () => {
    const o = await opened({}, { maxPduSize: 256 });
    const told: Error[] = [];
    const whole = await (await opened()).session.getProfile(PROFILE);
    let n = 0;
    o.line.tamper.toClient = (bytes) => {
      if (++n < 5) return bytes;
      queueMicrotask(o.line.hangUp);
      return undefined;
    };
    const got = await o.session.getProfile(PROFILE);
    expect(got.complete).toBe(false);
    expect(got.error).toBeInstanceOf(LinkError);
    expect(got.error?.message).toMatch(
      /^GET 7\/1-0:99\.1\.0\/2: reset by peer; expected .* block 5, .*; the last that came: c402/,
    );
    expect(got.rows).toEqual(whole.rows.slice(0, got.rows.length));
    expect(got.rows.length).toBeGreaterThan(20);
    expect(told).toEqual([]);
    leftNothing(o);
  });

  test('sends more blocks or bytes than are taken', async () => {
    for (const [limits, message] of [
      [{ maxBlocks: 3 }, /more than 3 blocks/],
      [{ maxBytes: 700 }, /more than 700 bytes/],
    ] as const) {
      const o = await opened({}, { maxPduSize: 256, limits });
      const got = await o.session.getProfile(PROFILE);
      expect(got.error?.message).toMatch(message);
      leftNothing(o);
    }
  });

  test('sends something that is no wrapper', async () => {
    const o = await opened();
    o.line.tamper.toClient = (bytes) => {
      bytes[1] = 7;
      return bytes;
    };
    const error = await failure(o.clock, o.session.get(REGISTER), 0);
    expect(error).toBeInstanceOf(LinkError);
    expect(error.message).toMatch(/GET .*version 1 was expected, here is 00 07/i);
    leftNothing(o);
  });

  test('answers from another wPort: not heard, but told', async () => {
    const o = await opened();
    o.line.tamper.toClient = (bytes) => {
      bytes[3] = 9;
      return bytes;
    };
    const error = await failure(o.clock, o.session.get(REGISTER));
    expect(error.message).toMatch(/1 not for us came, the last: an APDU from wPort 9 to 16/);
  });

  test('hangs up while nothing is asked: told once, and the next call says why', async () => {
    const told: Error[] = [];
    const o = await opened({}, { onClosed: (error) => told.push(error) });
    o.line.hangUp();
    expect(told).toHaveLength(1);
    expect(told[0]?.message).toMatch(/associated, idle: reset by peer/);
    await expect(o.session.get(REGISTER)).rejects.toThrow(/reset by peer/);
    leftNothing(o);
  });

  test('does not answer the release: closed all the same, in time', async () => {
    const o = await opened();
    o.line.tamper.toClient = () => undefined;
    const released = o.session.release();
    await o.clock.advance(3_001);
    await released;
    expect(o.session.state).toBe('released');
    expect(o.line.closed).toBe(true);
    expect(o.clock.pending).toBe(0);
  });
});

async function settled(clock: VirtualClock, operation: Promise<unknown>): Promise<unknown> {
  await clock.advance(700_000);
  return operation;
}

describe('an attacker who', () => {
  const ciphered = (): DeviceOptions => ({
    authentication: { mechanism: 5, secret: SECRET },
    security: securityOf(0),
  });

  test('replays an answer', async () => {
    const o = await opened(ciphered());
    let old: Uint8Array | undefined;
    o.line.tamper.toClient = (bytes) => {
      old ??= bytes.slice();
      return old.slice();
    };
    await o.session.get(REGISTER);
    const error = await failure(o.clock, o.session.get(REGISTER), 0);
    expect(error).toMatchObject({ name: 'PeerError', kind: 'security' });
    expect(error.message).toMatch(/replay/);
    leftNothing(o);
  });

  test.each<[string, (frame: Uint8Array) => Uint8Array, RegExp]>([
    ['sends it plain', () => Uint8Array.of(0, 1, 0, 1, 0, 16, 0, 6, 0xc4, 1, 0xc1, 0, 0x11, 5), /downgrade/],
    ['takes the encryption off', (f) => f.with(HEAD + 2, 0x10), /downgrade|wrongKey/],
    ['changes a bit', (f) => f.with(20, (f[20] as number) ^ 1), /wrongKey|replay/],
    [
      'cuts the tag',
      (f) => {
        const cut = f.slice(0, -8);
        cut[7] = cut.length - HEAD;
        cut[HEAD + 1] = cut.length - HEAD - 2;
        return cut;
      },
      /malformed|wrongKey/,
    ],
  ])('%s', async (_, edit, message) => {
    const o = await opened(ciphered());
    o.line.tamper.toClient = edit;
    const error = await failure(o.clock, o.session.get(REGISTER), 0);
    expect(error).toMatchObject({ name: 'PeerError', kind: 'security' });
    expect(error.message).toMatch(message);
    leftNothing(o);
  });

  test('sends our challenge back as his', async () => {
    const clock = virtualClock();
    const challenge = new Uint8Array(16).fill(5);
    const { line } = lineToDevice(ciphered(), clock, 'wrapper');
    line.tamper.toClient = (bytes) => {
      // The responding authentication value: AA 12 80 10, then the challenge.
      const at = bytes.findIndex((b, i) => b === 0xaa && bytes[i + 1] === 0x12 && bytes[i + 2] === 0x80);
      if (at > 0) bytes.set(challenge, at + 4);
      return bytes;
    };
    const options = { transport: wrapperTransport(line.link), clock, crypto: nodeCrypto, security: securityOf(0) };
    const error = await failure(clock, openSession({ ...options, authentication: { mechanism: 5, challenge } }), 0);
    expect(error).toBeInstanceOf(PeerError);
    expect(error.message).toMatch(/both challenges are the same/);
    expect(line.closed).toBe(true);
  });

  test('has not the secret: his answer to our challenge shows it', async () => {
    const clock = virtualClock();
    const { line } = lineToDevice({ authentication: { mechanism: 3, secret: SECRET } }, clock, 'wrapper');
    let n = 0;
    line.tamper.toClient = (bytes) => (++n === 2 ? bytes.with(bytes.length - 1, (bytes.at(-1) as number) ^ 1) : bytes);
    const options = { transport: wrapperTransport(line.link), clock, crypto: nodeCrypto };
    const error = await failure(
      clock,
      openSession({ ...options, authentication: { mechanism: 3, secret: SECRET } }),
      0,
    );
    expect(error.message).toMatch(/the server's answer to our challenge is wrong/);
  });

  test('floods with notifications instead of an answer', async () => {
    const o = await opened({}, { limits: { maxIndications: 20 } });
    const note = Uint8Array.of(0, 1, 0, 1, 0, 16, 0, 8, 0x0f, 0, 0, 0, 1, 0, 0x11, 5);
    o.line.tamper.toClient = () => {
      for (let i = 0; i < 30; i++) o.line.inject(note.slice());
      return undefined;
    };
    const error = await failure(o.clock, o.session.get(REGISTER), 0);
    expect(error.message).toMatch(/more than 20 notifications/);
    leftNothing(o);
  });
});

describe('invocation counters', () => {
  test('a refusal that names the counter is followed once, when the counter may be raised', async () => {
    const state = { next: 5, raised: [] as number[] };
    const counter = {
      next: () => state.next++,
      raise(to: number) {
        state.raised.push(to);
        state.next = Math.max(state.next, to);
      },
    };
    const first = securityOf(0, { counter: memoryCounter(1000) });
    const options: DeviceOptions = { authentication: { mechanism: 5 }, security: first };
    const clock = virtualClock();
    const { line, server } = lineToDevice(options, clock, 'wrapper');
    const open = (security: SessionOptions['security'] & object) =>
      openSession({
        transport: wrapperTransport(line.link),
        clock,
        crypto: nodeCrypto,
        authentication: { mechanism: 5 },
        security,
      });
    await (await open(first)).release();
    expect([...server.associations()]).toEqual([]);
    const without = await failure(clock, open(securityOf(0, { counter: { next: () => 7 } })), 0);
    expect(without).toMatchObject({ kind: 'exception', code: 6 });
    expect(without.message).toMatch(/invocation-counter-error \(6\), which expects the invocation counter 10\d\d/);
    const session = await open({ ...first, counter });
    expect(state.raised).toHaveLength(1);
    expect(await session.get(REGISTER)).toEqual(u32(123456));
    await session.release();
  });

  test('a counter that is used up is a misuse, and the session goes on for others', async () => {
    let left = 8;
    const counter = {
      next() {
        if (left-- <= 0) throw new MisuseError('used up');
        return 1000 - left;
      },
    };
    const o = await opened({
      authentication: { mechanism: 1, password: SECRET },
      security: securityOf(0, { counter }),
    });
    const errors: Error[] = [];
    for (let i = 0; i < 12; i++) await o.session.get(REGISTER).catch((error: Error) => errors.push(error));
    expect(errors[0]).toBeInstanceOf(MisuseError);
  });
});

describe('many calls at once', () => {
  test('go one after the other', async () => {
    const o = await opened();
    const all = await Promise.all(Array.from({ length: 40 }, () => o.session.get(REGISTER)));
    expect(all).toEqual(Array.from({ length: 40 }, () => u32(123456)));
    await o.session.close();
    expect(o.clock.pending).toBe(0);
  });

  test('all end when the session is closed under them', async () => {
    const o = await opened();
    o.line.tamper.toClient = () => undefined;
    const calls = [o.session.get(REGISTER), o.session.get(LONG), o.session.release()];
    const results = Promise.allSettled(calls);
    await o.session.close();
    const reasons = (await results).map((r) => (r.status === 'rejected' ? (r.reason as Error).message : r.status));
    expect(reasons[0]).toMatch(/GET .*closed by its user; expected get-response/);
    expect(reasons[1]).toMatch(/the session is over/);
    expect(o.line.closed).toBe(true);
    expect(o.clock.pending).toBe(0);
  });
});

describe('HDLC', () => {
  test('lost frames are sent again by the link', async () => {
    const o = await opened({}, {}, 'hdlc');
    let n = 0;
    o.line.tamper.toClient = (bytes) => (++n % 3 === 0 ? undefined : bytes);
    const reading = o.session.getProfile(PROFILE);
    await o.clock.advance(300_000);
    const got = await reading;
    expect(got.error).toBeUndefined();
    expect(got.rows).toHaveLength(ROWS);
    o.line.tamper.toClient = () => undefined;
    const released = o.session.release();
    await o.clock.advance(60_000);
    await released;
    expect(o.line.closed).toBe(true);
    expect(o.clock.pending).toBe(0);
  });

  test('a dead line: the link gives up, rows before are kept', async () => {
    const o = await opened({}, { maxPduSize: 300 }, 'hdlc');
    let n = 0;
    o.line.tamper.toClient = (bytes) => (++n > 6 ? undefined : bytes);
    const reading = o.session.getProfile(PROFILE);
    await o.clock.advance(300_000);
    const got = await reading;
    expect(got.complete).toBe(false);
    expect(got.rows.length).toBeGreaterThan(0);
    expect(got.error).toBeInstanceOf(LinkError);
    leftNothing(o);
  });
});

test('the trace has every APDU with its plain bytes and its time', async () => {
  const traces: string[] = [];
  const o = await opened(
    { authentication: { mechanism: 5 }, security: securityOf(0) },
    {
      trace: ({ direction, apdu, plain, time }) =>
        traces.push(`${time} ${direction} ${apdu[0]?.toString(16)} ${plain ? plain[0]?.toString(16) : '-'}`),
    },
  );
  await o.session.get(REGISTER);
  await o.session.release();
  expect(traces).toEqual([
    '0 out 60 -',
    '0 in 61 -',
    '0 out cb c3',
    '0 in cf c7',
    '0 out c8 c0',
    '0 in cc c4',
    '0 out 62 -',
    '0 in 63 -',
  ]);
});

test('random bytes at any moment: the session ends, or goes on, and never throws aside', async () => {
  for (let seed = 1; seed < 60; seed++) {
    const clock = virtualClock();
    let x = seed;
    const random = (): number => {
      x = (x * 1103515245 + 12345) & 0x7fffffff;
      return x >> 8;
    };
    const line = lineTo((reply) => ({
      data() {
        const length = random() % 40;
        const apdu = Uint8Array.from({ length }, (_, i) =>
          i === 0 ? [0x61, 0xc4, 0x0c, 0x63, 0xe0, 0xd8, 0x0e][random() % 7]! : random() & 0xff,
        );
        reply(Uint8Array.of(0, 1, 0, 1, 0, 16, 0, length, ...apdu));
      },
      closed() {},
    }));
    const error = await failure(clock, openSession({ transport: wrapperTransport(line.link), clock }), 60_000);
    expect(['PeerError', 'LinkError']).toContain(error.name);
    expect(line.closed).toBe(true);
    expect(clock.pending).toBe(0);
  }
});

import { toHex } from '@amiable/bytes';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { createHdlcClient, createHdlcServer, type HdlcClient } from '../src/index.ts';
import { CLIENT, createWorld, type Faults, numbered, randomOf, SERVER, type World } from './line.ts';

const hex = (list: readonly Uint8Array[]) => list.map((b) => toHex(b));

/**
 * Hands `requests` informations in at the client and two answers to each at the server, of lengths by the seed, and runs
 * until everything came over, or the link failed, or an hour has passed.
 */
function exchange(
  seed: number,
  requests: number,
  longest: number,
  faults: Faults,
  limits: [number, number],
  more: Partial<Parameters<typeof createWorld>[0]> = {},
) {
  const random = randomOf(seed);
  const length = () => 2 + Math.floor(random() * longest);
  const asked = Array.from({ length: requests }, (_, i) => numbered(i, length()));
  const answers = Array.from({ length: requests * 2 }, (_, i) => numbered(i + 1000, length()));
  const [size, window] = limits;
  const own = { maxInfoTransmit: size, maxInfoReceive: size, windowTransmit: window, windowReceive: window };
  let next = 0;
  const world = createWorld({
    random,
    faults,
    client: { limits: own, retries: 8, ...more.client },
    server: { limits: own, ...more.server },
    onServer(w, link) {
      if (link.open) for (let i = 0; i < 2; i++) link.send(answers[next++] as Uint8Array, w.now);
    },
    onClient(w) {
      if (w.client.state === 'connected' && w.clientGot.length < answers.length) w.client.poll(w.now);
    },
  });
  world.client.connect(0);
  world.run(20_000);
  if (world.client.state === 'connected') {
    for (const information of asked) {
      world.client.send(information, world.now);
      if (random() < 0.5) world.run(world.now + Math.floor(random() * 300));
      if (world.client.state !== 'connected') break;
    }
  }
  for (let i = 0; i < 50 && world.client.state === 'connected' && world.clientGot.length < answers.length; i++) {
    world.client.poll(world.now);
    world.run(world.now + 60_000);
  }
  return { world, asked, answers };
}

/** What came out is what was handed in, from the start, nothing twice; all of it unless the link failed. */
function check(world: World, asked: readonly Uint8Array[], answers: readonly Uint8Array[]): boolean {
  expect(hex(world.serverGot)).toEqual(hex(asked.slice(0, world.serverGot.length)));
  expect(hex(world.clientGot)).toEqual(hex(answers.slice(0, world.clientGot.length)));
  const whole = world.serverGot.length === asked.length && world.clientGot.length === answers.length;
  if (!whole) {
    expect(world.events.join()).toMatch(/client failed|client disconnected/);
    expect(world.error?.message ?? '').toMatch(/expected .* came /);
  }
  return whole;
}

describe('both ends against each other', () => {
  test('on a good line: every window with every size of segment, both ways', () => {
    const good = { lose: 0, damage: 0, double: 0, delay: 5 };
    for (let window = 1; window <= 7; window++)
      for (const size of [32, 33, 64, 127, 128, 129, 255, 256, 511, 1024, 2029, 2030]) {
        const { world, asked, answers } = exchange(window * 10_000 + size, 4, size * 3, good, [size, window]);
        expect(check(world, asked, answers)).toBe(true);
        expect(world.client.counters).toMatchObject({ timeouts: 0, repeated: 0, outOfSequence: 0, dropped: 0 });
        for (const frame of [...world.toServer, ...world.toClient]) expect(frame.length).toBeLessThanOrEqual(size + 15);
      }
  });

  test('informations about as long as a segment, octet by octet', () => {
    const good = { lose: 0, damage: 0, double: 0, delay: 0 };
    for (let n = 55; n <= 135; n++) {
      const { world, asked, answers } = exchange(n, 2, 1, good, [64, 2], {});
      expect(check(world, asked, answers)).toBe(true);
      const w = createWorld({ client: { limits: { maxInfoTransmit: 64 } } });
      w.client.connect(0);
      w.run(0);
      w.client.send(numbered(1, n), 0, false);
      w.run(0);
      expect(hex(w.serverGot)).toEqual([toHex(numbered(1, n))]);
      // 64 octets a segment, 3 of LLC in the first; SNRM before.
      expect(w.toServer.length - 1).toBe(n <= 61 ? 1 : 1 + Math.ceil((n - 61) / 64));
    }
  });

  test('on a bad line all comes out once and in order, or the link fails with its reason', () => {
    let whole = 0;
    const runs = 250;
    fc.assert(
      fc.property(
        fc.record({
          seed: fc.nat(1_000_000),
          lose: fc.double({ min: 0, max: 0.3, noNaN: true }),
          damage: fc.double({ min: 0, max: 0.2, noNaN: true }),
          double: fc.double({ min: 0, max: 0.3, noNaN: true }),
          delay: fc.nat(1500),
          window: fc.integer({ min: 1, max: 7 }),
          size: fc.integer({ min: 32, max: 300 }),
          answerTime: fc.constantFrom(0, 500),
        }),
        (p) => {
          const { world, asked, answers } = exchange(p.seed, 5, p.size * 4, p, [p.size, p.window], {
            server: { answerTime: p.answerTime },
          });
          if (check(world, asked, answers)) whole++;
        },
      ),
      { numRuns: runs, seed: 20261120 },
    );
    // The property would hold of links that always fail; these do not.
    expect(whole).toBeGreaterThan(runs * 0.6);
  });

  test('late answers, doubled frames: nothing is lost by them and the doubling does not go on', () => {
    // The answers come after the timeout, so every frame is sent twice at first.
    const slow = { lose: 0, damage: 0, double: 0, delay: 1500 };
    const doubled = { lose: 0, damage: 0, double: 1, delay: 10 };
    for (const window of [1, 3, 7]) {
      for (const faults of [slow, doubled]) {
        const { world, asked, answers } = exchange(window, 8, 400, faults, [64, window]);
        expect(check(world, asked, answers)).toBe(true);
      }
      const { world } = exchange(window, 8, 400, doubled, [64, window]);
      expect(world.client.counters.timeouts).toBe(0);
    }
  });

  test('ends that write straight into each other', () => {
    for (const window of [1, 7]) {
      const limits = { windowTransmit: window, windowReceive: window, maxInfoTransmit: 32, maxInfoReceive: 32 };
      const got: string[] = [];
      const want: string[] = [];
      const client: HdlcClient = createHdlcClient(
        { client: CLIENT, server: SERVER, limits },
        {
          write: (b) => server.receive(b, 0),
          connected: () => client.send(numbered(0, 200), 0),
          information(i) {
            got.push(toHex(i));
            if (got.length < 20) for (let k = 0; k < 2; k++) client.send(numbered(got.length * 2 + k, 200), 0);
            else if (got.length === 20) client.disconnect(0);
          },
          disconnected: (r) => got.push(r),
          failed: (e) => got.push(e.message),
        },
      );
      const server = createHdlcServer(
        { accepts: () => true, limits },
        {
          write: (b) => client.receive(b, 0),
          connected: () => {},
          information(link, i) {
            want.push(toHex(i));
            link.send(i, 0);
          },
          disconnected: (_, r) => want.push(r),
          failed: (_, e) => want.push(e.message),
        },
      );
      client.connect(0);
      expect(got.slice(0, 20)).toEqual(want.slice(0, 20));
      expect([got.at(-1), want.at(-1)]).toEqual(['requested', 'peer']);
      expect(new Set(want.slice(0, 20)).size).toBe(20);
    }
  });

  test('a dead line ends in a failure that says what was expected, within its time', () => {
    const dead = { lose: 1, damage: 0, double: 0, delay: 0 };
    const world = createWorld({ faults: dead, client: { retries: 2, responseTimeout: 700 } });
    world.client.connect(0);
    world.run();
    expect(world.now).toBe(2100);
    expect(world.events).toEqual(['client failed']);
    expect(world.error?.message).toMatch(
      /server 00020023 in state connecting: expected UA within 700 ms, asked 3 times, came nothing/,
    );
    expect(world.client.state).toBe('disconnected');
    expect(world.client.nextDeadline()).toBe(Number.POSITIVE_INFINITY);
  });
});

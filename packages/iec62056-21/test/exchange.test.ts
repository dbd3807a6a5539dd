/** Both ends against each other on a slow line: modes A to E, programming, and what goes wrong. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  type Answer,
  bytesOf,
  type CommandMessage,
  createOpticalClient,
  encodeCommand,
  encodeData,
  parseDataBlock,
  type SignedOn,
} from '../src/index.ts';
import { LINES, testDevice, type Wire, type WireOptions, wire } from './wire.ts';

const NEVER = Number.POSITIVE_INFINITY;
const command = (letter: CommandMessage['command'], type: string, data: string): CommandMessage => ({
  command: letter,
  type,
  data,
  more: false,
});

function readout(
  w: Wire,
  want: Parameters<Wire['client']['start']>[0] = 'readout',
): { lines: string[]; meter: SignedOn } | string {
  w.client.start(want, w.now);
  w.run(() => w.events.some(({ type }) => type === 'readout' || type === 'failed'));
  const found = w.events.find(({ type }) => type === 'readout' || type === 'failed');
  if (found?.type === 'readout')
    return { lines: found.block.data.split('\r\n').filter((l) => l !== '' && l !== '!'), meter: found.meter };
  return found?.type === 'failed' ? found.error.message : 'nothing came';
}

/** Into programming mode; @returns the operand, or the failure */
function enter(w: Wire): string {
  w.client.start('programming', w.now);
  w.run(() => w.events.some(({ type }) => type === 'entered' || type === 'failed'));
  const found = w.events.find(({ type }) => type === 'entered' || type === 'failed');
  return found?.type === 'entered' ? found.operand : found?.type === 'failed' ? found.error.message : 'nothing came';
}

function ask(w: Wire, commands: CommandMessage | CommandMessage[]): Answer | string {
  const before = w.events.length;
  w.client.command(commands, w.now);
  w.run(() => w.events.length > before);
  const found = w.events[before];
  return found?.type === 'answer' ? found.answer : found?.type === 'failed' ? found.error.message : 'nothing came';
}

describe('read-out', () => {
  test('mode C: the exchange, with the change of rate', () => {
    const w = wire();
    expect(readout(w)).toMatchObject({
      lines: LINES,
      meter: { maker: 'AMI', identification: 'VM3000', inMode: 'C', agreed: 9600 },
    });
    expect(w.log.slice(0, 6)).toEqual([
      'client 300',
      '> /?!<CR><LF>',
      '< /AMI5VM3000<CR><LF>',
      '> <ACK>050<CR><LF>',
      'client 9600',
      'meter 9600',
    ]);
    w.run(() => w.server.state === 'waiting');
    // The meter is back at the first rate, ready for the next.
    expect(w.log.slice(-2)).toEqual(['> <ACK>', 'meter 300']);
    w.events.length = 0;
    expect(readout(w)).toMatchObject({ lines: LINES });
  });

  test.each([300, 600, 1200, 2400, 4800, 9600, 19_200])('mode C at %i Bd', (baud) => {
    const w = wire({ server: { baud } });
    expect(readout(w)).toMatchObject({ lines: LINES, meter: { agreed: baud } });
  });

  test('the slower of both rates', () => {
    expect(readout(wire({ client: { maxBaud: 2400 } }))).toMatchObject({ meter: { agreed: 2400 } });
  });

  test('mode A: the data come by themselves, at 300 Bd', () => {
    const w = wire({ server: { mode: 'A' } });
    expect(readout(w)).toMatchObject({ lines: LINES, meter: { inMode: 'A', agreed: 300 } });
    expect(w.log.some((line) => line.startsWith('meter'))).toBe(false);
  });

  test.each([600, 2400, 19_200])('mode B at %i Bd', (baud) => {
    const w = wire({ server: { mode: 'B', baud } });
    expect(readout(w)).toMatchObject({ lines: LINES, meter: { inMode: 'B', agreed: baud } });
  });

  test('mode D: unasked, 2400 Bd, no check', () => {
    const w = wire({ client: { mode: 'D' }, server: { mode: 'D' } });
    w.client.start('readout', 0);
    w.run(() => false, 60_000);
    expect(w.events).toEqual([]);
    w.server.trigger(w.now);
    w.run(() => w.events.length === 2);
    const found = w.events[1];
    expect(found?.type === 'readout' && [found.block.check, parseDataBlock(found.block.data).length]).toEqual([
      'none',
      LINES.length,
    ]);
  });

  test('an address reaches its meter and no other', () => {
    expect(readout(wire({ client: { address: '4711' }, server: { address: '004711' } }))).toMatchObject({
      lines: LINES,
    });
    expect(readout(wire({ client: { address: '4712' }, server: { address: '004711' } }))).toContain('meter 4712');
  });

  test("a maker's own option gives another data set", () => {
    expect(readout(wire(), { option: '7' })).toMatchObject({ lines: ['C.1.0(12345678)'] });
  });

  test('a sleeping meter is woken', () => {
    expect(readout(wire({ server: { wakeUp: true } }))).toContain('nothing came in 3 attempts');
    const w = wire({ client: { wakeUp: true }, server: { wakeUp: true } });
    expect(readout(w)).toMatchObject({ lines: LINES });
    expect(w.log[1]).toBe(`> ${'<NUL>'.repeat(66)}`);
  });

  test('a head that echoes', () => {
    expect(readout(wire({ echo: true }))).toMatchObject({ lines: LINES });
  });

  test('a wrong block check is answered with NAK, and the block comes again', () => {
    let broken = 0;
    const w = wire({
      damage: (octet, _n, to) =>
        to === 'client' && octet === 0x34 && w.server.state === 'busy' && broken++ < 1 ? [octet ^ 1] : [octet],
    });
    expect(readout(w)).toMatchObject({ lines: LINES });
    expect(w.log.filter((line) => line === '> <NAK>')).toHaveLength(1);
  });

  // A port that changes its rate late loses the first characters, or turns them into others.
  test.each([
    ['lost', [1, 9, 40], () => []],
    ['nonsense', [1, 2], () => [0x78]],
  ] as const)('a head that is %s: NAK, and the block comes again', (_, lengths, instead) => {
    for (const length of lengths) {
      let gone = 0;
      const w = wire({
        damage: (octet, _n, to) => {
          const hit = to === 'client' && w.server.state === 'busy' && gone < length && (gone > 0 || octet === 0x02);
          if (!hit) return [octet];
          gone++;
          return [...instead()];
        },
      });
      expect(readout(w)).toMatchObject({ lines: LINES });
      expect(gone).toBe(length);
      expect(w.log.filter((line) => line === '> <NAK>')).toHaveLength(1);
    }
  });

  test('nonsense before the block does not hide its STX', () => {
    let first = true;
    const w = wire({
      damage: (octet, _n, to) => {
        if (to !== 'client' || w.server.state !== 'busy' || !first) return [octet];
        first = false;
        return [0x78, 0x29, octet];
      },
    });
    expect(readout(w)).toMatchObject({ lines: LINES });
    expect(w.log).not.toContain('> <NAK>');
  });

  test('data without STX and BCC are taken when nothing follows them', () => {
    for (const tail of [[], [0x0d, 0x0a, 0]]) {
      let behind = false;
      const w = wire({
        damage: (octet, _n, to) => {
          if (to !== 'client' || w.server.state !== 'busy') return [octet];
          if (octet === 0x02 || behind) return [];
          if (octet !== 0x03) return [octet];
          behind = true;
          return tail;
        },
      });
      expect(readout(w)).toMatchObject({ lines: LINES });
    }
  });

  test('a check that stays wrong is told', () => {
    const w = wire({ damage: (octet, _n, to) => (to === 'client' && octet === 0x34 ? [0x35] : [octet]) });
    expect(readout(w)).toContain('the block check was wrong 4 times');
  });

  test('a tail that is lost is asked for again', () => {
    let lost = false;
    const w = wire({
      damage(octet, _n, to) {
        if (to !== 'client' || lost || octet !== 0x03) return [octet];
        lost = true;
        return [];
      },
    });
    expect(readout(w)).toMatchObject({ lines: LINES });
  });

  test('an acknowledgement that is lost: the meter sends at 300 Bd, the client hears nonsense, and signs on again', () => {
    let lost = 0;
    const w = wire({ damage: (octet, _n, to) => (to === 'meter' && octet === 0x06 && lost++ === 0 ? [] : [octet]) });
    expect(readout(w)).toMatchObject({ lines: LINES });
    expect(w.log.filter((line) => line === '> /?!<CR><LF>').length).toBeGreaterThan(1);
  });

  test('a port that cannot change its rate is read at 300 Bd in the end', () => {
    const fast = (): boolean => w.log.findLast((line) => /^meter \d/.test(line)) === 'meter 9600';
    const w = wire({ client: { attempts: 2 }, damage: (octet, _n, to) => (to === 'client' && fast() ? [] : [octet]) });
    expect(readout(w)).toMatchObject({ lines: LINES, meter: { agreed: 300 } });
  });

  test('nobody there', () => {
    const w = wire({ damage: () => [] });
    expect(readout(w)).toBe('signing on: an identification /XXXZ… was expected, nothing came in 3 attempts');
    expect(w.client.nextDeadline()).toBe(NEVER);
  });
});

describe('programming mode', () => {
  test('the exchange: P0, P1, R1, W1, B0', () => {
    const device = testDevice();
    const w = wire({ device });
    expect(enter(w)).toBe('00000001');
    expect(ask(w, command('P', '1', '(00000000)'))).toEqual({ type: 'ack' });
    expect(ask(w, command('R', '1', '1.8.0()'))).toEqual({ type: 'data', data: '1.8.0(000285.4*kWh)' });
    expect(ask(w, command('W', '1', 'C.50.0(new)'))).toEqual({ type: 'ack' });
    expect(device.store.get('C.50.0')).toBe('new');
    expect(ask(w, command('W', '1', '1.8.0(0)'))).toEqual({ type: 'error', text: 'ER04' });
    w.client.leave(w.now);
    w.run(() => w.server.state === 'waiting');
    expect(w.log.slice(-1)).toEqual(['meter 300']);
    expect(w.log.filter((line) => /^[<>]/.test(line)).slice(2, 6)).toEqual([
      '> <ACK>051<CR><LF>',
      '< <SOH>P0<STX>(00000001)<ETX>a',
      '> <SOH>P1<STX>(00000000)<ETX>a',
      '< <ACK>',
    ]);
  });

  test('a wrong password, and what is not allowed without one', () => {
    const w = wire();
    enter(w);
    expect(ask(w, command('W', '1', 'C.50.0(x)'))).toEqual({ type: 'error', text: 'ER06' });
    expect(ask(w, command('P', '1', '(11111111)'))).toEqual({ type: 'error', text: 'ER07' });
    expect(ask(w, command('P', '2', '(10000000)'))).toEqual({ type: 'ack' });
  });

  test('partial blocks, both ways', () => {
    const device = testDevice();
    const w = wire({ device });
    enter(w);
    expect(ask(w, command('R', '6', 'P.01(1;2)'))).toEqual({ type: 'data', data: 'P.01(1)(2)(3)(4)(5)' });
    ask(w, command('P', '1', '(00000000)'));
    const parts = ['C.50.1(', 'a long value', ')'].map((data, i) => ({ ...command('W', '3', data), more: i < 2 }));
    expect(ask(w, parts)).toEqual({ type: 'ack' });
    expect(device.store.get('C.50.1')).toBe('a long value');
  });

  test.each(['A', 'B'] as const)('mode %s: behind the read-out', (mode) => {
    const w = wire({ server: { mode, baud: 2400 } });
    expect(enter(w)).toBe('');
    expect(ask(w, command('P', '1', '(00000000)'))).toEqual({ type: 'ack' });
    expect(ask(w, command('R', '1', 'C.50.0()'))).toEqual({ type: 'data', data: 'C.50.0(first)' });
  });

  test('the meter ends it when nobody asks, and says so', () => {
    const w = wire({ server: { inactivity: 60_000 } });
    enter(w);
    w.run(() => false, 61_000);
    expect(w.server.state).toBe('waiting');
    expect(ask(w, command('R', '1', '1.8.0()'))).toContain('R1 1.8.0(): no answer');
  });

  test('a meter that breaks off', () => {
    const w = wire({ device: testDevice({ command: () => ({ type: 'break' }) }) });
    enter(w);
    expect(ask(w, command('R', '1', '1.8.0()'))).toContain('break, B0');
  });

  test('what executes something is sent once', () => {
    const device = testDevice();
    const w = wire({ device, damage: (octet, _n, to) => (to === 'client' && device.executed > 0 ? [] : [octet]) });
    enter(w);
    expect(ask(w, command('E', '2', 'C.1(1)'))).toBe('E2 C.1(1): no answer');
    expect(device.executed).toBe(1);
  });

  test('a meter without programming mode reads out instead, and the client says what it misses', () => {
    const w = wire({ device: { readout: () => LINES } });
    expect(enter(w)).toContain('the meter reads out instead');
  });

  test('commands belong to programming mode', () => {
    const w = wire();
    expect(() => w.client.command(command('R', '1', 'x()'), 0)).toThrow(/programming mode/);
  });
});

describe('on a bad line', () => {
  const rates = fc.record({
    seed: fc.integer({ min: 1, max: 0x7fff_ffff }),
    lose: fc.constantFrom(0, 0.002, 0.01),
    flip: fc.constantFrom(0, 0.002, 0.01),
    noise: fc.constantFrom(0, 0.005),
  });
  type Rates = { seed: number; lose: number; flip: number; noise: number };
  const damaged = ({ seed, lose, flip, noise }: Rates): NonNullable<WireOptions['damage']> => {
    let state = seed;
    const random = (): number => {
      state = (Math.imul(state, 1_103_515_245) + 12_345) & 0x7fff_ffff;
      return state / 0x7fff_ffff;
    };
    return (octet) => {
      const out: number[] = [];
      if (random() < noise) out.push(Math.floor(random() * 128));
      if (random() >= lose) out.push(random() < flip ? octet ^ (1 << Math.floor(random() * 7)) : octet);
      return out;
    };
  };

  test('a checked read-out is right or refused, and the exchange ends', () => {
    let good = 0;
    fc.assert(
      fc.property(rates, fc.constantFrom('A', 'B', 'C'), (how, mode) => {
        const w = wire({ damage: damaged(how), server: { mode, baud: 2400 } });
        const result = readout(w);
        expect(result).not.toBe('nothing came');
        if (typeof result === 'string') return;
        good++;
        const found = w.events.find(({ type }) => type === 'readout');
        // Two flips may cancel in an exclusive or: then they stand in the same column. Whoever believes it was told so.
        if (found?.type === 'readout' && found.block.check === 'right' && how.flip + how.noise + how.lose === 0)
          expect(result.lines).toEqual(LINES);
      }),
      { numRuns: 25 },
    );
    expect(good).toBeGreaterThan(5);
  });

  test('programming ends with what was asked, or an error; the machines stay usable', () => {
    fc.assert(
      fc.property(rates, (how) => {
        const device = testDevice();
        let on = true;
        const bad = damaged(how);
        const w = wire({ device, damage: (octet, n, to) => (on ? bad(octet, n, to) : [octet]) });
        if (enter(w) === '00000001' && w.client.state === 'programming') {
          const answer = ask(w, command('P', '1', '(00000000)'));
          if (typeof answer === 'object' && answer.type === 'ack' && w.client.state === 'programming')
            expect(ask(w, command('W', '1', 'C.50.0(x)'))).not.toBe('nothing came');
        }
        // The line is mended: once the meter has given up, all goes well.
        on = false;
        w.run(() => w.server.state === 'waiting' && w.client.nextDeadline() === NEVER, 200_000);
        w.events.length = 0;
        expect(readout(w)).toMatchObject({ lines: LINES });
      }),
      { numRuns: 15 },
    );
  });

  test('any bytes at any time do no harm to either end', () => {
    fc.assert(
      fc.property(fc.array(fc.uint8Array({ maxLength: 60 }), { maxLength: 20 }), (chunks) => {
        const w = wire();
        w.client.start('readout', 0);
        let now = 0;
        for (const chunk of chunks) {
          now += 50;
          w.client.receive(chunk, now);
          w.server.receive(chunk, now);
          w.client.tick(now);
        }
      }),
      { numRuns: 60 },
    );
  });
});

describe('a peer that never ends', () => {
  /** A client that always hears `says(what it sent)`, a piece each half second. @returns the words of the failure */
  function against(says: (sent: Uint8Array) => Uint8Array, want: 'readout' | 'programming' = 'readout'): string {
    let now = 0;
    let words = '';
    let sent: Uint8Array = new Uint8Array(0);
    const client = createOpticalClient(
      {},
      {
        write: (bytes) => {
          sent = bytes;
        },
        line: () => {},
        event: (e) => {
          if (e.type === 'failed') words = e.error.message;
        },
      },
    );
    client.start(want, now);
    for (let i = 0; i < 1000 && words === ''; i++) {
      if (client.state === 'programming') client.command({ command: 'R', type: '6', data: 'P.01()', more: false }, now);
      now += 500;
      client.receive(says(sent), now);
      client.tick(now);
    }
    return words;
  }
  const meter = bytesOf('/ABC5X\r\n');
  const endless = bytesOf('1.8.0(1)\r\n'.repeat(6000));
  const isRequest = (sent: Uint8Array) => sent[0] === 0x2f;

  test.each([
    ['an identification that begins again and again', () => bytesOf('/AAAA'.repeat(20)), 'signing on'],
    ['data without end', (sent: Uint8Array) => (isRequest(sent) ? meter : endless), 'signing on'],
  ])('%s is given up', (_, says, words) => {
    expect(against(says)).toContain(words);
  });

  test('blocks of which each says that another follows are given up, and not kept', () => {
    const says = (sent: Uint8Array) =>
      isRequest(sent)
        ? meter
        : sent[0] === 0x06 && sent.length > 1
          ? encodeCommand({ command: 'P', type: '0', data: '(1)', more: false })
          : encodeData('1'.repeat(1000), true);
    expect(against(says, 'programming')).toContain('does not end');
  });
});

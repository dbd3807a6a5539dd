/** Lines: pools of modems, calls that are shared, meters behind meters; in virtual time against simulated modems. */
import { MisuseError } from '@amiable/bytes';
import { type Link, loopback, type SimulatedModem, simulateModem, type VirtualClock, virtualClock } from '@amiable/io';
import { describe, expect, test } from 'vitest';
import { type ChannelDevice, channelDevice } from '../src/channels/device.ts';
import { createLines, type LinesOptions } from '../src/channels/lines.ts';
import { masterOf, reachedBy } from '../src/channels/via.ts';

const text = (s: string): Uint8Array => new TextEncoder().encode(s);

/** A meter that answers every octet with its name. */
function meterOf(name: string): Link {
  const [ours, theirs] = loopback();
  void ours.open({ data: () => void ours.write(text(name)), closed() {} });
  return theirs;
}

interface Bench {
  readonly clock: VirtualClock;
  readonly log: string[];
  readonly modems: SimulatedModem[];
  readonly lines: ReturnType<typeof createLines>;
  /** Opens, asks once, closes; what happens is logged by name. */
  use(name: string, target: Parameters<ReturnType<typeof createLines>['link']>[0], ask?: boolean): Promise<string>;
  run<T>(work: Promise<T>, ms?: number): Promise<T>;
}

function bench(
  device: Partial<ChannelDevice> = {},
  { numbers = {}, ...more }: { numbers?: Record<string, 'busy' | 'no-answer'> } & Partial<LinesOptions> = {},
): Bench {
  const clock = virtualClock(0);
  const log: string[] = [];
  const modems: SimulatedModem[] = [];
  const full: ChannelDevice = { modems: [{ port: 'tcp://modem:1' }], pause: 1000, hold: 2000, ...device };
  const lines = createLines({
    clock,
    channel: async (name) => (name === 'pool' ? full : undefined),
    connect: (address) => {
      if (!address.startsWith('tcp://')) throw new MisuseError(`${address} is no address`);
      const meter = meterOf(address);
      return {
        ...meter,
        async open(events) {
          log.push(`connect ${address}`);
          await meter.open(events);
        },
      };
    },
    port: ({ port }) => {
      const [dte, dce] = loopback();
      void simulateModem({
        link: dce,
        clock,
        setup: 5000,
        dial(number) {
          log.push(`${port} dials ${number} at ${clock.now() / 1000}`);
          return numbers[number] ?? meterOf(number);
        },
      }).then((modem) => modems.push(modem));
      return { link: dte };
    },
    ...more,
  });
  return {
    clock,
    log,
    modems,
    lines,
    async use(name, target, ask = true) {
      const link = lines.link(target);
      let heard = '';
      try {
        await link.open({
          data: (bytes) => {
            heard += new TextDecoder().decode(bytes);
          },
          closed() {},
        });
      } catch (error) {
        log.push(`${name} failed`);
        return (error as Error).message;
      }
      log.push(`${name} begins`);
      if (ask) await link.write(text('?'));
      await new Promise<void>((resolve) => void clock.after(10_000, resolve));
      log.push(`${name} ends`);
      await link.close();
      return heard;
    },
    async run(work, ms = 300_000) {
      await clock.advance(ms);
      return work;
    },
  };
}

const call = (number: string, order = 0) => ({ address: `modem:${number}`, channel: 'pool', share: number, order });

describe('a pool of modems', () => {
  test('meters behind one number are read in one call, the master first', async () => {
    const { log, use, run, lines, modems } = bench();
    const all = Promise.all([
      use('slave', call('0 30-111', 1)),
      use('second', call('030111', 2)),
      use('master', call('030111', 0)),
    ]);
    expect(await run(all)).toEqual(['030111', '030111', '030111']);
    expect(log).toEqual([
      'tcp://modem:1 dials 030111 at 5',
      'master begins',
      'master ends',
      'slave begins',
      'slave ends',
      'second begins',
      'second ends',
    ]);
    expect(lines.counts).toMatchObject({ made: 1, shared: 2, open: 0, waiting: 0 });
    expect(modems[0]?.online).toBe(false);
  });

  test('one modem has one call; it rests between two', async () => {
    const { log, use, run } = bench();
    await run(Promise.all([use('a', call('1')), use('b', call('2'))]));
    expect(log.filter((line) => line.includes('dials'))).toEqual([
      'tcp://modem:1 dials 1 at 5',
      // Ten seconds of a session, hanging up (escape, ATH), a second of rest, dialling.
      expect.stringMatching(/^tcp:\/\/modem:1 dials 2 at (2[1-9]|3\d)/),
    ]);
    expect(log.indexOf('b begins')).toBeGreaterThan(log.indexOf('a ends'));
  });

  test('two modems have two calls at once', async () => {
    const { log, use, run } = bench({ modems: [{ port: 'tcp://modem:1' }, { port: 'tcp://modem:2' }] });
    await run(Promise.all([use('a', call('1')), use('b', call('2')), use('c', call('3'))]));
    const dialled = log.filter((line) => line.includes('dials'));
    expect(dialled.slice(0, 2)).toEqual(['tcp://modem:1 dials 1 at 5', 'tcp://modem:2 dials 2 at 5']);
    expect(dialled).toHaveLength(3);
  });

  test('a call stays a while for who comes next, and ends at once for who needs the modem', async () => {
    const one = bench({ hold: 20_000 });
    const first = one.use('a', call('1'));
    await one.clock.advance(20_000);
    await first;
    expect(one.lines.counts.open).toBe(1);
    await one.run(one.use('b', call('1')));
    expect(one.log.filter((line) => line.includes('dials'))).toHaveLength(1);

    const two = bench({ hold: 60_000 });
    const begun = two.use('a', call('1'));
    await two.clock.advance(20_000);
    await begun;
    await two.run(two.use('b', call('2')), 40_000);
    expect(two.log).toContain('b begins');
  });

  test('a busy number is dialled once, and all who wait for it are told; the modem rests longer', async () => {
    const { log, use, run, clock } = bench({}, { numbers: { '9': 'busy' } });
    const told = await run(Promise.all([use('a', call('9')), use('b', call('9'))]), 10_000);
    expect(told).toEqual([expect.stringContaining('busy'), expect.stringContaining('busy')]);
    expect(told[0]).toMatch(/^channel pool, /);
    expect(log.filter((line) => line.includes('dials'))).toHaveLength(1);
    const again = use('c', call('1'));
    await clock.advance(600);
    expect(log.filter((line) => line.includes('dials'))).toHaveLength(1);
    await run(again);
    expect(log).toContain('c begins');
  });

  test('who waits too long for a modem is told; a channel without modems as well', async () => {
    const { use, run, clock } = bench({}, { patience: 4000 });
    const first = use('a', call('1'));
    await clock.advance(1000);
    expect(await run(use('b', call('2')), 10_000)).toBe('channel pool: none of its 1 modems was free within 4 s');
    await run(first);
    expect(await run(use('c', { ...call('1'), channel: 'none' }), 10)).toBe('channel none: it has no modems');
    expect(await run(use('d', { address: 'modem:1', share: '1' }), 10)).toMatch(/names none/);
  });

  test('giving up while waiting leaves the line to the others', async () => {
    const { lines, clock, run, use } = bench();
    const link = lines.link(call('1'));
    const opening = link.open({ data() {}, closed() {} }).catch((error: Error) => error.message);
    const other = use('b', call('1'));
    await link.close();
    expect(await opening).toMatch(/given up while waiting/);
    expect(await run(other)).toBe('1');
    expect(clock.pending).toBe(0);
  });
});

describe('meters behind meters', () => {
  test('share the connection of their master; others do not wait', async () => {
    const { log, use, run } = bench();
    const at = (order: number, share = 'm1') => ({ address: 'tcp://h:1', share, order });
    await run(Promise.all([use('external', at(1)), use('master', at(0)), use('other', at(0, 'm2'))]));
    expect(log.filter((line) => line.startsWith('connect'))).toHaveLength(2);
    expect(log.filter((line) => !line.startsWith('connect') && !line.startsWith('other'))).toEqual([
      'master begins',
      'master ends',
      'external begins',
      'external ends',
    ]);
    expect(log.indexOf('other begins')).toBeLessThan(log.indexOf('master ends'));
  });

  test('a line on which nothing was heard is not handed on', async () => {
    const { log, use, run } = bench();
    const at = (order: number) => ({ address: 'tcp://h:1', share: 'm1', order });
    await run(Promise.all([use('mute', at(0), false), use('next', at(1))]));
    expect(log.filter((line) => line.startsWith('connect'))).toHaveLength(2);
  });

  test('the line is that of the first master; circles, gaps and long ways are refused', async () => {
    const all = new Map(
      Object.entries({
        1: 'tcp://h:1',
        2: 'via:1',
        3: 'via:2',
        4: 'via:3',
        5: 'via:4',
        6: 'via:7',
        7: 'via:6',
        8: 'via:99',
      }),
    );
    const find = async (meter: string) => {
      const address = all.get(meter);
      return address === undefined ? undefined : { meter, address, ...(meter === '1' && { channel: 'night' }) };
    };
    const way = async (meter: string) => reachedBy((await find(meter)) as { meter: string; address: string }, find);
    expect(await way('1')).toEqual({ address: 'tcp://h:1', channel: 'night', share: '1', order: 0 });
    expect(await way('3')).toEqual({ address: 'tcp://h:1', channel: 'night', share: '1', order: 2 });
    await expect(way('5')).rejects.toThrow('more than 3 meters');
    await expect(way('6')).rejects.toThrow('in a circle (6 via 7 via 6)');
    await expect(way('8')).rejects.toThrow('via meter 99, which has no connection');
    expect(() => masterOf('via:x')).toThrow(MisuseError);
  });
});

describe('settings', () => {
  test.each([
    {},
    { modems: [] },
    { modems: [{ port: 'ftp://x' }] },
    { modems: [{ port: '/dev/ttyUSB0 rm' }] },
    { modems: [{ port: 'tcp://h:1', init: ['AT\r'] }] },
    { modems: [{ port: 'tcp://h:1', init: ['AT+CPIN=1234'] }] },
    { modems: [{ port: 'tcp://h:1', bearer: { speed: 300, name: 0, element: 0 } }] },
    { modems: [{ port: 'tcp://h:1' }], pause: -1 },
  ])('%j is refused', (given) => {
    expect(channelDevice.safeParse(given).success).toBe(false);
  });
  test('an address that is none is refused before anybody waits', () => {
    const { lines } = bench();
    expect(() => lines.link({ address: 'http://x', share: '1' })).toThrow(MisuseError);
  });
});

/** Parts of the worker, each by itself: connections that are shared, results that are written together, counters, plans. */
import { type Link, virtualClock } from '@amiable/io';
import { BUILT_IN_SETS, type Job, type ReadTarget, StoreUnavailable } from '@amiable/store';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { BlockCounter } from '../src/acquisition/access.ts';
import { createGather, type MeterResult } from '../src/acquisition/gather.ts';
import { planOf, wantsOf } from '../src/acquisition/plan.ts';
import { createPool } from '../src/acquisition/pool.ts';

const NOW = Date.UTC(2026, 10, 20, 9, 20);
const DAY = 86_400_000;

describe('connections to one address', () => {
  function made(perAddress: number) {
    const clock = virtualClock();
    const lines: { events?: Parameters<Link['open']>[0]; closed: boolean }[] = [];
    const pool = createPool({
      perAddress,
      linger: 1000,
      after: clock.after,
      connect: () => {
        const line: (typeof lines)[number] = { closed: false };
        lines.push(line);
        return {
          describe: 'line',
          async open(events: Parameters<Link['open']>[0]) {
            line.events = events;
          },
          async write() {},
          async close() {
            line.closed = true;
          },
        } as unknown as Link;
      },
    });
    const use = (keep: boolean, during: () => Promise<void> = async () => {}) =>
      pool.run('tcp://gateway:1', async (link) => {
        await link.open({ data() {}, closed() {} });
        await during();
        if (keep) link.keep();
        await link.close();
      });
    return { clock, lines, pool, use };
  }

  test('are handed to the next meter when the reading went well, and closed when nobody comes', async () => {
    const { clock, lines, pool, use } = made(1);
    await Promise.all([use(true), use(true), use(true)]);
    expect(lines).toHaveLength(1);
    expect(pool.counts).toMatchObject({ opened: 1, reused: 2, open: 1 });
    await clock.advance(1500);
    expect(lines[0]?.closed).toBe(true);
    expect(pool.counts.open).toBe(0);
  });
  test('are not handed on when it did not, nor when something comes unasked', async () => {
    const { lines, use } = made(1);
    await use(false);
    expect(lines[0]?.closed).toBe(true);
    await use(true);
    lines[1]?.events?.data(Uint8Array.of(1));
    await use(true);
    expect(lines).toHaveLength(3);
    expect(lines[1]?.closed).toBe(true);
  });
  test('are no more at once than allowed', async () => {
    const { use } = made(2);
    let now = 0;
    let most = 0;
    const during = async (): Promise<void> => {
      most = Math.max(most, ++now);
      await Promise.resolve();
      now--;
    };
    await Promise.all(Array.from({ length: 9 }, () => use(true, during)));
    expect(most).toBe(2);
  });
});

describe('results', () => {
  const result = (meter: string, written: MeterResult['written'] = () => {}): MeterResult => ({
    meter,
    series: [{ meter, register: { name: 'x', period: 900 }, scaler: 0, start: 0, step: 900_000, values: [1] }],
    events: [],
    messages: [],
    state: { meter, tried: NOW, outcome: 'done' },
    outcomes: [{ job: `1-${meter}`, result: 'done' }],
    written,
  });
  function world(fail: (meters: readonly string[], call: number) => Error | undefined) {
    const clock = virtualClock();
    const log: string[] = [];
    let calls = 0;
    const store = {
      async writeBlocks(series: readonly { meter: string }[]) {
        const error = fail(
          series.map((s) => s.meter),
          ++calls,
        );
        if (error) throw error;
        log.push(`values ${series.map((s) => s.meter)}`);
        return { inserted: series.length, changed: 0, duplicates: 0, values: series.length };
      },
      readout: { writeStates: async () => void log.push('states') },
      work: {
        async finish(_: string, outcomes: readonly { job: string; result: string }[]) {
          log.push(`outcomes ${outcomes.map((o) => `${o.job} ${o.result}`)}`);
          return { refused: [] };
        },
      },
    };
    const gather = createGather({
      store: store as never,
      worker: 'w',
      now: () => NOW,
      after: clock.after,
      batch: 2,
      pause: 100,
      log: (line) => log.push(line),
      elapsed: () => 0,
    });
    return { clock, log, gather };
  }

  test('are durable before any outcome is told', async () => {
    const { clock, log, gather } = world(() => undefined);
    gather.add(result('1', () => log.push('told 1')));
    await clock.advance(99);
    expect(log).toEqual([]);
    await clock.advance(1);
    expect(log).toEqual(['values 1', 'states', 'outcomes 1-1 done', 'told 1']);
  });
  test('wait for a database that is away', async () => {
    const { clock, log, gather } = world((_, call) => (call < 3 ? new StoreUnavailable('away') : undefined));
    gather.add(result('1'));
    gather.add(result('2'));
    await clock.advance(5000);
    expect(log).toEqual(["away; 2 meters' results wait for it", 'values 1,2', 'states', 'outcomes 1-1 done,1-2 done']);
    expect(gather.counts).toMatchObject({ retries: 2, meters: 2 });
    expect(gather.waiting).toBe(0);
  });
  test('of one meter that cannot be stored spoil no others', async () => {
    const { clock, log, gather } = world((meters) =>
      meters.includes('2') ? new RangeError('times do not rise') : undefined,
    );
    const told: (string | undefined)[] = [];
    for (const meter of ['1', '2', '3', '4']) gather.add(result(meter, (error) => told.push(error?.message)));
    await clock.advance(1000);
    expect(told.filter((message) => message === undefined)).toHaveLength(3);
    expect(told.filter((message) => message === 'times do not rise')).toHaveLength(1);
    expect(log.join(';')).toContain('outcomes 1-2 failed');
  });
});

test('an invocation counter is never given twice, whatever blocks are granted', () => {
  fc.assert(
    fc.property(fc.array(fc.tuple(fc.nat(50), fc.nat(5), fc.nat(60)), { maxLength: 20 }), (steps) => {
      let end = 10;
      const counter = new BlockCounter(0, end);
      let last = -1;
      for (const [use, gap, size] of steps) {
        for (let i = 0; i < use && counter.remaining > 0; i++) {
          const next = counter.next();
          expect(next).toBeGreaterThan(last);
          expect(next).toBeLessThan(end);
          last = next;
        }
        counter.grant(end + gap, size);
        end += gap + size;
      }
      expect(() => counter.grant(end - 1, 5)).toThrow(/go back/);
    }),
  );
});

describe('a plan', () => {
  const set = BUILT_IN_SETS.get('amiable-virtual')!;
  const job = (kind: Job['kind'], parameters: Job['parameters'] = {}): Job => ({
    id: `${kind}-1`,
    run: '1',
    kind,
    parameters,
    priority: 5,
    attempts: 0,
    due: NOW,
    expires: NOW + DAY,
    transaction: '',
  });
  const target: ReadTarget = {
    meter: '1',
    serial: 'S1',
    utilitySerial: 'U1',
    timeZone: 'Europe/Oslo',
    secrets: new Map(),
    logs: new Map([['standard', NOW - 1000]]),
  };

  test('asks once for what several jobs want, with the ranges of all', () => {
    const wants = wantsOf(
      [job('profile'), job('events'), job('outage'), job('clock', { set: true })],
      set,
      'Europe/Oslo',
      NOW,
    );
    const { plan, jobsOf } = planOf(target, set, wants, [[{ from: 1, to: 2 }]]);
    expect(plan.items.map(({ id }) => id)).toEqual([
      'clock',
      'registers outage',
      'log standard',
      'log disconnecter',
      'profile load',
    ]);
    expect(jobsOf.get('log standard')).toEqual(['events-1', 'outage-1']);
    expect(plan.identity.expected).toEqual(['S1', 'U1']);
    expect(plan.items[0]).toMatchObject({ rule: { ignore: 2, adjust: 60, above: 'report', interval: 900 } });
  });
  test('does not ask for what is there, and knows what it is looking for', () => {
    const wants = wantsOf([job('daily'), job('monthly')], set, 'Europe/Oslo', NOW);
    expect(wants.profiles.map(({ from, to }) => [new Date(from).toISOString(), to - NOW])).toEqual([
      ['2026-11-11T23:00:00.000Z', 1],
      ['2025-10-15T22:00:00.000Z', 1],
    ]);
    const { plan, satisfied } = planOf(target, set, wants, [[], [{ from: 1, to: 2 }]]);
    expect(plan.items.map(({ id }) => id)).toEqual(['profile monthly']);
    expect(satisfied).toEqual(['daily-1']);
  });
  test('tells jobs for which the type has nothing', () => {
    const wants = wantsOf([job('profile', { profile: 'slave-9' })], set, 'Europe/Oslo', NOW);
    expect(wants.empty.get('profile-1')).toMatch(/no load profile/);
  });
});

/** Reading the virtual meter by a plan over IEC 62056-21, in virtual time: what comes is what the meter has. */
import { type OpticalLink, serveOpticalPort } from '@amiable/iec62056-21';
import { type Link, loopback, virtualClock } from '@amiable/io';
import {
  type AcquiredEvent,
  type AcquiredRegister,
  type AcquiredRows,
  type AcquireResult,
  acquireIec,
  type IecAccess,
  type ReadItem,
  type ReadPlan,
} from '@amiable/meter';
import { describe, expect, test } from 'vitest';
import { virtualMeter } from '../../src/electricity-server/factory.ts';
import { opticalDevice } from '../../src/optical/device.ts';

const START = Date.UTC(2026, 10, 20, 12, 0, 3);
const ZONE = 'Europe/Oslo';
const HOUR = 3_600_000;
const DAY = 24 * HOUR;

interface BenchOptions {
  readonly start?: number;
  readonly history?: number;
  readonly mode?: 'A' | 'B' | 'C';
  readonly address?: string;
  /** Null: none is known. */
  readonly password?: string | null;
  /** Octets of the meter until the line goes dead. */
  readonly cut?: number;
  /** ms that answers are under way. */
  readonly delay?: number;
}

async function bench(options: BenchOptions = {}) {
  const { start = START, history = 2 * DAY, mode = 'C', address, password = '00000000' } = options;
  const clock = virtualClock(start);
  const meter = virtualMeter({ seed: 7, zone: ZONE, suite: 0, history, now: () => clock.now() }, { number: 1 });
  const device = opticalDevice(meter, {
    zone: ZONE,
    passwords: { 1: '00000000', 2: '11111111' },
    operand: () => '12345678',
  });
  const sent: string[] = [];
  const rows: AcquiredRows[] = [];
  const events: AcquiredEvent[] = [];
  const registers: AcquiredRegister[] = [];
  const trace: string[] = [];
  const serial = meter.engine.identification('meter-serial');
  let left = options.cut ?? Number.POSITIVE_INFINITY;

  /** A line of its own for each call. */
  async function lineOf(): Promise<Link> {
    const [near, far] = loopback() as [Link, Link];
    await serveOpticalPort({
      link: far as OpticalLink,
      clock,
      maker: 'AMI',
      identification: 'VM',
      mode,
      baud: mode === 'A' ? 300 : 9600,
      reaction: 100,
      device,
      address,
    });
    return {
      ...near,
      describe: 'line',
      open: (on) =>
        near.open({
          ...on,
          data: (bytes) => {
            // A line that is cut says nothing more, and does not close.
            left -= bytes.length;
            if (left >= 0 && options.delay === undefined) on.data(bytes);
            else if (left >= 0) clock.after(options.delay ?? 0, () => on.data(bytes));
          },
        }),
      write: (bytes) => {
        sent.push(new TextDecoder().decode(bytes.map((octet) => octet & 0x7f)));
        return near.write(bytes);
      },
    };
  }

  return {
    clock,
    meter,
    sent,
    rows,
    events,
    registers,
    trace,
    serial,
    async read(
      items: readonly ReadItem[],
      more: Partial<ReadPlan> = {},
      access: Partial<IecAccess> = {},
    ): Promise<AcquireResult> {
      const reading = acquireIec(
        { identity: { expected: [serial] }, type: 'virtual', items, ...more },
        {
          protocol: 'iec62056-21',
          link: await lineOf(),
          clock,
          timeZone: ZONE,
          ...(password !== null && { password }),
          ...(address !== undefined && { deviceAddress: address }),
          trace: ({ apdu }) => trace.push(new TextDecoder().decode(apdu)),
          ...access,
        },
        {
          rows: (_, given) => rows.push(given),
          events: (_, given) => events.push(...given),
          registers: (_, given) => registers.push(...given),
        },
      );
      let over = false;
      void reading.finally(() => {
        over = true;
      });
      for (let i = 0; i < 400 && !over; i++) await clock.advance(5000);
      return reading;
    },
  };
}

const load = (from: number, to: number, more = {}): ReadItem => ({
  kind: 'profile',
  id: 'load',
  name: 'load',
  obis: '1-0:99.1.0',
  period: 3600,
  ranges: [{ from, to }],
  status: 'amiable',
  ...more,
});

describe('by a plan', () => {
  test.each(['A', 'B', 'C'] as const)('everything in one call, mode %s', async (mode) => {
    const { meter, read, rows, events, registers, sent, serial } = await bench({ mode, history: 40 * DAY });
    const from = START - DAY;
    const result = await read([
      {
        kind: 'registers',
        id: 'now',
        name: 'billing',
        registers: ['1-0:1.8.0', '1-0:2.8.0', '1-0:1.8.1', '1-0:0.0.0'],
      },
      {
        kind: 'profile',
        id: 'months',
        name: 'monthly',
        obis: '1-0:98.1.0',
        period: 0,
        ranges: [{ from: 0, to: START }],
      },
      load(from, START),
      { kind: 'log', id: 'log', name: 'standard', obis: '1-0:99.98.0', since: START - 30 * DAY },
      { kind: 'clock', id: 'clock' },
    ]);
    expect(result.items.map(({ id, state }) => `${id} ${state}`)).toEqual([
      'now done',
      'months done',
      'load done',
      'log done',
      'clock done',
    ]);
    expect(Object.values(result.identity)).toContain(serial);
    // Registers as the meter holds them.
    const truth = new Map(meter.engine.readout().map(({ code, value }) => [code, value]));
    const total = registers.find(({ obis }) => obis === '1-0:1.8.0');
    expect(total?.unit).toBe('Wh');
    expect(Number(total?.value) * 10 ** (total?.scaler ?? 0)).toBeCloseTo(Number(truth.get('1.8.0')) * 1000, 6);
    // One sign-on for the read-out, one for all the rest.
    expect(sent.filter((text) => text.startsWith('/?'))).toHaveLength(2);
    // The load profile, value by value.
    const view = meter.engine.profile('periodic');
    const expected = Array.from({ length: view.length }, (_, i) => i).filter(
      (i) => view.timeOf(i) >= from && view.timeOf(i) < START,
    );
    const profile = rows.filter(({ columns }) => columns.length === view.columns.length);
    const got = new Map(
      profile.flatMap((table) =>
        Array.from(
          table.times,
          (time, i) => [time, table.columns.map((c) => Number(c.values[i]) * 10 ** c.scaler)] as const,
        ),
      ),
    );
    expect([...got.keys()].sort((a, b) => a - b)).toEqual(expected.map((i) => view.timeOf(i)));
    expect(expected.length).toBeGreaterThanOrEqual(24);
    for (const i of expected) expect(got.get(view.timeOf(i))).toEqual(view.columns.map((_, c) => view.value(i, c)));
    // Months of the read-out.
    const months = rows.find((table) => !profile.includes(table));
    expect(Array.from(months?.times ?? [])).toContain(Date.UTC(2026, 9, 31, 23));
    expect(Math.abs(result.clock?.deviation ?? Number.NaN)).toBeLessThanOrEqual(result.clock?.uncertainty ?? 0);
    expect(result.outcome).toBe('done');
    const log = meter.engine.log('standard');
    const wanted = Array.from({ length: log.length }, (_, i) => log.entry(i)).filter(
      ({ at }) => at >= START - 30 * DAY,
    );
    // Stamps have whole seconds.
    expect(events.map(({ time, code }) => [time, code])).toEqual(
      wanted.map(({ at, event }) => [Math.floor(at / 1000) * 1000, event]),
    );
    expect(wanted.length).toBeGreaterThan(0);
  });

  test('over the end of summer time each row stands where the meter captured it', async () => {
    const start = Date.UTC(2026, 9, 25, 6, 0, 5);
    const { meter, read, rows } = await bench({ start, history: 2 * DAY });
    await read([load(start - 8 * HOUR, start)]);
    const view = meter.engine.profile('periodic');
    const times = rows.flatMap(({ times }) => [...times]);
    expect(times).toHaveLength(8);
    const truth = Array.from({ length: view.length }, (_, i) => view.timeOf(i)).filter((t) => t >= start - 8 * HOUR);
    expect(times).toEqual(truth);
  });

  test('gaps are asked for, not what is there', async () => {
    const { read, rows } = await bench({ history: 31 * DAY });
    const ranges = [
      { from: START - 30 * DAY, to: START - 30 * DAY + HOUR },
      { from: START - DAY, to: START - DAY + HOUR },
    ];
    const result = await read([load(0, 0, { ranges })]);
    expect(rows.flatMap(({ times }) => [...times])).toHaveLength(2);
    expect(result.requests).toBeLessThan(6);
  });

  test("another meter's serial number: nothing is given on", async () => {
    const { read, rows, registers, serial } = await bench();
    const result = await read(
      [{ kind: 'registers', id: 'r', name: 'billing', registers: ['1-0:1.8.0'] }, load(START - DAY, START)],
      { identity: { expected: ['99999999'] } },
    );
    expect(result.outcome).toBe('stranger');
    expect(result.error?.message).toContain(serial);
    expect(rows).toHaveLength(0);
    expect(registers).toHaveLength(0);
    expect(result.items.every(({ state, again }) => state === 'skipped' && again)).toBe(true);
  });

  test('a meter that does not answer is unreachable; with another address on a line of several as well', async () => {
    const one = await bench({ cut: 0 });
    expect((await one.read([load(START - DAY, START)])).outcome).toBe('unreachable');
    const two = await bench({ address: '12345678' });
    expect((await two.read([{ kind: 'clock', id: 'c' }], {}, { deviceAddress: '87654321' })).outcome).toBe(
      'unreachable',
    );
    const three = await bench({ address: '12345678' });
    expect((await three.read([{ kind: 'clock', id: 'c' }])).outcome).toBe('done');
  });

  test('a line that goes dead in the middle keeps what came, and says what is left', async () => {
    const { read, rows } = await bench({ cut: 12_000, history: 21 * DAY });
    const result = await read([load(START - 20 * DAY, START), { kind: 'clock', id: 'clock' }]);
    const [first, second] = result.items;
    expect(first).toMatchObject({ state: 'partial', again: true });
    expect(first?.count).toBeGreaterThan(0);
    expect(rows.flatMap(({ times }) => [...times])).toHaveLength(first?.count ?? 0);
    expect(second).toMatchObject({ state: 'skipped', again: true });
    expect(result.outcome).toBe('partial');
  });

  test('what the meter does not have is refused for good; the rest is read', async () => {
    const { read } = await bench();
    const result = await read([
      {
        kind: 'profile',
        id: 'p2',
        name: 'second',
        obis: '1-0:99.2.0',
        period: 900,
        ranges: [{ from: START - DAY, to: START }],
      },
      {
        kind: 'profile',
        id: 'odd',
        name: 'odd',
        obis: '1-0:1.8.0',
        period: 900,
        ranges: [{ from: START - DAY, to: START }],
      },
      { kind: 'clock', id: 'clock' },
    ]);
    expect(result.items.map(({ state, again }) => `${state} ${again}`)).toEqual([
      'failed false',
      'failed false',
      'done false',
    ]);
  });

  test('time that is up leaves the rest for another time', async () => {
    const { read } = await bench({ history: 31 * DAY, delay: 500 });
    const result = await read([load(START - 30 * DAY, START), { kind: 'clock', id: 'clock' }], {}, { deadline: 8000 });
    expect(result.items.map(({ state }) => state)).toEqual(['partial', 'skipped']);
  });
});

describe('the clock', () => {
  const rule = { ignore: 2, adjust: 60, above: 'report' as const, interval: 900 };
  test.each([
    ['within what is ignored', 1000, 'none', 0],
    ['mended', 20_000, 'adjusted', -20_000],
    ['behind, mended', -20_000, 'adjusted', 20_000],
    ['too far off: reported', 600_000, 'reported', 0],
  ] as const)('%s', async (_, off, action, moved) => {
    const { meter, clock, read } = await bench({ start: Date.UTC(2026, 10, 20, 12, 5, 0) });
    meter.engine.setClock(clock.now() + off);
    const result = await read([{ kind: 'clock', id: 'clock', rule }]);
    expect(result.clock?.action).toBe(action);
    expect(Math.abs((result.clock?.moved ?? 0) - moved)).toBeLessThanOrEqual(1500);
    const after = await read([{ kind: 'clock', id: 'clock' }]);
    expect(
      Math.abs((after.clock?.deviation ?? 0) - (action === 'reported' || action === 'none' ? off : 0)),
    ).toBeLessThanOrEqual(1600);
  });
  test('a mend across the boundary of an interval is put off', async () => {
    const { meter, clock, read } = await bench({ start: Date.UTC(2026, 10, 20, 12, 14, 50) });
    meter.engine.setClock(clock.now() + 25_000);
    expect((await read([{ kind: 'clock', id: 'clock', rule }])).clock?.action).toBe('postponed');
  });
  test('wrong or no password: refused, said once only, and in no trace', async () => {
    const wrong = await bench({ password: '77777777', start: Date.UTC(2026, 10, 20, 12, 5, 0) });
    wrong.meter.engine.setClock(wrong.clock.now() + 20_000);
    const result = await wrong.read([
      { kind: 'clock', id: 'a', rule },
      { kind: 'clock', id: 'b', rule },
    ]);
    expect(result.clock?.action).toBe('refused');
    expect(wrong.sent.filter((text) => text.includes('77777777'))).toHaveLength(1);
    expect(JSON.stringify([result, wrong.trace])).not.toContain('77777777');
    const none = await bench({ password: null, start: Date.UTC(2026, 10, 20, 12, 5, 0) });
    none.meter.engine.setClock(none.clock.now() + 20_000);
    const refused = await none.read([{ kind: 'clock', id: 'a', rule }]);
    expect(refused.clock?.action).toBe('refused');
    expect(refused.items[0]).toMatchObject({ state: 'partial', again: true });
  });
});

/** A virtual meter read by a plan, in one process and in virtual time. */
import { type VirtualClock, virtualClock } from '@amiable/io';
import {
  type AcquiredEvent,
  type AcquiredRegister,
  type AcquiredRows,
  acquireDlms,
  createShapeMemory,
  type DlmsAccess,
  openDlms,
  type ReadItem,
  type ReadPlan,
  ROW_FLAGS,
} from '@amiable/meter';
import { beforeEach, describe, expect, test } from 'vitest';
import type { ServedMeter } from '../../simulator/src/electricity-server/served.ts';
import { accessTo, type Client, DAY, HOUR, type Lines, linesTo, meterOf } from './virtual-line.ts';

const NOW = Date.UTC(2026, 10, 20, 9, 20, 0);
const MIDNIGHT = Date.UTC(2026, 10, 19, 23);

let clock: VirtualClock;
let meter: ServedMeter;
let lines: Lines;
beforeEach(async () => {
  clock = virtualClock(NOW - 600_000);
  meter = meterOf(7, clock.now, { parameters: { capturePeriod: 15 } });
  // A power failure of five minutes, for its log.
  for (const on of [false, true]) {
    meter.live().setMains(on);
    await clock.advance(300_000);
  }
  lines = linesTo((n) => (n === 7 ? meter : undefined), clock);
});

const LOAD: ReadItem = {
  kind: 'profile',
  id: 'load',
  name: 'load',
  obis: '1-0:99.1.0',
  period: 900,
  status: 'amiable',
  ranges: [{ from: MIDNIGHT - DAY, to: MIDNIGHT }],
};
const DAILY: ReadItem = {
  kind: 'profile',
  id: 'daily',
  name: 'daily',
  obis: '1-0:98.2.0',
  period: 86_400,
  status: 'amiable',
  ranges: [{ from: MIDNIGHT - DAY, to: MIDNIGHT + 1 }],
};
const LOG: ReadItem = { kind: 'log', id: 'log', name: 'standard', obis: '0-0:99.98.0' };
const NOWS: ReadItem = {
  kind: 'registers',
  id: 'now',
  name: 'billing',
  registers: ['1-0:1.8.0', '1-1:32.7.0', '0-0:96.5.0'],
};

const planOf = (items: readonly ReadItem[], more: Partial<ReadPlan> = {}): ReadPlan => ({
  identity: { expected: ['AMI99000007'], configuration: ['1-0:0.2.1', '1-0:96.90.0'] },
  type: 'amiable-virtual',
  items,
  ...more,
});

function collected() {
  const rows: Record<string, AcquiredRows[]> = {};
  const events: AcquiredEvent[] = [];
  const registers: AcquiredRegister[] = [];
  return {
    rows,
    events,
    registers,
    sink: {
      rows(item: { id: string }, came: AcquiredRows) {
        rows[item.id] = [...(rows[item.id] ?? []), came];
      },
      events: (_: unknown, came: readonly AcquiredEvent[]) => void events.push(...came),
      registers: (_: unknown, came: readonly AcquiredRegister[]) => void registers.push(...came),
    },
  };
}

/** Lets time pass while something is awaited. */
async function passing<T>(work: Promise<T>, step = 1000): Promise<T> {
  let over = false;
  const done = work.finally(() => {
    over = true;
  });
  done.catch(() => {});
  for (let i = 0; !over && i < 10_000; i++) await clock.advance(i < 200 ? 0 : step);
  return done;
}

async function read(client: Client, plan: ReadPlan, more: Partial<DlmsAccess> = {}) {
  const got = collected();
  const result = await passing(acquireDlms(plan, accessTo(meter, lines, clock, client, more), got.sink));
  return { ...got, result };
}

/** What the engine itself says of a profile. */
function truth(id: 'periodic' | 'daily', from: number, to: number) {
  const view = meter.engine.profile(id);
  const out: { time: number; values: number[] }[] = [];
  for (let row = 0; row < view.length; row++) {
    const time = view.timeOf(row);
    if (time >= from && time < to) out.push({ time, values: view.columns.map((_, c) => view.value(row, c)) });
  }
  return out;
}
const asRows = (came: readonly AcquiredRows[] = []) =>
  came.flatMap(({ times, columns }) =>
    Array.from(times, (time, i) => ({ time, values: columns.map((c) => Number(c.values[i])) })),
  );

const ways: [Client, Partial<DlmsAccess>][] = [
  ['reader', {}],
  ['reader', { transport: 'hdlc' }],
  ['management', {}],
  ['reader-sn', {}],
  ['management-sn', { transport: 'hdlc' }],
];

test.each(ways)('everything that is due in one association: %s %o', async (client, more) => {
  const { result, rows, events, registers } = await read(
    client,
    planOf([LOAD, DAILY, LOG, NOWS, { kind: 'clock', id: 'clock' }]),
    more,
  );
  expect(result.items).toEqual([
    { id: 'load', state: 'done', count: 96, again: false },
    { id: 'daily', state: 'done', count: 2, again: false },
    { id: 'log', state: 'done', count: meter.engine.log('standard').length, again: false },
    { id: 'now', state: 'done', count: 3, again: false },
    { id: 'clock', state: 'done', count: 1, again: false },
  ]);
  expect(result).toMatchObject({ outcome: 'done', clock: { action: 'none' } });
  expect(asRows(rows.load)).toEqual(truth('periodic', MIDNIGHT - DAY, MIDNIGHT));
  expect(asRows(rows.daily)).toEqual(truth('daily', MIDNIGHT - DAY, MIDNIGHT + 1));
  expect(rows.load?.[0]?.columns[0]).toMatchObject({ obis: '1-0:1.8.0', name: 'activeEnergyImport', unit: 'Wh' });
  const log = meter.engine.log('standard');
  expect(log.length).toBeGreaterThan(1);
  expect(events.map(({ time, code }) => ({ time, code }))).toEqual(
    Array.from({ length: log.length }, (_, i) => ({ time: log.entry(i).at, code: log.entry(i).event })),
  );
  expect(registers[0]).toMatchObject({ obis: '1-0:1.8.0', unit: 'Wh', value: meter.engine.register('1.8.0') });
  expect(lines.opened).toBe(1);
  expect(lines.standing).toBe(0);
  expect([...lines.server.associations()]).toEqual([]);
});

test('a meter that answers with another number is a stranger: nothing of it is given on', async () => {
  const { result, rows, events } = await read(
    'reader',
    planOf([LOAD, LOG], { identity: { expected: ['AMI99000008'] } }),
  );
  expect(result.outcome).toBe('stranger');
  expect(result.error?.message).toMatch(/another meter answers: AMI99000007 instead of AMI99000008/);
  expect(result.items.every((i) => i.state === 'skipped' && !i.again)).toBe(true);
  expect(rows).toEqual({});
  expect(events).toEqual([]);
});

describe('learnt shapes', () => {
  test('are asked for once, and not again while the meter gives the same fingerprint', async () => {
    const shapes = createShapeMemory();
    const first = await read('reader', planOf([LOAD, DAILY, LOG]), { shapes });
    const again = await read('reader', planOf([LOAD, DAILY, LOG], { known: first.result.fingerprint! }), { shapes });
    // Who it is, and all rows with it.
    expect(again.result.requests).toBe(1);
    expect(first.result.requests).toBeGreaterThan(again.result.requests);
    expect(asRows(again.rows.load)).toEqual(asRows(first.rows.load));
    expect(again.result.fingerprint).toBe(first.result.fingerprint);
  });

  test('another order of columns is never taken for the learnt one', async () => {
    const shapes = createShapeMemory();
    const first = await read('reader', planOf([LOAD]), { shapes });
    meter.engine.setParameters({ periodic: ['2.8.0', '1.8.0'] });
    await clock.advance(2 * HOUR);
    const from = clock.now() - HOUR;
    const plan = planOf([{ ...LOAD, ranges: [{ from, to: clock.now() }] }], { known: first.result.fingerprint! });
    const { rows, result } = await read('reader', plan, { shapes });
    expect(result.outcome).toBe('done');
    expect(rows.load?.[0]?.columns.map((c) => c.obis)).toEqual(['1-0:2.8.0', '1-0:1.8.0']);
    expect(asRows(rows.load)).toEqual(truth('periodic', from, clock.now()));
  });

  test('a change that the rows mark is looked at before they are believed', async () => {
    const shapes = createShapeMemory();
    const first = await read('reader', planOf([LOAD]), { shapes });
    meter.engine.setParameters({ periodic: ['2.8.0', '1.8.0'] });
    await clock.advance(HOUR);
    const since = { from: NOW, to: clock.now() };
    const { rows } = await read(
      'reader',
      planOf([{ ...LOAD, ranges: [since] }], { known: first.result.fingerprint! }),
      {
        shapes,
      },
    );
    expect(rows.load).toHaveLength(1);
    expect(rows.load?.[0]?.columns[0]?.obis).toBe('1-0:2.8.0');
    expect((rows.load?.[0]?.flags?.[0] ?? 0) & ROW_FLAGS.parametersChanged).toBeTruthy();
  });
});

test('whole rows that came before the line broke are given on', async () => {
  let after = Number.POSITIVE_INFINITY;
  const access = accessTo(meter, lines, clock, 'reader', { transport: 'hdlc' });
  const maxPduSize = 500;
  const link = lines.link('hdlc', {
    toUs(bytes) {
      if (bytes.length > 300 && --after <= 0) {
        setImmediate(() => link.hangUp());
        return undefined;
      }
      return bytes;
    },
  });
  const got = collected();
  const open = await passing(openDlms({ ...access, link, maxPduSize }));
  after = 4;
  const result = await passing(open.read(planOf([LOAD, LOG]), got.sink));
  await open.close();
  expect(result.items[0]).toMatchObject({ id: 'load', state: 'partial', again: true });
  expect(result.items[1]).toMatchObject({ id: 'log', state: 'skipped', again: true });
  const came = asRows(got.rows.load);
  expect(came.length).toBeGreaterThan(10);
  expect(came).toEqual(truth('periodic', MIDNIGHT - DAY, MIDNIGHT).slice(0, came.length));
});

test('a half-open connection: nothing comes, and the reading ends in time', async () => {
  const { result } = await read('reader', planOf([LOAD]), {
    link: lines.link('wrapper', { toUs: () => undefined }),
    timeouts: { answer: 5000 },
  });
  expect(result).toMatchObject({ outcome: 'unreachable', items: [{ id: 'load', state: 'skipped', again: true }] });
  expect(result.error?.message).toMatch(/no answer in 5 s/);
});

describe('the clock', () => {
  const rule = { ignore: 2, adjust: 60, above: 'set', interval: 900 } as const;
  const clockItem: ReadItem = { kind: 'clock', id: 'clock', rule };
  test.each([
    [0, 'none', 0],
    [20, 'adjusted', -20_000],
    [-45, 'adjusted', 45_000],
    [200, 'set', -200_000],
    [7200, 'set', -7_200_000],
  ])('is off by %d s: %s', async (seconds, action, moved) => {
    meter.live().setClock(NOW + seconds * 1000);
    const { result } = await read('management', planOf([clockItem]));
    expect(result.clock?.action).toBe(action);
    expect(Math.abs((result.clock?.moved ?? 0) - moved)).toBeLessThanOrEqual(1000);
    expect(Math.abs(meter.engine.clock.utc - clock.now())).toBeLessThanOrEqual(seconds === 0 ? 0 : 1000);
  });
  test('is not mended across the boundary of an interval: later will do', async () => {
    await clock.advance(10 * 60_000 - 10_000);
    meter.live().setClock(clock.now() + 30_000);
    const { result } = await read('management', planOf([clockItem]));
    expect(result.clock).toMatchObject({ action: 'postponed', moved: 0 });
  });
  test('who may not set it is told so', async () => {
    meter.live().setClock(NOW + 20_000);
    const { result } = await read('reader', planOf([clockItem]));
    expect(result.clock).toMatchObject({ action: 'refused', moved: 0 });
  });
});

test('what the meter has not is said and not asked for again; the others come', async () => {
  const none: ReadItem = { ...LOAD, id: 'none', obis: '1-0:99.2.0' } as ReadItem;
  const { result } = await read('reader', planOf([none, DAILY]));
  expect(result.outcome).toBe('partial');
  expect(result.items[0]).toMatchObject({ id: 'none', state: 'failed', again: false });
  expect(result.items[1]).toMatchObject({ state: 'done', count: 2 });
});

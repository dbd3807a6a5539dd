/** Profiles and logs by range and by entry, over a day of 25 hours; what is captured. */
import { dateTimeBytes, type EncodedData, octetString, wallMillis } from '@amiable/dlms';
import type { ProfileRows, Session } from '@amiable/meter';
import { expect, test } from 'vitest';
import { PROFILE_STATUS } from '../../src/electricity/index.ts';
import { attribute, DAY, HOUR, method, open, read, type Stand, stand, ZERO } from './helpers.ts';

/** Local time of the meter, without a deviation. */
function local(year: number, month: number, day: number, hour = 0, minute = 0): EncodedData {
  return octetString(dateTimeBytes({ year, month, day, hour, minute, second: 0 }));
}

interface Row {
  readonly at: number;
  readonly status: number;
  readonly values: readonly number[];
}

const number = (data: Uint8Array, at: number): [number, number] => {
  const view = new DataView(data.buffer, data.byteOffset);
  switch (data[at]) {
    case 0x06:
      return [view.getUint32(at + 1), 5];
    case 0x12:
      return [view.getUint16(at + 1), 3];
    case 0x11:
      return [view.getUint8(at + 1), 2];
    default:
      throw new Error(`tag ${data[at]}`);
  }
};

/** Rows taken apart by hand: two octets of structure, a clock of fourteen, then numbers. */
function rowsOf({ rows, complete }: ProfileRows): Row[] {
  expect(complete).toBe(true);
  return rows.map((row) => {
    const view = new DataView(row.buffer, row.byteOffset);
    const at = 4;
    const wall = wallMillis({
      year: view.getUint16(at),
      month: row[at + 2] as number,
      day: row[at + 3] as number,
      hour: row[at + 5] as number,
      minute: row[at + 6] as number,
      second: row[at + 7] as number,
    }) as number;
    const numbers: number[] = [];
    for (let pos = 16; pos < row.length; ) {
      const [value, length] = number(row, pos);
      numbers.push(value);
      pos += length;
    }
    const [status = 0, ...values] = numbers;
    return { at: wall + view.getInt16(at + 9) * 60_000, status, values };
  });
}

const PERIODIC = '1-0:99.1.0';
const nameOf = (obis: string): Uint8Array => attribute(7, obis).instanceId;

/** A meter that has lived over the end of daylight saving, 2025-10-26. */
async function autumn(period: 15 | 60 = 60): Promise<{ at: Stand; session: Session }> {
  const at = stand({ history: 4 * DAY, parameters: { capturePeriod: period } }, {}, Date.UTC(2025, 9, 28, 11));
  return { at, session: await open(at, { as: 'reader' }) };
}

test('a day of 25 hours has 25 rows, each an hour after the last, and the hour that comes twice is told apart', async () => {
  const { session } = await autumn();
  const day = await session.getProfile(nameOf(PERIODIC), {
    kind: 'range',
    from: local(2025, 10, 26, 0, 1),
    to: local(2025, 10, 27),
  });
  const rows = rowsOf(day);
  expect(rows).toHaveLength(25);
  rows.forEach((row, i) => {
    expect(row.at).toBe(Date.UTC(2025, 9, 25, 23) + i * HOUR);
    expect((row.status & PROFILE_STATUS.dst) !== 0).toBe(row.at < Date.UTC(2025, 9, 26, 1));
    if (i > 0) expect((row.values[0] as number) - ((rows[i - 1] as Row).values[0] as number)).toBe(1500);
  });
});

test('a range over the repeated hour has it twice; with a deviation it has the one that is meant', async () => {
  const { session } = await autumn(15);
  const range = (from: EncodedData, to: EncodedData) =>
    session.getProfile(nameOf(PERIODIC), { kind: 'range', from, to });
  expect(rowsOf(await range(local(2025, 10, 26, 2), local(2025, 10, 26, 2, 45)))).toHaveLength(8);
  const winter = (minute: number): EncodedData =>
    octetString(dateTimeBytes({ year: 2025, month: 10, day: 26, hour: 2, minute, second: 0, deviation: -60 }));
  const rows = rowsOf(await range(winter(0), winter(45)));
  expect(rows.map((row) => row.at)).toEqual([0, 15, 30, 45].map((minute) => Date.UTC(2025, 9, 26, 1, minute)));
});

test('a range that is open at an end, columns that are chosen, rows by number', async () => {
  const { session } = await autumn();
  const all = rowsOf(await session.getProfile(nameOf(PERIODIC)));
  expect(await read(session, 7, PERIODIC, 7)).toBe(all.length);
  const open = octetString(dateTimeBytes({}));
  const late = rowsOf(
    await session.getProfile(nameOf(PERIODIC), { kind: 'range', from: local(2025, 10, 28), to: open }),
  );
  expect(late).toEqual(all.filter((row) => row.at >= Date.UTC(2025, 9, 27, 23)));
  const some = await session.getProfile(nameOf(PERIODIC), {
    kind: 'entry',
    from: 3,
    to: 5,
    fromColumn: 3,
    toColumn: 3,
  });
  expect(some.rows.map((row) => number(row, 2)[0])).toEqual(all.slice(2, 5).map((row) => row.values[0]));
});

test('daily and monthly rows stand at local midnight; types and units come with the columns', async () => {
  const { session } = await autumn();
  const daily = rowsOf(await session.getProfile(nameOf('1-0:98.2.0')));
  expect(daily.map((row) => row.at)).toEqual([22, 22, 23, 23].map((hour, i) => Date.UTC(2025, 9, 24 + i, hour)));
  const columns = await session.captureObjects(nameOf('1-0:98.2.0'));
  expect(columns.map(({ classId }) => classId)).toEqual([8, 1, 3, 3, 3, 3]);
});

test('slaves: hours that were fetched at night, under their codes', async () => {
  const at = stand({ history: 3 * DAY, slaves: ['gas', 'heat'] });
  const session = await open(at, { as: 'reader' });
  const gas = rowsOf(await session.getProfile(nameOf('0-1:24.3.0')));
  expect(gas.length).toBeGreaterThanOrEqual(48);
  const steps = gas.slice(1).map((row, i) => row.at - (gas[i] as Row).at);
  expect(new Set(steps)).toEqual(new Set([HOUR]));
  expect(await read(session, 4, '7-0:3.0.0', 3)).toEqual([-3, 13]);
  expect(await read(session, 3, '7-0:0.0.9')).toMatch(/^AMI97/);
  expect(await read(session, 7, '0-2:24.3.0', 3)).toContainEqual([4, '6-1:1.0.0', 2, 0]);
});

test('what is captured may be written: rows begin anew, and what cannot be captured is refused', async () => {
  const { at } = await autumn();
  const session = await open(at, { as: 'management' });
  const clock = [0x02, 4, 0x12, 0, 8, 9, 6, 0, 0, 1, 0, 0, 255, 0x0f, 2, 0x12, 0, 0];
  const register = (e: number): number[] => [2, 4, 0x12, 0, 3, 9, 6, 1, 0, 1, 8, e, 255, 0x0f, 2, 0x12, 0, 0];
  await session.set(attribute(7, PERIODIC, 3), Uint8Array.of(1, 2, ...clock, ...register(2)));
  expect(at.meter.engine.parameters.periodic).toEqual(['1.8.2']);
  expect(await read(session, 7, PERIODIC, 7)).toBe(0);
  await session.set(attribute(7, PERIODIC, 4), Uint8Array.of(6, 0, 0, 7, 8));
  expect(at.meter.engine.parameters.capturePeriod).toBe(30);
  await expect(session.set(attribute(7, PERIODIC, 4), Uint8Array.of(6, 0, 0, 0, 60))).rejects.toThrow(/other-reason/);
  await expect(session.set(attribute(7, PERIODIC, 3), Uint8Array.of(1, 1, ...register(9)))).rejects.toThrow(
    /other-reason/,
  );
  await at.clock.advance(2 * HOUR);
  expect(await read(session, 7, PERIODIC, 7)).toBe(4);
  await session.action(method(7, PERIODIC, 1), ZERO);
  expect(await read(session, 7, PERIODIC, 7)).toBe(0);
});

test('the event log by range; entries of a clock that went back are all found', async () => {
  const { at } = await autumn();
  const session = await open(at, { as: 'reader' });
  const { engine } = at.meter;
  engine.setClock(engine.clock.utc - 6 * HOUR);
  engine.setAlertInput(false);
  const all = rowsOf(await session.getProfile(nameOf('0-0:99.98.0')));
  expect(all.map((row) => row.values[0])).toEqual([17, 11, 12]);
  const [, before, after] = all as [Row, Row, Row];
  expect(before.at - after.at).toBe(6 * HOUR);
  const found = rowsOf(
    await session.getProfile(nameOf('0-0:99.98.0'), {
      kind: 'range',
      from: local(2025, 10, 28),
      to: local(2025, 10, 28, 11),
    }),
  );
  expect(found).toEqual([after]);
});

/** What lists mean, on lists made here. */
import { fromHex } from '@amiable/bytes';
import {
  array,
  type Data,
  type DlmsDateTime,
  dateTimeBytes,
  dateTimeOf,
  encodeDataNotification,
  nullData,
  number,
  octets,
  structure,
  text,
} from '@amiable/dlms';
import { messageToJson } from '@amiable/model';
import { describe, expect, it } from 'vitest';
import { createPushDecoder, makerOf, plainMessage } from '../src/index.ts';

const u32 = (value: number) => number('double-long-unsigned', value);
const code = (...groups: number[]) => octets(Uint8Array.from([...groups, 255]));
const unit = (scaler: number, u: number) => structure(number('integer', scaler), number('enum', u));
const at = Date.UTC(2020, 0, 25, 13, 0, 10);
const clock = (ms: number, options: { deviation?: number; status?: number } = { status: 0 }) =>
  octets(dateTimeBytes(dateTimeOf(ms, options)));
const decode = (body: Data, dateTime?: DlmsDateTime, options = {}) =>
  createPushDecoder(options).decode(encodeDataNotification(body, dateTime ? { dateTime, form: 'tagged' } : {}), 0);
const told = (body: Data, dateTime?: DlmsDateTime, options = {}) =>
  JSON.parse(messageToJson(decode(body, dateTime, options)));

function kaifa(type: string, listClock?: Data): Data {
  const head = [text('KFM_001', 'octet-string'), text('6970631401753985', 'octet-string'), text(type, 'octet-string')];
  const single = type === 'MA105H2E';
  const middle = [u32(948), u32(0), u32(0), u32(5), u32(4123), ...(single ? [] : [u32(0), u32(20)])];
  const volts = single ? [u32(2385)] : [u32(2385), u32(0), u32(2391)];
  const energies = listClock ? [listClock, u32(676189), u32(716), u32(111698), u32(4597)] : [];
  return structure(...head, ...middle, ...volts, ...energies);
}

describe('Kaifa', () => {
  it('list 1 is the power alone, at the time of the notification', () => {
    const m = told(structure(u32(220)), dateTimeOf(at, { status: 0 }));
    expect(m).toMatchObject({
      maker: 'Kaifa',
      list: 'KFM_001',
      time: '2020-01-25T12:00:10Z',
      meterTime: '2020-01-25T13:00:10',
      flags: [],
    });
    expect(m.meterId).toBeUndefined();
    expect(m.readings).toEqual([{ obis: '1-0:1.7.0', name: 'activePowerImport', value: 220, unit: 'W' }]);
  });
  it('lists of 9, 13, 14 and 18 values', () => {
    for (const [type, withClock, count] of [
      ['MA105H2E', false, 9],
      ['MA304H4', false, 13],
      ['MA105H2E', true, 14],
      ['MA304T4', true, 18],
    ] as const) {
      const m = told(kaifa(type, withClock ? clock(at - 10_000) : undefined), dateTimeOf(at, { status: 0 }));
      expect(m.readings).toHaveLength(count);
      expect(m).toMatchObject({ maker: 'Kaifa', meterId: '6970631401753985', meterType: type, flags: [] });
    }
  });
  it('three-wire meters give line voltages, others phase voltages', () => {
    const betweens = (type: string) =>
      told(kaifa(type)).readings.flatMap((r: { between?: string }) => (r.between ? [r.between] : []));
    for (const type of ['MA304H3E', 'MA304T3']) expect(betweens(type)).toEqual(['L1-L2', 'L1-L3', 'L2-L3']);
    for (const type of ['MA304H4', 'MA304T4', 'MA105H2E']) expect(betweens(type)).toEqual([]);
  });
  it('list 3: registers have the time of the list, the rest that of the notification', () => {
    const m = decode(kaifa('MA304H4', clock(at - 10_000)), dateTimeOf(at, { status: 0 }));
    expect(m.time).toBe(at - 3_600_000);
    m.items.forEach((item, i) => {
      expect(m.times?.[i], item.name).toBe(item.unit === 'Wh' || item.unit === 'varh' ? at - 3_610_000 : undefined);
    });
    expect(m.times).toBe(m.times);
  });
  it('a list of another length is unknown, yet told by position', () => {
    const m = told(structure(text('KFM_001', 'octet-string'), u32(5), nullData, text('x')));
    expect(m.flags).toEqual(['unknownList']);
    expect(m.readings).toEqual([
      { name: 'value1', value: 'KFM_001', raw: '09074b464d5f303031' },
      { name: 'value2', value: 5, raw: '0600000005' },
      { name: 'value4', value: 'x', raw: '0a0178' },
    ]);
  });
});

describe('lists that name their codes', () => {
  const aidon = (deviation?: number) =>
    array(
      structure(code(1, 1, 0, 2, 129), text('AIDON_V0001')),
      structure(code(0, 0, 96, 1, 0), text('7359992892587665')),
      structure(code(1, 0, 1, 7, 0), u32(280), unit(0, 27)),
      structure(code(1, 0, 31, 7, 0), number('long', -13), unit(-1, 33)),
      structure(
        code(0, 0, 1, 0, 0),
        clock(Date.UTC(2020, 6, 21, 16), deviation === undefined ? {} : { deviation, status: 0 }),
      ),
      structure(code(1, 0, 1, 8, 0), u32(2272138), unit(1, 30)),
    );
  it('take scaler and unit from the list', () => {
    expect(told(aidon(0)).readings.slice(2)).toEqual([
      { obis: '1-0:1.7.0', name: 'activePowerImport', value: 280, unit: 'W' },
      { obis: '1-0:31.7.0', name: 'currentL1', value: -1.3, unit: 'A' },
      { obis: '0-0:1.0.0', name: 'clock', value: '2020-07-21T16:00:00' },
      { obis: '1-0:1.8.0', name: 'activeEnergyImport', value: 22721380, unit: 'Wh' },
    ]);
  });
  it("Aidon's deviation of 0 is no offset; another one is", () => {
    expect(told(aidon(0))).toMatchObject({ time: '2020-07-21T14:00:00Z', meterTime: '2020-07-21T16:00:00' });
    expect(told(aidon(-60))).toMatchObject({ time: '2020-07-21T15:00:00Z', meterTime: '2020-07-21T16:00:00+01:00' });
    expect(told(aidon())).toMatchObject({ time: '2020-07-21T14:00:00Z' });
  });
  it('the zone of the user goes before that of the market', () => {
    expect(told(aidon(0), undefined, { zone: 'Europe/Helsinki' }).time).toBe('2020-07-21T13:00:00Z');
  });

  it('an unknown list keeps its codes and names, and invents neither unit nor time', () => {
    const body = structure(
      code(1, 0, 1, 7, 0),
      u32(7),
      code(1, 0, 32, 7, 0),
      number('long-unsigned', 2301),
      unit(-1, 35),
      code(0, 0, 96, 1, 0),
      text('12345 '),
    );
    expect(told(body, dateTimeOf(at))).toMatchObject({
      flags: ['unknownList'],
      meterId: '12345',
      meterTime: '2020-01-25T13:00:10',
      readings: [
        { obis: '1-0:1.7.0', name: 'activePowerImport', value: 7 },
        { obis: '1-0:32.7.0', name: 'voltageL1', value: 230.1, unit: 'V' },
        { obis: '0-0:96.1.0', name: 'meterId', value: '12345' },
      ],
    });
    expect(told(body, dateTimeOf(at)).time).toBeUndefined();
    expect(told(body, dateTimeOf(at)).readings[0].unit).toBeUndefined();
  });

  it('floats become exact decimals, big integers stay whole, states are numbers', () => {
    const body = structure(
      code(1, 0, 1, 7, 0),
      number('float32', Math.fround(230.1)),
      unit(0, 27),
      code(1, 0, 2, 7, 0),
      number('float64', -0.125),
      unit(3, 27),
      code(1, 0, 1, 8, 0),
      { type: 'long64-unsigned', value: 2n ** 64n - 1n },
      unit(0, 30),
      code(1, 0, 2, 8, 0),
      { type: 'long64', value: -5n },
      unit(-1, 30),
      code(0, 0, 96, 3, 10),
      { type: 'boolean', value: true },
      code(1, 0, 3, 7, 0),
      number('float32', Number.NaN),
      unit(0, 27),
    );
    const readings = told(body).readings;
    expect(readings.map((r: { value: unknown }) => r.value)).toEqual([
      230.1,
      -125,
      '18446744073709551615',
      -0.5,
      1,
      'NaN',
    ]);
    expect(messageToJson(decode(body))).toContain('"value":-125,"unit":"W"');
  });

  it('compact arrays, bit strings and dates are told too', () => {
    const body = structure(
      {
        type: 'compact-array',
        description: { type: 'structure', of: [{ type: 'octet-string' }, { type: 'unsigned' }] },
        value: [structure(code(1, 0, 1, 7, 0), number('unsigned', 9))],
      },
      { type: 'bit-string', bits: 3, value: fromHex('A0') },
      { type: 'date', value: { year: 2020, month: 2, day: 29 } },
      { type: 'time', value: { hour: 7, minute: 5, second: 9 } },
    );
    expect(told(body).readings).toEqual([
      { obis: '1-0:1.7.0', name: 'activePowerImport', value: 9 },
      { name: 'value2', value: '101', raw: '0403a0' },
      { name: 'value3', value: '2020-02-29', raw: '1a07e4021dff' },
      { name: 'value4', value: '07:05:09', raw: '1b070509ff' },
    ]);
  });

  it('devices behind the meter have their channel', () => {
    const body = structure(code(0, 2, 24, 2, 1), u32(1234567), unit(-3, 13), code(0, 2, 96, 1, 0), text('G0001'));
    const m = told(body);
    expect(m.readings[0]).toEqual({ obis: '0-2:24.2.1', name: 'gasVolume', value: 1234.567, unit: 'm3', channel: 2 });
    expect(m.meterId).toBeUndefined();
  });
});

describe('positions', () => {
  it('Wiener Netze: a clock and eight numbers', () => {
    const m = told(
      structure(clock(at, { deviation: -60, status: 0 }), ...[1, 2, 3, 4, 5, 6, 7, 8].map(u32)),
      dateTimeOf(at, { deviation: -60 }),
    );
    expect(m).toMatchObject({ list: 'WienerNetze', flags: [], time: '2020-01-25T12:00:10Z' });
    expect(m.readings.map((r: { obis: string }) => r.obis).slice(1)).toEqual([
      '1-0:1.8.0',
      '1-0:2.8.0',
      '1-0:3.8.0',
      '1-0:4.8.0',
      '1-0:1.7.0',
      '1-0:2.7.0',
      '1-0:3.7.0',
      '1-0:4.7.0',
    ]);
  });
});

describe('clocks', () => {
  const list1 = (dateTime: DlmsDateTime) => encodeDataNotification(structure(u32(1)), { dateTime, form: 'tagged' });
  const times = (walls: [wall: number, status?: number][]) => {
    const decoder = createPushDecoder();
    return walls.map(([wall, status]) => decoder.decode(list1(dateTimeOf(wall, { status: status ?? 0 })), 0).time);
  };
  it('the repeated hour is told by order, or by the mark of the clock', () => {
    const half = Date.UTC(2023, 9, 29, 2, 30);
    const minute = 60_000;
    expect(
      times([[half - 40 * minute], [half], [half + 20 * minute], [half - 20 * minute], [half], [half + 40 * minute]]),
    ).toEqual([-160, -120, -100, -80, -60, -20].map((m) => half + m * minute));
    expect(times([[half, 0x80]])).toEqual([half - 120 * minute]);
  });
  it('a meter that marks summer time says by leaving the mark away that the hour is the second', () => {
    const two = Date.UTC(2023, 9, 29, 2);
    const hour = 3_600_000;
    const hourly = times([[two, 0x80], [two], [two + hour]]);
    expect(hourly).toEqual([two - 2 * hour, two - hour, two]);
  });
  it('spring leaves no hole', () => {
    const gap = Date.UTC(2023, 2, 26, 2, 0);
    expect(times([[gap - 1000], [gap + 3_600_000]])).toEqual([gap - 3_601_000, gap - 3_600_000]);
  });
  it('summer and winter of many years, one after the other', () => {
    const walls: [number][] = [];
    for (let year = 2015; year < 2030; year++) walls.push([Date.UTC(year, 0, 15, 12)], [Date.UTC(year, 6, 15, 12)]);
    expect(times(walls)).toEqual(walls.map(([wall], i) => wall - (i % 2 ? 7_200_000 : 3_600_000)));
  });
  it('a clock that calls itself invalid, or cannot be, is flagged', () => {
    const decoder = createPushDecoder();
    expect(decoder.decode(list1(dateTimeOf(at, { status: 1 })), 0)).toMatchObject({
      flags: ['clockInvalid'],
      time: at - 3_600_000,
    });
    expect(decoder.decode(list1(dateTimeOf(at, { status: 2 })), 0).flags).toEqual(['clockInvalid']);
    const wrong = decoder.decode(list1({ ...dateTimeOf(at), month: 13 }), 0);
    expect(wrong).toMatchObject({ flags: ['clockInvalid'], time: undefined, meterTime: undefined });
    expect(decoder.counters.learnt).toBe(2);
  });
});

describe('messages', () => {
  it('the same message has the same id, another one another', () => {
    const body = kaifa('MA304H4');
    const a = decode(body, dateTimeOf(at));
    expect(a.id).toMatch(/^[0-9a-f]{32}$/);
    expect(decode(body, dateTimeOf(at)).id).toBe(a.id);
    expect(decode(body, dateTimeOf(at + 1000)).id).not.toBe(a.id);
  });
  it('messages without a clock are told apart by sequence, on a live port by time of receipt', () => {
    const apdu = encodeDataNotification(array(structure(code(1, 0, 1, 7, 0), u32(280), unit(0, 27))));
    const file = createPushDecoder();
    expect(file.decode(apdu, 5).id).not.toBe(file.decode(apdu, 5).id);
    expect(createPushDecoder().decode(apdu, 5).id).toBe(createPushDecoder().decode(apdu, 6).id);
    expect(createPushDecoder({ live: true }).decode(apdu, 5).id).not.toBe(
      createPushDecoder({ live: true }).decode(apdu, 6).id,
    );
  });
  it('a plain copy has what the getters give', () => {
    const m = decode(kaifa('MA304H4', clock(at - 10_000)), dateTimeOf(at));
    const copy = plainMessage(m);
    expect(messageToJson(copy)).toBe(messageToJson(m));
    expect(Object.hasOwn(copy, 'id') && Object.hasOwn(copy, 'meterTime') && Object.hasOwn(copy, 'times')).toBe(true);
  });
  it('flags are added once', () => {
    const m = decode(kaifa('MA304H4'), dateTimeOf(at));
    m.addFlag('clockWrong');
    m.addFlag('clockWrong');
    expect(m.flags).toEqual(['clockWrong']);
    expect(decode(kaifa('MA304H4'), dateTimeOf(at)).flags).toEqual([]);
  });
  it('makers are known by their letters', () => {
    expect(makerOf(fromHex('4C475A677370B177'))).toBe('Landis+Gyr');
    expect(makerOf('KFM1200200234804')).toBe('Kaifa');
    expect(makerOf('???')).toBeUndefined();
  });
});

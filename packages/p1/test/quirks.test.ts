/** What real meters and lines do to a P1 reader, each by its number among the quirks that the project collects. */
import { type Message, messageToJson, type Value } from '@amiable/model';
import { messageFromJson } from '@amiable/model/schemas';
import { describe, expect, test } from 'vitest';
import { addParity, MAX_TELEGRAM } from '../src/index.ts';
import { bytesOf, join, telegram, V5 } from './build.ts';
import { listen } from './cases.ts';

const only = (bytes: Uint8Array, options = {}): Message => {
  const { messages } = listen(bytes, options);
  expect(messages).toHaveLength(1);
  return messages[0] as Message;
};

interface Reading {
  value: Value;
  time?: number | undefined;
  [field: string]: unknown;
}

/** Readings by address, in order. */
function at(m: Message, address: string): Reading[] {
  return m.items.flatMap((item, i) => {
    if (item.address !== address) return [];
    const time = m.times?.[i];
    return [{ ...item, value: m.values[i] as Value, ...(time === undefined ? {} : { time }) }];
  });
}
const iso = (ms: number | undefined): string | undefined => (ms === undefined ? undefined : new Date(ms).toISOString());
const GAS = ['0-1:24.1.0(003)', '0-1:96.1.0(4730303339303031363533303035323139)'];

describe('quirk 2: cut telegrams', () => {
  const whole = telegram([...V5, '1-0:1.8.1(000001.000*kWh)']);
  test('a telegram cut mid-line, a new one on the next line', () => {
    const { messages, drops } = listen(join(whole.subarray(0, 60), bytesOf('\r\n'), whole));
    expect(messages).toHaveLength(1);
    expect(drops).toMatchObject([{ reason: 'truncated', offset: 0, length: 62 }]);
  });
  test('a telegram cut at any octet, the new one right behind it, in pieces of any size', () => {
    for (let cut = 1; cut < whole.length - 6; cut++)
      for (const piece of cut % 8 === 1 ? [whole.length * 2, 3] : [whole.length * 2]) {
        const { messages, drops } = listen(join(whole.subarray(0, cut), whole), {}, piece);
        expect(messages.map((m) => m.meterTime)).toEqual(['2022-05-28T15:17:29S']);
        expect(drops).toHaveLength(1);
        expect(drops[0]).toMatchObject({ offset: 0, length: cut });
      }
  });
  test('joining in the middle of a telegram', () => {
    const { messages, drops } = listen(join(whole.subarray(30), whole, whole));
    expect(messages).toHaveLength(2);
    expect(drops).toMatchObject([{ reason: 'noise' }]);
  });
  test('a flipped octet dies at the check sum, wherever it is', () => {
    for (let i = 0; i < whole.length - 2; i++) {
      const odd = whole.slice();
      odd[i] = (odd[i] as number) ^ 0x01;
      const { messages } = listen(odd);
      // Digits of the check sum may be lower-case letters as well; nothing else is read.
      expect(messages).toEqual([]);
    }
  });
  test('a beginning that never ends is given up after the longest telegram', () => {
    const endless = bytesOf(`/ISK5\\2\r\n${'1-0:1.8.0(1*Wh)\r\n'.repeat(3000)}`);
    const { messages, drops } = listen(join(endless, whole));
    expect(messages).toHaveLength(1);
    expect(drops[0]).toMatchObject({ reason: 'length' });
    expect(drops[0]?.length).toBeLessThanOrEqual(MAX_TELEGRAM);
  });
});

describe('quirk 3: parity', () => {
  const old = telegram(['0-0:96.1.1(5A424556303035313036383434393132)', '1-0:1.8.1(16719.940*kWh)'], {
    crc: '',
    header: '/ISk5\\2MT382-1003',
  });
  test('a 7E1 line read as 8N1', () => {
    for (const piece of [1000, 1]) {
      const { messages, drops } = listen(join(addParity(old), addParity(old)), {}, piece);
      expect(messages.map((m) => m.meterId)).toEqual(['ZBEV005106844912', 'ZBEV005106844912']);
      expect(messages[0]?.flags).toEqual(['crcMissing']);
      expect(drops).toEqual([]);
    }
    expect(at(only(addParity(old)), '1-0:1.8.1')).toMatchObject([{ value: 16719940, scaler: 0, unit: 'Wh' }]);
  });
  test('and with a check sum', () => {
    expect(only(addParity(telegram(V5))).flags).toEqual([]);
  });
  test('a flipped bit there is refused by its parity, for no check sum would', () => {
    const odd = addParity(old);
    odd[62] = (odd[62] as number) ^ 0x01;
    const { messages, drops } = listen(odd);
    expect(messages).toEqual([]);
    expect(drops).toMatchObject([{ reason: 'parity' }]);
  });
});

describe('quirk 8: clocks', () => {
  test('Belgian unpaired gas, without unit', () => {
    const m = only(telegram([...V5, '0-1:24.1.0(003)', '0-1:24.2.3(632525252525W)(00000.000)']));
    expect(at(m, '0-1:24.2.3')).toEqual([]);
    expect(at(m, '0-1:24.1.0')).toMatchObject([{ value: 3, channel: 1 }]);
  });
  test('never measured, but with a unit: the value is there, as missing', () => {
    const m = only(telegram([...V5, '0-1:24.2.3(632525252525W)(00000.000*m3)']));
    const i = m.items.findIndex((item) => item.name === 'gasVolumeUncorrected');
    expect(m.values[i]).toBe(0);
    expect(m.qualities?.[i]).toBe('missing');
    expect(m.times).toBeUndefined();
  });
  test('a clock at 2000-01-01 and one months off are flagged on a live port', () => {
    const now = Date.UTC(2022, 4, 28, 13, 17, 29);
    const say = (stamp: string) =>
      only(telegram(['1-3:0.2.8(50)', `0-0:1.0.0(${stamp})`]), { live: true, now: () => now }).flags;
    expect(say('000101010000W')).toEqual(['clockWrong']);
    expect(say('220128151729W')).toEqual(['clockWrong']);
    expect(say('220528151729S')).toEqual([]);
  });
  test('an impossible time of the meter is no time', () => {
    const m = only(telegram(['1-3:0.2.8(50)', '0-0:1.0.0(123412341234W)']));
    expect(m.flags).toEqual(['clockInvalid']);
    expect(m.time).toBeUndefined();
    expect(m.meterTime).toBeUndefined();
    expect(at(m, '0-0:1.0.0')).toMatchObject([{ value: '123412341234W' }]);
  });
});

describe('quirk 9: summer time and midnight', () => {
  const time = (stamp: string, zone?: string) =>
    iso(only(telegram(['1-3:0.2.8(50)', `0-0:1.0.0(${stamp})`]), zone ? { zone } : {}).time);
  test('both hours of autumn', () => {
    expect(time('261025023000S')).toBe('2026-10-25T00:30:00.000Z');
    expect(time('261025023000W')).toBe('2026-10-25T01:30:00.000Z');
  });
  test('spring, midnight, the last second of the year', () => {
    expect(time('260329015959W')).toBe('2026-03-29T00:59:59.000Z');
    expect(time('260329030000S')).toBe('2026-03-29T01:00:00.000Z');
    expect(time('261231235959W')).toBe('2026-12-31T22:59:59.000Z');
    expect(time('270101000000W')).toBe('2026-12-31T23:00:00.000Z');
  });
  test('a meter that stays in winter time all year', () => {
    expect(time('260701120000W')).toBe('2026-07-01T11:00:00.000Z');
  });
  test('other zones', () => {
    expect(time('260701120000S', 'Europe/Dublin')).toBe('2026-07-01T11:00:00.000Z');
    expect(time('260701120000S', 'Europe/Vilnius')).toBe('2026-07-01T09:00:00.000Z');
    expect(time('260101120000W', 'Europe/Vilnius')).toBe('2026-01-01T10:00:00.000Z');
    expect(time('260701120000S', 'UTC')).toBe('2026-07-01T11:00:00.000Z');
  });
  test('the repeated hour without a mark (DSMR 2): in order, and by the receiver on a live port', () => {
    const gas = (stamp: string, value: string) =>
      telegram(['1-0:1.8.1(00001.000*kWh)', `0-1:24.3.0(${stamp})(00)(60)(1)(0-1:24.2.1)(m3)`, `(${value})`], {
        crc: '',
      });
    const stamps = ['261025010000', '261025020000', '261025030000'];
    const { messages } = listen(join(...stamps.map((s, i) => gas(s, `0000${i}.000`))));
    expect(messages.map((m) => iso(at(m, '0-1:24.3.0')[0]?.time))).toEqual([
      '2026-10-24T23:00:00.000Z',
      '2026-10-25T00:00:00.000Z',
      '2026-10-25T02:00:00.000Z',
    ]);
    const live = (now: number) =>
      iso(at(only(gas('261025020000', '00001.000'), { live: true, now: () => now }), '0-1:24.3.0')[0]?.time);
    expect(live(Date.UTC(2026, 9, 25, 0, 10))).toBe('2026-10-25T00:00:00.000Z');
    expect(live(Date.UTC(2026, 9, 25, 1, 10))).toBe('2026-10-25T01:00:00.000Z');
  });
});

describe('quirk 10: telegrams', () => {
  test('DSMR 2 without check sum', () => {
    expect(only(telegram(['1-0:1.8.1(00001.000*kWh)'], { crc: '' })).flags).toEqual(['crcMissing']);
  });
  test('DSMR 2 without "!": the next telegram ends it, or the silence', () => {
    const open = bytesOf('/ISk5\\2MT382-1003\r\n\r\n0-0:96.1.1(5A424556)\r\n1-0:1.8.1(16719.940*kWh)\r\n');
    for (const piece of [1000, 1]) {
      const { messages, drops } = listen(join(open, open, open), {}, piece);
      expect(messages.map((m) => m.flags)).toEqual([['crcMissing'], ['crcMissing'], ['crcMissing']]);
      expect(drops).toEqual([]);
    }
    // A telegram that has a clock or a version has an end.
    const cut = listen(bytesOf('/ISK5\\2M\r\n\r\n1-3:0.2.8(50)\r\n1-0:1.8.1(16719.940*kWh)\r\n'));
    expect(cut.messages).toEqual([]);
    expect(cut.drops).toMatchObject([{ reason: 'truncated' }]);
  });
  test('a check sum that lost its leading zero, and one in small letters', () => {
    for (let n = 0, seen = 0; seen < 2; n++) {
      const good = telegram([...V5, `1-0:1.8.1(${String(n).padStart(6, '0')}.000*kWh)`]);
      const text = Buffer.from(good).toString('latin1');
      if (!/!0[0-9A-F]{3}\r\n$/.test(text)) continue;
      seen++;
      expect(only(bytesOf(text.replace('!0', '!'))).flags).toEqual([]);
      expect(only(bytesOf(text.replace(/!.*/, (end) => end.toLowerCase()))).flags).toEqual([]);
    }
  });
  test('a check sum is missed where the port has had one', () => {
    const lost = telegram(V5, { crc: '' });
    expect(listen(lost).messages).toHaveLength(1);
    const { messages, drops } = listen(join(telegram(V5), lost));
    expect(messages).toHaveLength(1);
    expect(drops).toMatchObject([{ reason: 'crc' }]);
  });
  test('small and mixed units', () => {
    const m = only(
      telegram([
        ...V5,
        '1-0:1.8.0(000001.500*kwh)',
        '1-0:3.8.0(00000518.309*kVArh)',
        '1-0:32.7.0(230.1*v)',
        '0-1:24.2.1(220528150000S)(00001.290*M3)',
        '0-2:24.2.1(220528150000S)(12.345*gj)',
      ]),
    );
    expect(at(m, '1-0:1.8.0')).toMatchObject([{ value: 1500, scaler: 0, unit: 'Wh' }]);
    expect(at(m, '1-0:3.8.0')).toMatchObject([{ value: 518309, scaler: 0, unit: 'varh' }]);
    expect(at(m, '1-0:32.7.0')).toMatchObject([{ value: 2301, scaler: -1, unit: 'V' }]);
    expect(at(m, '0-1:24.2.1')).toMatchObject([{ value: 1290, scaler: -3, unit: 'm3' }]);
    expect(at(m, '0-2:24.2.1')).toMatchObject([{ value: 12345, scaler: 6, unit: 'J', name: 'heatEnergy' }]);
  });
  test('the gas value on a continuation line, and on the same one', () => {
    for (const between of ['\r\n', '']) {
      const m = only(
        telegram(
          [
            '1-0:1.8.1(00001.000*kWh)',
            '0-2:24.1.0(3)',
            '0-2:96.1.0(3238303131303038333036343239303133)',
            `0-2:24.3.0(211122210000)(00)(60)(1)(0-2:24.2.1)(m3)${between}(13368.864)`,
            '0-2:24.4.0(1)',
          ],
          { crc: '' },
        ),
      );
      expect(at(m, '0-2:24.3.0')).toMatchObject([
        {
          obis: '0-2:24.3.0',
          name: 'gasVolume',
          value: 13368864,
          scaler: -3,
          unit: 'm3',
          channel: 2,
          deviceId: '28011008306429013',
        },
        {
          obis: '0-2:24.2.1',
          name: 'gasVolume',
          value: 13368864,
          scaler: -3,
          unit: 'm3',
          channel: 2,
          deviceId: '28011008306429013',
        },
      ]);
      expect(iso(at(m, '0-2:24.3.0')[1]?.time)).toBe('2021-11-22T20:00:00.000Z');
    }
  });
  test('a text message of 2,048 characters', () => {
    const text = 'Stroomonderbreking op 3 juni! '.repeat(69).slice(0, 2048);
    const digits = Buffer.from(text).toString('hex').toUpperCase();
    for (const piece of [10_000, 100]) {
      const { messages } = listen(join(telegram([...V5, `0-0:96.13.0(${digits})`]), telegram(V5)), {}, piece);
      expect(messages).toHaveLength(2);
      expect(at(messages[0] as Message, '0-0:96.13.0')).toMatchObject([{ name: 'textMessage', value: text }]);
    }
  });
  test('texts: UTF-8, Latin-1, empty, sent as they are', () => {
    const say = (sent: string) => at(only(telegram([...V5, `0-0:96.13.0(${sent})`])), '0-0:96.13.0')[0]?.value;
    expect(say('436166C3A9')).toBe('Café');
    expect(say('436166E9')).toBe('Café');
    expect(say('')).toBe('');
    expect(say('Zie de website!')).toBe('Zie de website!');
    expect(say('see http://example/abc5')).toBe('see http://example/abc5');
  });
  test('a read-out of IEC 62056-21 is none, noise is none; a control character in the identification is one', () => {
    expect(listen(bytesOf('/ESY5Q3DA1004 V3.04\r\n\r\n\x021-0:1.8.0(1.0*kWh)\r\n!\r\n\x03')).messages).toEqual([]);
    expect(listen(Uint8Array.from({ length: 3000 }, (_, i) => (i * 97 + (i >> 3)) & 0x7f)).messages).toEqual([]);
    expect(only(telegram(V5, { header: '/ISk5\x02MT382-1000' })).meterType).toBe('MT382-1000');
  });
  test('nested and odd brackets, an address that is no code, lines that are no data', () => {
    const { messages, drops } = listen(
      telegram([
        ...V5,
        '1-0:0.2.0((ER11))',
        '1-1:0.2.8(ER13))',
        '1-0:72:32.0(00000)',
        '***NO CARIER***',
        '1-0:31.7.0.255(001*A)',
        '1-0:99.9.9(0',
      ]),
    );
    const m = messages[0] as Message;
    expect(at(m, '1-0:0.2.0')).toMatchObject([{ value: 'ER11' }]);
    expect(at(m, '1-1:0.2.8')).toMatchObject([{ value: 'ER13' }]);
    expect(at(m, '1-0:72:32.0')).toEqual([{ address: '1-0:72:32.0', name: 'unknown', scaler: 0, value: 0 }]);
    expect(at(m, '1-0:31.7.0.255')).toMatchObject([{ obis: '1-0:31.7.0', name: 'currentL1', value: 1 }]);
    expect(drops.map((d) => d.reason)).toEqual(['line', 'line']);
  });
  test('a unit that nobody knows stays text; more digits than a number holds stay exact', () => {
    const m = only(telegram([...V5, '1-0:1.8.0(123*furlong)', '1-0:2.8.0(123456789012345.678*kWh)']));
    expect(at(m, '1-0:1.8.0')).toMatchObject([{ value: '123*furlong' }]);
    expect(at(m, '1-0:2.8.0')).toMatchObject([{ value: 123456789012345678n, scaler: 0 }]);
  });
});

describe('quirk 11: Belgium, Luxembourg, Estonia', () => {
  const belgium = telegram(
    [
      '0-0:96.1.4(50217)',
      '0-0:96.1.1(3153414733313031303231363035)',
      '0-0:96.1.2(353431343430303132333435363738393030)',
      '0-0:1.0.0(200512135409S)',
      '1-0:1.4.0(02.351*kW)',
      '1-0:1.6.0(200509134558S)(02.589*kW)',
      '0-0:98.1.0(3)(1-0:1.6.0)(1-0:1.6.0)(200501000000S)(200423192538S)(03.695*kW)(200401000000S)(200305122139S)(05.980*kW)(200301000000S)(200210035421W)(04.318*kW)',
      '0-0:96.3.10(1)',
      '0-0:17.0.0(999.9*kW)',
      '1-0:31.4.0(999*A)',
      '0-1:24.1.0(003)',
      '0-1:96.1.1(37464C4F32313139303333373333)',
      '0-1:24.4.0(1)',
      '0-1:24.2.3(200512134558S)(00112.384*m3)',
      '0-2:24.1.0(007)',
      '0-2:96.1.1(3853414731323334353637383930)',
      '0-2:24.2.1(200512134558S)(00872.234*m3)',
      '0-3:24.1.0(003)',
      '0-3:96.1.1(37464C4F32313131313131313131)',
      '0-3:24.2.3(180101000000W)(00001.000*m3)',
    ],
    { header: '/FLU5\\253769484_A' },
  );
  const m = only(belgium);
  test('gas is 24.2.3 and its number 96.1.1; water beside it; a stale channel keeps its own time', () => {
    expect(at(m, '0-1:24.2.3')).toMatchObject([
      {
        name: 'gasVolumeUncorrected',
        channel: 1,
        deviceId: '7FLO2119033733',
        value: 112384,
        scaler: -3,
        unit: 'm3',
        time: Date.UTC(2020, 4, 12, 11, 45, 58),
      },
    ]);
    expect(at(m, '0-2:24.2.1')).toMatchObject([
      { name: 'waterVolume', channel: 2, deviceId: '8SAG1234567890', value: 872234 },
    ]);
    expect(at(m, '0-3:24.2.3')).toMatchObject([
      { channel: 3, deviceId: '7FLO2111111111', time: Date.UTC(2017, 11, 31, 23) },
    ]);
    expect(at(m, '0-1:24.4.0')).toMatchObject([
      { name: 'valveState', value: 1, channel: 1, deviceId: '7FLO2119033733' },
    ]);
  });
  test('peaks with day and time, and the list of months', () => {
    expect(at(m, '1-0:1.4.0')).toMatchObject([{ name: 'activePowerImportAverage', value: 2351, unit: 'W' }]);
    expect(at(m, '1-0:1.6.0')).toMatchObject([
      { name: 'activePowerImportMaximum', value: 2589, time: Date.UTC(2020, 4, 9, 11, 45, 58) },
    ]);
    expect(at(m, '0-0:98.1.0').map(({ value, unit, time }) => [value, unit, iso(time)])).toEqual([
      [3695, 'W', '2020-04-23T17:25:38.000Z'],
      [5980, 'W', '2020-03-05T10:21:39.000Z'],
      [4318, 'W', '2020-02-10T02:54:21.000Z'],
    ]);
  });
  test('breaker, limiter, fuse, numbers, version', () => {
    expect(at(m, '0-0:96.3.10')).toMatchObject([{ name: 'breakerState', value: 1 }]);
    expect(at(m, '0-0:17.0.0')).toMatchObject([{ name: 'powerLimit', value: 9999, scaler: 2, unit: 'W' }]);
    expect(at(m, '1-0:31.4.0')).toMatchObject([{ name: 'currentLimit', value: 999, unit: 'A' }]);
    expect(at(m, '0-0:96.1.2')).toMatchObject([{ name: 'meteringPointId', value: '541440012345678900' }]);
    expect(m).toMatchObject({
      meterId: '1SAG3101021605',
      list: 'e-MUCS-P1 1.7',
      meterType: '53769484_A',
      protocol: 'p1',
    });
  });
  test('the device type decides the name, wherever in the telegram it stands', () => {
    const name = (type: string, value: string) =>
      at(only(telegram([...V5, `0-1:24.2.1(200512134558S)(${value})`, `0-1:24.1.0(${type})`])), '0-1:24.2.1')[0]?.name;
    expect(name('003', '1.000*m3')).toBe('gasVolume');
    expect(name('007', '1.000*m3')).toBe('waterVolume');
    expect(name('006', '1.000*m3')).toBe('hotWaterVolume');
    expect(name('004', '1.000*GJ')).toBe('heatEnergy');
    expect(name('012', '1.000*GJ')).toBe('heatEnergy');
    expect(name('010', '1.000*GJ')).toBe('coolingEnergy');
    expect(name('002', '1.000*kWh')).toBe('subMeterEnergy');
    expect(name('303', '1.000*m3')).toBe('gasVolume');
  });
  test('Estonia and Luxembourg: whole Wh and W, a limit in both directions', () => {
    const e = only(
      telegram([
        ...V5,
        '1-0:1.8.0(000201282*Wh)',
        '1-0:1.7.0(000003996*W)',
        '1-0:3.7.0(000000221*var)',
        '1-1:31.4.0(100*A)(-063*A)',
      ]),
    );
    expect(at(e, '1-0:1.8.0')).toMatchObject([{ value: 201282, scaler: 0, unit: 'Wh' }]);
    expect(at(e, '1-0:1.7.0')).toMatchObject([{ value: 3996, scaler: 0, unit: 'W' }]);
    expect(at(e, '1-0:3.7.0')).toMatchObject([{ value: 221, unit: 'var' }]);
    expect(at(e, '1-1:31.4.0')).toMatchObject([
      { value: 100, name: 'currentLimit' },
      { value: -63, name: 'currentLimitExport' },
    ]);
  });
  test('power failures: one reading per entry with its time', () => {
    const p = only(
      telegram([
        ...V5,
        '0-0:96.7.21(00005)',
        '1-0:99.97.0(2)(0-0:96.7.19)(180417201458S)(0000000236*s)(220525094346S)(0000002936*s)',
      ]),
    );
    expect(
      at(p, '1-0:99.97.0').map(({ obis, name, value, unit, time }) => [obis, name, value, unit, iso(time)]),
    ).toEqual([
      ['1-0:99.97.0', 'powerFailureLog', 236, 's', '2018-04-17T18:14:58.000Z'],
      ['1-0:99.97.0', 'powerFailureLog', 2936, 's', '2022-05-25T07:43:46.000Z'],
    ]);
    expect(at(p, '0-0:96.7.21')).toMatchObject([{ value: 5, unit: '1' }]);
    expect(at(only(telegram([...V5, '1-0:99.97.0(0)(0-0:96.7.19)'])), '1-0:99.97.0')).toEqual([]);
    expect(at(only(telegram([...V5, '1-0:99.97.0()'])), '1-0:99.97.0')).toEqual([]);
  });
});

describe('quirk 12: old telegrams wait in the buffer', () => {
  test('all of them come out, in order, each with its own time', () => {
    const all = Array.from({ length: 50 }, (_, i) =>
      telegram(['1-3:0.2.8(50)', `0-0:1.0.0(2205281517${String(i).padStart(2, '0')}S)`]),
    );
    const { messages } = listen(join(...all));
    expect(messages.map((m) => m.time)).toEqual(all.map((_, i) => Date.UTC(2022, 4, 28, 13, 17, i)));
  });
});

describe('whose telegram it is', () => {
  test('one without number inherits that of the port', () => {
    const swedish = telegram(['0-0:1.0.0(210222161900W)', '1-0:1.8.0(00000896.020*kWh)'], { header: '/LGF5E360' });
    expect(only(swedish)).toMatchObject({ maker: 'Landis+Gyr', meterType: 'E360', flags: [] });
    expect(only(swedish).meterId).toBeUndefined();
    expect(only(swedish, { knownMeter: '735999' })).toMatchObject({ meterId: '735999', flags: ['meterIdInherited'] });
  });
  test('numbers: hexadecimal of text, text, nothing but NUL', () => {
    const id = (sent: string) => only(telegram(['1-3:0.2.8(50)', `0-0:96.1.1(${sent})`])).meterId;
    expect(id('4530303034303031353931303932323134')).toBe('E0004001591092214');
    expect(id('204B413655303031363630323937393132')).toBe('KA6U001660297912');
    expect(id('09610')).toBe('09610');
    expect(id('73407340')).toBe('73407340');
    expect(id('0000000000')).toBeUndefined();
    expect(id('')).toBeUndefined();
  });
  test('the message is of the canonical form, and comes back from its JSON', () => {
    const m = only(
      telegram([
        ...V5,
        ...GAS,
        '0-1:24.2.1(220528150000S)(05359.919*m3)',
        '1-0:1.7.0(00.498*kW)',
        '1-0:32.7.0(230.0*V)',
        '0-0:96.14.0(0002)',
      ]),
    );
    const json = JSON.parse(messageToJson(m));
    expect(messageToJson(m)).toContain('"value":230.0');
    expect(json).toMatchObject({
      v: 1,
      protocol: 'p1',
      maker: 'Iskraemeco',
      list: 'DSMR 5.0',
      meterId: 'E0044007131650618',
      meterType: 'M550T-1012',
      time: '2022-05-28T13:17:29Z',
      meterTime: '2022-05-28T15:17:29S',
      flags: [],
    });
    expect(json.readings.find((r: { name: string }) => r.name === 'gasVolume')).toEqual({
      obis: '0-1:24.2.1',
      address: '0-1:24.2.1',
      name: 'gasVolume',
      value: 5359.919,
      unit: 'm3',
      channel: 1,
      deviceId: 'G0039001653005219',
      time: '2022-05-28T13:00:00Z',
    });
    expect(json.readings.find((r: { name: string }) => r.name === 'tariff')).toEqual({
      obis: '0-0:96.14.0',
      address: '0-0:96.14.0',
      name: 'tariff',
      value: 2,
    });
    expect(messageFromJson(json)).toMatchObject({ meterId: m.meterId, time: m.time });
  });
  test('the same telegram has the same id on the same port, however it was cut', () => {
    const bytes = telegram(V5);
    const ids = [1, 10, 100, 1000].map((piece) => listen(bytes, {}, piece).messages[0]?.id);
    expect(new Set(ids).size).toBe(1);
    expect(listen(bytes, { port: 'other' }).messages[0]?.id).not.toBe(ids[0]);
  });
});

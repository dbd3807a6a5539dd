/** Values of attributes: read, written, checked and printed from the tables. */
import { DecodeError, fromHex, MisuseError, Writer } from '@amiable/bytes';
import { type Data, encodeData } from '@amiable/dlms';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  ASSOCIATION_LN_1,
  ASSOCIATION_LN_3,
  CLOCK_CLASS,
  checkValue,
  DATA,
  encodedData,
  INTERFACE_CLASSES,
  IPV4_SETUP,
  jsonValue,
  type PlainValue,
  PROFILE_GENERIC,
  plainValue,
  printQuantity,
  printValue,
  REGISTER,
  readPlain,
  readValue,
  SCHEDULE,
  SECURITY_SETUP_1,
  SINGLE_ACTION_SCHEDULE,
  SPECIAL_DAYS_TABLE,
  type ValueType,
  writeValue,
} from '../src/index.ts';
import { isOfType } from '../src/values/check.ts';
import { arbitraryOf, isExact } from './arbitrary.ts';

const encode = (data: Data): Uint8Array => {
  const writer = new Writer();
  encodeData(writer, data);
  return writer.finish();
};

/** Each described type once, under the name of the first table that has it. */
const ALL = new Map<ValueType, string>();
for (const table of INTERFACE_CLASSES) {
  const where = `${table.name} v${table.version}`;
  for (const { name, type } of table.attributes) if (!ALL.has(type)) ALL.set(type, `${where} ${name}`);
  for (const { name, type, returns } of table.methods) {
    if (!ALL.has(type)) ALL.set(type, `${where} ${name}`);
    if (returns && !ALL.has(returns)) ALL.set(returns, `${where} ${name} returns`);
  }
  for (const list of Object.values(table.selectors))
    for (const { name, type } of list) if (!ALL.has(type)) ALL.set(type, `${where} ${name}`);
}

describe('every type of every table', () => {
  it('takes its own values, gives them back, prints and goes through JSON', () => {
    for (const [type, name] of ALL)
      fc.assert(
        fc.property(arbitraryOf(type), (data) => {
          expect(checkValue(type, data)).toBeUndefined();
          const bytes = encode(data);
          expect(checkValue(type, bytes)).toBeUndefined();
          expect(isOfType(bytes, type)).toBe(true);
          const value = readPlain(type, bytes);
          expect(readPlain(type, data)).toEqual(value);
          expect(printValue(type, data)).toBeTypeOf('string');
          expect(() => JSON.stringify(jsonValue(value))).not.toThrow();
          if (isExact(type)) {
            expect(encode(writeValue(type, value)), name).toEqual(bytes);
            const again = readPlain(type, writeValue(type, jsonValue(value) as PlainValue));
            expect(jsonValue(again)).toEqual(jsonValue(value));
          }
        }),
        { numRuns: 4 },
      );
  });
  it('is checked alike from data and from bytes', () => {
    const types = [...ALL.keys()];
    fc.assert(
      fc.property(
        fc.constantFrom(...types),
        fc.constantFrom(...types).chain((other) => arbitraryOf(other)),
        (type, data) => {
          const bytes = encode(data);
          expect(checkValue(type, data) === undefined).toBe(isOfType(bytes, type));
          expect(() => readPlain(type, data)).not.toThrow();
          expect(() => printValue(type, data)).not.toThrow();
        },
      ),
      { numRuns: 400 },
    );
  });
  it('any bytes give a value or a DecodeError', () => {
    const types = [...ALL.keys()];
    fc.assert(
      fc.property(fc.constantFrom(...types), fc.uint8Array({ maxLength: 60 }), (type, bytes) => {
        try {
          readPlain(type, bytes);
        } catch (error) {
          expect(error).toBeInstanceOf(DecodeError);
        }
      }),
      { numRuns: 500 },
    );
  });
});

describe('real values', () => {
  it('a clock in summer time', () => {
    const bytes = fromHex('090c 07e8 07 0f 01 0c1e00ff ff88 80');
    const time = readValue(CLOCK_CLASS.types.time, bytes);
    expect(time).toEqual({
      year: 2024,
      month: 7,
      day: 15,
      weekday: 1,
      hour: 12,
      minute: 30,
      second: 0,
      deviation: -120,
      status: 0x80,
      text: '2024-07-15 12:30:00+02:00 dst',
    });
    expect(encodedData(writeValue(CLOCK_CLASS.types.time, time))).toEqual(bytes);
  });
  it('the rule of daylight saving: the last Sunday of March', () => {
    const bytes = fromHex('090c ffff 03 fe 07 020000ff 8000 ff');
    expect(printValue(CLOCK_CLASS.types.daylight_savings_begin, bytes)).toBe('*-03-last 02:00:00 sun');
    expect(encodedData(writeValue(CLOCK_CLASS.types.daylight_savings_begin, '*-03-last 02:00:00 sun'))).toEqual(bytes);
  });
  it('the object list of an association', () => {
    const bytes = fromHex(
      '01 01 0204 12 0008 11 00 0906 0000010000ff 0202' +
        '01 03 0203 0f01 1601 00 0203 0f02 1603 00 0203 0f03 1606 0102 0f01 0f02' +
        '01 02 0202 0f01 1601 0202 0f05 1602',
    );
    expect(readValue(ASSOCIATION_LN_1.types.object_list, bytes)).toEqual([
      {
        class_id: 8,
        version: 0,
        logical_name: '0-0:1.0.0',
        access_rights: {
          attribute_access: [
            { attribute_id: 1, access_mode: 'read_only', access_selectors: null },
            { attribute_id: 2, access_mode: 'read_and_write', access_selectors: null },
            { attribute_id: 3, access_mode: 'authenticated_read_and_write', access_selectors: [1, 2] },
          ],
          method_access: [
            { method_id: 1, access_mode: 'access' },
            { method_id: 5, access_mode: 'authenticated_access' },
          ],
        },
      },
    ]);
  });
  it('the same rights as bits in version 3', () => {
    const bytes = fromHex('0101 0204 120003 1100 0906 0100010800ff 0202 0101 0203 0f02 16dd 00 0101 0202 0f01 1625');
    expect(readValue(ASSOCIATION_LN_3.types.object_list, bytes)[0]?.access_rights).toEqual({
      attribute_access: [
        {
          attribute_id: 2,
          access_mode: [
            'read_access',
            'authenticated_request',
            'encrypted_request',
            'digitally_signed_request',
            'encrypted_response',
            'digitally_signed_response',
          ],
          access_selectors: null,
        },
      ],
      method_access: [{ method_id: 1, access_mode: ['access', 'authenticated_request', 'authenticated_response'] }],
    });
  });
  it('the context of an association, names as arcs or encoded', () => {
    const context = ASSOCIATION_LN_1.types.xDLMS_context_info;
    const info = readValue(context, fromHex('0206 0418 00501f 120400 120400 1106 0f00 0907 60857405080201'));
    expect(info).toMatchObject({
      conformance: [
        'priority-mgmt-supported',
        'block-transfer-with-get-or-read',
        'get',
        'set',
        'selective-access',
        'event-notification',
        'action',
      ],
      max_receive_pdu_size: 1024,
      dlms_version_number: 6,
      cyphering_info: '60857405080201',
    });
    const name = ASSOCIATION_LN_1.types.application_context_name;
    expect(readValue(name, fromHex('0907 60857405080101'))).toBe('60857405080101');
    expect(readValue(name, fromHex('0207 1102 1110 1202f4 1105 1108 1101 1101'))).toMatchObject({
      country_name_element: 756,
      context_id_element: 1,
    });
  });
  it('the columns of a load profile', () => {
    const bytes = fromHex('0102 0204 120008 0906 0000010000ff 0f02 120000 0204 120003 0906 0100010800ff 0f02 120000');
    expect(readValue(PROFILE_GENERIC.types.capture_objects, bytes)).toEqual([
      { class_id: 8, logical_name: '0-0:1.0.0', attribute_index: 2, data_index: 0 },
      { class_id: 3, logical_name: '1-0:1.8.0', attribute_index: 2, data_index: 0 },
    ]);
  });
  it('an execution time every midnight', () => {
    const bytes = fromHex('0101 0202 0904 000000ff 0905 ffffffffff');
    expect(readValue(SINGLE_ACTION_SCHEDULE.types.execution_time, bytes)).toMatchObject([
      { time: { text: '00:00:00' }, date: { text: '*-*-*' } },
    ]);
  });
  it('a special day', () => {
    const bytes = fromHex('0101 0203 120001 0905 ffff0c19ff 1102');
    const entries = readValue(SPECIAL_DAYS_TABLE.types.entries, bytes);
    expect(entries[0]).toMatchObject({ index: 1, specialday_date: { month: 12, day: 25, text: '*-12-25' }, day_id: 2 });
    const written = writeValue(SPECIAL_DAYS_TABLE.types.entries, [{ index: 1, specialday_date: '*-12-25', day_id: 2 }]);
    expect(encodedData(written)).toEqual(bytes);
  });
});

describe('registers', () => {
  const scalerUnit = { scaler: -1, unit: 30 };
  it('are printed with scaler and unit, exactly', () => {
    expect(printValue(REGISTER.types.value, fromHex('06 00003039'), { scalerUnit })).toBe('1234.5 Wh');
    expect(
      printValue(REGISTER.types.value, fromHex('15 ffffffffffffffff'), { scalerUnit: { scaler: 3, unit: 'Wh' } }),
    ).toBe('18446744073709551615000 Wh');
    expect(printQuantity(-5, { scaler: -2, unit: 'kW' })).toBe('-0.05 kW');
    expect(printQuantity(7, { scaler: 0, unit: 255 })).toBe('7');
    expect(printQuantity(7, { scaler: 0, unit: 200 })).toBe('7 unit 200');
    expect(printValue(REGISTER.types.value, fromHex('00'), { scalerUnit })).toBe('-');
  });
  it('have their unit by symbol', () => {
    const read = readValue(REGISTER.types.scaler_unit, fromHex('0202 0fff 161e'));
    expect(read).toEqual({ scaler: -1, unit: 'Wh' });
    expect(printValue(REGISTER.types.scaler_unit, fromHex('0202 0fff 161e'))).toBe('10^-1 Wh');
    expect(encodedData(writeValue(REGISTER.types.scaler_unit, { scaler: 3, unit: 'W' }))).toEqual(
      fromHex('0202 0f03 161b'),
    );
    // Siemens and seconds differ by case only.
    expect(writeValue(REGISTER.types.scaler_unit.fields.unit, 'S')).toEqual({ type: 'enum', value: 51 });
    expect(writeValue(REGISTER.types.scaler_unit.fields.unit, 's')).toEqual({ type: 'enum', value: 7 });
    expect(writeValue(REGISTER.types.scaler_unit.fields.unit, 'wh')).toEqual({ type: 'enum', value: 30 });
  });
});

describe('octets', () => {
  it('are what they are', () => {
    expect(plainValue(fromHex('0903 414243'))).toBe('ABC');
    expect(plainValue(fromHex('0906 0000010000ff'))).toBe('0-0:1.0.0');
    expect(plainValue(fromHex('090c 07e8070f010c1e00ffff8880'))).toMatchObject({
      text: '2024-07-15 12:30:00+02:00 dst',
    });
    expect(plainValue(fromHex('0902 0001'))).toEqual(Uint8Array.of(0, 1));
    expect(plainValue(fromHex('0c02 c3bc'))).toBe('ü');
    expect(plainValue(fromHex('0902 c3bc'))).toEqual(Uint8Array.of(0xc3, 0xbc));
  });
  it('text that looks like hex stays octets, so that nothing is ambiguous', () => {
    const bytes = encode({ type: 'octet-string', value: new TextEncoder().encode('0x12') });
    expect(plainValue(bytes)).toBeInstanceOf(Uint8Array);
    expect(jsonValue(plainValue(bytes))).toBe('0x30783132');
  });
});

describe('writing what people write', () => {
  it('now, names, addresses', () => {
    const now = {
      year: 2026,
      month: 11,
      day: 20,
      weekday: 5,
      hour: 8,
      minute: 0,
      second: 1,
      deviation: -60,
      status: 0,
    };
    expect(encodedData(writeValue(CLOCK_CLASS.types.time, 'now', { now }))).toEqual(
      fromHex('090c 07ea 0b 14 05 080001ff ffc4 00'),
    );
    expect(() => writeValue(CLOCK_CLASS.types.time, 'now')).toThrow(MisuseError);
    expect(writeValue(CLOCK_CLASS.types.clock_base, 'gps')).toEqual({ type: 'enum', value: 4 });
    expect(writeValue(CLOCK_CLASS.types.clock_base, '3')).toEqual({ type: 'enum', value: 3 });
    expect(writeValue(CLOCK_CLASS.types.daylight_savings_enabled, 'on')).toEqual({ type: 'boolean', value: true });
    expect(writeValue(IPV4_SETUP.types.IP_address, '192.168.1.20')).toEqual({
      type: 'double-long-unsigned',
      value: 0xc0a80114,
    });
    expect(printValue(IPV4_SETUP.types.IP_address, fromHex('06 c0a80114'))).toBe('192.168.1.20');
    expect(writeValue(SECURITY_SETUP_1.types.security_policy, 'authenticated_request, encrypted_response')).toEqual({
      type: 'enum',
      value: 0x44,
    });
  });
  it('like the value that is there', () => {
    const like: Data = { type: 'long-unsigned', value: 7 };
    expect(writeValue(DATA.types.value, '60', { like })).toEqual({ type: 'long-unsigned', value: 60 });
    expect(() => writeValue(DATA.types.value, 70000, { like })).toThrow(/0 to 65535/);
    const name: Data = { type: 'visible-string', value: new Uint8Array(3) };
    expect(writeValue(DATA.types.value, 'meter 7', { like: name })).toMatchObject({ type: 'visible-string' });
    const pair: Data = { type: 'structure', value: [like, name] };
    expect(writeValue(DATA.types.value, [1, 'a'], { like: pair })).toEqual({
      type: 'structure',
      value: [
        { type: 'long-unsigned', value: 1 },
        { type: 'visible-string', value: Uint8Array.of(97) },
      ],
    });
  });
  it('data as it is, and guesses where nothing is known', () => {
    expect(writeValue(DATA.types.value, { type: 'long64', value: 5n })).toEqual({ type: 'long64', value: 5n });
    expect(writeValue(DATA.types.value, 5)).toEqual({ type: 'double-long-unsigned', value: 5 });
    expect(writeValue(DATA.types.value, -5)).toEqual({ type: 'double-long', value: -5 });
    expect(writeValue(DATA.types.value, '0x0102')).toEqual({ type: 'octet-string', value: Uint8Array.of(1, 2) });
  });
  const refused: [type: ValueType, value: PlainValue, words: RegExp][] = [
    [REGISTER.types.scaler_unit, { scaler: 200, unit: 'Wh' }, /scaler: 200 is not a whole number from -128 to 127/],
    [REGISTER.types.scaler_unit, { scaler: 0 }, /unit is missing/],
    [REGISTER.types.scaler_unit, { scaler: 0, unit: 'Wh', of: 1 }, /no field of; there are scaler, unit/],
    [REGISTER.types.scaler_unit, { scaler: 0, unit: 'furlong' }, /unit: "furlong" is not one of/],
    [CLOCK_CLASS.types.time, 'yesterday', /"yesterday" is not a date-time, e\.g\./],
    [SPECIAL_DAYS_TABLE.types.entries, [{ index: 0, specialday_date: 'x', day_id: 1 }], /\[0\]\.specialday_date/],
    [SCHEDULE.types.entries, 'x', /not a list/],
    [
      PROFILE_GENERIC.types.sort_object,
      { class_id: 1, logical_name: 'power', attribute_index: 2, data_index: 0 },
      /OBIS/,
    ],
    [CLOCK_CLASS.types.time_zone, '', /not a number/],
    [CLOCK_CLASS.types.daylight_savings_enabled, 'perhaps', /true or false/],
  ];
  for (const [type, value, words] of refused)
    it(`${JSON.stringify(value)} is refused with ${words}`, () => {
      expect(() => writeValue(type, value)).toThrow(MisuseError);
      expect(() => writeValue(type, value)).toThrow(words);
    });
});

describe('a register as people read it', () => {
  it('takes scaler_unit as it was read, or as its value', () => {
    const value = fromHex('06000f4240');
    const type = REGISTER.types.value;
    expect(printValue(type, value, { scalerUnit: fromHex('02020f00161e') })).toBe('1000000 Wh');
    expect(printValue(type, value, { scalerUnit: fromHex('02020ffd161e') })).toBe('1000.000 Wh');
    expect(printValue(type, value, { scalerUnit: { scaler: -3, unit: 'Wh' } })).toBe('1000.000 Wh');
    // What is no scaler_unit says nothing of the value.
    for (const other of ['00', '0201 0f00', '0202 1100 1101', '0202']) {
      expect(printValue(type, value, { scalerUnit: fromHex(other) })).toBe('1000000');
    }
  });
});

describe('checking', () => {
  it('names the place', () => {
    expect(checkValue(SPECIAL_DAYS_TABLE.types.entries, fromHex('0101 0203 120001 0905 ffff0c19ff 120002'))).toBe(
      '[0].day_id: long-unsigned, not unsigned',
    );
    expect(checkValue(SPECIAL_DAYS_TABLE.types.entries, fromHex('0101 0203 120001 0904 ffff0c19 1102'))).toBe(
      '[0].specialday_date: 4 bytes, not 5',
    );
    expect(checkValue(REGISTER.types.scaler_unit, fromHex('0201 0f00'))).toBe('1 elements, not 2');
    expect(checkValue(REGISTER.types.value, fromHex('0100'))).toMatch(/simple/);
    expect(checkValue(REGISTER.types.value, fromHex('1105 00'))).toMatch(/behind/);
    expect(checkValue(REGISTER.types.value, fromHex('06 0000'))).toMatch(/needs 4 bytes/);
  });
  it('says of a choice why each alternative does not fit, and where', () => {
    const type: ValueType = {
      kind: 'structure',
      fields: {
        when: {
          kind: 'choice',
          of: [
            { kind: 'null-data' },
            { kind: 'array', of: { kind: 'number', type: 'unsigned' } },
            { kind: 'string', type: 'octet-string', as: 'bytes', size: 2 },
          ],
        },
      },
    };
    expect(checkValue(type, fromHex('0201 0102 1101 1202'))).toBe(
      'when: array, not null-data; [1]: long-unsigned, not unsigned; array, not octet-string',
    );
    expect(checkValue(type, fromHex('0201 0902 0102'))).toBeUndefined();
    expect(checkValue(type, fromHex('0201 01 05'))).toMatch(/5 elements announced, 0 bytes left/);
    // What one check said is not in the next.
    expect(checkValue(type, fromHex('0202 0000'))).toBe('2 elements, not 1');
  });
  it('a value of another type is read as what it is', () => {
    expect(readPlain(REGISTER.types.scaler_unit, fromHex('0203 0fff 161e 1105'))).toEqual({
      scaler: -1,
      unit: 'Wh',
      element3: 5,
    });
    expect(readPlain(CLOCK_CLASS.types.time, fromHex('00'))).toBeNull();
    expect(readPlain(CLOCK_CLASS.types.clock_base, fromHex('1104'))).toBe('GPS');
    expect(readPlain(CLOCK_CLASS.types.time_zone, fromHex('0a02 3630'))).toBe('60');
  });
});

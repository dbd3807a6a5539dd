/** Every table is well-formed, and the ones that meters use most say what the standard says. */
import { describe, expect, it } from 'vitest';
import {
  ASSOCIATION_LN_1,
  ASSOCIATION_SN_3,
  atShortName,
  attributeOf,
  CLOCK_CLASS,
  classNamed,
  findClass,
  INTERFACE_CLASSES,
  type InterfaceClass,
  interfaceClass,
  methodOf,
  PROFILE_GENERIC,
  REGISTER,
  selectorOf,
  type ValueOf,
  type ValueType,
  versionsOf,
} from '../src/index.ts';

const title = (table: InterfaceClass): string => `${table.id} v${table.version} ${table.name}`;

function types(table: InterfaceClass): [string, ValueType][] {
  return [
    ...table.attributes.map((a): [string, ValueType] => [a.name, a.type]),
    ...table.methods.flatMap((m): [string, ValueType][] => [
      [m.name, m.type],
      ...(m.returns ? ([[`${m.name} returns`, m.returns]] as [string, ValueType][]) : []),
    ]),
    ...Object.values(table.selectors).flatMap((list) => list.map((s): [string, ValueType] => [s.name, s.type])),
  ];
}

/** What is wrong with a type description. */
function fault(type: ValueType): string | undefined {
  switch (type.kind) {
    case 'enum': {
      const names = Object.values(type.names);
      const plain = names.map((name) => name.toLowerCase().replace(/[^a-z0-9]/g, ''));
      // Units differ by sign or case alone: °C and C, S and s.
      if (!names.includes('Wh') && new Set(plain).size !== plain.length) return `a name twice: ${names}`;
      return Object.keys(type.names).every((code) => Number(code) >= 0 && Number(code) <= 255)
        ? undefined
        : 'a code beyond 255';
    }
    case 'flags':
    case 'bit-string': {
      const names = (type.names ?? []).filter(Boolean);
      if (type.kind === 'flags' && names.length > 32) return 'more than 32 flags';
      return new Set(names).size === names.length ? undefined : 'a bit name twice';
    }
    case 'structure':
      if (Object.keys(type.fields).length === 0) return 'a structure without fields';
      if (Object.keys(type.fields).some((name) => /^\d/.test(name)))
        return 'a field name that JavaScript would reorder';
      return Object.values(type.fields).map(fault).find(Boolean);
    case 'array':
      return fault(type.of);
    case 'choice':
      return type.of.length < 2 ? 'a choice of one' : type.of.map(fault).find(Boolean);
    default:
      return undefined;
  }
}

describe('tables', () => {
  it('are the classes that are asked for, and no class and version twice', () => {
    const keys = INTERFACE_CLASSES.map(({ id, version }) => `${id}v${version}`);
    expect(new Set(keys).size).toBe(keys.length);
    const wanted = [
      ...[1, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 15, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29, 30, 40, 41, 42],
      ...[43, 44, 45, 46, 47, 48, 50, 51, 52, 53, 55, 56, 57, 58, 59, 61, 62, 63, 64, 65, 67, 68, 70, 71, 72, 73, 74],
      ...[76, 77, 80, 81, 82, 83, 84, 85, 86, 90, 91, 92, 111, 112, 113, 115],
    ];
    expect(wanted.filter((id) => !interfaceClass(id))).toEqual([]);
    expect(versionsOf(15).map((table) => table.version)).toEqual([0, 1, 2, 3]);
    expect(versionsOf(12).map((table) => table.version)).toEqual([0, 1, 2, 3, 4]);
    expect(versionsOf(40).map((table) => table.version)).toEqual([0, 1, 2, 3]);
    expect(versionsOf(64).map((table) => table.version)).toEqual([0, 1]);
  });

  for (const table of INTERFACE_CLASSES)
    it(`${title(table)} is well-formed`, () => {
      expect(table.attributes.map((a) => a.index)).toEqual(table.attributes.map((_, i) => i + 1));
      expect(table.attributes[0]?.name).toBe('logical_name');
      const names = [...table.attributes, ...table.methods].map((entry) => entry.name);
      expect(new Set(table.attributes.map((a) => a.name)).size).toBe(table.attributes.length);
      expect(new Set(table.methods.map((m) => m.name)).size).toBe(table.methods.length);
      for (const name of names) expect(name).toMatch(/^[A-Za-z0-9_/&-]+$/);
      const offsets = [...table.attributes, ...table.methods].map((entry) => entry.shortNameOffset);
      expect(new Set(offsets).size).toBe(offsets.length);
      for (const offset of offsets) expect(offset % 8).toBe(0);
      table.methods.forEach((method, i) => {
        expect(method.index).toBeGreaterThan(table.methods[i - 1]?.index ?? 0);
      });
      for (const [name, type] of types(table)) expect([name, fault(type)]).toEqual([name, undefined]);
      for (const [index, list] of Object.entries(table.selectors)) {
        expect(table.attributes[Number(index) - 1]).toBeDefined();
        expect(new Set(list.map((s) => s.selector)).size).toBe(list.length);
      }
    });

  it('names are one name for all versions of a class', () => {
    for (const table of INTERFACE_CLASSES) expect(versionsOf(table.id)[0]?.name).toBe(table.name);
  });
});

describe('short names', () => {
  // Offsets as meters with short-name referencing have them.
  const cases: [classId: number, version: number, method: string, offset: number][] = [
    [3, 0, 'reset', 0x28],
    [4, 0, 'reset', 0x38],
    [5, 0, 'next_period', 0x50],
    [6, 0, 'add_mask', 0x38],
    [7, 1, 'reset', 0x58],
    [7, 1, 'capture', 0x60],
    [8, 0, 'adjust_to_quarter', 0x60],
    [8, 0, 'shift_time', 0x88],
    [9, 0, 'execute', 0x20],
    [11, 0, 'insert', 0x10],
    [12, 1, 'reply_to_HLS_authentication', 0x58],
    [12, 3, 'read_by_logicalname', 0x30],
    [17, 0, 'connect_logical_device', 0x20],
    [18, 0, 'image_transfer_initiate', 0x40],
    [20, 0, 'activate_passive_calendar', 0x50],
    [40, 0, 'push', 0x38],
    [42, 0, 'get_nbof_mc_IP_addresses', 0x70],
    [53, 0, 'reset', 0x50],
    [64, 1, 'security_activate', 0x30],
    [70, 0, 'remote_reconnect', 0x28],
    [72, 0, 'slave_install', 0x60],
    [91, 4, 'mac_get_neighbour_table_entry', 0xe8],
    [111, 0, 'activate_account', 0x98],
    [115, 0, 'enter', 0x30],
  ];
  for (const [classId, version, method, offset] of cases)
    it(`${classId} v${version} ${method} is at 0x${offset.toString(16)}`, () => {
      const table = findClass(classId, version);
      expect(table?.exact).toBe(true);
      const found = methodOf((table as { table: InterfaceClass }).table, method);
      expect(found?.shortNameOffset).toBe(offset);
      expect(atShortName((table as { table: InterfaceClass }).table, offset)).toEqual({ method: found });
    });
  it('attributes follow every 8, and nothing is between', () => {
    expect(atShortName(REGISTER, 0x10)).toMatchObject({ attribute: { index: 3, name: 'scaler_unit' } });
    expect(atShortName(REGISTER, 0x18)).toBeUndefined();
    expect(atShortName(ASSOCIATION_SN_3, 0x20)).toMatchObject({ attribute: { name: 'user_list' } });
  });
});

describe('looking up', () => {
  it('a version that no table is for gives the nearest, and says so', () => {
    expect(findClass(3, 5)).toEqual({ table: REGISTER, exact: false });
    expect(findClass(15, 9)?.table.version).toBe(3);
    expect(findClass(40)?.table.version).toBe(3);
    expect(findClass(40)?.exact).toBe(true);
    expect(findClass(9999, 0)).toBeUndefined();
    expect(interfaceClass(7, 1)).toBe(PROFILE_GENERIC);
  });
  it('by name', () => {
    expect(classNamed('profile generic')).toBe(PROFILE_GENERIC);
    expect(classNamed('AssociationLN', 1)).toBe(ASSOCIATION_LN_1);
    expect(classNamed('no such')).toBeUndefined();
    expect(attributeOf(CLOCK_CLASS, 'time')?.index).toBe(2);
    expect(attributeOf(CLOCK_CLASS, 'Time Zone')?.index).toBe(3);
    expect(attributeOf(CLOCK_CLASS, 9)?.name).toBe('clock_base');
    expect(attributeOf(CLOCK_CLASS, 10)).toBeUndefined();
    expect(attributeOf(CLOCK_CLASS, 0)).toBeUndefined();
    expect(methodOf(ASSOCIATION_SN_3, 5)?.name).toBe('change_secret');
    expect(methodOf(ASSOCIATION_SN_3, 4)).toBeUndefined();
    expect(selectorOf(PROFILE_GENERIC, 2, 2)?.name).toBe('entry_descriptor');
  });
  it('types of values are inferred', () => {
    const unit: ValueOf<typeof REGISTER.types.scaler_unit> = { scaler: -1, unit: 'Wh' };
    const base: ValueOf<typeof CLOCK_CLASS.types.clock_base> = 'GPS';
    const zone: ValueOf<typeof CLOCK_CLASS.types.time_zone> = 60;
    expect([unit.scaler, base, zone]).toEqual([-1, 'GPS', 60]);
  });
});

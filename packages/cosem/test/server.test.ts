/** Logical devices out of lists of objects: rights, types, lists, short names. */
import { fromHex, MisuseError, Reader, toHex } from '@amiable/bytes';
import {
  type AssociationContext,
  createServerAssociation,
  type Data,
  decodeData,
  encodeApdu,
  LN_CONFORMANCE,
  type Protection,
  type ServerAssociation,
  SN_CONFORMANCE,
} from '@amiable/dlms';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  ACCESS,
  type Access,
  type AssociationDefinition,
  type CosemObject,
  createLogicalDevice,
  obisFromBytes,
  obisToBytes,
} from '../src/index.ts';

interface Meter {
  energy: number;
  secret: Uint8Array;
  threshold: Uint8Array;
}

const NONE: Protection = { authenticated: false, encrypted: false };
const ascii = (text: string): Uint8Array => Uint8Array.from(text, (c) => c.charCodeAt(0));
const hex = (bytes: Uint8Array): string => toHex(bytes);

function association(
  name: string,
  clientSap: number,
  more: Partial<AssociationDefinition<Meter>> = {},
): AssociationDefinition<Meter> {
  return { name, clientSap, applicationContexts: [1], mechanism: 0, conformance: LN_CONFORMANCE, ...more };
}

const ASSOCIATIONS = [
  association('public', 16),
  association('reader', 2, {
    mechanism: 1,
    secret: (meter) => meter.secret,
    setSecret(meter, secret) {
      meter.secret = secret;
    },
    objectVersion: 2,
  }),
  association('management', 1, { objectVersion: 3, securitySetup: '0-0:43.0.0' }),
  association('old', 3, { objectVersion: 0 }),
  association('short', 17, { applicationContexts: [2], conformance: SN_CONFORMANCE }),
];

const ENERGY: CosemObject<Meter> = {
  classId: 3,
  logicalName: '1-0:1.8.0',
  attributes: {
    2: { get: ({ meter }) => Uint8Array.of(6, 0, 0, meter.energy >> 8, meter.energy) },
    3: fromHex('02020f00161e'),
  },
  methods: {
    1: (_, { meter }) => {
      meter.energy = 0;
      return undefined;
    },
  },
};
const THRESHOLD: CosemObject<Meter> = {
  classId: 1,
  logicalName: '0-0:96.1.0',
  attributes: {
    2: {
      get: ({ meter }) => meter.threshold,
      set(value, { meter }) {
        if (value[1] === 0xff) return 250;
        meter.threshold = value.slice();
        return undefined;
      },
    },
  },
};

function device(objects: readonly CosemObject<Meter>[] = [ENERGY, THRESHOLD]) {
  return createLogicalDevice<Meter>({
    associations: ASSOCIATIONS,
    objects,
    name: () => 'AMI0000000000001',
    sapList: () => [{ sap: 1, name: 'AMI0000000000001' }],
  });
}

const meter = (): Meter => ({ energy: 0x1234, secret: ascii('12345678'), threshold: fromHex('1105') });

/** The context of an association without the protocol round it. */
function context(
  of: ReturnType<typeof device>,
  name: string,
  state: Meter = meter(),
  request: Protection = NONE,
): AssociationContext<Meter> {
  const profile = of.profiles.find((p) => p.name === name);
  if (!profile) throw new Error(name);
  return {
    meter: state,
    profile,
    clientSap: profile.clientSap,
    serverSap: 1,
    status: 2,
    applicationContext: profile.applicationContexts[0] ?? 1,
    mechanism: profile.mechanism,
    conformance: 0x1e1d,
    maxReceivePduSize: 1024,
    maxSendPduSize: 500,
    clientSystemTitle: undefined,
    request,
    security: undefined,
  };
}

const at = (classId: number, name: string, attributeId: number) => ({
  classId,
  instanceId: obisToBytes(name),
  attributeId,
});
const run = (classId: number, name: string, methodId: number) => ({ classId, instanceId: obisToBytes(name), methodId });

function plain(value: Data): unknown {
  switch (value.type) {
    case 'array':
    case 'structure':
      return value.value.map(plain);
    case 'octet-string':
      return value.value.length === 6 ? obisFromBytes(value.value) : hex(value.value);
    case 'bit-string':
      return hex(value.value);
    case 'null-data':
      return null;
    default:
      return 'value' in value ? value.value : value.type;
  }
}
function read(result: { data: Uint8Array } | { error: number }): unknown {
  if ('error' in result) return `error ${result.error}`;
  const reader = new Reader(result.data);
  const value = plain(decodeData(reader));
  expect(reader.remaining).toBe(0);
  return value;
}

describe('attributes and methods', () => {
  test('attribute 1 by itself; values fixed and of the meter', () => {
    const d = device();
    const reader = context(d, 'public');
    expect(read(d.get(at(3, '1-0:1.8.0', 1), reader))).toBe('1-0:1.8.0');
    expect(read(d.get(at(3, '1-0:1.8.0', 2), reader))).toBe(0x1234);
    expect(read(d.get(at(3, '1-0:1.8.0', 3), reader))).toEqual([0, 30]);
    expect(read(d.get(at(1, '0-0:42.0.0', 2), reader))).toBe(hex(ascii('AMI0000000000001')));
    expect(read(d.get(at(17, '0-0:41.0.0', 2), reader))).toEqual([[1, hex(ascii('AMI0000000000001'))]]);
  });

  test('what is not there', () => {
    const d = device();
    const reader = context(d, 'public');
    expect(read(d.get(at(3, '1-0:2.8.0', 2), reader))).toBe('error 4');
    expect(read(d.get(at(4, '1-0:1.8.0', 2), reader))).toBe('error 9');
    expect(read(d.get(at(3, '1-0:1.8.0', 9), reader))).toBe('error 4');
    expect(read(d.get({ ...at(3, '1-0:1.8.0', 2), access: { selector: 1, parameters: fromHex('00') } }, reader))).toBe(
      'error 13',
    );
    expect(d.action(run(3, '1-0:1.8.0', 7), undefined, reader)).toEqual({ result: 4 });
  });

  test('attribute 0 is a structure of all', () => {
    const d = device();
    expect(read(d.get(at(3, '1-0:1.8.0', 0), context(d, 'public')))).toEqual(['1-0:1.8.0', 0x1234, [0, 30]]);
  });

  test('two classes at one name, and one class twice', () => {
    const twin: CosemObject<Meter> = { classId: 4, logicalName: '1-0:1.8.0', attributes: { 2: fromHex('1107') } };
    const d = device([ENERGY, twin]);
    expect(read(d.get(at(4, '1-0:1.8.0', 2), context(d, 'public')))).toBe(7);
    expect(read(d.get(at(3, '1-0:1.8.0', 2), context(d, 'public')))).toBe(0x1234);
    expect(() => device([ENERGY, ENERGY])).toThrow(MisuseError);
    expect(() => device([{ ...ENERGY, attributes: { 1: fromHex('00') } }])).toThrow(MisuseError);
  });
});

describe('rights', () => {
  const { read: r, write: w, authenticatedRequest, encryptedRequest } = ACCESS;
  const rules: Record<string, Access> = {
    none: 'none',
    read: 'read',
    full: 'full',
    'attribute 2 alone': { attributes: { 2: r } },
    'write only': { attributes: { 2: w } },
    'read and write': { attributes: { 2: r | w }, methods: { 1: 1 } },
    authenticated: {
      attributes: { 2: r | w | authenticatedRequest },
      methods: { 1: ACCESS.invoke | encryptedRequest },
    },
    others: { attributes: { other: r }, methods: { other: ACCESS.invoke } },
    'the name alone': {},
  };
  const AUTHENTICATED: Protection = { authenticated: true, encrypted: false };
  const BOTH: Protection = { authenticated: true, encrypted: true };
  /** get 1, get 2, set 2, action 1: with a plain, an authenticated, an authenticated and encrypted request. */
  const matrix: [string, string, string, string][] = [
    ['none', '4 4 4 4', '4 4 4 4', '4 4 4 4'],
    ['read', '0 0 3 3', '0 0 3 3', '0 0 3 3'],
    ['full', '0 0 0 0', '0 0 0 0', '0 0 0 0'],
    ['attribute 2 alone', '0 0 3 3', '0 0 3 3', '0 0 3 3'],
    ['write only', '0 3 0 3', '0 3 0 3', '0 3 0 3'],
    ['read and write', '0 0 0 0', '0 0 0 0', '0 0 0 0'],
    ['authenticated', '0 3 3 3', '0 0 0 3', '0 0 0 0'],
    ['others', '0 0 3 0', '0 0 3 0', '0 0 3 0'],
    ['the name alone', '0 3 3 3', '0 3 3 3', '0 3 3 3'],
  ];
  test.each(matrix)('%s', (rule, ...wanted) => {
    const object: CosemObject<Meter> = {
      ...THRESHOLD,
      methods: { 1: () => 0 },
      rights: { public: rules[rule] as Access },
    };
    const d = device([object]);
    [NONE, AUTHENTICATED, BOTH].forEach((request, i) => {
      const asks = context(d, 'public', meter(), request);
      const code = (result: { data: Uint8Array } | { error: number }): number => ('error' in result ? result.error : 0);
      const got = [
        code(d.get(at(1, '0-0:96.1.0', 1), asks)),
        code(d.get(at(1, '0-0:96.1.0', 2), asks)),
        d.set(at(1, '0-0:96.1.0', 2), fromHex('1106'), asks),
        d.action(run(1, '0-0:96.1.0', 1), undefined, asks).result,
      ];
      expect(got.join(' ')).toBe(wanted[i]);
      // Nobody else was named, so nobody else sees it.
      expect(read(d.get(at(1, '0-0:96.1.0', 2), context(d, 'management')))).toBe('error 4');
    });
  });

  test('bits of the response are asked of the association, which must be able to', () => {
    const object: CosemObject<Meter> = {
      ...ENERGY,
      rights: { public: { attributes: { 2: r | ACCESS.authenticatedResponse | ACCESS.encryptedResponse } } },
    };
    const d = device([object]);
    const asked: Protection[] = [];
    const plainly = context(d, 'public');
    const ciphered = { ...plainly, protectAnswer: (p: Protection) => asked.push(p) > 0 };
    expect(read(d.get(at(3, '1-0:1.8.0', 2), plainly))).toBe('error 3');
    expect(read(d.get(at(3, '1-0:1.8.0', 2), ciphered))).toBe(0x1234);
    expect(asked).toEqual([{ authenticated: true, encrypted: true, signed: false }]);
  });

  test('an object that an association may not touch is not in its list', () => {
    const d = device([ENERGY, { ...THRESHOLD, rights: { management: 'full' } }]);
    const names = (who: string): unknown[] =>
      (read(d.get(at(15, '0-0:40.0.0', 2), context(d, who))) as unknown[][]).map((entry) => entry[2]);
    expect(names('public')).toEqual(['0-0:40.0.0', '0-0:40.0.1', '0-0:41.0.0', '0-0:42.0.0', '1-0:1.8.0']);
    expect(names('management')).toEqual([
      '0-0:40.0.0',
      '0-0:40.0.3',
      '0-0:41.0.0',
      '0-0:42.0.0',
      '1-0:1.8.0',
      '0-0:96.1.0',
    ]);
  });
});

describe('types of what is set', () => {
  const clock: CosemObject<Meter> = {
    classId: 8,
    logicalName: '0-0:1.0.0',
    attributes: {
      2: { get: () => fromHex('090c07ea0b14050d0000ffffc400'), set: () => 0 },
      3: { get: () => fromHex('10ffc4'), set: () => 0 },
      8: { get: () => fromHex('0301'), set: () => 0 },
    },
    rights: { public: 'full' },
  };
  const d = device([clock, { ...THRESHOLD, rights: { public: 'full' } }]);
  test.each([
    [2, '090c07ea0b14050d0000ffffc400', 0],
    [2, '090b07ea0b14050d0000ffffc4', 12],
    [2, '10ffc4', 12],
    [3, '10ffc4', 0],
    [3, '12ffc4', 12],
    [3, '10ff', 12],
    [3, '10ffc400', 12],
    [8, '0301', 0],
    [8, '1101', 12],
    [1, '0906000001000000', 3],
  ])('Clock, attribute %i, %s', (index, value, wanted) => {
    expect(d.set(at(8, '0-0:1.0.0', index), fromHex(value), context(d, 'public'))).toBe(wanted);
  });

  test('what the class leaves open is as the instance has it', () => {
    const state = meter();
    const asks = context(d, 'public', state);
    expect(d.set(at(1, '0-0:96.1.0', 2), fromHex('120005'), asks)).toBe(12);
    expect(d.set(at(1, '0-0:96.1.0', 2), fromHex('11ff'), asks)).toBe(250);
    expect(d.set(at(1, '0-0:96.1.0', 2), fromHex('1109'), asks)).toBe(0);
    expect(hex(state.threshold)).toBe('1109');
  });

  test('no bytes whatever throw', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 30 }), fc.constantFrom(2, 3, 8), (bytes, index) => {
        expect(d.set(at(8, '0-0:1.0.0', index), bytes, context(d, 'public'))).toBeTypeOf('number');
      }),
      { numRuns: 300 },
    );
  });
});

describe('association objects', () => {
  const d = device();
  test('show the current association', () => {
    const asks = context(d, 'reader');
    const attributes = [3, 4, 5, 6, 8, 9, 10, 11].map((i) => read(d.get(at(15, '0-0:40.0.0', i), asks)));
    expect(attributes).toEqual([
      [2, 1],
      '60857405080101',
      ['001e1d', 1024, 500, 6, 0, ''],
      '60857405080201',
      2,
      '0-0:0.0.0*0',
      [],
      [0, expect.anything()],
    ]);
    expect(read(d.get(at(15, '0-0:40.0.0', 7), asks))).toBe('error 3');
  });

  test('each its own version: modes as booleans, enumerations, bits; names spelt out', () => {
    const entryOf = (who: string): unknown =>
      (read(d.get(at(15, '0-0:40.0.0', 2), context(d, who))) as unknown[][]).find((e) => e[2] === '1-0:1.8.0');
    const attributes = [
      [1, 1, null],
      [2, 1, null],
      [3, 1, null],
    ];
    expect(entryOf('public')).toEqual([3, 0, '1-0:1.8.0', [attributes, [[1, 0]]]]);
    expect(entryOf('old')).toEqual([3, 0, '1-0:1.8.0', [attributes, [[1, false]]]]);
    expect(entryOf('management')).toEqual([3, 0, '1-0:1.8.0', [attributes, [[1, 0]]]]);
    expect(read(d.get(at(15, '0-0:40.0.0', 4), context(d, 'old')))).toEqual([2, 16, 756, 5, 8, 1, 1]);
    expect(read(d.get(at(15, '0-0:40.0.0', 9), context(d, 'management')))).toBe('0-0:43.0.0');
  });

  test('authenticated modes in each version', () => {
    const mode = ACCESS.read | ACCESS.authenticatedRequest;
    const object: CosemObject<Meter> = { ...ENERGY, rights: { other: { attributes: { 2: mode }, methods: { 1: 5 } } } };
    const with_ = device([object]);
    const modes = (who: string): unknown => {
      const list = read(with_.get(at(15, '0-0:40.0.0', 2), context(with_, who))) as unknown[][];
      const [, , , [attributes, methods]] = list.find((e) => e[2] === '1-0:1.8.0') as [
        0,
        0,
        0,
        [number[][], number[][]],
      ];
      return [attributes[1]?.[1], methods[0]?.[1]];
    };
    expect(modes('old')).toEqual([1, true]);
    expect(modes('public')).toEqual([4, 2]);
    expect(modes('management')).toEqual([5, 5]);
  });

  test('selectors of object_list', () => {
    const asks = context(d, 'public');
    const list = (selector: number, parameters: string): unknown =>
      read(d.get({ ...at(15, '0-0:40.0.0', 2), access: { selector, parameters: fromHex(parameters) } }, asks));
    expect(list(1, '00')).toHaveLength(6);
    expect((list(1, '00') as unknown[][])[4]).toEqual([3, 0, '1-0:1.8.0']);
    expect(list(2, '0102120003120011')).toEqual([
      [17, 0, '0-0:41.0.0'],
      [3, 0, '1-0:1.8.0'],
    ]);
    expect(list(3, `010102021200030906${hex(obisToBytes('1-0:1.8.0'))}`)).toHaveLength(1);
    expect(list(4, `02021200030906${hex(obisToBytes('1-0:1.8.0'))}`)).toEqual([[3, 0, '1-0:1.8.0', expect.anything()]]);
    expect(list(4, '1105')).toBe('error 12');
    expect(list(5, '00')).toBe('error 13');
  });

  test('the secret is changed by who may, and told to nobody', () => {
    const state = meter();
    const asks = context(d, 'reader', state);
    const value = Uint8Array.of(9, 4, ...ascii('abcd'));
    expect(d.set(at(15, '0-0:40.0.0', 7), value, asks)).toBe(0);
    expect(state.secret).toEqual(ascii('abcd'));
    expect(d.set(at(15, '0-0:40.0.0', 7), fromHex('0900'), asks)).toBe(12);
    expect(d.set(at(15, '0-0:40.0.0', 7), fromHex('1105'), asks)).toBe(12);
    expect(d.set(at(15, '0-0:40.0.0', 7), value, context(d, 'public'))).toBe(3);
    expect(d.set(at(15, '0-0:40.0.2', 7), value, context(d, 'management'))).toBe(4);
    const managed = createLogicalDevice<Meter>({
      objects: [],
      associations: ASSOCIATIONS.map((a) => (a.name === 'reader' ? { ...a, rights: { management: 'full' } } : a)),
    });
    expect(managed.set(at(15, '0-0:40.0.2', 7), value, context(managed, 'management', state))).toBe(0);
  });
});

describe('short names', () => {
  const d = device();
  const asks = context(d, 'short');
  const list = (): unknown[][] => read(d.readName(0xfa08, undefined, undefined, asks)) as unknown[][];

  test('are given out, and listed with what they stand for', () => {
    const entries = list();
    expect(entries.map((e) => [(e[0] as number) & 0xffff, e[1], e[3]])).toEqual([
      [0xfa00, 12, '0-0:40.0.0'],
      [expect.any(Number), 12, '0-0:40.0.5'],
      [0xfc00, 17, '0-0:41.0.0'],
      [0xfd00, 1, '0-0:42.0.0'],
      [expect.any(Number), 3, '1-0:1.8.0'],
      [expect.any(Number), 1, '0-0:96.1.0'],
    ]);
    for (const [name] of entries) expect((name as number) & 7).toBe(0);
  });

  test('read attributes, invoke methods, refuse what is not there', () => {
    const state = meter();
    const who = context(d, 'short', state);
    const base = (list().find((e) => e[3] === '1-0:1.8.0') as number[])[0] as number;
    expect(read(d.readName(base, undefined, undefined, who))).toBe('1-0:1.8.0');
    expect(read(d.readName(base + 8, undefined, undefined, who))).toBe(0x1234);
    expect(read(d.readName(base + 16, undefined, undefined, who))).toEqual([0, 30]);
    // Register: reset is at 0x28. Reading all is no right to invoke.
    expect(d.writeName(base + 0x28, undefined, undefined, fromHex('0f00'), who)).toBe(3);
    expect(read(d.readName(base + 4, undefined, undefined, who))).toBe('error 4');
    expect(d.writeName(base + 8, undefined, undefined, fromHex('0600000000'), who)).toBe(3);
    expect(read(d.readName(base + 8, 1, fromHex('00'), who))).toBe('error 13');
    const full = device([{ ...ENERGY, baseName: 0x1000, rights: { short: 'full' } }]);
    expect(full.writeName(0x1028, undefined, undefined, fromHex('0f00'), context(full, 'short', state))).toBe(0);
    expect(state.energy).toBe(0);
  });

  test('read_by_logicalname and access_rights_list', () => {
    const reference = (name: string, index: number): string =>
      `02031200030906${hex(obisToBytes(name))}0f${index.toString(16).padStart(2, '0')}`;
    const one = fromHex(`0101${reference('1-0:1.8.0', 2)}`);
    expect(read(d.readName(0xfa30, 0, one, asks))).toBe(0x1234);
    const two = fromHex(`0102${reference('1-0:1.8.0', 2)}${reference('1-0:9.8.0', 2)}`);
    expect(read(d.readName(0xfa30, 0, two, asks))).toEqual([0x1234, null]);
    expect(read(d.readName(0xfa30, 0, fromHex('1105'), asks))).toBe('error 12');
    expect(read(d.readName(0xfa10, undefined, undefined, asks))).toHaveLength(6);
  });

  test('names that run into each other, or are none', () => {
    const at_ = (baseName: number): CosemObject<Meter> => ({ ...ENERGY, baseName });
    expect(() => device([at_(0x1001)])).toThrow(MisuseError);
    expect(() => device([at_(0x1000), { ...THRESHOLD, baseName: 0x1010 }])).toThrow(MisuseError);
    expect(() => device([at_(0x1000), { ...THRESHOLD, baseName: 0x1030 }])).not.toThrow();
  });

  test('given out, never two the same', () => {
    fc.assert(
      fc.property(fc.array(fc.constantFrom(1, 3, 5, 7, 8, 15, 20, 22), { maxLength: 120 }), (classes) => {
        const objects = classes.map((classId, i): CosemObject<Meter> => ({ classId, logicalName: `0-1:${i}.0.0` }));
        const many = device([...objects, { ...ENERGY, baseName: 0x0400 }]);
        const names = (read(many.readName(0xfa08, undefined, undefined, context(many, 'short'))) as number[][]).map(
          (e) => (e[0] as number) & 0xffff,
        );
        expect(new Set(names).size).toBe(names.length);
      }),
      { numRuns: 20 },
    );
  });
});

test('through the protocol: an association serves it, state of each meter apart', () => {
  const d = device();
  const meters = [meter(), { ...meter(), energy: 7 }];
  const servers = meters.map((state) => {
    const server: ServerAssociation<Meter> = createServerAssociation({
      device: d,
      meter: state,
      clientSap: 16,
      serverSap: 1,
      random: (n) => new Uint8Array(n),
    });
    server.receive(
      encodeApdu({
        type: 'aarq',
        applicationContext: 1,
        userInformation: encodeApdu({
          type: 'initiate-request',
          responseAllowed: true,
          version: 6,
          conformance: LN_CONFORMANCE,
          maxPduSize: 1024,
        }),
      }),
    );
    return server;
  });
  const get = fromHex('c001c100030100010800ff0200');
  expect(servers.map((server) => hex(server.receive(get) as Uint8Array))).toEqual([
    'c401c1000600001234',
    'c401c1000600000007',
  ]);
});

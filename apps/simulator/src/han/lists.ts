/**
 * The lists that Norwegian and Swedish HAN ports push, as data: which values, in which order, as which DLMS type.
 * Sources: the guide's figures 4 to 6 (Kaifa KFM_001), and captured frames of all makers (see the tests: a real frame
 * encodes to its own bytes).
 *
 * Decides: the structure of a list and its line constants. Leaves out: values (meter.ts), when it is sent (schedule.ts).
 */
import {
  array,
  type Data,
  type DateTimeForm,
  type DlmsDateTime,
  dateTimeBytes,
  nullData,
  number,
  octets,
  structure,
  text,
} from '@amiable/dlms';
import type { HdlcAddress } from '@amiable/hdlc';

/** What a field holds. Powers and energies by direction, `u1` to `i3` by phase, `p1+` and so on by both. */
export type What =
  | 'list'
  | 'id'
  | 'type'
  | 'clock'
  | 'pad'
  | 'p+'
  | 'p-'
  | 'q+'
  | 'q-'
  | 'u1'
  | 'u2'
  | 'u3'
  | 'i1'
  | 'i2'
  | 'i3'
  | 'p1+'
  | 'p1-'
  | 'q1+'
  | 'q1-'
  | 'p2+'
  | 'p2-'
  | 'q2+'
  | 'q2-'
  | 'p3+'
  | 'p3-'
  | 'q3+'
  | 'q3-'
  | 'a+'
  | 'a-'
  | 'r+'
  | 'r-';

export type Wire = 'u32' | 'u16' | 'i16' | 'octets' | 'text' | 'clock' | 'null';

export interface Field {
  readonly what: What;
  /** A-B:C.D.E.F */
  readonly obis: readonly [number, number, number, number, number, number];
  readonly wire: Wire;
  /** Power of ten of a step on the wire, in the base unit. */
  readonly scaler: number;
}

/** On the wire a value stands alone (`bare`), after its OBIS code (`pair`), or in a structure with scaler and unit. */
export type Style = 'bare' | 'pair' | 'described';

export interface Layout {
  readonly maker: 'Kaifa' | 'Aidon' | 'Kamstrup';
  /** The list's own name; `AIDON_SE` is ours, that list names itself nowhere. */
  readonly list: string;
  readonly style: Style;
  readonly outer: 'array' | 'structure';
  readonly fields: readonly Field[];
  readonly invokeId: number;
  readonly dateTime: DateTimeForm;
  readonly destination: HdlcAddress;
  readonly source: HdlcAddress;
  readonly control: number;
  /** What the meter says of its zone: nothing, or minutes from local to UTC. */
  readonly clock: { readonly deviation?: number; readonly status?: number };
}

/** A value in its wire form: a mantissa, text, or a date-time. */
export type WireValue = number | string | DlmsDateTime | undefined;

/** DLMS unit enumeration (IEC 62056-6-2 table 4) and OBIS groups C.D of each quantity. */
const QUANTITY: Record<string, readonly [c: number, d: number, unit: number]> = {
  'p+': [1, 7, 27],
  'p-': [2, 7, 27],
  'q+': [3, 7, 29],
  'q-': [4, 7, 29],
  i1: [31, 7, 33],
  i2: [51, 7, 33],
  i3: [71, 7, 33],
  u1: [32, 7, 35],
  u2: [52, 7, 35],
  u3: [72, 7, 35],
  'p1+': [21, 7, 27],
  'p1-': [22, 7, 27],
  'q1+': [23, 7, 29],
  'q1-': [24, 7, 29],
  'p2+': [41, 7, 27],
  'p2-': [42, 7, 27],
  'q2+': [43, 7, 29],
  'q2-': [44, 7, 29],
  'p3+': [61, 7, 27],
  'p3-': [62, 7, 27],
  'q3+': [63, 7, 29],
  'q3-': [64, 7, 29],
  'a+': [1, 8, 30],
  'a-': [2, 8, 30],
  'r+': [3, 8, 32],
  'r-': [4, 8, 32],
};

const of = (channel: number, wire: Wire, scaler: number, ...whats: What[]): Field[] =>
  whats.map((what) => {
    const [c, d] = QUANTITY[what] as readonly [number, number, number];
    return { what, obis: [1, channel, c, d, 0, 255], wire, scaler };
  });
const label = (what: What, wire: Wire, obis: Field['obis']): Field => ({ what, obis, wire, scaler: 0 });
const PAD: Field = { what: 'pad', obis: [0, 0, 0, 0, 0, 0], wire: 'null', scaler: 0 };

const POWER: What[] = ['p+', 'p-', 'q+', 'q-'];
const ENERGY: What[] = ['a+', 'a-', 'r+', 'r-'];
const clock = (a: number, b: number): Field => label('clock', 'clock', [a, b, 1, 0, 0, 255]);

// ── Kaifa ────────────────────────────────────────────────────────────────────────────────────────────────────────────
const kaifaLine = {
  maker: 'Kaifa',
  list: 'KFM_001',
  outer: 'structure',
  invokeId: 0x4000_0000,
  destination: { value: 0, length: 1 },
  source: { value: 0x80, length: 2 },
  control: 0x10,
} as const;
const kaifaHead = (a: number): Field[] => [
  label('list', 'octets', [1, a, 0, 2, 129, 255]),
  label('id', 'octets', [0, 0, 96, 1, 0, 255]),
  label('type', 'octets', [0, 0, 96, 1, 7, 255]),
];
const kaifaQuality = (three: boolean): Field[] => [
  ...kaifaHead(1),
  ...of(0, 'u32', 0, ...POWER),
  ...of(0, 'u32', -3, ...((three ? ['i1', 'i2', 'i3'] : ['i1']) as What[])),
  ...of(0, 'u32', -1, ...((three ? ['u1', 'u2', 'u3'] : ['u1']) as What[])),
];
const kaifaNo = { ...kaifaLine, style: 'bare', dateTime: 'tagged', clock: { status: 0 } } as const;

export function kaifaLists(three: boolean): Record<1 | 2 | 3, Layout> {
  const two = kaifaQuality(three);
  return {
    1: { ...kaifaNo, fields: of(0, 'u32', 0, 'p+') },
    2: { ...kaifaNo, fields: two },
    3: { ...kaifaNo, fields: [...two, clock(0, 0), ...of(0, 'u32', 0, ...ENERGY)] },
  };
}

/** Sweden's KFM_001: OBIS codes before every value, no time of the APDU, a clock on standard time all year. */
export const KAIFA_SE: Layout = {
  ...kaifaLine,
  style: 'pair',
  dateTime: 'none',
  clock: { deviation: -60, status: 0 },
  fields: [...kaifaHead(0), ...kaifaQuality(true).slice(3), clock(0, 0), ...of(0, 'u32', 0, ...ENERGY)],
};

// ── Aidon ────────────────────────────────────────────────────────────────────────────────────────────────────────────
const aidonLine = {
  maker: 'Aidon',
  style: 'described',
  outer: 'array',
  invokeId: 0x4000_0000,
  dateTime: 'none',
  destination: { value: 0x20, length: 1 },
  source: { value: 0x241, length: 2 },
  control: 0x13,
} as const;
const aidonHead: Field[] = [
  label('list', 'text', [1, 1, 0, 2, 129, 255]),
  label('id', 'text', [0, 0, 96, 1, 0, 255]),
  label('type', 'text', [0, 0, 96, 1, 7, 255]),
];
// The meter runs on local time and says that it deviates from UTC by nothing: a known fault that readers live with.
const aidonNo = { ...aidonLine, list: 'AIDON_V0001', clock: { deviation: 0, status: 0 } } as const;

export function aidonLists(network: 'single' | 'it' | 'tn'): Record<1 | 2 | 3, Layout> {
  const amps: What[] = network === 'single' ? ['i1'] : network === 'it' ? ['i1', 'i3'] : ['i1', 'i2', 'i3'];
  const volts: What[] = network === 'single' ? ['u1'] : ['u1', 'u2', 'u3'];
  const two = [...aidonHead, ...of(0, 'u32', 0, ...POWER), ...of(0, 'i16', -1, ...amps), ...of(0, 'u16', -1, ...volts)];
  return {
    1: { ...aidonNo, fields: of(0, 'u32', 0, 'p+') },
    2: { ...aidonNo, fields: two },
    3: { ...aidonNo, fields: [...two, clock(0, 0), ...of(0, 'u32', 1, ...ENERGY)] },
  };
}

/** Sweden's branch recommendation on an Aidon: everything every ten seconds, no labels. */
export const AIDON_SE: Layout = {
  ...aidonLine,
  list: 'AIDON_SE',
  clock: { status: 0 },
  fields: [
    clock(0, 0),
    ...of(0, 'u32', 0, ...POWER),
    ...of(0, 'i16', -1, 'i1', 'i2', 'i3'),
    ...of(0, 'u16', -1, 'u1', 'u2', 'u3'),
    ...of(0, 'u32', 0, 'p1+', 'p1-', 'q1+', 'q1-', 'p2+', 'p2-', 'q2+', 'q2-', 'p3+', 'p3-', 'q3+', 'q3-', ...ENERGY),
  ],
};

// ── Kamstrup ─────────────────────────────────────────────────────────────────────────────────────────────────────────
const kamstrupLine = {
  maker: 'Kamstrup',
  list: 'Kamstrup_V0001',
  style: 'pair',
  outer: 'structure',
  invokeId: 0,
  dateTime: 'length',
  destination: { value: 0x15, length: 1 },
  source: { value: 0x10, length: 1 },
  control: 0x13,
  clock: { status: 0 },
} as const;

/** Lists 1 and 2 in Kamstrup's count; the second and third of the three kinds in ours. */
export function kamstrupLists(three: boolean): Record<2 | 3, Layout> {
  const amps = of(1, 'u32', -2, 'i1', 'i2', 'i3');
  const volts = of(1, 'u16', 0, 'u1', 'u2', 'u3');
  // A one-phase meter leaves the place of the other phases: null for the code, null for the value.
  const phases = (fields: Field[]): Field[] => (three ? fields : [fields[0] as Field, PAD, PAD]);
  const ten = [
    // Sent without its code.
    label('list', 'text', [1, 1, 0, 2, 129, 255]),
    label('id', 'text', [1, 1, 0, 0, 5, 255]),
    label('type', 'text', [1, 1, 96, 1, 1, 255]),
    ...of(1, 'u32', 0, ...POWER),
    ...phases(amps),
    ...phases(volts),
  ];
  return {
    2: { ...kamstrupLine, fields: ten },
    3: { ...kamstrupLine, fields: [...ten, clock(0, 1), ...of(1, 'u32', 1, ...ENERGY)] },
  };
}

// ── Encoding ─────────────────────────────────────────────────────────────────────────────────────────────────────────
function valueData(field: Field, value: WireValue): Data {
  switch (field.wire) {
    case 'u32':
      return number('double-long-unsigned', value as number);
    case 'u16':
      return number('long-unsigned', value as number);
    case 'i16':
      return number('long', value as number);
    case 'octets':
      return text(value as string, 'octet-string');
    case 'text':
      return text(value as string, 'visible-string');
    case 'clock':
      return octets(dateTimeBytes(value as DlmsDateTime));
    default:
      return nullData;
  }
}

/** The body of a list. `values` stand in the order of its fields. */
export function listBody(layout: Layout, values: readonly WireValue[]): Data {
  const out: Data[] = [];
  for (let i = 0; i < layout.fields.length; i++) {
    const field = layout.fields[i] as Field;
    const data = valueData(field, values[i]);
    const code = octets(Uint8Array.from(field.obis));
    if (layout.style === 'bare') out.push(data);
    else if (layout.style === 'pair') {
      // Kamstrup's name of the list has no code.
      if (field.what === 'list' && layout.maker === 'Kamstrup') out.push(data);
      else out.push(field.what === 'pad' ? nullData : code, data);
    } else {
      const quantity = QUANTITY[field.what];
      out.push(
        quantity
          ? structure(code, data, structure(number('integer', field.scaler), number('enum', quantity[2])))
          : structure(code, data),
      );
    }
  }
  return layout.outer === 'array' ? array(...out) : structure(...out);
}

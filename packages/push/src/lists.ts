/**
 * What each maker's list means: a table of the lists that are known, by what identifies them.
 *
 * A list is known by its own version text, or by its layout and first codes. The table gives what the bytes do not say:
 * maker, codes of values that carry none, scalers where the list has none, the time zone of its market, and quirks of its
 * clock. To add a maker, add an entry (docs/add-a-protocol.md). First match wins.
 *
 * Sources: the "OBIS list information" that Norwegian law (NVE, NEK HAN) makes every maker publish; the Swedish
 * branch recommendation; Austrian and Swiss utilities' interface descriptions; frames of real meters in vectors/han.
 */
import type { DataType } from '@amiable/dlms';
import type { Unit } from '@amiable/model';
import type { Body } from './elements.ts';

export interface ListDef {
  readonly maker?: string;
  /** Name of the list where the list does not say it. */
  readonly list?: string;
  /** IANA zone of the market: holds when neither the meter nor the user says another. */
  readonly zone?: string;
  readonly match: Match;
  /** Codes of the values that carry none, in order. */
  readonly unnamed?: readonly string[];
  /** Power of ten by base unit, where the list gives none. */
  readonly scalers?: Partial<Record<Unit, number>>;
  /** A deviation of 0 is a default that nobody set: the time is local. */
  readonly zeroDeviationIsLocal?: true;
  /** Meter types (beginnings) with three wires: their voltages are between lines. */
  readonly threeWire?: readonly string[];
}

export interface Match {
  /** Beginning of the version text (code x-x:0.2.129, or the first value without code). */
  readonly version?: string;
  readonly form?: Body['form'];
  /** Number of values, nulls included. */
  readonly count?: number;
  /** Codes of the first values; `-` is a value without code. */
  readonly first?: readonly string[];
  /** Every value has its own scaler and unit, or is no number. */
  readonly described?: boolean;
  /** Whether the notification has its own date-time. */
  readonly dated?: boolean;
  /** Types of the first values. */
  readonly types?: readonly DataType[];
}

const OSLO = 'Europe/Oslo';
const VERSION = '1-1:0.2.129';
const ID = '0-0:96.1.0';
const TYPE = '0-0:96.1.7';
const CLOCK = '0-0:1.0.0';
const POWERS = ['1-0:1.7.0', '1-0:2.7.0', '1-0:3.7.0', '1-0:4.7.0'];
const ENERGIES = ['1-0:1.8.0', '1-0:2.8.0', '1-0:3.8.0', '1-0:4.8.0'];
const CURRENTS = ['1-0:31.7.0', '1-0:51.7.0', '1-0:71.7.0'];
const VOLTAGES = ['1-0:32.7.0', '1-0:52.7.0', '1-0:72.7.0'];

/** Kaifa, KFM_001 (seed document: NVE list information of 21.03.2017). */
const kaifa = {
  maker: 'Kaifa',
  scalers: { A: -3, V: -1 },
  threeWire: ['MA304H3', 'MA304T3'],
} as const;
const kaifaHead = [VERSION, ID, TYPE, ...POWERS];

export const LISTS: readonly ListDef[] = [
  // Kaifa in Norway: no codes, known by count; list 1 is the power alone.
  {
    ...kaifa,
    list: 'KFM_001',
    zone: OSLO,
    match: { form: 'list', count: 1, first: ['-'], types: ['double-long-unsigned'], dated: true },
    unnamed: ['1-0:1.7.0'],
  },
  {
    ...kaifa,
    zone: OSLO,
    match: { version: 'KFM_', count: 9, first: ['-', '-'] },
    unnamed: [...kaifaHead, '1-0:31.7.0', '1-0:32.7.0'],
  },
  {
    ...kaifa,
    zone: OSLO,
    match: { version: 'KFM_', count: 13, first: ['-', '-'] },
    unnamed: [...kaifaHead, ...CURRENTS, ...VOLTAGES],
  },
  {
    ...kaifa,
    zone: OSLO,
    match: { version: 'KFM_', count: 14, first: ['-', '-'] },
    unnamed: [...kaifaHead, '1-0:31.7.0', '1-0:32.7.0', CLOCK, ...ENERGIES],
  },
  {
    ...kaifa,
    zone: OSLO,
    match: { version: 'KFM_', count: 18, first: ['-', '-'] },
    unnamed: [...kaifaHead, ...CURRENTS, ...VOLTAGES, CLOCK, ...ENERGIES],
  },
  // Kaifa in Sweden: the same list with codes.
  { ...kaifa, zone: 'Europe/Stockholm', match: { version: 'KFM_', first: ['1-0:0.2.129'] } },
  { ...kaifa, zone: OSLO, match: { version: 'KFM_', first: ['1-1:0.2.129'] } },

  // Aidon: codes, scalers and units; the Norwegian lists say deviation 0 on local time.
  {
    maker: 'Aidon',
    zone: OSLO,
    zeroDeviationIsLocal: true,
    threeWire: ['6525'],
    match: { version: 'AIDON_V', first: ['1-1:0.2.129'] },
  },
  {
    maker: 'Aidon',
    list: 'AIDON_V0001',
    zone: OSLO,
    zeroDeviationIsLocal: true,
    match: { form: 'list', count: 1, first: ['1-0:1.7.0'], described: true, dated: false },
  },
  {
    maker: 'Aidon',
    list: 'AIDON_SE',
    zone: 'Europe/Stockholm',
    match: { form: 'list', first: [CLOCK, '1-0:1.7.0', '1-0:2.7.0', '1-0:3.7.0'], described: true, dated: false },
  },

  // Kamstrup (Omnipower, Norway, Sweden, Denmark): channel 1, no scalers, the version has no code.
  {
    maker: 'Kamstrup',
    zone: OSLO,
    match: { version: 'Kamstrup_V', first: ['-', '1-1:0.0.5'] },
    unnamed: [VERSION],
    scalers: { A: -2, Wh: 1, varh: 1 },
  },

  // Landis+Gyr in Norway (E360, ZMF100 behind an Embriq module): Aidon's layout.
  {
    maker: 'Landis+Gyr',
    zone: OSLO,
    zeroDeviationIsLocal: true,
    match: { version: 'EMBRIQ_V', first: ['1-1:0.2.129'] },
  },
  // Landis+Gyr E450: the clock without code, then pairs in base units.
  {
    maker: 'Landis+Gyr',
    list: 'E450',
    zone: 'Europe/Zurich',
    match: {
      form: 'list',
      first: ['-', '1-0:1.8.0', '1-0:1.8.1', '1-0:1.8.2', '1-0:1.7.0'],
      described: false,
      dated: true,
    },
    unnamed: [CLOCK],
    scalers: {},
  },
  // The list describes itself (Landis+Gyr E360, E450, E570, Iskraemeco AM550; Switzerland, Denmark, Austria): the maker is
  // told by the logical device name or the system title.
  {
    list: 'described',
    zone: 'Europe/Zurich',
    match: { form: 'described' },
    scalers: {},
  },

  // Iskraemeco in Slovenia: positions only.
  {
    maker: 'Iskraemeco',
    list: 'SI-2',
    zone: 'Europe/Ljubljana',
    match: {
      form: 'list',
      count: 12,
      first: ['-', '-', '-', '-'],
      types: ['octet-string', 'octet-string', 'boolean'],
      dated: true,
    },
    unnamed: [
      '0-0:42.0.0',
      '0-0:96.1.3',
      '0-0:96.3.10',
      '0-0:96.14.0',
      '1-0:1.8.0',
      '1-0:1.8.1',
      '1-0:1.8.2',
      '1-0:2.8.0',
      '1-0:2.8.1',
      '1-0:2.8.2',
      '1-0:3.8.0',
      '1-0:4.8.0',
    ],
    scalers: {},
  },

  // Sagemcom XT211 (Czech Republic): attribute descriptors, base units.
  { maker: 'Sagemcom', list: 'XT211', zone: 'Europe/Prague', match: { form: 'attributes' }, scalers: {} },

  // Austria. Netz Niederösterreich (EVN): clock and number of the metering point without codes, values described.
  {
    list: 'EVN',
    zone: 'Europe/Vienna',
    match: {
      form: 'list',
      first: ['-', '1-0:1.8.0', '1-0:2.8.0', '1-0:1.7.0', '1-0:2.7.0'],
      described: true,
      dated: true,
    },
    unnamed: [CLOCK, ID],
  },
  // Wiener Netze (Iskraemeco AM550, Landis+Gyr E450, Siemens TD-3511): clock and eight numbers, by position.
  {
    list: 'WienerNetze',
    zone: 'Europe/Vienna',
    match: {
      form: 'list',
      count: 9,
      first: new Array(9).fill('-'),
      types: ['octet-string', ...new Array<DataType>(8).fill('double-long-unsigned')],
    },
    unnamed: [CLOCK, ...ENERGIES, ...POWERS],
  },
  // Salzburg Netz: clock, serial number, logical device name, values described.
  {
    maker: 'Kaifa',
    list: 'Salzburg',
    zone: 'Europe/Vienna',
    match: { form: 'list', first: [CLOCK, ID, '0-0:42.0.0'], described: true, dated: true },
  },
];

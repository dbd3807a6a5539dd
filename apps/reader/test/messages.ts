/** Messages as tests need them: those of the port guide's figure 2 and the thesis's figure 7.9. */
import { type Item, type Message, messageId, type Unit } from '@amiable/model';

const item = (obis: string, name: string, unit: Unit | undefined, scaler: number): Item => ({
  obis,
  name,
  scaler,
  ...(unit ? { unit } : {}),
});

const LIST_2: readonly Item[] = [
  item('1-1:0.2.129', 'listVersion', undefined, 0),
  item('0-0:96.1.0', 'meterId', undefined, 0),
  item('0-0:96.1.7', 'meterType', undefined, 0),
  item('1-0:1.7.0', 'activePowerImport', 'W', 0),
  item('1-0:2.7.0', 'activePowerExport', 'W', 0),
  item('1-0:3.7.0', 'reactivePowerImport', 'var', 0),
  item('1-0:4.7.0', 'reactivePowerExport', 'var', 0),
  item('1-0:31.7.0', 'currentL1', 'A', -3),
  item('1-0:51.7.0', 'currentL2', 'A', -3),
  item('1-0:71.7.0', 'currentL3', 'A', -3),
  item('1-0:32.7.0', 'voltageL1', 'V', -1),
  item('1-0:52.7.0', 'voltageL2', 'V', -1),
  item('1-0:72.7.0', 'voltageL3', 'V', -1),
];
const LIST_3: readonly Item[] = [
  ...LIST_2,
  item('0-0:1.0.0', 'clock', undefined, 0),
  item('1-0:1.8.0', 'activeEnergyImport', 'Wh', 0),
  item('1-0:2.8.0', 'activeEnergyExport', 'Wh', 0),
  item('1-0:3.8.0', 'reactiveEnergyImport', 'varh', 0),
  item('1-0:4.8.0', 'reactiveEnergyExport', 'varh', 0),
];

const common = {
  v: 1,
  reader: 'attic',
  port: 'han0',
  protocol: 'han',
  maker: 'Kaifa',
  receivedAt: 1_767_268_800_000,
  flags: [],
} as const;
const withId = (m: Omit<Message, 'id'>, n = 0): Message => ({
  ...m,
  id: messageId('attic/han0', m.meterTime ?? String(n), Uint8Array.of(n)),
});

/** The guide's message 1, as a port gives it after a list 2. */
export const figure2List1 = withId({
  ...common,
  meterId: '6970631400000066',
  flags: ['meterIdInherited'],
  meterTime: '2017-01-20T16:08:38',
  time: Date.UTC(2017, 0, 20, 15, 8, 38),
  items: [item('1-0:1.7.0', 'activePowerImport', 'W', 0)],
  values: [220],
});
export const figure2List2 = withId({
  ...common,
  list: 'KFM_001',
  meterId: '6970631400000066',
  meterType: 'MA304H3E',
  meterTime: '2017-01-20T16:08:40',
  time: Date.UTC(2017, 0, 20, 15, 8, 40),
  items: LIST_2,
  values: ['KFM_001', '6970631400000066', 'MA304H3E', 220, 0, 0, 5, 905, 910, 27, 2404, 0, 2394],
});
export const figure2List3 = withId({
  ...common,
  list: 'KFM_001',
  meterId: '6970631400000226',
  meterType: 'MA304T3',
  meterTime: '2017-01-23T14:00:10',
  time: Date.UTC(2017, 0, 23, 13, 0, 10),
  items: LIST_3,
  values: [
    'KFM_001',
    '6970631400000226',
    'MA304T3',
    212,
    0,
    0,
    3,
    884,
    0,
    20,
    2370,
    0,
    2395,
    '2017-01-23T14:00:00',
    676_189,
    716,
    111_698,
    4597,
  ],
});
export const figure79 = withId({
  ...common,
  list: 'KFM_001',
  meterId: '1972681403753285',
  meterType: 'MA304H3E',
  meterTime: '2018-05-24T17:34:51',
  time: Date.UTC(2018, 4, 24, 15, 34, 51),
  items: LIST_3,
  values: [
    'KFM_001',
    '1972681403753285',
    'MA304H3E',
    604,
    0,
    0,
    156,
    1091,
    1442,
    1447,
    2402,
    0,
    2419,
    '2018-05-24T17:00:00',
    103_293,
    0,
    837,
    21_992,
  ],
});

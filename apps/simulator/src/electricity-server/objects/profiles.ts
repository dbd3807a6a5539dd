/**
 * Profiles and event logs as Profile generic (IEC 62056-6-2 clause 4.3.6, class 7), served out of the engine's rings: only the
 * rows and columns that were asked for are written.
 *
 * Decides: columns are clock, status, then the values; a range may be given in local time without a deviation. Rows are found
 * by halving while they ascend by time, else one by one (a clock that was set back gives an hour twice). What is captured
 * may be written for the daily, periodic and monthly profile, and the period of the periodic one.
 */
import type { Writer } from '@amiable/bytes';
import { localToUtc } from '@amiable/calendar';
import { BUFFER_SELECTORS, keyOf, type RowColumn, type Rows, readRows } from '@amiable/cosem';
import type { EncodedData } from '@amiable/dlms';
import { RESULT } from '@amiable/dlms';
import {
  type EnergyRegister,
  type LogId,
  type MeterConfig,
  PROFILE_STATUS,
  type ProfileId,
  type ProfileView,
  type SlaveSettings,
} from '../../electricity/index.ts';
import { type Answer, data, encode, type Given, type MeterObject, object, unitCode } from '../define.ts';
import type { ServedMeter } from '../served.ts';
import { long, moment, NO_MOMENT, u32, unsigned } from '../values.ts';

const CLOCK: RowColumn = { classId: 8, logicalName: '0-0:1.0.0', attributeIndex: 2 };

const columnOf = (classId: number, logicalName: string): RowColumn => ({ classId, logicalName, attributeIndex: 2 });

/** Whether a time never comes after a later one. */
function ascending(count: number, timeOf: (row: number) => number): boolean {
  for (let row = 1; row < count; row++) if (timeOf(row) < timeOf(row - 1)) return false;
  return true;
}

/** A bound of a range: by its deviation, else as local time. */
function bound(zone: string, value: EncodedData, end: 'from' | 'to'): number | undefined {
  const said = keyOf(value, end, Number.NaN);
  if (said === undefined || !Number.isNaN(said)) return said;
  const wall = keyOf(value, end, 0);
  if (wall === undefined || !Number.isFinite(wall)) return wall;
  // Of the hour that comes twice in autumn a range has both.
  return end === 'from'
    ? localToUtc(zone, wall, { dst: true })
    : Math.max(localToUtc(zone, wall, { dst: true }), localToUtc(zone, wall, { dst: false }));
}

function status(writer: Writer, bits: 8 | 16, value: number): void {
  if (bits === 8) writer.u8(0x11).u8(value & 0xff);
  else writer.u8(0x12).u16(value);
}

function number(writer: Writer, value: number): void {
  if (Number.isNaN(value)) writer.u8(0);
  else if (value >= 0 && value <= 0xffffffff) writer.u8(0x06).u32(value);
  else writer.u8(0x14).u64(BigInt.asUintN(64, BigInt(Math.trunc(value))));
}

function profileRows(m: ServedMeter, view: ProfileView, columns: readonly RowColumn[]): Rows {
  const { zone, statusBits } = m.engine.config;
  const ordered = ascending(view.length, view.timeOf);
  return {
    columns,
    count: view.length,
    ...(ordered && { ascendingBy: 0 }),
    write(writer, row, column) {
      if (column === 1) return status(writer, statusBits, view.statusOf(row));
      if (column > 1) return number(writer, view.value(row, column - 2));
      const bits = view.statusOf(row);
      const invalid = (bits & PROFILE_STATUS.clockInvalid) !== 0;
      const doubtful = (bits & PROFILE_STATUS.clockDesynchronised) !== 0;
      writer.bytes(moment(zone, view.timeOf(row), { invalid, doubtful }));
    },
    key: (row, column) =>
      column === 0 ? view.timeOf(row) : column === 1 ? view.statusOf(row) : view.value(row, column - 2),
    keyOf: (value, column, end) => (column === 0 ? bound(zone, value, end) : keyOf(value, end)),
  };
}

const captureObjects = (columns: readonly RowColumn[]) =>
  columns.map(({ classId, logicalName, attributeIndex }) => ({
    class_id: classId,
    logical_name: logicalName,
    attribute_index: attributeIndex,
    data_index: 0,
  }));

const UNSORTED = { class_id: 0, logical_name: '0-0:0.0.0', attribute_index: 0, data_index: 0 };

interface ProfileSource {
  readonly obis: string;
  readonly meaning: string;
  readonly unit: string;
  columns(m: ServedMeter): readonly RowColumn[];
  rows(m: ServedMeter, columns: readonly RowColumn[]): Rows;
  view(m: ServedMeter): { readonly length: number; readonly capacity: number };
  period(m: ServedMeter): number;
  reset(m: ServedMeter): Answer;
  readonly setColumns?: (value: readonly CaptureObject[], m: ServedMeter) => Answer;
  readonly setPeriod?: (seconds: number, m: ServedMeter) => Answer;
}

interface CaptureObject {
  readonly class_id: number;
  readonly logical_name: string;
  readonly attribute_index: number;
  readonly data_index: number;
}

function profile(source: ProfileSource): MeterObject {
  const { setColumns, setPeriod } = source;
  const attributes: Record<string, Given> = {
    buffer: {
      encoded: (m, access) => readRows(source.rows(m, source.columns(m)), access),
      selectors: BUFFER_SELECTORS,
    },
    capture_objects: {
      get: (m) => captureObjects(source.columns(m)),
      ...(setColumns && { set: setColumns }),
    },
    capture_period: { get: (m) => source.period(m), ...(setPeriod && { set: setPeriod }) },
    sort_method: { is: 'fifo' },
    sort_object: { is: UNSORTED },
    entries_in_use: { get: (m) => source.view(m).length },
    profile_entries: { get: (m) => source.view(m).capacity },
  };
  return object({
    classId: 7,
    version: 1,
    obis: source.obis,
    meaning: source.meaning,
    unit: source.unit,
    level: 'set',
    attributes,
    methods: { reset: (m) => source.reset(m) },
  });
}

const STATUS = columnOf(1, '0-0:96.10.1');

/** A slave's code may be anything, as long as it is one. */
const valueColumn = (m: ServedMeter, name: string): RowColumn =>
  m.engine.parameters.slaves.some((slave) => slave?.obis === name) ? columnOf(4, name) : columnOf(3, name);

function columnsOf(m: ServedMeter, id: ProfileId): readonly RowColumn[] {
  return [CLOCK, STATUS, ...m.engine.profile(id).columns.map((name) => valueColumn(m, name))];
}

/** The registers of a written list; clock and status come first, of themselves. */
function registersOf(value: readonly CaptureObject[]): EnergyRegister[] | undefined {
  const rest = value.filter(
    ({ class_id, logical_name }) =>
      !(class_id === 8 && logical_name === CLOCK.logicalName) &&
      !(class_id === 1 && logical_name === STATUS.logicalName),
  );
  if (rest.some((c) => c.class_id !== 3 || c.attribute_index !== 2 || c.data_index !== 0)) return undefined;
  return rest.map((c) => c.logical_name.replace(/^1-0:/, '') as EnergyRegister);
}

const MASTER: readonly (readonly [ProfileId & ('daily' | 'periodic' | 'monthly'), string, string])[] = [
  ['daily', '1-0:98.2.0', 'Daily billing values: up to 4 registers at midnight, 366 rows'],
  ['periodic', '1-0:99.1.0', 'Periodic consumption values: up to 4 registers every 15, 30 or 60 minutes, 2160 rows'],
  [
    'monthly',
    '0-0:98.1.0',
    'Monthly billing values: up to 4 registers and a total of each slave on the first of the month, 13 rows',
  ],
];

export function masterProfiles(): MeterObject[] {
  const objects = MASTER.map(([id, obis, meaning]) =>
    profile({
      obis,
      meaning,
      unit: 'Wh',
      columns: (m) => columnsOf(m, id),
      rows: (m, columns) => profileRows(m, m.engine.profile(id), columns),
      view: (m) => m.engine.profile(id),
      period: (m) => m.engine.profile(id).period,
      reset: (m) => m.engine.clearProfile(id),
      setColumns(value, m) {
        const registers = registersOf(value);
        return registers ? m.engine.setParameters({ [id]: registers }) : RESULT.otherReason;
      },
      ...(id === 'periodic' && {
        setPeriod: (seconds: number, m: ServedMeter) =>
          m.engine.setParameters({ capturePeriod: (seconds / 60) as 15 | 30 | 60 }),
      }),
    }),
  );
  objects.push(
    data('0-0:96.10.1', 'Status word of the newest row of the periodic profile', 'data', (m) => {
      const view = m.engine.profile('periodic');
      const bits = view.length ? view.statusOf(view.length - 1) : 0;
      return m.engine.config.statusBits === 8 ? unsigned(bits & 0xff) : long(bits);
    }),
  );
  return objects;
}

/** A slave's value, and its profile. */
export function slaveProfile(channel: number, settings: SlaveSettings): MeterObject[] {
  const id = `slave-${channel + 1}` as ProfileId;
  return [
    object({
      classId: 4,
      obis: settings.obis,
      meaning: `Slave ${channel + 1} (${settings.medium}): value read last, its status byte, its time`,
      unit: settings.unit,
      level: 'data',
      attributes: {
        value: {
          encoded: (m) => {
            const value = m.engine.slaveValue(channel)?.value;
            return value === undefined
              ? Uint8Array.of(0)
              : value >= 0 && value <= 0xffffffff
                ? u32(value)
                : encode({ type: 'long64', value: BigInt(value) });
          },
        },
        scaler_unit: { is: [settings.scaler, { type: 'enum', value: unitCode(settings.unit) }] },
        status: { get: (m) => unsigned(m.engine.slaveValue(channel)?.status ?? 0) },
        capture_time: {
          encoded: (m) => {
            const at = m.engine.slaveValue(channel)?.at;
            return at === undefined ? NO_MOMENT : moment(m.engine.config.zone, at);
          },
        },
      },
    }),
    profile({
      obis: `0-${channel + 1}:24.3.0`,
      meaning: `Slave ${channel + 1} (${settings.medium}): hourly or daily values, 240 rows`,
      unit: settings.unit,
      columns: (m) => columnsOf(m, id),
      rows: (m, columns) => profileRows(m, m.engine.profile(id), columns),
      view: (m) => m.engine.profile(id),
      period: (m) => m.engine.profile(id).period,
      reset: (m) => m.engine.clearProfile(id),
    }),
  ];
}

// ---------------------------------------------------------------- event logs

function log(id: LogId, obis: string, eventObis: string, meaning: string): MeterObject[] {
  const columns = [CLOCK, columnOf(1, '0-0:96.5.0'), columnOf(1, eventObis)];
  return [
    profile({
      obis,
      meaning,
      unit: '',
      columns: () => columns,
      view: (m) => m.engine.log(id),
      period: () => 0,
      reset: (m) => m.engine.clearLog(id),
      rows(m) {
        const view = m.engine.log(id);
        const { zone } = m.engine.config;
        const timeOf = (row: number): number => view.entry(row).at;
        return {
          columns,
          count: view.length,
          ...(ascending(view.length, timeOf) && { ascendingBy: 0 }),
          write(writer, row, column) {
            const { at, status: bits, event } = view.entry(row);
            if (column === 0) writer.bytes(moment(zone, at));
            else if (column === 1) writer.u8(0x12).u16(bits);
            else writer.u8(0x11).u8(event);
          },
          key(row, column) {
            const { at, status: bits, event } = view.entry(row);
            return column === 0 ? at : column === 1 ? bits : event;
          },
          keyOf: (value, column, end) => (column === 0 ? bound(zone, value, end) : keyOf(value, end)),
        };
      },
    }),
    data(eventObis, `Number of the newest event of ${obis}`, 'data', (m) => {
      const view = m.engine.log(id);
      return unsigned(view.length ? view.entry(view.length - 1).event : 0);
    }),
  ];
}

export function eventLogs(config: MeterConfig): MeterObject[] {
  const standard = log(
    'standard',
    '0-0:99.98.0',
    '0-0:96.11.0',
    'Standard event log, 200 entries: time, device status, event',
  );
  if (!config.disconnecter) return standard;
  return [...standard, ...log('disconnecter', '0-0:99.98.1', '0-0:96.11.1', 'Disconnecter event log, 20 entries')];
}

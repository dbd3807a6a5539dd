/**
 * The structure of MeterReadings of IEC 61968-9:2013 (edition 2), namespace http://iec.ch/TC57/2011/MeterReadings#, as a table: what of it is written
 * and read here. Elements that the schema has beyond (EndDeviceEvents, PendingCalculation) are named, so that files of others with them
 * are not refused.
 *
 * Decides: order and number as in the schema. Leaves out: the envelope of IEC 61968-100 (Header, Request): the payload alone is a file.
 */
import type { ElementType, Structure } from '../xml/structure.ts';

export const CIM_URI = 'http://iec.ch/TC57/2011/MeterReadings#';

const REASONS = [
  'billing',
  'demandReset',
  'inquiry',
  'installation',
  'loadManagement',
  'loadResearch',
  'moveIn',
  'moveOut',
  'other',
  'removal',
  'serviceConnect',
  'serviceDisconnect',
] as const;

const string: ElementType = { text: 'string' };
const ref: ElementType = { text: 'string', attributes: [{ name: 'ref', required: true }] };
const anything: ElementType = { open: true };
const reading = [
  ['reportedDateTime', 'dateTime', 0, 1],
  ['source', 'string', 0, 1],
  ['timeStamp', 'dateTime', 0, 1],
  ['value', 'decimal', 0, 1],
  ['ReadingQualities', 'ReadingQuality', 0, -1],
] as const;

export const CIM_STRUCTURE: Structure = {
  uri: CIM_URI,
  root: ['MeterReadings', 'MeterReadings'],
  types: {
    string,
    ref,
    dateTime: { text: 'dateTime' },
    decimal: { text: 'decimal' },
    boolean: { text: 'boolean' },
    reason: { text: REASONS },
    MeterReadings: {
      sequence: [
        ['EndDeviceEventType', 'unread', 0, -1],
        ['MeterReading', 'MeterReading', 0, -1],
        ['ReadingQualityType', 'unread', 0, -1],
        ['ReadingType', 'unread', 0, -1],
      ],
    },
    MeterReading: {
      sequence: [
        ['isCoincidentTrigger', 'boolean', 0, 1],
        ['EndDeviceEvents', 'unread', 0, -1],
        ['IntervalBlocks', 'IntervalBlock', 0, -1],
        ['Meter', 'Meter', 0, 1],
        ['Readings', 'Reading', 0, -1],
        ['UsagePoint', 'UsagePoint', 0, 1],
        ['valuesInterval', 'DateTimeInterval', 0, 1],
      ],
    },
    IntervalBlock: {
      sequence: [
        ['IntervalReadings', 'IntervalReading', 0, -1],
        ['PendingCalculation', 'unread', 0, 1],
        ['ReadingType', 'ref', 1, 1],
      ],
    },
    IntervalReading: { sequence: [...reading, ['timePeriod', 'DateTimeInterval', 0, 1]] },
    Reading: {
      sequence: [
        ['reason', 'reason', 0, 1],
        ...reading,
        ['ReadingType', 'ref', 1, 1],
        ['timePeriod', 'DateTimeInterval', 0, 1],
      ],
    },
    ReadingQuality: {
      sequence: [
        ['comment', 'string', 0, 1],
        ['source', 'string', 0, 1],
        ['timeStamp', 'dateTime', 0, 1],
        ['ReadingQualityType', 'ref', 1, 1],
      ],
    },
    DateTimeInterval: {
      sequence: [
        ['end', 'dateTime', 0, 1],
        ['start', 'dateTime', 0, 1],
      ],
    },
    Meter: {
      sequence: [
        ['mRID', 'string', 0, 1],
        ['Names', 'Name', 0, -1],
        ['status', 'unread', 0, 1],
      ],
    },
    UsagePoint: {
      sequence: [
        ['mRID', 'string', 0, 1],
        ['Names', 'Name', 0, -1],
      ],
    },
    Name: {
      sequence: [
        ['name', 'string', 1, 1],
        ['NameType', 'NameType', 0, 1],
      ],
    },
    NameType: {
      sequence: [
        ['description', 'string', 0, 1],
        ['name', 'string', 1, 1],
        ['NameTypeAuthority', 'unread', 0, 1],
      ],
    },
    unread: anything,
  },
};

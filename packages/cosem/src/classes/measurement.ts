/**
 * Interface classes for storing values (IEC 62056-6-2 clause 4.3): Data, the registers, Register activation, Profile
 * generic, Utility tables, Register table, Status mapping and Compact data.
 */
import {
  captureObject,
  columnedObject,
  entryDescriptor,
  objectId,
  rangeDescriptor,
  scalerUnit,
  zero,
} from './common.ts';
import { defineClass } from './define.ts';
import {
  any,
  arrayOf,
  binary,
  choiceOf,
  dateTime,
  doubleLongUnsigned,
  enumOf,
  integer,
  inUnit,
  logicalName,
  long64Unsigned,
  longUnsigned,
  octetString,
  simple,
  structureOf,
  unnamedEnum,
  unsigned,
} from './type.ts';

export const DATA = defineClass({ id: 1, version: 0, name: 'Data', attributes: { value: any } });

export const REGISTER = defineClass({
  id: 3,
  version: 0,
  name: 'Register',
  attributes: { value: simple, scaler_unit: scalerUnit },
  dynamic: ['value'],
  methods: { reset: zero },
  methodsAt: 0x28,
});

export const EXTENDED_REGISTER = defineClass({
  id: 4,
  version: 0,
  name: 'Extended register',
  attributes: { value: simple, scaler_unit: scalerUnit, status: simple, capture_time: dateTime },
  dynamic: ['value', 'status', 'capture_time'],
  methods: { reset: zero },
  methodsAt: 0x38,
});

export const DEMAND_REGISTER = defineClass({
  id: 5,
  version: 0,
  name: 'Demand register',
  attributes: {
    current_average_value: simple,
    last_average_value: simple,
    scaler_unit: scalerUnit,
    status: simple,
    capture_time: dateTime,
    start_time_current: dateTime,
    period: inUnit(doubleLongUnsigned, 's'),
    number_of_periods: longUnsigned,
  },
  dynamic: ['current_average_value', 'last_average_value', 'status', 'capture_time', 'start_time_current'],
  methods: { reset: zero, next_period: zero },
  methodsAt: 0x48,
});

const registerActMask = structureOf({ mask_name: octetString, index_list: arrayOf(unsigned) });

export const REGISTER_ACTIVATION = defineClass({
  id: 6,
  version: 0,
  name: 'Register activation',
  attributes: { register_assignment: arrayOf(objectId), mask_list: arrayOf(registerActMask), active_mask: octetString },
  dynamic: ['active_mask'],
  methods: { add_register: objectId, add_mask: registerActMask, delete_mask: octetString },
  methodsAt: 0x30,
});

/** Version 0 has no data_index. */
const captureObject0 = structureOf({ class_id: longUnsigned, logical_name: logicalName, attribute_index: integer });

const sortMethod = enumOf({
  1: 'fifo',
  2: 'lifo',
  3: 'largest',
  4: 'smallest',
  5: 'nearest_to_zero',
  6: 'farest_from_zero',
});

/** A row has an element for each capture object, in their order. */
const profileBuffer = arrayOf(any);
const bufferSelectors = [
  { selector: 1, name: 'range_descriptor', type: rangeDescriptor },
  { selector: 2, name: 'entry_descriptor', type: entryDescriptor },
] as const;

export const PROFILE_GENERIC = defineClass({
  id: 7,
  version: 1,
  name: 'Profile generic',
  attributes: {
    buffer: profileBuffer,
    capture_objects: arrayOf(captureObject),
    capture_period: inUnit(doubleLongUnsigned, 's'),
    sort_method: sortMethod,
    /** Four zeros, or all of class 0, where rows are not sorted by an object. */
    sort_object: captureObject,
    entries_in_use: doubleLongUnsigned,
    profile_entries: doubleLongUnsigned,
  },
  dynamic: ['buffer', 'entries_in_use'],
  methods: { reset: zero, capture: zero },
  methodsAt: 0x58,
  selectors: { buffer: bufferSelectors },
});

/** Version 0 also reads its buffer by methods 3 and 4. */
export const PROFILE_GENERIC_0 = defineClass({
  id: 7,
  version: 0,
  name: 'Profile generic',
  attributes: {
    buffer: profileBuffer,
    capture_objects: arrayOf(captureObject0),
    capture_period: inUnit(doubleLongUnsigned, 's'),
    sort_method: sortMethod,
    sort_object: captureObject0,
    entries_in_use: doubleLongUnsigned,
    profile_entries: doubleLongUnsigned,
  },
  dynamic: ['buffer', 'entries_in_use'],
  methods: { reset: zero, capture: zero, get_buffer_by_range: rangeDescriptor, get_buffer_by_index: entryDescriptor },
  methodsAt: 0x58,
  returns: { get_buffer_by_range: profileBuffer, get_buffer_by_index: profileBuffer },
  selectors: { buffer: bufferSelectors },
});

export const UTILITY_TABLES = defineClass({
  id: 26,
  version: 0,
  name: 'Utility tables',
  attributes: { table_ID: longUnsigned, length: doubleLongUnsigned, buffer: binary },
  dynamic: ['length', 'buffer'],
  selectors: {
    buffer: [
      { selector: 1, name: 'offset_access', type: structureOf({ offset: doubleLongUnsigned, count: longUnsigned }) },
      { selector: 2, name: 'index_access', type: structureOf({ index: arrayOf(longUnsigned), count: longUnsigned }) },
    ],
  },
});

export const REGISTER_TABLE = defineClass({
  id: 61,
  version: 0,
  name: 'Register table',
  attributes: {
    table_cell_values: arrayOf(simple),
    table_cell_definition: structureOf({
      class_id: longUnsigned,
      logical_name: logicalName,
      group_E_values: arrayOf(unsigned),
      attribute_index: integer,
    }),
    scaler_unit: scalerUnit,
  },
  dynamic: ['table_cell_values'],
  methods: { reset: zero, capture: zero },
  methodsAt: 0x28,
});

const captureMethod = enumOf({ 0: 'capture_upon_invoking', 1: 'implicit_capture' });

export const COMPACT_DATA_0 = defineClass({
  id: 62,
  version: 0,
  name: 'Compact data',
  attributes: {
    compact_buffer: binary,
    capture_objects: arrayOf(captureObject),
    template_id: unsigned,
    template_description: binary,
    capture_method: captureMethod,
  },
  dynamic: ['compact_buffer', 'template_description'],
  methods: { reset: zero, capture: zero },
});

export const COMPACT_DATA_1 = defineClass({
  id: 62,
  version: 1,
  name: 'Compact data',
  attributes: {
    compact_buffer: binary,
    capture_objects: arrayOf(columnedObject),
    template_id: unsigned,
    template_description: binary,
    capture_method: captureMethod,
  },
  dynamic: ['compact_buffer', 'template_description'],
  methods: { reset: zero, capture: zero },
});

export const STATUS_MAPPING = defineClass({
  id: 63,
  version: 0,
  name: 'Status mapping',
  attributes: {
    status_word: simple,
    mapping_table: structureOf({
      ref_table_id: unsigned,
      ref_table_mapping: choiceOf(longUnsigned, arrayOf(longUnsigned)),
    }),
  },
  dynamic: ['status_word'],
});

export const MEASUREMENT_DATA_MONITORING = defineClass({
  id: 66,
  version: 0,
  name: 'Measurement data monitoring',
  attributes: {
    waveform_data: any,
    trigger_time: long64Unsigned,
    trigger_source: any,
    status: unnamedEnum,
    sampling_rate: doubleLongUnsigned,
    number_of_samples_before_trigger: doubleLongUnsigned,
    number_of_samples_after_trigger: doubleLongUnsigned,
    scaler_unit: scalerUnit,
  },
  dynamic: ['waveform_data', 'trigger_time', 'trigger_source', 'status'],
  methods: { reset: zero, trigger: zero },
});

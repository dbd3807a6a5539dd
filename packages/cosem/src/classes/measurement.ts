/**
 * Interface classes for storing values (IEC 62056-6-2 clause 4.3): Data, the registers, Register activation, Profile
 * generic, Utility tables, Register table, Status mapping and Compact data.
 */
import { captureObject, entryDescriptor, objectId, rangeDescriptor, scalerUnit, zero } from './common.ts';
import { defineClass } from './define.ts';
import {
  any,
  arrayOf,
  dateTime,
  doubleLongUnsigned,
  enumOf,
  inUnit,
  longUnsigned,
  octetString,
  simple,
  structureOf,
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

/** Types that several interface classes share (IEC 62056-6-2 clause 4.1.5 and the classes named beside each). */
import { unitOfCode } from '../units.ts';
import {
  arrayOf,
  choiceOf,
  date,
  dateTime,
  doubleLongUnsigned,
  enumOf,
  integer,
  logicalName,
  longUnsigned,
  nothing,
  simple,
  structureOf,
} from './type.ts';

/** Table "Enumerated values for physical units": symbols by code; 255 has none in print and is called `count`. */
function unitNames(): Record<number, string> {
  const names: Record<number, string> = {};
  for (let code = 0; code < 256; code++) {
    const meaning = unitOfCode(code);
    if (meaning) names[code] = meaning.symbol || 'count';
  }
  return names;
}

export const unit = enumOf(unitNames());

/** Register, clause 4.3.2: the value is the attribute × 10^scaler, in the unit. */
export const scalerUnit = structureOf({ scaler: integer, unit });

/** Profile generic, clause 4.3.6: `data_index` 0 is the whole attribute, n its n-th element. */
export const captureObject = structureOf({
  class_id: longUnsigned,
  logical_name: logicalName,
  attribute_index: integer,
  data_index: longUnsigned,
});

/** Register monitor, Limiter and others: a script of a script table. */
export const actionItem = structureOf({ script_logical_name: logicalName, script_selector: longUnsigned });
export const actionSet = structureOf({ action_up: actionItem, action_down: actionItem });

export const valueDefinition = structureOf({
  class_id: longUnsigned,
  logical_name: logicalName,
  attribute_index: integer,
});

export const objectId = structureOf({ class_id: longUnsigned, logical_name: logicalName });

/** Profile generic: selective access to `buffer`. An empty list of columns means all of them. */
export const rangeDescriptor = structureOf({
  restricting_object: captureObject,
  from_value: simple,
  to_value: simple,
  selected_values: arrayOf(captureObject),
});
export const entryDescriptor = structureOf({
  from_entry: doubleLongUnsigned,
  to_entry: doubleLongUnsigned,
  from_selected_value: longUnsigned,
  to_selected_value: longUnsigned,
});

/** A window of time, as in auto connect and push setup. */
export const timeWindow = structureOf({ start_time: dateTime, end_time: dateTime });

/** The parameter of methods that need none: `integer (0)`. */
export const zero = integer;

/** Compact data v1, Push setup from v1, Data protection: which rows of a profile are taken. */
const restriction = structureOf({
  restriction_type: enumOf({ 0: 'none', 1: 'by_date', 2: 'by_entry' }),
  restriction_value: choiceOf(
    nothing,
    structureOf({ from_date: dateTime, to_date: dateTime }),
    structureOf({ from_date: date, to_date: date }),
    structureOf({ from_entry: doubleLongUnsigned, to_entry: doubleLongUnsigned }),
    // As some meters send it.
    structureOf({ from_entry: longUnsigned, to_entry: longUnsigned }),
  ),
});
export const restrictedObject = structureOf({ ...captureObject.fields, restriction });
/** With the columns of a profile that are meant, all of them when empty. */
export const columnedObject = structureOf({ ...restrictedObject.fields, columns: arrayOf(captureObject) });

export const BAUD_RATES = {
  0: '300 baud',
  1: '600 baud',
  2: '1200 baud',
  3: '2400 baud',
  4: '4800 baud',
  5: '9600 baud',
  6: '19200 baud',
  7: '38400 baud',
  8: '57600 baud',
  9: '115200 baud',
} as const;
export const baud = enumOf(BAUD_RATES);

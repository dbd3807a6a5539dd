export {
  ASSOCIATION_LN_0,
  ASSOCIATION_LN_1,
  ASSOCIATION_LN_2,
  ASSOCIATION_LN_3,
  ASSOCIATION_SN_0,
  ASSOCIATION_SN_1,
  ASSOCIATION_SN_2,
  ASSOCIATION_SN_3,
  ASSOCIATION_SN_4,
  CONFORMANCE_NAMES,
  IMAGE_TRANSFER,
  SAP_ASSIGNMENT,
} from './classes/access.ts';
export { captureObject, entryDescriptor, rangeDescriptor, scalerUnit } from './classes/common.ts';
export {
  type AttributeDefinition,
  type ClassSource,
  defineClass,
  type InterfaceClass,
  type MethodDefinition,
  type SelectorDefinition,
} from './classes/define.ts';
export { MBUS_CLIENT_0, MBUS_CLIENT_1, MBUS_SLAVE_PORT_SETUP } from './classes/mbus.ts';
export {
  DATA,
  DEMAND_REGISTER,
  EXTENDED_REGISTER,
  PROFILE_GENERIC,
  REGISTER,
  REGISTER_ACTIVATION,
} from './classes/measurement.ts';
export { GPRS_MODEM_SETUP, IEC_HDLC_SETUP, IEC_LOCAL_PORT_SETUP, IPV4_SETUP, TCP_UDP_SETUP } from './classes/ports.ts';
export {
  atShortName,
  attributeOf,
  classNamed,
  type FoundClass,
  findClass,
  INTERFACE_CLASSES,
  interfaceClass,
  methodOf,
  selectorOf,
  versionsOf,
} from './classes/registry.ts';
export {
  DATA_PROTECTION,
  PUSH_SETUP_0,
  PUSH_SETUP_1,
  PUSH_SETUP_2,
  PUSH_SETUP_3,
  SECURITY_POLICY_BITS,
  SECURITY_SETUP_0,
  SECURITY_SETUP_1,
} from './classes/security.ts';
export {
  ACTIVITY_CALENDAR,
  CLOCK_CLASS,
  CLOCK_STATUS,
  DISCONNECT_CONTROL,
  LIMITER,
  REGISTER_MONITOR,
  SCHEDULE,
  SCRIPT_TABLE,
  SINGLE_ACTION_SCHEDULE,
  SPECIAL_DAYS_TABLE,
} from './classes/time.ts';
export type { PlainValue, Spoken, ValueOf, ValueType } from './classes/type.ts';
export type { Quantity } from './named.ts';
export { type Obis, obisFromBytes, obisGroups, obisToBytes, parseObis, printObis } from './obis.ts';
export { objectName } from './objects.ts';
export { quantityOf } from './quantity.ts';
export { createLogicalDevice } from './server/logical-device.ts';
export { BUFFER_SELECTORS, keyOf, type RowColumn, type Rows, readRows } from './server/rows.ts';
export {
  ACCESS,
  type Access,
  type AccessRule,
  type AssociationDefinition,
  type Attribute,
  type AttributeAccessors,
  type AttributeValue,
  type CosemObject,
  type EncodedBytes,
  type LogicalDeviceOptions,
  type Method,
  type Rights,
} from './server/types.ts';
export { codeOfUnit, type UnitMeaning, unitOfCode } from './units.ts';
export {
  captureObjectsOf,
  columnName,
  columnOfCapture,
  holdsMoments,
  isClock,
  isStatus,
  type ProfileColumn,
  profileColumns,
} from './values/capture.ts';
export { checkValue, isOfType } from './values/check.ts';
export { encodedData } from './values/encoded.ts';
export {
  dateText,
  dateTimeText,
  parseDate,
  parseDateTime,
  parseTime,
  spokenDate,
  spokenDateTime,
  spokenTime,
  timeText,
  weekdayOf,
} from './values/moment.ts';
export {
  type JsonValue,
  jsonValue,
  type PrintOptions,
  printPlain,
  printQuantity,
  printValue,
  type ScalerUnit,
} from './values/print.ts';
export { readProfile } from './values/profile.ts';
export type {
  BigintValues,
  ColumnValues,
  MomentValues,
  NumberValues,
  PlainValues,
  Profile,
  ProfileOptions,
  Stop,
  TextValues,
} from './values/profile-types.ts';
export { type Cell, type ProfileWriteOptions, writeProfileRows } from './values/profile-write.ts';
export { dataOf, plainValue, readPlain, readValue } from './values/read.ts';
export {
  type CivilDate,
  civilOf,
  type DaylightSaving,
  dateMatches,
  dateTimeMatches,
  dayOf,
  lastOccurrence,
  nextOccurrence,
  timeMatches,
} from './values/recurrence.ts';
export {
  actionsOfDay,
  type Calendar,
  type CalendarState,
  calendarAt,
  type DayAction,
  type DayProfile,
  dayIdAt,
  isBetween,
  isScheduled,
  nextExecution,
  nextSwitch,
  type ScheduleEntry,
  type Season,
  type SpecialDay,
  seasonAt,
  specialDayAt,
  type WeekProfile,
} from './values/tariff.ts';
export { type Writable, type WriteOptions, writeValue } from './values/write.ts';

export {
  ASSOCIATION_LN_0,
  ASSOCIATION_LN_1,
  ASSOCIATION_LN_2,
  ASSOCIATION_LN_3,
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
export {
  DATA,
  DEMAND_REGISTER,
  EXTENDED_REGISTER,
  PROFILE_GENERIC,
  REGISTER,
  REGISTER_ACTIVATION,
} from './classes/measurement.ts';
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
export { quantityOf } from './quantity.ts';
export { createLogicalDevice } from './server/logical-device.ts';
export {
  ACCESS,
  type Access,
  type AccessRule,
  type AssociationDefinition,
  type Attribute,
  type AttributeAccessors,
  type AttributeValue,
  type CosemObject,
  type LogicalDeviceOptions,
  type Method,
  type Rights,
} from './server/types.ts';
export { codeOfUnit, type UnitMeaning, unitOfCode } from './units.ts';

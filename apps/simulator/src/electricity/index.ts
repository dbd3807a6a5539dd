export { firmwareConfig, meterConfig, meterIdentity, variedIdentity } from './config.ts';
export { WH } from './energy.ts';
export {
  DEVICE_STATUS,
  EVENT_TEXTS,
  EVENTS,
  type EventName,
  type EventNumber,
  isDisconnecterEvent,
  isQualityEvent,
  PROFILE_STATUS,
} from './events.ts';
export {
  IDENTIFICATIONS,
  type IdentificationRule,
  MEDIUM_CODE,
  SLAVE_IDENTIFICATIONS,
  slaveObis,
} from './identification.ts';
export { buildImage, checkImage } from './image.ts';
export {
  flashing,
  isLit,
  type Light,
  type LightColour,
  type LightName,
  lights,
  lightsOf,
  type Pattern,
  patternText,
  signalLevel,
  signalValue,
} from './lights.ts';
export {
  constantSource,
  type Disturbance,
  type DisturbanceKind,
  disturbancesOf,
  disturbed,
  disturbedBySeed,
  type HouseholdOptions,
  householdSource,
  ORDINARY,
  type Rates,
} from './load.ts';
export { createMeter } from './meter.ts';
export type * from './parameter-types.ts';
export { checkParameters, DELIVERED, DELIVERED_SINGLE_PHASE, DELIVERED_TABLES, MESSAGE_LENGTH } from './parameters.ts';
export type * from './state-types.ts';
export { checkSpecialDays, checkTables, isParameterisationId } from './tou.ts';
export type * from './types.ts';

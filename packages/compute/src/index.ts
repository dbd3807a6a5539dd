export type { Estimate, EstimationMethod } from './estimation/types.ts';
export { ESTIMATION_METHODS } from './estimation/types.ts';
export { vee } from './estimation/vee.ts';
export type {
  EstimationSettings,
  RegisterEstimate,
  VeeChecks,
  VeeInput,
  VeeResult,
} from './estimation/vee-types.ts';
export { integratePower } from './integrate.ts';
export { type GridStep, gridOf, isGridStep } from './intervals/grid.ts';
export {
  type EndStamped,
  type Metering,
  type MeteringNote,
  type MeteringOptions,
  meteringOf,
  type Sent,
} from './intervals/metering.ts';
export {
  addMeter,
  type Interrupted,
  indicesOf,
  noSums,
  type Outage,
  outagesOf,
  type Span,
  type SumOptions,
  type SupplyEvent,
  type SupplyIndices,
  type SupplySums,
  unplanned,
} from './outages.ts';
export { type BucketEnergy, type RegisterOptions, registerEnergy } from './register.ts';
export { type Resampled, resample } from './resample.ts';
export { type Intervals, QUALITY, type QualityCode, type Showings } from './series.ts';
export {
  ACTIONS_ON_VALUES,
  type Finding,
  SEVERITIES,
  type Severity,
  type ValueAction,
} from './validation/types.ts';

export { integratePower } from './integrate.ts';
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

export { integratePower } from './integrate.ts';
export { type BucketEnergy, type RegisterOptions, registerEnergy } from './register.ts';
export { type Resampled, resample } from './resample.ts';

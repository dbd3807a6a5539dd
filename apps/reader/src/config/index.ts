/** The configuration of the reader, as the rest of the reader uses it. */
export { buildConfig } from './build.ts';
export { faultText } from './faults.ts';
export { type ConfigSources, type ConfigStore, createConfigStore, type Loaded } from './load.ts';
export type * from './types.ts';

export { createGasModule } from './engine.ts';
export { DELIVERED_GAS } from './parameters.ts';
export * from './types.ts';

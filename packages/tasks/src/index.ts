export * from './kinds.ts';
export * from './retry.ts';
export * from './window.ts';

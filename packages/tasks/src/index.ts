export type { Recurrence, Schedule } from '@amiable/calendar';
export * from './definition.ts';
export * from './flow.ts';
export * from './kinds.ts';
export * from './missed.ts';
export * from './retry.ts';
export * from './states.ts';
export * from './window.ts';

export * from './access.ts';
export type * from './api.ts';
export { type Decimal, decimal, parseDecimal, toNumber } from './decimal.ts';
export { type AddMetric, EXPOSITION_TYPE, exposition, type Labels, type MetricSource } from './exposition.ts';
export { messageId } from './id.ts';
export * from './identification.ts';
export { isoTime, messageToJson } from './json.ts';
export * from './message.ts';
export * from './port.ts';

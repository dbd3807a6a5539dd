/** Rows of billing as objects. */
import type { Row } from '../registry/parts.ts';
import type {
  Bill,
  BillingJson,
  BillingRun,
  Contract,
  Cycle,
  Release,
  TariffRow,
  TariffVersion,
  WholeBill,
} from './types.ts';

export const timeOf = (date: unknown): number => (date as Date).getTime();
const timeOrNull = (date: unknown): number | null => (date instanceof Date ? date.getTime() : null);
const text = (value: unknown): string | null => (value === null || value === undefined ? null : String(value));
const big = (value: unknown): bigint | null => (value === null ? null : BigInt(value as string));

export const tariffOf = (row: Row): TariffRow => ({
  id: row.id as number,
  name: row.name as string,
  description: text(row.description),
  published: row.published as number | null,
  draft: row.draft as number | null,
  validFrom: text(row.valid_from),
  contracts: row.contracts as number,
});

export const versionOf = (row: Row): TariffVersion => ({
  tariff: row.tariff as string,
  version: row.version as number,
  state: row.state as TariffVersion['state'],
  validFrom: row.valid_from as string,
  definition: row.definition as BillingJson,
  createdAt: timeOf(row.created_at),
  createdBy: text(row.created_by),
  publishedAt: timeOrNull(row.published_at),
  publishedBy: text(row.published_by),
});

export const contractOf = (row: Row): Contract => ({
  id: row.id as string,
  meteringPoint: row.metering_point as string,
  code: row.code as string,
  product: row.product as string,
  tariff: row.tariff as string,
  tariffId: row.tariff_id as number,
  reference: text(row.reference),
  cycle: row.cycle as Cycle,
  cycleDay: row.cycle_day as number,
  parameters: row.parameters as BillingJson,
  from: timeOf(row.from_time),
  to: timeOrNull(row.to_time),
  recordedAt: timeOf(row.recorded_at),
  recordedBy: text(row.recorded_by),
  replacedAt: timeOrNull(row.replaced_at),
  replacedBy: text(row.replaced_by),
  reason: text(row.reason),
});

export const runOf = (row: Row): BillingRun => ({
  id: row.id as string,
  kind: row.kind as BillingRun['kind'],
  state: row.state as BillingRun['state'],
  name: row.name as string,
  from: timeOf(row.from_time),
  to: timeOf(row.to_time),
  definition: row.definition as BillingJson,
  segments: row.segments as number[] | null,
  taskRun: text(row.task_run),
  createdAt: timeOf(row.created_at),
  createdBy: text(row.created_by),
  endedAt: timeOrNull(row.ended_at),
  report: row.report as BillingJson | null,
  error: text(row.error),
});

export const billId = (meter: unknown, run: unknown, contract: unknown): string => `${meter}-${run}-${contract}`;

export const billOf = (row: Row): Bill => ({
  id: billId(row.meter, row.run, row.contract),
  meter: row.meter as string,
  run: row.run as string,
  contract: row.contract as string,
  meteringPoint: row.metering_point as string,
  code: row.code as string,
  kind: row.kind as Bill['kind'],
  state: row.state as Bill['state'],
  product: row.product as string,
  tariff: row.tariff as string,
  tariffId: row.tariff_id as number,
  tariffVersion: row.tariff_version as number | null,
  from: timeOf(row.from_time),
  to: timeOf(row.to_time),
  currency: text(row.currency),
  scaler: row.scaler as number,
  amount: big(row.amount),
  total: big(row.total),
  counts: [row.measured, row.calculated, row.edited, row.estimated, row.missing] as number[],
  valueVersion: row.value_version as number,
  seenAt: timeOf(row.seen_at),
  previousRun: text(row.previous_run),
  reason: text(row.reason),
});

export const wholeBillOf = (row: Row): WholeBill => ({
  ...billOf(row),
  days: row.days === null ? null : new Uint8Array(row.days as Buffer),
  detail: row.detail as BillingJson | null,
});

export const releaseOf = (row: Row): Release => ({
  id: row.id as string,
  meteringPoint: row.metering_point as string,
  code: row.code as string,
  from: timeOf(row.from_time),
  to: timeOf(row.to_time),
  reason: row.reason as string,
  at: timeOf(row.released_at),
  by: row.released_by as string,
});

const ID = /^\d{1,19}$/;
const isId = (id: string): boolean => ID.test(id) && BigInt(id) < 2n ** 63n;
/** The parts of a bill's id; undefined for what is none. */
export function billKey(id: string): readonly [string, string, string] | undefined {
  const parts = id.split('-');
  return parts.length === 3 && parts.every(isId) ? (parts as [string, string, string]) : undefined;
}

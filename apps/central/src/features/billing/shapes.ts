/** What the routes of billing take and give: shapes with bounds, and how things of the store look as JSON. Times are ISO 8601. */
import { decimal, isoTime } from '@amiable/model';
import type { Bill, BillingRun, Contract, DeterminantRow, Release, TariffRow, TariffVersion } from '@amiable/store';
import { CYCLES } from '@amiable/store';
import { targetSchema } from '@amiable/tasks/schemas';
import { z } from 'zod';
import { day, id63, when } from '../../http/queries.ts';

export const tariffName = z.string().min(1).max(100);
export const byName = z.object({ name: tariffName });
export const byId = z.object({ id: id63 });
export const billParams = z.object({ id: z.string().regex(/^\d{1,18}-\d{1,18}-\d{1,18}$/, 'METER-RUN-CONTRACT') });
const page = { limit: z.coerce.number().int().min(1).max(1000).default(100) };
const product = z
  .string()
  .min(1)
  .max(40)
  .regex(/^[\p{L}\p{N} ._/-]+$/u, 'letters, digits, spaces and . _ / -');
const nullable = z.string().nullable();
const number = z.number();

// -- tariffs
export const tariffRow = z
  .object({
    name: z.string(),
    description: nullable,
    published: number.nullable().describe('newest published version'),
    draft: number.nullable(),
    validFrom: nullable.describe('first day of the newest published version'),
    contracts: number.describe('that hold; 10,001 stands for more'),
  })
  .meta({ id: 'TariffRow' });
export const tariffList = z.object({ tariffs: z.array(tariffRow), next: nullable });
export const tariffQuery = z.object({ ...page, q: z.string().max(100).optional(), after: tariffName.optional() });
export const versionShape = z
  .object({
    tariff: z.string(),
    version: number,
    state: z.enum(['draft', 'published']),
    validFrom: z.iso.date(),
    createdAt: z.string(),
    createdBy: nullable,
    publishedAt: nullable,
    publishedBy: nullable,
    definition: z.record(z.string(), z.unknown()).optional().describe('the whole tariff (docs/tariffs.md)'),
  })
  .meta({ id: 'TariffVersion' });
export const versionParams = z.object({ name: tariffName, version: z.coerce.number().int().min(1).max(1_000_000) });
export const draftBody = z.strictObject({
  description: z.string().max(500).nullable().optional(),
  validFrom: day.describe('first local day on which it is to hold'),
  definition: z.record(z.string(), z.unknown()).describe('the whole tariff (docs/tariffs.md)'),
});
export const checkBody = z.strictObject({
  definition: z.record(z.string(), z.unknown()),
  meter: z.boolean().default(false).describe('whether the calendar of a meter can hold it too'),
});
export const checkAnswer = z.object({
  good: z.boolean(),
  faults: z.array(z.object({ path: z.string(), sentence: z.string() })),
  meter: z
    .object({ fits: z.boolean(), reasons: z.array(z.string()) })
    .nullable()
    .describe('null where it was not asked for'),
});

export const tariffJson = ({ id: _, ...row }: TariffRow): z.output<typeof tariffRow> => row;
export const versionJson = (v: TariffVersion, whole: boolean): z.output<typeof versionShape> => ({
  tariff: v.tariff,
  version: v.version,
  state: v.state,
  validFrom: v.validFrom,
  createdAt: isoTime(v.createdAt),
  createdBy: v.createdBy,
  publishedAt: v.publishedAt === null ? null : isoTime(v.publishedAt),
  publishedBy: v.publishedBy,
  ...(whole ? { definition: { ...v.definition } } : {}),
});

// -- contracts
const parameters = z
  .record(
    z.string().regex(/^[A-Za-z][A-Za-z0-9_]{0,59}$/, 'a name such as contractedPower'),
    z.string().regex(/^-?\d{1,12}(\.\d{1,10})?$/, 'a decimal as text, such as "4.6"'),
  )
  .refine((all) => Object.keys(all).length <= 50, 'at most 50 parameters');
const contractFields = {
  tariff: tariffName,
  reference: z
    .string()
    .max(100)
    .nullable()
    .optional()
    .describe('the contract’s number elsewhere; never the name of a person'),
  cycle: z.enum(CYCLES).optional().describe('how often it is billed; month unless said'),
  cycleDay: z.number().int().min(1).max(28).optional().describe('day of the month on which its periods begin'),
  parameters: parameters
    .optional()
    .describe('what the tariff asks of the customer, such as {"contractedPower": "4.6"}'),
  from: day.describe('first local day, in the tariff’s zone'),
  to: day.nullable().optional().describe('the day after the last; left out: it goes on'),
};
export const contractBody = z.strictObject({ meteringPoint: id63, product, ...contractFields });
export const contractCorrection = z.strictObject({
  reason: z.string().min(1).max(500),
  right: z.strictObject(contractFields).optional().describe('what holds in its place; left out: it never was'),
});
export const contractEnd = z.strictObject({ to: day.describe('the day after the last') });
export const contractQuery = z.object({
  ...page,
  meteringPoint: id63.optional(),
  product: product.optional(),
  tariff: tariffName.optional(),
  at: when.optional().describe('those that hold then'),
  replaced: z.enum(['true', 'false']).optional().describe('also what was found wrong or ended by another'),
  after: id63.optional(),
});
export const contractShape = z
  .object({
    id: z.string(),
    meteringPoint: z.string(),
    code: z.string().describe('of the metering point'),
    product: z.string(),
    tariff: z.string(),
    reference: nullable,
    cycle: z.enum(CYCLES),
    cycleDay: number,
    parameters: z.record(z.string(), z.unknown()),
    from: z.string(),
    to: nullable,
    recordedAt: z.string(),
    recordedBy: nullable,
    replacedAt: nullable,
    replacedBy: nullable,
    reason: nullable,
  })
  .meta({ id: 'Contract' });
export const contractList = z.object({ contracts: z.array(contractShape), next: nullable });
const timeOrNull = (at: number | null): string | null => (at === null ? null : isoTime(at));
export const contractJson = ({ tariffId: _, ...c }: Contract): z.output<typeof contractShape> => ({
  ...c,
  parameters: { ...c.parameters },
  from: isoTime(c.from),
  to: timeOrNull(c.to),
  recordedAt: isoTime(c.recordedAt),
  replacedAt: timeOrNull(c.replacedAt),
});

// -- runs
export const gateShape = z.strictObject({
  percent: z.number().min(0).max(100).default(10).describe('of all intervals that may be missing, estimated or edited'),
});
export const runParameters = z
  .strictObject({
    kind: z
      .enum(['bill', 'difference', 'determinants'])
      .default('bill')
      .describe('difference: what was billed and has changed since; determinants: quantities by rate, without money'),
    cycle: z.enum(['month', 'quarter', 'year']).default('month'),
    of: z.string().max(20).default('previous').describe('2026-10, 2026-Q4, 2026, previous, current'),
    from: day.optional().describe('own dates in place of a cycle'),
    to: day.optional().describe('the day after the last'),
    product: product.optional(),
    tariff: tariffName.optional(),
    target: targetSchema.default({}).describe('which meters; all unless said'),
    gate: gateShape.default({ percent: 10 }),
    prices: z
      .enum(['seen', 'current'])
      .default('seen')
      .describe('of a difference: contract, tariff and spot prices as the bill saw them, or as they are now'),
  })
  .refine((p) => (p.from === undefined) === (p.to === undefined), 'own dates have from and to');
export type RunParameters = z.output<typeof runParameters>;
export const sumShape = z.object({
  state: z.enum(['billed', 'blocked', 'failed']),
  currency: nullable,
  bills: number,
  amount: z.string(),
});
export const billingRunShape = z
  .object({
    id: z.string(),
    kind: z.enum(['bill', 'difference', 'determinants']),
    state: z.enum(['running', 'done', 'failed', 'cancelled']),
    name: z.string(),
    from: z.string(),
    to: z.string(),
    parameters: z.record(z.string(), z.unknown()),
    taskRun: nullable.describe('id of the run that executes it: GET /api/v1/runs/:id has its progress'),
    createdAt: z.string(),
    createdBy: nullable,
    endedAt: nullable,
    report: z.record(z.string(), z.unknown()).nullable(),
    error: nullable,
    sums: z.array(sumShape).optional(),
  })
  .meta({ id: 'BillingRun' });
export const runList = z.object({ runs: z.array(billingRunShape), next: nullable });
export const runQuery = z.object({ ...page, after: id63.optional() });
export const runJson = (run: BillingRun): z.output<typeof billingRunShape> => ({
  id: run.id,
  kind: run.kind,
  state: run.state,
  name: run.name,
  from: isoTime(run.from),
  to: isoTime(run.to),
  parameters: { ...run.definition },
  taskRun: run.taskRun,
  createdAt: isoTime(run.createdAt),
  createdBy: run.createdBy,
  endedAt: timeOrNull(run.endedAt),
  report: run.report && { ...run.report },
  error: run.error,
});

// -- bills
const QUALITIES = ['measured', 'calculated', 'edited', 'estimated', 'missing'] as const;
export const qualities = z.object({
  measured: number,
  calculated: number,
  edited: number,
  estimated: number,
  missing: number,
});
export const qualitiesOf = (counts: ArrayLike<number>): z.output<typeof qualities> =>
  Object.fromEntries(QUALITIES.map((name, q) => [name, counts[q] ?? 0])) as z.output<typeof qualities>;
export const billShape = z
  .object({
    id: z.string(),
    run: z.string(),
    contract: z.string(),
    meteringPoint: z.string(),
    code: z.string().describe('of the metering point'),
    meter: z.string().describe('the last one that stood there in the period'),
    kind: z.enum(['bill', 'difference']),
    state: z.enum(['billed', 'blocked', 'failed']),
    product: z.string(),
    tariff: z.string(),
    tariffVersion: number.nullable(),
    from: z.string(),
    to: z.string(),
    currency: nullable,
    amount: nullable.describe('to be paid by this bill; null where nothing was billed'),
    total: nullable.describe('what the whole period comes to by what is known with this bill'),
    intervals: qualities,
    valueVersion: number.describe('highest version of the values that it saw'),
    seenAt: z
      .string()
      .describe('when it read them; GET /api/v1/meters/:id/intervals with asOf shows them as they were'),
    previousRun: nullable.describe('of a difference: the run whose bill it corrects'),
    reason: nullable,
  })
  .meta({ id: 'Bill' });
export const wholeBill = billShape
  .extend({
    detail: z
      .record(z.string(), z.unknown())
      .nullable()
      .describe('determinants, lines with their derivation, meters, what changed'),
  })
  .meta({ id: 'BillWithDerivation' });
export const billList = z.object({ bills: z.array(billShape), next: nullable });
export const billQuery = z.object({
  ...page,
  run: id63.optional(),
  meteringPoint: id63.optional(),
  meter: id63.optional(),
  product: product.optional(),
  state: z.enum(['billed', 'blocked', 'failed']).optional(),
  from: when.optional().describe('those that bill some of this time'),
  to: when.optional(),
  after: billParams.shape.id.optional(),
});
export const money = (mantissa: bigint | null, scaler: number): string | null =>
  mantissa === null ? null : decimal(mantissa, scaler);
export const billJson = (bill: Bill): z.output<typeof billShape> => ({
  id: bill.id,
  run: bill.run,
  contract: bill.contract,
  meteringPoint: bill.meteringPoint,
  code: bill.code,
  meter: bill.meter,
  kind: bill.kind,
  state: bill.state,
  product: bill.product,
  tariff: bill.tariff,
  tariffVersion: bill.tariffVersion,
  from: isoTime(bill.from),
  to: isoTime(bill.to),
  currency: bill.currency,
  amount: money(bill.amount, bill.scaler),
  total: money(bill.total, bill.scaler),
  intervals: qualitiesOf(bill.counts),
  valueVersion: bill.valueVersion,
  seenAt: isoTime(bill.seenAt),
  previousRun: bill.previousRun,
  reason: bill.reason,
});

// -- the gate
export const releaseBody = z.strictObject({
  meteringPoint: id63,
  from: when,
  to: when,
  reason: z.string().min(1).max(500),
});
export const releaseShape = z
  .object({
    id: z.string(),
    meteringPoint: z.string(),
    code: z.string(),
    from: z.string(),
    to: z.string(),
    reason: z.string(),
    at: z.string(),
    by: z.string(),
  })
  .meta({ id: 'Release' });
export const releaseList = z.object({ releases: z.array(releaseShape), next: nullable });
export const releaseQuery = z.object({ ...page, meteringPoint: id63.optional(), after: id63.optional() });
export const releaseJson = (release: Release): z.output<typeof releaseShape> => ({
  ...release,
  from: isoTime(release.from),
  to: isoTime(release.to),
  at: isoTime(release.at),
});

// -- determinants
export const determinantShape = z
  .object({
    meteringPoint: z.string(),
    code: z.string(),
    meter: z.string(),
    contract: z.string(),
    quantity: z.string(),
    tariff: z.string(),
    tariffVersion: number,
    from: z.string(),
    to: z.string(),
    unit: nullable,
    rates: z.array(z.object({ rate: z.string(), energy: z.string() })),
    highest: nullable.describe('energy of the highest interval'),
    highestAt: nullable,
    highestPower: nullable.describe('its mean power, in the unit an hour'),
    intervals: qualities,
  })
  .meta({ id: 'Determinants' });
export const determinantList = z.object({ determinants: z.array(determinantShape), next: nullable });
export const determinantJson = (d: DeterminantRow): z.output<typeof determinantShape> => ({
  meteringPoint: d.meteringPoint,
  code: d.code,
  meter: d.meter,
  contract: d.contract,
  quantity: d.quantity,
  tariff: d.tariff,
  tariffVersion: d.tariffVersion,
  from: isoTime(d.from),
  to: isoTime(d.to),
  unit: d.unit,
  rates: d.rates.map((rate, r) => ({ rate, energy: decimal(d.energy[r] ?? 0, d.scaler) })),
  highest: d.highest === null ? null : decimal(d.highest, d.scaler),
  highestAt: timeOrNull(d.highestAt),
  highestPower: d.highest === null ? null : decimal(Math.round((d.highest * 3_600_000) / d.step), d.scaler),
  intervals: qualitiesOf(d.counts),
});

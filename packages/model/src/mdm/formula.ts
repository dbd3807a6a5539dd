/**
 * Profile calculation (AMI system description §5.4.1): what a formula says, and what the balance of an area is made of.
 *
 * Decides: the shapes and their bounds; that a name means one thing. Leaves out: the expression language (compute), dependences.
 */
import { z } from 'zod';
import { QUANTITIES } from '../metering.ts';

const id = z.string().regex(/^\d{1,18}$/, 'an id has up to 18 digits');
const NAME = /^[a-z][A-Za-z0-9_]{0,39}$/;
const profile = z
  .string()
  .regex(NAME, 'a name such as energyImport or netLoad: letters and digits, the first a small letter');
const unit = z.string().max(20).describe('Wh, kWh, m3, W, EUR/kWh …');

/** Which meters: any of these, all that fit are meant. */
export const metersShape = z
  .strictObject({
    meters: z.array(id).min(1).max(10_000).optional(),
    group: z.string().min(1).max(100).optional().describe('a group of meters'),
    under: id.optional().describe('all that stood under this node of the network at the time'),
    types: z.array(z.string().min(1).max(100)).min(1).max(50).optional().describe('of these types of the registry'),
  })
  .refine(
    (m) => m.meters !== undefined || m.group !== undefined || m.under !== undefined,
    'say meters, group or under',
  );
export type Meters = z.output<typeof metersShape>;

const common = { quantity: profile, unit: unit.optional().describe('of a calculated profile that no formula makes') };
const ratios = z.boolean().default(true).describe('multiplied by the ratios of measuring transformers');

export const formulaInput = z.discriminatedUnion('kind', [
  z.strictObject({ kind: z.literal('meter'), meter: id, ...common, ratios }),
  z
    .strictObject({ kind: z.literal('self'), ...common, ratios })
    .describe('the meter that is calculated for; with result.each'),
  z
    .strictObject({
      kind: z.literal('meters'),
      of: metersShape,
      ...common,
      ratios,
      combine: z.enum(['sum', 'mean', 'min', 'max', 'count']).default('sum'),
      missing: z
        .enum(['missing', 'skip'])
        .default('missing')
        .describe('where one lacks: nothing is said, or the others count and the result is estimated'),
      spread: z.boolean().default(false).describe('energy of longer intervals is shared out equally and is estimated'),
    })
    .describe('many meters as one series'),
  z.strictObject({ kind: z.literal('price'), series: z.string().min(1).max(100) }),
  z
    .strictObject({
      kind: z.literal('factor'),
      unit: unit.default(''),
      values: z
        .array(
          z.strictObject({
            from: z.iso.datetime({ offset: true }),
            value: z.string().regex(/^-?\d{1,12}(\.\d{1,9})?$/, 'a decimal'),
          }),
        )
        .min(1)
        .max(5000),
    })
    .describe('a number that holds from a time on: calorific value, conversion number, a share'),
]);
export type FormulaInput = z.output<typeof formulaInput>;

export const FORMULA_PERIODS = [300, 600, 900, 1200, 1800, 3600] as const;
const standard: ReadonlySet<string> = new Set(QUANTITIES.map((q) => q.name));

export const formulaShape = z
  .strictObject({
    description: z.string().max(500).default(''),
    expression: z.string().min(1).max(4000),
    inputs: z.record(z.string().regex(/^[A-Za-z_][A-Za-z0-9_]{0,39}$/, 'names of inputs are words'), formulaInput),
    period: z
      .number()
      .int()
      .refine((s) => (FORMULA_PERIODS as readonly number[]).includes(s), `one of ${FORMULA_PERIODS.join(', ')} seconds`)
      .default(900),
    unit: unit.describe('of the result'),
    decimals: z.number().int().min(0).max(6).default(3).describe('of the result in its base unit (Wh, m3, W)'),
    result: z.strictObject({
      name: profile.describe('what the profile is called'),
      meter: z
        .string()
        .min(1)
        .max(100)
        .optional()
        .describe('serial number of a virtual meter of its own; made if it is not there'),
      each: metersShape.optional().describe('calculated for each of these meters, and kept with it'),
    }),
    timeZone: z.string().max(60).optional().describe('of local days and hours'),
  })
  .superRefine((formula, context) => {
    const fail = (path: string[], message: string): void => void context.addIssue({ code: 'custom', path, message });
    const { meter, each, name } = formula.result;
    if ((meter === undefined) === (each === undefined))
      fail(['result'], 'say either meter (a virtual meter of its own) or each');
    if (each !== undefined && standard.has(name))
      fail(
        ['result', 'name'],
        `${name} is what meters measure: a calculated profile of a real meter needs another name`,
      );
    const inputs = Object.entries(formula.inputs);
    if (inputs.length > 30) fail(['inputs'], 'at most 30 inputs');
    if (each === undefined)
      for (const [key, input] of inputs)
        if (input.kind === 'self') fail(['inputs', key], 'self is for a formula with result.each');
  });
export type Formula = z.output<typeof formulaShape>;

const side = z.strictObject({
  of: metersShape,
  quantity: profile,
});
export const balanceShape = z
  .strictObject({
    description: z.string().max(500).default(''),
    node: id
      .optional()
      .describe('transformer, feeder or other node: all meters under it consume and produce, but those that supply'),
    supply: z
      .array(id)
      .min(1)
      .max(100)
      .describe('meters at the transformer: what they import is supplied, what they export fed back'),
    consumed: z.array(side).max(20).optional().describe('in place of all under the node'),
    produced: z.array(side).max(20).optional().describe('in place of all under the node'),
    period: z
      .number()
      .int()
      .refine((s) => (FORMULA_PERIODS as readonly number[]).includes(s))
      .default(900),
    timeZone: z.string().max(60).optional(),
    limits: z
      .strictObject({
        share: z.number().min(0).max(1).optional().describe('share of a technical loss'),
        least: z.number().min(0).max(1e12).optional().describe('Wh a day below which nobody looks'),
        negative: z.number().min(0).max(1).optional(),
        days: z.number().int().min(3).max(92).optional(),
        leastDays: z.number().int().min(3).max(92).optional(),
        persistent: z.number().min(0.5).max(1).optional(),
        completeness: z.number().min(0).max(1).optional(),
        step: z.number().min(0).max(1).optional(),
      })
      .prefault({}),
  })
  .refine((area) => area.node !== undefined || area.consumed !== undefined, 'say a node, or which meters consume');
export type BalanceArea = z.output<typeof balanceShape>;

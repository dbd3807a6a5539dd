/**
 * Rule sets of validation as they are written, saved and shown (AMI system description §5.3; the checks beyond its matrices are those
 * of common VEE practice).
 *
 * Decides: every check with its parameters and defaults, and that a combination which the matrix leaves empty, or which would replace
 * measured values without telling anybody, is refused with the reason. Leaves out: formulas of user checks are parsed
 * by `compileRules` of the compute package, which says where one is wrong.
 */
import { z } from 'zod';
import { ACTIONS_ON_VALUES, refusalOf, SEVERITIES } from './matrix.ts';

const AMOUNT = /^[+-]?\d{1,12}(?:\.\d{1,9})?\s*(?:[kMG]?(?:Wh|varh|VAh|W|var|VA)|m3|m3\/h|l|J|[kMG]J)$/;

/** An amount: bare in the unit of the metering (Wh, m3), or with a unit: `"5 kWh"`, or as mean power over the interval: `"17 kW"`. */
export const amount = z.union([
  z.number().finite(),
  z.string().trim().regex(AMOUNT, 'an amount is a number, or a number and a unit such as "5 kWh", "17 kW" or "2 m3"'),
]);
export type Amount = z.infer<typeof amount>;

const percent = z.number().positive().max(1_000_000);
const hours = z
  .number()
  .positive()
  .max(24 * 400);
const days = z.number().int().min(1).max(400);
const formula = z.string().trim().min(1).max(4000);
const word = z.string().trim().min(1).max(100);

const common = {
  /** Unique in its rule set; exceptions are listed under it. */
  name: word,
  enabled: z.boolean().default(true),
  severity: z.enum(SEVERITIES).default('warning'),
  action: z.enum(ACTIONS_ON_VALUES).default('unchanged'),
  /** For `user-defined` (each interval) and `user-defined-distributed` (all intervals together). */
  value: amount.optional(),
  /** False: what is hit is estimated. Left out: as the check has it; an action other than `unchanged` means false. */
  usable: z.boolean().optional(),
  /** Meters that are hit join this named group, which a flow or a report can take as its input. */
  group: word.optional(),
  note: z.string().max(1000).optional(),
};

const rule = <const C extends string, S extends z.ZodRawShape>(check: C, shape: S) =>
  z.strictObject({ check: z.literal(check), ...common, ...shape });

/** Beside what: the mean or median of the days before; `percent` 300 with `higher` means: more than three times it. */
const besideUsual = { percent: percent.default(300), days: days.default(30), atLeast: amount.optional() };
const belowUsual = { percent: percent.default(10), days: days.default(30) };

export const profileRule = z.discriminatedUnion('check', [
  // The matrix.
  rule('missing', {}),
  rule('zero', {}),
  rule('anything', {}),
  rule('not-missing', {}),
  rule('negative', {}),
  rule('positive', {}),
  rule('higher-than', { limit: amount }),
  rule('lower-than', { limit: amount }),
  rule('higher-than-average', besideUsual),
  rule('lower-than-average', belowUsual),
  rule('higher-than-median', besideUsual),
  rule('lower-than-median', belowUsual),
  rule('user', { formula }),
  // 1. Structure.
  rule('gap', { intervals: z.number().int().min(1).max(40_000).default(1) }),
  rule('duplicate', {}),
  rule('interval-length', {}),
  rule('unit', {}),
  rule('multiplier', {}),
  rule('sibling-missing', { siblings: z.array(word).max(20).default([]) }),
  // 2. Sums. `factor` × multiplier × one step of the register, unless `tolerance` says an amount.
  rule('sum', { factor: z.number().nonnegative().max(1_000_000).default(2), tolerance: amount.optional() }),
  rule('rates-sum', { factor: z.number().nonnegative().max(1_000_000).default(2), tolerance: amount.optional() }),
  // 3. (h1 − h3) / h3 over a local day.
  rule('spike', {
    threshold: z.number().positive().max(10_000).default(1.8),
    intervals: z.number().int().min(3).max(10_000).default(20),
    /** Days whose highest interval stays below are not looked at. */
    atLeast: amount.optional(),
  }),
  // 4. Mean daily use in per cent of that of the same days last year, else of the period before.
  rule('high-low', {
    high: percent.default(450),
    low: z.number().nonnegative().max(100).default(15),
    days: days.default(14),
    atLeast: amount.optional(),
  }),
  // 5. Change from the last valid interval, per cent of that one.
  rule('step', { percent: percent.default(1000), atLeast: amount.optional() }),
  // 6. Demand.
  rule('demand-limit', { limit: amount }),
  rule('demand-peak', { percent: percent.default(200), atLeast: amount.optional() }),
  // 7. Runs.
  rule('run-zero', { hours: hours.default(24) }),
  rule('run-negative', { hours: hours.default(1) }),
  rule('run-identical', { hours: hours.default(6) }),
  rule('run-missing', { hours: hours.default(24) }),
  rule('run-outage', { hours: hours.default(24) }),
  rule('never-zero', { days: days.default(7), above: amount.default(0) }),
  // 8. Use and no use beside events.
  rule('zero-without-outage', { hours: hours.default(2) }),
  rule('use-while-disconnected', { tolerance: amount.default(0) }),
  rule('use-while-not-installed', { tolerance: amount.default(0) }),
  // 9. Active and reactive energy.
  rule('reactive-without-active', { sibling: word.default('energyImport'), hours: hours.default(1) }),
  rule('active-without-reactive', { sibling: word.default('reactiveImport'), hours: hours.default(24) }),
  // 10. What the meter says of itself.
  rule('clock', { seconds: z.number().nonnegative().max(86_400).default(60) }),
  rule('event', { events: z.array(word).min(1).max(50) }),
  // 11.
  rule('prolonged-estimation', { days: z.number().positive().max(400).default(3) }),
]);
export type ProfileRule = z.infer<typeof profileRule>;
export type ProfileCheck = ProfileRule['check'];

const beyond = { percent: z.number().nonnegative().max(1_000_000).default(0) };

export const periodicRule = z.discriminatedUnion('check', [
  rule('missing', {}),
  rule('zero', {}),
  rule('anything', {}),
  rule('not-missing', {}),
  rule('higher-than', { limit: amount }),
  rule('lower-than', { limit: amount }),
  // `percent`: by how much more or less than that a value must be to be found.
  rule('higher-than-previous', beyond),
  rule('lower-than-previous', beyond),
  rule('higher-than-previous-month', beyond),
  rule('lower-than-previous-month', beyond),
  rule('higher-than-previous-year', beyond),
  rule('lower-than-previous-year', beyond),
  rule('higher-than-reference', beyond),
  rule('lower-than-reference', beyond),
  rule('higher-than-previous-month-source', beyond),
  rule('lower-than-previous-month-source', beyond),
  rule('higher-than-previous-year-source', beyond),
  rule('lower-than-previous-year-source', beyond),
  rule('user', { formula }),
  // Beyond the matrix: a cumulative register never falls, but for the rollover of its digits.
  rule('falling', {}),
  rule('rollover', {}),
  /** Use between two showings above what can flow: mean power (`"17 kW"`), or an amount. */
  rule('maximum', { limit: amount }),
  rule('rates-sum', { factor: z.number().nonnegative().max(1_000_000).default(2), tolerance: amount.optional() }),
  rule('multiplier', {}),
  rule('event', { events: z.array(word).min(1).max(50) }),
]);
export type PeriodicRule = z.infer<typeof periodicRule>;
export type PeriodicCheck = PeriodicRule['check'];

function judge(
  kind: 'profile' | 'periodic',
  rules: readonly (ProfileRule | PeriodicRule)[],
  ctx: z.RefinementCtx,
): void {
  const names = new Set<string>();
  for (const [i, r] of rules.entries()) {
    const issue = (field: string, message: string) =>
      ctx.addIssue({ code: 'custom', path: [kind, i, field], message: `rule "${r.name}": ${message}` });
    if (names.has(r.name))
      issue('name', 'another rule of this set has the same name; exceptions could not be told apart');
    names.add(r.name);
    const refusal = refusalOf(kind, r.check, r.action);
    if (refusal) issue('action', refusal);
    const valued = r.action === 'user-defined' || r.action === 'user-defined-distributed';
    if (valued && r.value === undefined) issue('value', `the action "${r.action}" needs a value`);
    if (!valued && r.value !== undefined)
      issue('value', `a value is for user-defined actions; the action is "${r.action}"`);
    if (r.action !== 'unchanged' && r.usable === true)
      issue('usable', `the action "${r.action}" replaces the value, so it cannot be usable as it is`);
    // All but `missing` are met by measured values, which the action then replaces.
    if (!refusal && r.action !== 'unchanged' && r.check !== 'missing' && r.severity === 'info')
      issue('severity', 'it would replace measured values without telling anybody; give it "warning" or "error"');
  }
}

export const ruleSet = z
  .strictObject({
    name: word,
    note: z.string().max(2000).optional(),
    /** Whom it is for; an empty list means: any. Of several that fit, the most particular holds (`chooseRuleSet`). */
    for: z
      .strictObject({
        groups: z.array(word).max(200).default([]),
        customerTypes: z.array(word).max(200).default([]),
        meterTypes: z.array(word).max(200).default([]),
        /** Names of quantities (`energyImport`), or of calculated profiles. */
        quantities: z.array(word).max(200).default([]),
      })
      .default({ groups: [], customerTypes: [], meterTypes: [], quantities: [] }),
    /** Rules for interval values. */
    profile: z.array(profileRule).max(200).default([]),
    /** Rules for registers and other periodic values. */
    periodic: z.array(periodicRule).max(200).default([]),
  })
  .superRefine((set, ctx) => {
    judge('profile', set.profile, ctx);
    judge('periodic', set.periodic, ctx);
  });
export type RuleSet = z.infer<typeof ruleSet>;
/** As written: with what has a default left out. */
export type RuleSetInput = z.input<typeof ruleSet>;

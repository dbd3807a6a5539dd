export * from './balance/index.ts';
export { checksOf, type Known } from './estimation/checks.ts';
export { holidaysBetween } from './estimation/holidays.ts';
export { dependents } from './estimation/late.ts';
export { shareOut } from './estimation/share.ts';
export type { Estimate, EstimationMethod } from './estimation/types.ts';
export { ESTIMATION_METHODS } from './estimation/types.ts';
export { vee } from './estimation/vee.ts';
export type {
  EstimationSettings,
  RegisterEstimate,
  VeeChecks,
  VeeInput,
  VeeResult,
} from './estimation/vee-types.ts';
export { type Aligned, align, type Grid, type SeriesInput } from './expression/align.ts';
export { type Evaluated, evaluate, type SeriesOf } from './expression/evaluate.ts';
export { type Explained, explainAt, outline, sentenceAt } from './expression/explain.ts';
export { ExpressionError } from './expression/lex.ts';
export { FUNCTIONS, parseExpression } from './expression/parse.ts';
export type * from './expression/types.ts';
export { parseUnit, type UnitMeaning, unitText } from './expression/units.ts';
export * from './formulas/index.ts';
export { type HistoryForm, type HistoryReading, readHistory } from './history/history.ts';
export { integratePower } from './integrate.ts';
export { type GridStep, gridOf, isGridStep } from './intervals/grid.ts';
export {
  type EndStamped,
  type Metering,
  type MeteringNote,
  type MeteringOptions,
  meteringOf,
  type Sent,
  sourceStamps,
} from './intervals/metering.ts';
export * from './media/index.ts';
export {
  addMeter,
  type Interrupted,
  indicesOf,
  noSums,
  type Outage,
  outagesOf,
  type Span,
  type SumOptions,
  type SupplyEvent,
  type SupplyIndices,
  type SupplySums,
  unplanned,
} from './outages.ts';
export * from './prices/index.ts';
export { type BucketEnergy, type RegisterOptions, registerEnergy } from './register.ts';
export { type Resampled, resample } from './resample.ts';
export { type Intervals, QUALITY, type QualityCode, type Showings } from './series.ts';
export * from './tariff/index.ts';
export { CHECK_NAMES, checkRuleSet, chooseRuleSet, compileRules, type RuleSubject } from './validation/compile.ts';
export { HOUSEHOLD_RULES, UTILITY_RULES, WATER_RULES } from './validation/defaults.ts';
export { validateRegisters } from './validation/registers.ts';
export * from './validation/types.ts';
export { validateIntervals } from './validation/validate.ts';

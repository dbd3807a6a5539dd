export { addVersion, type ComparedLine, type Comparison, compareRated } from './compare.ts';
export { type CompiledTariff, compileTariff, earliest } from './compile.ts';
export { addRates, addRatesAndPeak, highestOf, rateMeters } from './kernels.ts';
export {
  calendarDifferences,
  METER_LIMITS,
  type MeterCalendar,
  type MeterDate,
  type MeterFit,
  type MeterLimits,
  meterCalendar,
  meterFit,
  meterRateAt,
} from './meter-calendar.ts';
export { type Rater, rate, rater } from './rate.ts';
export { type RateChanges, rateChanges, rateRuns, ratesOf } from './slots.ts';
export * from './types.ts';

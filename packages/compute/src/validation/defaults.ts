/**
 * Rule sets that come with the program: for a household, for a utility, and for water. Plain data in the form in which rule sets are written,
 * to begin with and to change; the schema fills in what has a default.
 *
 * Decides: thresholds. Sum check 2 × multiplier × one step of the register, spike 1.8 over at least 20 intervals (common VEE
 * practice). High and low so that people who go on holiday and come back are not found (a year of a simulated street: no alarm, and 99.5 % of
 * what is six times too high or a twelfth). A household's spike must also be worth speaking of, for a kettle in an empty house is one. Nothing here replaces a
 * measured value by another rule than estimation, and what is only unusual stays usable.
 */
import type { RuleSetInput } from '@amiable/model';

/** A house that looks at its own meter: what is wrong with the data, and what may be wrong in the house. */
export const HOUSEHOLD_RULES: RuleSetInput = {
  name: 'household',
  note: 'For one house: gaps, values that cannot be, and use that its people should know of.',
  profile: [
    { name: 'missing', check: 'missing', severity: 'info' },
    { name: 'day missing', check: 'run-missing', hours: 24 },
    { name: 'negative', check: 'negative', severity: 'error' },
    { name: 'more than the fuses let through', check: 'demand-limit', limit: '44 kW', severity: 'error' },
    { name: 'spike', check: 'spike', threshold: 1.8, intervals: 20, atLeast: '10 kW', usable: true, severity: 'info' },
    { name: 'sum', check: 'sum', severity: 'error' },
    { name: 'unusual fortnight', check: 'high-low', high: 450, low: 15, days: 14, atLeast: '2 kWh', severity: 'info' },
    { name: 'clock', check: 'clock', seconds: 60 },
    { name: 'estimated for long', check: 'prolonged-estimation', days: 7 },
  ],
  periodic: [
    { name: 'falling register', check: 'falling', severity: 'error' },
    { name: 'rollover', check: 'rollover', severity: 'info' },
    { name: 'rates and total', check: 'rates-sum' },
  ],
};

/** Many customers: what must not reach a bill unlooked at, and the groups that people and flows work through. */
export const UTILITY_RULES: RuleSetInput = {
  name: 'utility',
  note: 'For everybody whom no other rule set is for.',
  profile: [
    { name: 'missing', check: 'missing', severity: 'info' },
    { name: 'gap of a day', check: 'run-missing', hours: 24, group: 'to be read again' },
    { name: 'duplicate', check: 'duplicate', usable: false },
    { name: 'interval length', check: 'interval-length', severity: 'error' },
    { name: 'unit', check: 'unit', severity: 'error' },
    { name: 'multiplier', check: 'multiplier', severity: 'error' },
    { name: 'negative', check: 'negative', severity: 'error' },
    { name: 'impossible demand', check: 'demand-limit', limit: '10 MW', severity: 'error' },
    { name: 'sum', check: 'sum', factor: 2, severity: 'error', group: 'sum does not agree' },
    { name: 'rates and total', check: 'rates-sum', factor: 2 },
    { name: 'spike', check: 'spike', threshold: 1.8, intervals: 20, atLeast: '20 kW', usable: true },
    { name: 'high or low', check: 'high-low', high: 450, low: 15, days: 14, atLeast: '5 kWh' },
    { name: 'peak', check: 'demand-peak', percent: 300, atLeast: '20 kW', severity: 'info' },
    { name: 'stuck', check: 'run-identical', hours: 12, usable: true },
    { name: 'zero without outage', check: 'zero-without-outage', hours: 24, severity: 'info' },
    { name: 'long outage', check: 'run-outage', hours: 24, severity: 'info' },
    {
      name: 'use while disconnected',
      check: 'use-while-disconnected',
      severity: 'error',
      usable: true,
      group: 'to be visited',
    },
    { name: 'use while not installed', check: 'use-while-not-installed', severity: 'error' },
    { name: 'reactive alone', check: 'reactive-without-active', sibling: 'energyImport', hours: 6 },
    { name: 'clock', check: 'clock', seconds: 60 },
    { name: 'estimated for long', check: 'prolonged-estimation', days: 3, group: 'to be visited' },
  ],
  periodic: [
    { name: 'missing register', check: 'missing' },
    { name: 'falling register', check: 'falling', severity: 'error', group: 'to be visited' },
    { name: 'rollover', check: 'rollover', severity: 'info' },
    { name: 'impossible use', check: 'maximum', limit: '10 MW', severity: 'error' },
    { name: 'rates and total', check: 'rates-sum' },
    { name: 'multiplier', check: 'multiplier', severity: 'error' },
  ],
};

/** Water stands still at night: what never does is a leak. Beside either of the others, for it is for its quantities only. */
export const WATER_RULES: RuleSetInput = {
  name: 'water',
  note: 'Water and hot water, of a household or a utility.',
  for: { quantities: ['waterVolume', 'hotWaterVolume'] },
  profile: [
    { name: 'missing', check: 'missing', severity: 'info' },
    { name: 'day missing', check: 'run-missing', hours: 24, group: 'to be read again' },
    { name: 'negative', check: 'negative', severity: 'error' },
    {
      name: 'more than the pipe lets through',
      check: 'higher-than',
      limit: '10 m3/h',
      severity: 'error',
      usable: false,
    },
    { name: 'sum', check: 'sum', severity: 'error' },
    { name: 'never stops', check: 'never-zero', days: 3, above: '0 l', group: 'leaks' },
    { name: 'high or low', check: 'high-low', high: 300, low: 10, days: 7, atLeast: '50 l', severity: 'info' },
    { name: 'use while not installed', check: 'use-while-not-installed', severity: 'error' },
    { name: 'estimated for long', check: 'prolonged-estimation', days: 7 },
  ],
  periodic: [
    { name: 'falling register', check: 'falling', severity: 'error' },
    { name: 'rollover', check: 'rollover', severity: 'info' },
    { name: 'impossible use', check: 'maximum', limit: '10 m3/h', severity: 'error' },
  ],
};

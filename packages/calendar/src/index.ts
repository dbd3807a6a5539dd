export { type Cron, parseCron } from './cron.ts';
export { type Period, type PeriodUnit, parsePeriod, periodRange, printPeriod } from './period.ts';
export {
  type MonthDay,
  type Occurrence,
  type Recurrence,
  type Recurring,
  recurring,
  type Schedule,
} from './recurrence.ts';
export { add, CALENDAR_UNITS, type CalendarUnit, startOf, startsIn } from './units.ts';
export { type WallInstants, wallInstants } from './wall.ts';
export { isValidZone, type LocalHints, localToUtc, toLocal, zoneOffset } from './zone.ts';

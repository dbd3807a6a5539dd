export { type Period, type PeriodUnit, parsePeriod, periodRange, printPeriod } from './period.ts';
export { add, CALENDAR_UNITS, type CalendarUnit, startOf, startsIn } from './units.ts';
export { type WallInstants, wallInstants } from './wall.ts';
export { isValidZone, type LocalHints, localToUtc, toLocal, zoneOffset } from './zone.ts';

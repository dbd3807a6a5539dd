/** Statements over many meters at once. */
import { integer, integers } from './blocks.ts';

const days = (first: number, last: number): string =>
  `day >= date '1970-01-01' + ${integer(first)} and day <= date '1970-01-01' + ${integer(last)}`;

export const fleetSql = {
  /**
   * Packed blocks of one register and step, of some meters or of all. Each column costs the server as much as unpacking
   * costs us, so there are few: the count follows from the bytes, the qualities are null where nothing is missing.
   */
  copyPacked: (register: number, step: number, first: number, last: number, meters?: readonly string[]): string =>
    `copy (select meter, day, start, scaler, v, case when missing > 0 then s end from amiable.block
    where register = ${integer(register)} and step = ${integer(step)} and ${days(first, last)}${meters ? ` and meter in (${integers(meters)})` : ''})
    to stdout (format binary)`,
  /** Values that are there, by meter, out of the headers. */
  present: `select meter, sum(n - missing)::bigint as n from amiable.block
    where register = $1 and day >= $2::date and day <= $3::date group by meter order by meter`,
  /** Highest mantissas, by meter and scaler, out of the headers. */
  highest: `select meter, scaler, max(hmax) as peak from amiable.block
    where register = $1 and day >= $2::date and day <= $3::date group by meter, scaler order by meter`,
  seenMeters: 'select meter from amiable.meter_state order by meter',
} as const;

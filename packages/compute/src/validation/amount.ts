/**
 * Amounts of rules as mantissas of a series.
 *
 * Decides: `5 kWh` is an amount of the interval, `17 kW` the mean power over it, a bare number is in the unit of the series. An amount
 * of another kind (m3 for electricity) is a misuse: the rule does not fit the series.
 */
import { MisuseError } from '@amiable/bytes';
import type { Amount, Unit } from '@amiable/model';

const FORM = /^([+-]?\d+(?:\.\d+)?)\s*(\S+)$/;
const PREFIXES: Readonly<Record<string, number>> = { k: 1e3, M: 1e6, G: 1e9 };
/** Power by the unit of the energy that it makes in an hour. */
const POWER_OF: Readonly<Record<string, Unit>> = { W: 'Wh', var: 'varh', VA: 'VAh', 'm3/h': 'm3' };
const OTHER: Readonly<Record<string, readonly [Unit, number]>> = {
  l: ['m3', 1e-3],
  kJ: ['J', 1e3],
  MJ: ['J', 1e6],
  GJ: ['J', 1e9],
};

/** @param step length of an interval, ms @throws MisuseError for an amount of another kind */
export function mantissaOf(amount: Amount, unit: Unit, scaler: number, step: number, rule: string): number {
  const scale = 10 ** -scaler;
  if (typeof amount === 'number') return amount * scale;
  const [, number, written] = FORM.exec(amount) as unknown as [string, string, string];
  let base = written;
  let factor = Number(number);
  const other = OTHER[written];
  const prefix = PREFIXES[written[0] as string];
  if (other) {
    base = other[0];
    factor *= other[1];
  } else if (prefix !== undefined && written.length > 1) {
    base = written.slice(1);
    factor *= prefix;
  }
  if (base === unit) return factor * scale;
  if (POWER_OF[base] === unit) return ((factor * step) / 3_600_000) * scale;
  throw new MisuseError(`rule "${rule}": ${amount} cannot be compared with values in ${unit}`);
}

/** Which registers of the store hold meterings. */
import { MisuseError } from '@amiable/bytes';
import { INTERVAL_ADDRESS } from '@amiable/model';
import type { Register, Registers } from '../registers.ts';

/** A register of a metering, of some period; the one without is there only because it names the source of the others. */
export const isMetering = (r: Register): boolean =>
  r.address === INTERVAL_ADDRESS && r.period > 0 && r.stat === 'value';

/** Registers of a quantity, the finest first; of equal periods the newest first. */
export function registersOf(registers: Registers, quantity: string, period?: number): Register[] {
  const found: Register[] = [];
  for (const r of registers.all())
    if (isMetering(r) && r.name === quantity && (period === undefined || r.period === period)) found.push(r);
  return found.sort((a, b) => a.period - b.period || b.id - a.id);
}

export function meteringsOf(registers: Registers, quantities?: readonly string[]): Register[] {
  const found: Register[] = [];
  for (const r of registers.all())
    if (isMetering(r) && (quantities === undefined || quantities.includes(r.name))) found.push(r);
  return found;
}

const EARLIEST = Date.UTC(1990, 0, 1);
const LATEST = Date.UTC(2100, 0, 1);

/** @throws MisuseError for a time that is none */
export function checkSpan(from: number, to: number): void {
  if (!(from >= EARLIEST && to <= LATEST)) throw new MisuseError('times lie between 1990 and 2100');
  if (!(to > from)) throw new MisuseError('`to` lies before `from`');
}

/** Readings by their OBIS short form, as integers in the steps that the port guide and the thesis print. */
import { decimal, type Message } from '@amiable/model';

/** C.D.E of `A-B:C.D.E*F`. */
export function shortCode(obis: string): string {
  const start = obis.indexOf(':') + 1;
  const end = obis.indexOf('*', start);
  return end < 0 ? obis.slice(start) : obis.slice(start, end);
}

/** Power of ten of one step, by the first two groups: W, mA, 0.1 V, Wh. */
export function stepOf(code: string): number {
  if (/^(31|51|71|11)\.7\./.test(code)) return -3;
  if (/^(32|52|72|12)\.7\./.test(code)) return -1;
  return 0;
}

/** The value in steps of 10^step: an integer when it is one, with decimals where the meter tells finer. */
export function inSteps(value: number | bigint, scaler: number, step: number): string {
  const shift = scaler - step;
  const printed = decimal(value, shift);
  return shift < 0 ? printed.replace(/\.?0+$/, '') : printed;
}

/** The first reading of each code. */
export function byCode(m: Message): Map<string, { index: number; printed: string }> {
  const out = new Map<string, { index: number; printed: string }>();
  for (let i = 0; i < m.items.length; i++) {
    const item = m.items[i]!;
    const value = m.values[i]!;
    if (item.obis === undefined) continue;
    const code = shortCode(item.obis);
    if (out.has(code)) continue;
    out.set(code, { index: i, printed: typeof value === 'string' ? value : inSteps(value, item.scaler, stepOf(code)) });
  }
  return out;
}

/** Local time as the meter said it, date and clock: that of the list itself where it has one, else the message's. */
export function clockOf(m: Message): string | undefined {
  const i = m.items.findIndex((item) => item.obis !== undefined && shortCode(item.obis) === '1.0.0');
  const own = i >= 0 ? m.values[i] : undefined;
  const said = typeof own === 'string' && /^\d{4}-\d\d-\d\dT/.test(own) ? own : m.meterTime;
  return said?.slice(0, 19);
}

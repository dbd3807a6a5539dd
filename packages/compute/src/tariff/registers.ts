/**
 * What the meter's own registers advanced over a span.
 *
 * Decides: a reading within half a minute of a boundary stands for it; between two readings the register is taken to have run evenly, rounded to
 * its own digits, and the quantity is estimated. A register that falls is refused here: exchanges and rollovers are settled before billing.
 */
import { MisuseError } from '@amiable/bytes';
import { quantityOf } from '@amiable/model';
import { scaled, ZERO } from './fraction.ts';
import { type Amounts, scalerIn } from './quantity.ts';
import type { RatingInput } from './types.ts';

const TOLERANCE = 30_000;

export function registerAmounts(input: RatingInput, name: string, unit: string, from: number, to: number): Amounts {
  const register = input.registers && Object.hasOwn(input.registers, name) ? input.registers[name] : undefined;
  if (!register) throw new MisuseError(`the tariff bills register ${name}, but no showings of it were given`);
  const { times, values } = register;
  const at = (bound: number): { value: number; quality: number } => {
    let low = 0;
    let high = times.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if ((times[middle] as number) < bound) low = middle + 1;
      else high = middle;
    }
    for (const i of [low, low - 1])
      if (i >= 0 && i < times.length && Math.abs((times[i] as number) - bound) <= TOLERANCE)
        return { value: whole(values[i] as number, name), quality: Math.min(register.quality?.[i] ?? 0, 3) };
    if (low === 0 || low === times.length)
      throw new MisuseError(
        `register ${name} has no showing at ${new Date(bound).toISOString()} nor on both sides of it; read it or estimate it before billing`,
      );
    const [t0, t1] = [times[low - 1] as number, times[low] as number];
    const [v0, v1] = [whole(values[low - 1] as number, name), whole(values[low] as number, name)];
    if (v1 < v0) throw new MisuseError(fell(name, t0, t1));
    return { value: v0 + Math.round(((v1 - v0) * (bound - t0)) / (t1 - t0)), quality: 3 };
  };
  const first = at(from);
  const last = at(to);
  if (last.value < first.value) throw new MisuseError(fell(name, from, to));
  const quality = Math.max(first.quality, last.quality);
  const amount = scaled(
    BigInt(last.value) - BigInt(first.value),
    scalerIn(register.unit ?? quantityOf('energyImport')?.unit ?? 'Wh', register.scaler, unit, `register ${name}`),
  );
  return {
    by: [0, 1, 2, 3, 4].map((q) => (q === quality ? amount : ZERO)),
    counts: [0, 1, 2, 3, 4].map((q) => (q === quality ? 1 : 0)),
    total: amount,
  };
}

const fell = (name: string, from: number, to: number): string =>
  `register ${name} falls between ${new Date(from).toISOString()} and ${new Date(to).toISOString()}; settle the exchange or rollover before billing`;

function whole(value: number, name: string): number {
  if (!Number.isSafeInteger(value))
    throw new MisuseError(`register ${name} shows ${value}; values are whole mantissas with a scaler`);
  return value;
}

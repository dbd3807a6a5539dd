/**
 * Cumulative registers of a metering point over a billing period: where a tariff is billed by what the meter's own rate registers advanced.
 *
 * Decides: over a meter exchange the new meter's register goes on where the old one's ended, and transformer ratios multiply what each
 * advanced, so that the showings of one point rise like those of one meter. Leaves out: what stands between two showings (compute).
 */
import { MisuseError } from '@amiable/bytes';
import type { RatingRegister } from '@amiable/compute';
import type { Unit } from '@amiable/model';
import type { PointPart, Store } from '@amiable/store';

const DAY = 86_400_000;

export interface PointRegisters {
  readonly showings: Readonly<Record<string, RatingRegister>>;
  readonly parts: readonly PointPart[];
}

/** @param names short codes such as `1.8.1` @throws MisuseError for a part of the time without showings */
export async function registersOf(
  store: Store,
  point: string,
  names: readonly string[],
  from: number,
  to: number,
): Promise<PointRegisters> {
  const parts = (await store.billing.parts([point], from, to)).get(point) ?? [];
  if (parts.length === 0) throw new MisuseError('no meter stood at the metering point in this time');
  const showings: Record<string, RatingRegister> = {};
  for (const name of names) showings[name] = await showingsOf(store, parts, name, from, to);
  return { showings, parts };
}

async function showingsOf(
  store: Store,
  parts: readonly PointPart[],
  name: string,
  from: number,
  to: number,
): Promise<RatingRegister> {
  const times: number[] = [];
  const values: number[] = [];
  let unit: string | null = null;
  for (const part of parts) {
    const [ratio, ...more] = part.ratios;
    if (!ratio || more.length > 0)
      throw new MisuseError(
        `the transformer ratio changed while meter ${part.meter} stood there; its registers do not tell what came before`,
      );
    // Showings of the day before and after help only where the same meter stands there.
    const [a, b] = [part.from > from ? part.from : from - DAY, part.to < to ? part.to : to + DAY];
    const found = await store.billing.register(part.meter, name, a, b);
    unit ??= found.unit;
    const [first, last] = [found.times[0], found.times.at(-1)];
    if (first === undefined || last === undefined)
      throw new MisuseError(`register ${name} of meter ${part.meter} was not read from ${iso(a)} to ${iso(b)}`);
    if (part.from > from && first - part.from > DAY)
      throw new MisuseError(
        `register ${name} of meter ${part.meter} was not read when it was installed at ${iso(part.from)}`,
      );
    if (part.to < to && part.to - last > DAY)
      throw new MisuseError(
        `register ${name} of meter ${part.meter} was not read when it was taken away at ${iso(part.to)}`,
      );
    const { numerator, denominator } = ratio.multiplier;
    const base = found.values[0] as number;
    const offset = values.at(-1) ?? 0;
    for (let i = 0; i < found.times.length; i++) {
      const time = found.times[i] as number;
      if (time <= (times.at(-1) ?? Number.NEGATIVE_INFINITY)) continue;
      times.push(time);
      const advance = Math.round((found.values[i] as number) * 1000) - Math.round(base * 1000);
      values.push(offset + Math.round((advance * Number(numerator)) / Number(denominator)));
    }
  }
  return {
    times: Float64Array.from(times),
    values: Float64Array.from(values),
    scaler: -3,
    ...(unit === null ? {} : { unit: unit as Unit }),
  };
}

const iso = (at: number): string => new Date(at).toISOString();

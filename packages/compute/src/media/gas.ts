/**
 * Gas as energy: E = V × z × H, with the conversion number z (state at the meter against the normal state) and the calorific
 * value H in kWh for a normal cubic metre, both as they held in time (DVGW G 685 and its like).
 *
 * Decides: normal state 273.15 K and 1013.25 mbar; an interval over a change of a factor is split by time; exact arithmetic, rounded
 * once, halves away from zero. A time without a factor has no energy: it is missing, never zero. Leaves out: how factors are found.
 */
import { MisuseError } from '@amiable/bytes';
import { type Intervals, QUALITY } from '../series.ts';

/** A factor as a decimal, from when on it holds. */
export interface FactorStep {
  readonly from: number;
  readonly mantissa: number;
  readonly scaler: number;
}
/** What holds from when on; in order of time. What is before the first is not known. */
export type Factor = readonly FactorStep[];

export const NORMAL = { kelvin: 273.15, mbar: 1013.25 } as const;

export interface GasState {
  /** Temperature of the gas at the meter, °C. */
  readonly celsius: number;
  /** Pressure of the air at the place, mbar: 1016 − 0.12 × height in metres where nobody measures it. */
  readonly ambient: number;
  /** Pressure of the gas above that, mbar. */
  readonly effective: number;
  /** Compressibility against that of the normal state; 1 below a bar. */
  readonly compressibility?: number;
  /** Partial pressure of water vapour, mbar; 0 for dry gas. */
  readonly vapour?: number;
}

/** The conversion number, with four decimals as bills have it. @throws MisuseError for a state that no gas has */
export function conversionNumber({
  celsius,
  ambient,
  effective,
  compressibility = 1,
  vapour = 0,
}: GasState): FactorStep & { from: 0 } {
  const kelvin = NORMAL.kelvin + celsius;
  const pressure = ambient + effective - vapour;
  if (!(kelvin > 0 && pressure > 0 && compressibility > 0 && pressure < 1e6 && kelvin < 1000))
    throw new MisuseError('a conversion number needs a temperature and pressures that gas can have');
  const z = ((NORMAL.kelvin / kelvin) * (pressure / NORMAL.mbar)) / compressibility;
  return { from: 0, mantissa: Math.round(z * 10_000), scaler: -4 };
}

/** Air pressure at a height, mbar, as bills take it. */
export const airPressure = (metres: number): number => 1016 - 0.12 * metres;

/** Volume at the temperature of the meter as volume at another one: temperature compensation, exact to `digits` below the volume's. */
export function compensate(volume: Intervals, temperature: Intervals, base = 0, digits = 3): Intervals {
  if (
    volume.step !== temperature.step ||
    volume.start !== temperature.start ||
    volume.values.length !== temperature.values.length
  )
    throw new MisuseError('volume and temperature are wanted on one grid');
  const scale = 10 ** digits;
  const values = new Float64Array(volume.values.length).fill(Number.NaN);
  const quality = new Uint8Array(values.length).fill(QUALITY.missing);
  for (let i = 0; i < values.length; i++) {
    const celsius = (temperature.values[i] as number) * 10 ** temperature.scaler;
    const kelvin = NORMAL.kelvin + celsius;
    const value = Math.round((volume.values[i] as number) * scale * ((NORMAL.kelvin + base) / kelvin));
    if (!(kelvin > 0) || Number.isNaN(value)) continue;
    values[i] = value;
    quality[i] = Math.max(volume.quality[i] as number, temperature.quality[i] as number, QUALITY.calculated);
  }
  return { start: volume.start, step: volume.step, scaler: volume.scaler - digits, values, quality };
}

/** The stretches of [from, to) with the step that holds in each; undefined before the first. */
function* stretches(
  factor: Factor,
  from: number,
  to: number,
): Generator<{ from: number; to: number; step: FactorStep | undefined }> {
  let k = factor.length - 1;
  while (k >= 0 && (factor[k] as FactorStep).from > from) k--;
  for (let at = from; at < to; k++) {
    const end = Math.min(factor[k + 1]?.from ?? Number.POSITIVE_INFINITY, to);
    yield { from: at, to: end, step: factor[k] };
    at = end;
  }
}

/**
 * Volume times factors: m³ × conversion number × calorific value in kWh/m³ gives kWh.
 * @param scaler of the result, in the unit of the product @throws MisuseError for factors out of order or a result too large
 */
export function timesFactors(volume: Intervals, factors: readonly Factor[], scaler: number): Intervals {
  for (const factor of factors) {
    if (factor.length === 0) throw new MisuseError('a factor has at least one value');
    factor.forEach((step, i) => {
      if (
        !Number.isSafeInteger(step.mantissa) ||
        !Number.isInteger(step.scaler) ||
        step.scaler < -18 ||
        step.scaler > 9
      )
        throw new MisuseError('a factor is a whole mantissa with a scaler from -18 to 9');
      if (i > 0 && step.from <= (factor[i - 1] as FactorStep).from)
        throw new MisuseError('factors are wanted in order of time');
    });
  }
  const n = volume.values.length;
  const values = new Float64Array(n).fill(Number.NaN);
  const quality = new Uint8Array(n).fill(QUALITY.missing);
  for (let i = 0; i < n; i++) {
    const v = volume.values[i] as number;
    if (Number.isNaN(v)) continue;
    const from = volume.start + i * volume.step;
    const parts = pieces(factors, from, from + volume.step);
    if (parts === undefined) continue;
    // v × Σ (share of time × product of factors), as one fraction.
    let numerator = 0n;
    const lowest = Math.min(...parts.map((p) => p.scaler));
    for (const part of parts) numerator += part.mantissa * 10n ** BigInt(part.scaler - lowest) * BigInt(part.ms);
    numerator *= BigInt(v);
    const digits = volume.scaler + lowest - scaler;
    let denominator = BigInt(volume.step);
    if (digits >= 0) numerator *= 10n ** BigInt(digits);
    else denominator *= 10n ** BigInt(-digits);
    const doubled = 2n * numerator;
    const value = Number((doubled + (numerator < 0n ? -denominator : denominator)) / (2n * denominator));
    if (!Number.isSafeInteger(value)) throw new MisuseError('the energy of an interval is too large');
    values[i] = value;
    quality[i] = Math.max(volume.quality[i] as number, parts.length > 1 ? QUALITY.estimated : QUALITY.calculated);
  }
  return { start: volume.start, step: volume.step, scaler, values, quality };
}

interface Piece {
  readonly ms: number;
  readonly mantissa: bigint;
  readonly scaler: number;
}
/** Where all factors are known; undefined where one is not. Neighbours of one value are one piece. */
function pieces(factors: readonly Factor[], from: number, to: number): Piece[] | undefined {
  let all: { from: number; to: number; mantissa: bigint; scaler: number }[] = [{ from, to, mantissa: 1n, scaler: 0 }];
  for (const factor of factors) {
    const next: typeof all = [];
    for (const part of all)
      for (const stretch of stretches(factor, part.from, part.to)) {
        if (!stretch.step) return undefined;
        const { mantissa, scaler } = stretch.step;
        next.push({
          from: stretch.from,
          to: stretch.to,
          mantissa: part.mantissa * BigInt(mantissa),
          scaler: part.scaler + scaler,
        });
      }
    all = next;
  }
  return all.map((p) => ({ ms: p.to - p.from, mantissa: p.mantissa, scaler: p.scaler }));
}

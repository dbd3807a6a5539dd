/**
 * Energy of each bucket of time out of the readings of a cumulative register: the difference between what the register
 * showed at the bucket's end and at its start. Where no reading stands at a boundary the register is taken to have run
 * evenly between its neighbours, and the bucket says `estimated`. A register that falls was exchanged, reset or ran over;
 * across a fall nothing is known, unless `digits` tells where it runs over.
 */

export interface BucketEnergy {
  /** In the register's unit; null where it cannot be known. */
  readonly value: number | null;
  /** `missing` with a value: what is known of it, for less than the whole bucket (see `first`). */
  readonly quality: 'measured' | 'estimated' | 'missing';
}

export interface RegisterOptions {
  /** The register runs over at 10^digits steps of its unit. */
  readonly digits?: number;
  /**
   * A reading this close to a boundary stands for it, ms; default 30 s. Meters stamp the hour's register with the second at
   * which they send it (Kamstrup: XX:00:05), and mean the hour.
   */
  readonly tolerance?: number;
  /** Gaps longer than this are not bridged, ms; default 32 days. */
  readonly bridge?: number;
  /**
   * The bucket in which the first reading lies counts from that reading; it is `missing`, with a value. Otherwise nothing is
   * told of it.
   */
  readonly first?: boolean;
}

/**
 * @param times epoch ms, rising
 * @param values the register, as long as times
 * @param bounds bucket boundaries, epoch ms, rising; one more than there are buckets
 */
export function registerEnergy(
  times: ArrayLike<number>,
  values: ArrayLike<number>,
  bounds: ArrayLike<number>,
  options: RegisterOptions = {},
): BucketEnergy[] {
  const bridge = options.bridge ?? 32 * 86_400_000;
  const tolerance = options.tolerance ?? 30_000;
  const run = unwrap(values, options.digits);
  const out: BucketEnergy[] = [];
  let before = 0;
  const begin = times.length ? (times[0] as number) : Number.NEGATIVE_INFINITY;
  // The reading that stands for a boundary, of the two beside it; -1 when neither is close enough.
  const nearest = (i: number, bound: number): number => {
    const off = (k: number): number =>
      k < times.length ? Math.abs((times[k] as number) - bound) : Number.POSITIVE_INFINITY;
    const best = off(i + 1) < off(i) ? i + 1 : i;
    return off(best) <= tolerance ? best : -1;
  };
  // The register at one boundary: exact, between two readings, or unknown. `epoch` counts falls seen so far.
  const at = (bound: number): Shown | undefined => {
    while (before + 1 < times.length && (times[before + 1] as number) <= bound) before++;
    const t0 = times[before];
    const t1 = times[before + 1];
    if (t0 === undefined) return undefined;
    const near = nearest(before, bound);
    if (near >= 0)
      return { value: run.values[near] as number, exact: true, epoch: run.epochs[near] as number, first: near === 0 };
    if (t0 > bound) return undefined;
    const v0 = run.values[before] as number;
    if (t1 === undefined || t1 - t0 > bridge || run.epochs[before + 1] !== run.epochs[before]) return undefined;
    const v1 = run.values[before + 1] as number;
    return {
      value: v0 + ((v1 - v0) * (bound - t0)) / (t1 - t0),
      exact: false,
      epoch: run.epochs[before] as number,
      first: false,
    };
  };
  let start = bounds.length ? at(bounds[0] as number) : undefined;
  for (let i = 1; i < bounds.length; i++) {
    const end = at(bounds[i] as number);
    if (start && end && start.epoch === end.epoch)
      out.push({ value: end.value - start.value, quality: start.exact && end.exact ? 'measured' : 'estimated' });
    else if (options.first && !start && end && !end.first && end.epoch === 0 && begin > (bounds[i - 1] as number))
      out.push({ value: end.value - (run.values[0] as number), quality: 'missing' });
    else out.push({ value: null, quality: 'missing' });
    start = end;
  }
  return out;
}

/** The register at a boundary. */
interface Shown {
  readonly value: number;
  readonly exact: boolean;
  /** Falls before it. */
  readonly epoch: number;
  /** The first reading of all stands for it. */
  readonly first: boolean;
}

function unwrap(values: ArrayLike<number>, digits: number | undefined): { values: Float64Array; epochs: Uint32Array } {
  const out = new Float64Array(values.length);
  const epochs = new Uint32Array(values.length);
  const span = digits === undefined ? undefined : 10 ** digits;
  let base = 0;
  let epoch = 0;
  for (let i = 0; i < values.length; i++) {
    const value = values[i] as number;
    const previous = i ? (values[i - 1] as number) : value;
    if (value < previous) {
      // A register runs over from near its end to near its start; anything else is a fall.
      if (span !== undefined && previous > span * 0.9 && value < span * 0.1) base += span;
      else epoch++;
    }
    out[i] = value + base;
    epochs[i] = epoch;
  }
  return { values: out, epochs };
}

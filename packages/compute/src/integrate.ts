/**
 * Energy of each bucket out of samples of power, for meters that send no register: each sample holds until the next one,
 * at most `hold` long. A bucket that is covered for less than `cover` of its time is not known.
 */

/**
 * @param times epoch ms, rising @param power W @param bounds epoch ms, one more than buckets
 * @param hold ms that a sample speaks for at most
 * @returns Wh per bucket, null where too little was seen
 */
export function integratePower(
  times: ArrayLike<number>,
  power: ArrayLike<number>,
  bounds: ArrayLike<number>,
  hold: number,
  cover = 0.9,
): (number | null)[] {
  const buckets = Math.max(0, bounds.length - 1);
  const wattMs = new Float64Array(buckets);
  const covered = new Float64Array(buckets);
  let bucket = 0;
  for (let i = 0; i < times.length && bucket < buckets; i++) {
    const value = power[i] as number;
    if (Number.isNaN(value)) continue;
    let from = times[i] as number;
    const next = i + 1 < times.length ? (times[i + 1] as number) : Number.POSITIVE_INFINITY;
    const to = Math.min(next, from + hold);
    while (bucket < buckets && (bounds[bucket + 1] as number) <= from) bucket++;
    for (let b = bucket; b < buckets && (bounds[b] as number) < to; b++) {
      const start = Math.max(from, bounds[b] as number);
      const end = Math.min(to, bounds[b + 1] as number);
      if (end <= start) continue;
      wattMs[b] = (wattMs[b] as number) + value * (end - start);
      covered[b] = (covered[b] as number) + (end - start);
      from = end;
    }
  }
  return Array.from(wattMs, (sum, b) => {
    const length = (bounds[b + 1] as number) - (bounds[b] as number);
    return (covered[b] as number) >= cover * length ? (sum / 3_600_000) * (length / (covered[b] as number)) : null;
  });
}

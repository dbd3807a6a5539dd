/**
 * Sharing a whole number out: parts that are whole, in proportion, and add up to the last unit (largest remainders).
 *
 * Decides: equal remainders go to the earlier part, so the same input always gives the same parts.
 */

/**
 * `total` over the places `at` of `into`, in proportion to what stands there; equally where that adds up to nothing.
 * @param total whole; with `total` ≥ 0 and weights ≥ 0 no part is below zero
 */
export function shareOut(into: Float64Array, at: ArrayLike<number>, total: number): void {
  const n = at.length;
  if (n === 0) return;
  let weights = 0;
  for (let k = 0; k < n; k++) weights += into[at[k] as number] as number;
  const equal = !(weights > 0);
  const rest = new Float64Array(n);
  let given = 0;
  for (let k = 0; k < n; k++) {
    const place = at[k] as number;
    const part = equal ? total / n : ((into[place] as number) * total) / weights;
    const whole = Math.floor(part);
    rest[k] = part - whole;
    into[place] = whole;
    given += whole;
  }
  let left = total - given;
  if (left === 0) return;
  const order = Array.from(rest, (_, k) => k).sort((a, b) => (rest[b] as number) - (rest[a] as number) || a - b);
  // Binary fractions may be off in their last place by a unit either way; then it goes round once more, or back.
  for (let k = 0; left > 0; k = (k + 1) % n, left--) {
    const place = at[order[k] as number] as number;
    into[place] = (into[place] as number) + 1;
  }
  for (let k = n - 1; left < 0; k = (k + n - 1) % n) {
    const place = at[order[k] as number] as number;
    if (total >= 0 && (into[place] as number) <= 0) continue;
    into[place] = (into[place] as number) - 1;
    left++;
  }
}

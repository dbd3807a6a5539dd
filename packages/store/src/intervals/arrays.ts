/**
 * Arrays that are used again: values of thousands of meters that are looked at once and forgotten would else be made and thrown away by the
 * gigabyte, and clearing up after them takes longer than looking at them.
 */
export class Arrays {
  private readonly kept: { readonly values: Float64Array; readonly quality: Uint8Array }[] = [];

  /** What stands in them is of others. */
  take(count: number): { readonly values: Float64Array; readonly quality: Uint8Array } {
    // All meters of one question have as many places, but for some.
    for (let one = this.kept.pop(); one; one = this.kept.pop()) if (one.values.length === count) return one;
    return { values: new Float64Array(count), quality: new Uint8Array(count) };
  }

  /** Nobody may look at them any more. */
  give(values: Float64Array, quality: Uint8Array): void {
    this.kept.push({ values, quality });
  }
}

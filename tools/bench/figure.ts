/** One measured figure. `peer` and `ratio` say beside what it was measured in the same run: ratio = ours / the peer's. */
export interface Figure {
  readonly name: string;
  readonly value: number;
  readonly unit: string;
  readonly peer?: string;
  readonly ratio?: number;
}

/** What every target of the fuzzer is. */
export interface Target {
  /** Makes the next input. */
  next(): Uint8Array;
  /** Runs it. @throws anything but DecodeError is a finding */
  run(input: Uint8Array): void;
  /** What came of all inputs so far. */
  readonly tally: Record<string, number>;
}

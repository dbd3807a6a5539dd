/** What a codec's `explain` tells of one field: the ground of byte highlighting, `--trace` and `--bad`. */
export interface Field {
  /** Where in the structure, outermost first, joined by `/`, e.g. `hdlc/fcs` or `notification/body/3/value`. */
  readonly path: string;
  /** Bytes from the start of the explained buffer. */
  readonly offset: number;
  readonly length: number;
  /** For a person: name and meaning, e.g. `frame length 156`. */
  readonly text: string;
}

/**
 * What a reader of files gives: records of named values with the place of each, and faults. A reader never throws for what
 * stands in a file; a fault that ends it is `fatal`, all others concern one record.
 */

/** Where in the file: lines and columns count from 1, columns in characters. */
export interface Place {
  readonly line: number;
  readonly column: number;
}

/** What is wrong and what to do, for people. */
export interface Fault extends Place {
  /** The column of the table or the attribute of the element, where it is about one. */
  readonly field?: string;
  readonly message: string;
}

/** One row or element. Valid only while it is handed over: readers use the same object again. */
export interface RawRecord {
  /** By the element's name; undefined in a table, whose rows are all of one kind. */
  readonly kind: string | undefined;
  readonly line: number;
  /** Tells it from all others of its file: its line in a table, its place in the row of elements in XML, where several may share a line. */
  readonly number: number;
  /** Names of the fields: the same array for all rows of a table. */
  readonly names: readonly string[];
  readonly values: readonly string[];
  /** Where the i-th value begins. */
  placeOf(i: number): Place;
}

export interface RecordSink {
  /** Once, before the first record, in a table. @returns a message when these names will not do: then the reader ends */
  header?(names: readonly string[], placeOf: (i: number) => Place): Fault | undefined;
  record(record: RawRecord): void;
  /** A record that could not be read; reading goes on behind it. */
  fault(fault: Fault): void;
}

export interface RecordReader {
  /** @returns false after a fatal fault: what follows is not looked at */
  push(bytes: Uint8Array): boolean;
  /** @returns false when the file ended where it must not */
  end(): boolean;
  /** Why reading ended before the file did. */
  readonly fatal: Fault | undefined;
}

/** Characters that no text of a registry has, U+FFFD standing for bytes that are none in the declared encoding. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: these are what is looked for
export const ODD = /[\0-\x08\x0b\x0c\x0e-\x1f\x7f\ufffd]/;

/** What is wrong with a text that holds one of them. */
export function oddCharacter(
  text: string,
  encoding: string,
): { readonly at: number; readonly message: string } | undefined {
  const at = text.search(ODD);
  if (at < 0) return undefined;
  const code = text.charCodeAt(at);
  if (code === 0xfffd)
    return {
      at,
      message: `these bytes are no text in ${encoding}; save the file as UTF-8, or say its encoding (such as latin1)`,
    };
  return {
    at,
    message: `the control character U+${code.toString(16).toUpperCase().padStart(4, '0')} stands in it; take it out`,
  };
}

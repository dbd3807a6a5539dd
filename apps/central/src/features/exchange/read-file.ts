/** One pass over a registry file: bytes to records to rows, and the columns of faults that the database found by their lines. */
import { createCsvReader, type Separator } from './read/csv.ts';
import type { Fault, Place, RecordReader, RecordSink } from './read/record.ts';
import type { Encoding } from './read/text.ts';
import { createXmlReader } from './read/xml.ts';

export const FORMATS = ['csv', 'xml'] as const;
export type Format = (typeof FORMATS)[number];

export interface FileForm {
  readonly format: Format;
  readonly encoding?: Encoding;
  readonly separator?: Separator;
}

export function createReader(form: FileForm, sink: RecordSink): RecordReader {
  const encoding = form.encoding === undefined ? {} : { encoding: form.encoding };
  if (form.format === 'xml') return createXmlReader(sink, encoding);
  return createCsvReader(sink, { ...encoding, ...(form.separator === undefined ? {} : { separator: form.separator }) });
}

/** What the database calls a field may have several names in files. */
const NAMES: Readonly<Record<string, readonly string[]>> = {
  parent: ['parent', 'metering-point', 'concentrator', 'master'],
  child: ['meter', 'serial', 'code'],
  from: ['from', 'metering-point', 'concentrator', 'parent'],
};

/** A fault that the database found, by the number of its record. */
export interface FoundFault {
  readonly number: number;
  readonly field: string;
  readonly detail: string | null;
  /** Another record that it is about. */
  readonly other: number | undefined;
  /** @param line of the other one */
  say(line: number): string;
}

/**
 * Reads the file once more for where the faults stand.
 * @param ours what the file's name of a column is called here
 */
export async function locate(
  chunks: AsyncIterable<Uint8Array>,
  form: FileForm,
  faults: readonly FoundFault[],
  ours: (name: string) => string,
): Promise<Fault[]> {
  const byNumber = new Map<number, FoundFault[]>();
  const lines = new Map<number, number>();
  for (const fault of faults) {
    const some = byNumber.get(fault.number);
    if (some) some.push(fault);
    else byNumber.set(fault.number, [fault]);
    if (fault.other !== undefined) lines.set(fault.other, 0);
  }
  const found: { readonly fault: FoundFault; readonly at: Place; readonly field: string }[] = [];
  const reader = createReader(form, {
    record(record) {
      if (lines.has(record.number)) lines.set(record.number, record.line);
      const some = byNumber.get(record.number);
      if (!some) return;
      byNumber.delete(record.number);
      const names = record.names.map(ours);
      for (const fault of some) {
        const { field, detail } = fault;
        const wanted = NAMES[field] ?? [field];
        let i =
          detail === null
            ? -1
            : names.findIndex((name, k) => wanted.includes(name) && record.values[k]?.trim() === detail);
        if (i < 0) i = wanted.map((name) => names.indexOf(name)).find((k) => k >= 0) ?? -1;
        found.push(
          i < 0
            ? { fault, at: { line: record.line, column: 1 }, field }
            : { fault, at: record.placeOf(i), field: names[i] as string },
        );
      }
    },
    fault() {},
  });
  for await (const chunk of chunks) if (!reader.push(chunk)) break;
  if (!reader.fatal) reader.end();
  // What was not met again (a ring of nodes) is nobody's line.
  for (const some of byNumber.values())
    for (const fault of some) found.push({ fault, at: { line: 1, column: 1 }, field: fault.field });
  return found
    .map(({ fault, at, field }) => ({ ...at, field, message: fault.say(lines.get(fault.other ?? -1) ?? 0) }))
    .sort((a, b) => a.line - b.line || a.column - b.column);
}

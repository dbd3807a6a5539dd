/** One pass over a registry file: bytes to records to rows, and the columns of faults that the database found by their lines. */
import { createCsvReader, type Separator } from './read/csv.ts';
import type { Fault, RecordReader, RecordSink } from './read/record.ts';
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

export interface FoundFault {
  readonly line: number;
  readonly field: string;
  readonly detail: string | null;
  readonly message: string;
}

/**
 * Reads the file once more for where in their lines the faults stand.
 * @param ours what the file's name of a column is called here
 */
export async function locate(
  chunks: AsyncIterable<Uint8Array>,
  form: FileForm,
  faults: readonly FoundFault[],
  ours: (name: string) => string,
): Promise<Fault[]> {
  const byLine = new Map<number, FoundFault[]>();
  for (const fault of faults) {
    const some = byLine.get(fault.line);
    if (some) some.push(fault);
    else byLine.set(fault.line, [fault]);
  }
  const out: Fault[] = [];
  const reader = createReader(form, {
    record(record) {
      const some = byLine.get(record.line);
      if (!some) return;
      byLine.delete(record.line);
      const names = record.names.map(ours);
      for (const { field, detail, message } of some) {
        const wanted = NAMES[field] ?? [field];
        let i =
          detail === null
            ? -1
            : names.findIndex((name, k) => wanted.includes(name) && record.values[k]?.trim() === detail);
        if (i < 0) i = wanted.map((name) => names.indexOf(name)).find((k) => k >= 0) ?? -1;
        out.push(
          i < 0
            ? { line: record.line, column: 1, field, message }
            : { ...record.placeOf(i), field: names[i] as string, message },
        );
      }
    },
    fault() {},
  });
  for await (const chunk of chunks) if (byLine.size === 0 || !reader.push(chunk)) break;
  // What was not met again (a ring of nodes is nobody's line).
  for (const some of byLine.values())
    for (const { line, field, message } of some) out.push({ line, column: 1, field, message });
  return out.sort((a, b) => a.line - b.line || a.column - b.column);
}

/**
 * Multi-row VALUES: how everything but bulk blocks is written. Rows go in prepared statements of 128, 64, 32 … 1 rows, so
 * that any number of rows takes few round trips and few plans.
 */
import type pg from 'pg';

export interface RowsStatement {
  readonly name: string;
  /** `insert into t (…) values ` … */
  readonly before: string;
  readonly types: readonly string[];
  /** … ` on conflict … returning …` */
  readonly after: string;
}

const SIZES = [128, 64, 32, 16, 8, 4, 2, 1] as const;

/** The statement for so many rows. */
export function rowsText(statement: RowsStatement, rows: number): string {
  const width = statement.types.length;
  const tuples: string[] = [];
  for (let r = 0; r < rows; r++)
    tuples.push(`(${statement.types.map((type, c) => `$${r * width + c + 1}::${type}`).join(', ')})`);
  return `${statement.before} values ${tuples.join(', ')} ${statement.after}`;
}

const texts = new Map<string, string>();

/** Runs it over all rows. @returns the rows that it returned; text as the driver gives it */
export async function runRows(
  client: pg.ClientBase,
  statement: RowsStatement,
  rows: readonly (readonly unknown[])[],
): Promise<unknown[][]> {
  const returned: unknown[][] = [];
  let at = 0;
  for (const size of SIZES)
    while (rows.length - at >= size) {
      const name = `${statement.name}.${size}`;
      let text = texts.get(name);
      if (text === undefined) {
        text = rowsText(statement, size);
        texts.set(name, text);
      }
      const values: unknown[] = [];
      for (let r = 0; r < size; r++) for (const value of rows[at + r] as readonly unknown[]) values.push(value);
      const result = await client.query({ name, text, values, rowMode: 'array' });
      for (const row of result.rows as unknown[][]) returned.push(row);
      at += size;
    }
  return returned;
}

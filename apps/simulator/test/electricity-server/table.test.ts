/** The documentation's table is the source's. UPDATE_DOCS=1 writes it. */
import { readFileSync, writeFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { objectTable } from '../../src/electricity-server/table.ts';

const PATH = new URL('../../../../docs/simulate-meter.md', import.meta.url);
const [BEGIN, END] = ['<!-- objects -->', '<!-- end of objects -->'];

test('docs/simulate-meter.md has every object as it is', () => {
  const text = readFileSync(PATH, 'utf8');
  const from = text.indexOf(BEGIN) + BEGIN.length;
  const to = text.indexOf(END);
  expect(to).toBeGreaterThan(from);
  const table = `\n${objectTable()}\n`;
  if (process.env.UPDATE_DOCS) writeFileSync(PATH, text.slice(0, from) + table + text.slice(to));
  else expect(text.slice(from, to)).toBe(table);
});

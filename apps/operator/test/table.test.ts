import { describe, expect, it } from 'vitest';
import { barOf } from '../src/progress.ts';
import { factsOf, tableOf } from '../src/table.ts';

const rows = [
  { name: 'Elm Street 7', n: 5 },
  { name: 'Ås', n: 12345 },
];
const columns = [
  { name: 'name', of: (r: { name: string }) => r.name, cut: true },
  { name: 'count', of: (r: { n: number }) => r.n, right: true },
];

describe('tables', () => {
  it('aligns, and keeps the width of the terminal by cutting what may be cut', () => {
    expect(tableOf(columns, rows)).toBe('name          count\nElm Street 7      5\nÅs            12345\n');
    expect(tableOf(columns, rows, 15)).toBe('name      count\nElm Str…      5\nÅs        12345\n');
    expect(tableOf(columns, rows, 1).split('\n')[1]).toBe('Elm Str…      5');
  });

  it('lets no text move the cursor', () => {
    expect(tableOf(columns, [{ name: '\x1b[2Jx', n: 0 }])).toContain('\\x1b[2Jx');
    expect(factsOf([['place', 'a\nb']])).toBe('place  a\\x0ab\n');
  });

  it('draws a bar of one width whatever the share', () => {
    for (const share of [-1, 0, 0.01, 1 / 3, 0.999, 1, 2]) expect([...barOf(share, 20)].length).toBe(20);
    expect(barOf(0.5, 4)).toBe('██  ');
  });
});

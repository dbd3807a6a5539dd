/** Reactive beside active energy on meters that count both directions of both. */
import { describe, expect, test } from 'vitest';
import { found, inputOf, places } from './helpers.ts';

const of = (name: string, unit: 'Wh' | 'varh', values: number[]) => ({
  name,
  unit,
  intervals: inputOf(values).intervals,
});
const some = new Array<number>(8).fill(10);
const none = new Array<number>(8).fill(0);
/** The sun shines from the third interval to the sixth: what is used comes from the roof. */
const active = [
  of('energyImport', 'Wh', [9, 9, 0, 0, 0, 0, 0, 0]),
  of('energyExport', 'Wh', [0, 0, 30, 30, 30, 30, 0, 0]),
];

describe('reactive energy without active', () => {
  const rule = { check: 'reactive-without-active', hours: 0.5 };
  test('is none while active energy goes either way', () => {
    expect(places(found(rule, some, { unit: 'varh', quantity: 'reactiveExport', siblings: active }))).toEqual([[6, 8]]);
  });
  test('is looked for in reactive series alone, and the reverse in active ones', () => {
    expect(found(rule, some, { quantity: 'energyExport', siblings: active })).toEqual([]);
    const reverse = { check: 'active-without-reactive', hours: 1 };
    const reactive = [of('reactiveImport', 'varh', none)];
    expect(places(found(reverse, some, { siblings: reactive }))).toEqual([[0, 8]]);
    expect(found(reverse, some, { unit: 'varh', quantity: 'reactiveExport', siblings: reactive })).toEqual([]);
    expect(found(reverse, some, { siblings: [...reactive, of('reactiveExport', 'varh', some)] })).toEqual([]);
  });
});

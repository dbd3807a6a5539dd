/** Bytes, fields and readings of a message: who lights up for whom. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { hexBytes, hexText, KIN, LIT, mapLayer, marksOf, spotOfByte, startOfSpot } from '../src/bytes/fields.ts';
import { plainName } from '../src/messages/text.ts';
import { explain } from './explain.ts';
import { FRAMES } from './frames.ts';

describe('the map of a layer', () => {
  it('explains every byte of real frames by its innermost field', () => {
    for (const [name, hex] of Object.entries(FRAMES)) {
      for (const layer of explain(hex, true).layers) {
        const map = mapLayer(layer);
        expect([name, [...map.leaf].indexOf(-1)]).toEqual([name, -1]);
        for (const node of map.nodes) {
          const parent = node.parent === undefined ? undefined : map.nodes[node.parent];
          if (parent) {
            expect(node.offset).toBeGreaterThanOrEqual(parent.offset);
            expect(node.offset + node.length).toBeLessThanOrEqual(parent.offset + parent.length);
          }
        }
      }
    }
  });
  it('points from a byte of the active power to its reading, and back', () => {
    const { layers, readings } = explain(FRAMES.aidonList1, false);
    const maps = layers.map(mapLayer);
    const spot = spotOfByte(maps, 0, 33);
    expect(spot.kind).toBe('field');
    const marks = marksOf(maps, spot)[0] as Uint8Array;
    expect(marks[33]).toBe(LIT);
    expect(marks[24]).toBe(KIN);
    expect(marks[0]).toBe(0);
    const all = marksOf(maps, { kind: 'reading', reading: 0 })[0] as Uint8Array;
    expect([all[24], all[33]]).toEqual([KIN, LIT]);
    expect(startOfSpot(maps, { kind: 'reading', reading: 0 })?.layer).toBe(0);
    expect(readings[0]?.value).toBe(280);
  });
  it('lights the plain text of a deciphered message', () => {
    const maps = explain(FRAMES.aidonEncrypted, true).layers.map(mapLayer);
    expect(maps).toHaveLength(2);
    expect(startOfSpot(maps, { kind: 'reading', reading: 1 })?.layer).toBe(1);
  });
  it('survives fields that lie: outside, overlapping, doubled, nested without parents', () => {
    fc.assert(
      fc.property(
        fc.array(
          fc.record({
            path: fc.array(fc.constantFrom('a', 'b', '0', ''), { minLength: 1, maxLength: 4 }).map((p) => p.join('/')),
            offset: fc.integer({ min: -5, max: 40 }),
            length: fc.integer({ min: -5, max: 40 }),
            text: fc.string(),
            reading: fc.nat(3),
          }),
          { maxLength: 20 },
        ),
        (fields) => {
          const map = mapLayer({ name: 'x', bytes: '00'.repeat(20), fields });
          expect(map.leaf).toHaveLength(20);
          marksOf([map], { kind: 'reading', reading: 1 });
          for (let i = 0; i < 20; i++) marksOf([map], spotOfByte([map], 0, i));
        },
      ),
    );
  });
  it('makes parents that nobody explained, unless they would hold one child', () => {
    const map = mapLayer({
      name: 'x',
      bytes: '01020304',
      fields: [
        { path: 'frame/a', offset: 0, length: 1, text: 'A' },
        { path: 'frame/b', offset: 1, length: 2, text: 'B' },
        { path: 'tail/c', offset: 3, length: 1, text: 'C' },
      ],
    });
    expect(map.nodes.map((n) => [n.depth, n.text, n.offset, n.length])).toEqual([
      [0, 'frame', 0, 3],
      [1, 'A', 0, 1],
      [1, 'B', 1, 2],
      [0, 'C', 3, 1],
    ]);
  });
});

it('hex text goes both ways and forgives', () => {
  expect(hexText(hexBytes('7ea02a'))).toBe('7E A0 2A');
  expect(hexBytes('7ezz')).toHaveLength(1);
  expect(plainName('activePowerImport')).toBe('Active power import');
  expect(plainName('currentL1')).toBe('Current l1');
});

it('takes fields that hold their header alone for the whole of what is in them', () => {
  const map = mapLayer({
    name: 'x',
    bytes: '0203090601000107ff0600000118020f00161b',
    fields: [
      { path: 'body', offset: 0, length: 2, text: 'array' },
      { path: 'body/0', offset: 2, length: 1, text: 'structure' },
      { path: 'body/0/0', offset: 3, length: 6, text: 'OBIS' },
      { path: 'body/0/1', offset: 9, length: 5, text: '280', reading: 0 },
      { path: 'body/1', offset: 14, length: 5, text: 'other', reading: 1 },
    ],
  });
  expect(map.nodes.map((n) => [n.text, n.from, n.to, n.only, n.holds])).toEqual([
    ['array', 0, 19, undefined, false],
    ['structure', 2, 14, 0, true],
    ['OBIS', 3, 9, undefined, false],
    ['280', 9, 14, 0, false],
    ['other', 14, 19, 1, true],
  ]);
  const marks = marksOf([map], spotOfByte([map], 0, 4))[0] as Uint8Array;
  expect([...marks].join('')).toBe(`00${'1'}${'2'.repeat(6)}${'1'.repeat(5)}${'0'.repeat(5)}`);
});

it('takes the code before a value as part of its reading where lists are flat', () => {
  const maps = explain(FRAMES.kamstrup, false).layers.map(mapLayer);
  const reading = explain(FRAMES.kamstrup, false).readings.findIndex((r) => r.obis === '1-1:1.7.0');
  const marks = marksOf(maps, { kind: 'reading', reading })[0] as Uint8Array;
  const lit = [...marks].flatMap((mark, i) => (mark === LIT ? [i] : []));
  expect(marks[(lit[0] as number) - 1]).toBe(KIN);
  expect(marks[(lit[0] as number) - 8]).toBe(KIN);
  expect(marks[(lit[0] as number) - 9]).toBe(0);
});

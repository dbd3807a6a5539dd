/**
 * Registry files for the fuzzer: the examples, changed, through reader and checks. Whatever comes, in whatever pieces, is rows and faults,
 * the same ones as in one piece.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { createRegistryReader, createTaker, FILE_KINDS, type TakeOptions } from '@amiable/central';
import { MAY_STAND_UNDER, type StagedRows } from '@amiable/store';
import { type Dice, mutate, root } from './inputs.ts';

/** What registry files are made of. */
const PIECES = [
  '"',
  '""',
  ',',
  ';',
  '\t',
  '\r\n',
  '\n',
  '\r',
  'sep=;\n',
  'serial',
  'code',
  'from',
  'x.colour',
  '2026-01-01',
  '=',
  "'",
  '\0',
  '\ufeff',
  '<meter serial="',
  '"/>',
  '<attribute name="colour">',
  '</attribute>',
  '<![CDATA[',
  ']]>',
  '<!--',
  '-->',
  '<?x',
  '?>',
  '&#0;',
  '&amp;',
  '&x;',
  '<!DOCTYPE x>',
  '</',
  '>',
  '1e999',
  '-',
];
const NOW = Date.UTC(2026, 10, 20);

export function exchangeTarget(roll: Dice, count: (what: string) => void) {
  const folder = join(root, 'examples/registry');
  const files = readdirSync(folder)
    .filter((file) => /\.(csv|xml)$/.test(file))
    .sort()
    .map((file) => new Uint8Array(readFileSync(join(folder, file))));
  const text = new TextEncoder();
  const options = (kind: TakeOptions['kind']): TakeOptions => ({
    kind,
    mapping: { Anlegg: 'code', Kunde: 'customer', Adresse: 'address', Merknad: null },
    forms: { 'meter.utility-serial': 'asset', 'metering-point.code': 'gsrn' },
    definitions: [
      {
        object: 'meter',
        name: 'colour',
        type: 'choice',
        required: false,
        lowest: null,
        highest: null,
        choices: ['red'],
      },
      { object: 'meter', name: 'weight', type: 'number', required: false, lowest: 0, highest: 9, choices: [] },
      { object: 'region', name: 'since', type: 'date', required: true, lowest: null, highest: null, choices: [] },
    ],
    segments: new Map([['all', 1]]),
    scope: 'all',
    timeZone: 'Europe/Oslo',
    now: NOW,
    mayStandUnder: MAY_STAND_UNDER,
    mayWrite: () => undefined,
  });

  function read(
    input: Uint8Array,
    format: 'csv' | 'xml',
    kind: TakeOptions['kind'],
    pieces: (n: number) => number,
  ): string {
    const seen: unknown[] = [];
    const row = (table: string) => (value: object) => seen.push([table, value]);
    const rows = {
      node: row('node'),
      meter: row('meter'),
      link: row('link'),
      ratio: row('ratio'),
      type: row('type'),
      connection: row('connection'),
    } as unknown as StagedRows;
    const taker = createTaker(options(kind), (fault) => seen.push(fault));
    const reader = createRegistryReader(
      { format },
      { header: taker.header, record: (record) => taker.take(record, rows), fault: (fault) => seen.push(fault) },
    );
    let on = true;
    for (let at = 0; on && at < input.length; ) {
      const n = pieces(input.length - at);
      on = reader.push(input.subarray(at, at + n));
      at += n;
    }
    if (on) reader.end();
    // The words of a broken form depend on how much was there when it broke; that it broke does not.
    seen.push(reader.fatal !== undefined);
    for (const one of seen)
      count(Array.isArray(one) ? 'rows' : typeof one === 'boolean' ? (one ? 'broken' : 'whole') : 'faults');
    return JSON.stringify(seen);
  }

  return {
    next(): Uint8Array {
      let bytes = files[roll(files.length)] as Uint8Array;
      for (let n = roll(4); n > 0; n--) {
        const piece = text.encode(PIECES[roll(PIECES.length)]);
        const at = roll(bytes.length + 1);
        const joined = new Uint8Array(bytes.length + piece.length);
        joined.set(bytes.subarray(0, at));
        joined.set(piece, at);
        joined.set(bytes.subarray(at), at + piece.length);
        bytes = joined;
      }
      return roll(3) === 0 ? mutate(bytes, roll, files) : bytes;
    },
    run(input: Uint8Array): void {
      const format = input[0] === 0x3c || roll(16) === 0 ? 'xml' : 'csv';
      const kind = format === 'xml' ? undefined : FILE_KINDS[roll(FILE_KINDS.length)];
      const whole = read(input, format, kind, (n) => n);
      if (roll(4) === 0 && read(input, format, kind, () => 1 + roll(40)) !== whole)
        throw new Error('pieces are read otherwise than the whole');
    },
  };
}

/** Readers of registry files: what they give, what they refuse, and where. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type CsvOptions, createCsvReader, MAX_ROW } from '../src/features/exchange/read/csv.ts';
import type { Fault, RecordReader, RecordSink } from '../src/features/exchange/read/record.ts';
import { createXmlReader } from '../src/features/exchange/read/xml.ts';
import { defused, timeOf, undefused } from '../src/features/exchange/values.ts';

interface Seen {
  names: readonly string[];
  rows: (readonly string[])[];
  places: string[];
  faults: string[];
  fatal: string | undefined;
}
const said = (f: Fault): string => `${f.line}:${f.column} ${f.field ?? '-'} ${f.message}`;

function read(bytes: Uint8Array, make: (sink: RecordSink) => RecordReader, step = bytes.length): Seen {
  const seen: Seen = { names: [], rows: [], places: [], faults: [], fatal: undefined };
  const reader = make({
    header(names) {
      seen.names = [...names];
      return undefined;
    },
    record(record) {
      seen.rows.push(
        record.kind === undefined
          ? [...record.values]
          : [record.kind, ...record.names.map((n, i) => `${n}=${record.values[i]}`)],
      );
      seen.places.push(
        record.values
          .map((_, i) => record.placeOf(i))
          .map((p) => `${p.line}:${p.column}`)
          .join(' '),
      );
    },
    fault: (f) => seen.faults.push(said(f)),
  });
  let on = true;
  for (let at = 0; on && at < bytes.length; at += step) on = reader.push(bytes.subarray(at, at + step));
  if (on) reader.end();
  seen.fatal = reader.fatal && said(reader.fatal);
  return seen;
}
const csv = (text: string | Uint8Array, options: CsvOptions = {}, step?: number): Seen =>
  read(typeof text === 'string' ? Buffer.from(text) : text, (sink) => createCsvReader(sink, options), step);
const xml = (text: string | Uint8Array, step?: number): Seen =>
  read(typeof text === 'string' ? Buffer.from(text) : text, (sink) => createXmlReader(sink), step);

describe('tables', () => {
  const TEXT = 'a;b;c\r\n1;two;"x;y"\r\n\r\n"q ""w""\r\nz";ø;\n9;8;7';
  it('gives rows with the place of each field, whatever pieces the bytes come in', () => {
    const whole = csv(TEXT);
    expect(whole).toEqual({
      names: ['a', 'b', 'c'],
      rows: [
        ['1', 'two', 'x;y'],
        ['q "w"\r\nz', 'ø', ''],
        ['9', '8', '7'],
      ],
      places: ['2:1 2:3 2:7', '4:1 5:4 5:6', '6:1 6:3 6:5'],
      faults: [],
      fatal: undefined,
    });
    const bytes = Buffer.from(TEXT);
    for (let step = 1; step < bytes.length; step++) expect(csv(TEXT, {}, step)).toEqual(whole);
  });

  it('cut at every byte: the rows before are the same, and nothing is made up', () => {
    const whole = csv(TEXT);
    const bytes = Buffer.from(TEXT);
    for (let cut = 0; cut < bytes.length; cut++) {
      const part = csv(bytes.subarray(0, cut));
      const sure = part.rows.slice(0, -1);
      expect(sure).toEqual(whole.rows.slice(0, sure.length));
    }
  });

  it('finds the separator out, or takes the one that is said', () => {
    expect(csv('a\tb\n1\t2,3').rows).toEqual([['1', '2,3']]);
    expect(csv('sep=;\na;b\n1;2').rows).toEqual([['1', '2']]);
    expect(csv('"a;b;c",d\n1,2').names).toEqual(['a;b;c', 'd']);
    expect(csv('a;b,c\n1;2,3', { separator: ';' }).rows).toEqual([['1', '2,3']]);
  });

  it('knows UTF-8 and UTF-16 by their marks, Latin-1 when it is said', () => {
    const text = 'navn\nØst\n';
    expect(csv(`\ufeff${text}`).rows).toEqual([['Øst']]);
    expect(csv(`\ufeff${text}`).names).toEqual(['navn']);
    const le = Buffer.from(`\ufeff${text}`, 'utf16le');
    for (const step of [1, 2, 3, 100]) expect(csv(le, {}, step).rows).toEqual([['Øst']]);
    expect(csv(Buffer.from(le).swap16()).rows).toEqual([['Øst']]);
    expect(csv(Buffer.from(text, 'latin1'), { encoding: 'latin1' }).rows).toEqual([['Øst']]);
  });

  it.each([
    ['a,b\n1\n2,3', '2:1 - this row has 1 fields and the heading 2', [['2', '3']]],
    ['a,b\n1,2,3\n4,5', '2:5 - this row has 3 fields', [['4', '5']]],
    ['a,b\n1,x"y\n4,5', '2:4 - a quote stands inside', [['4', '5']]],
    ['a,b\n"1"x,y\n4,5', '2:4 - text follows the closing quote', [['4', '5']]],
    ['a,b\n1,x\0y\n4,5', '2:3 b the control character U+0000', [['4', '5']]],
    ['a,b\n1,x\ry\n4,5', '2:3 b a carriage return stands alone', [['4', '5']]],
  ])('%j costs its row alone', (text, fault, rows) => {
    const seen = csv(text);
    expect(seen.faults).toHaveLength(1);
    expect(seen.faults[0]).toContain(fault);
    expect(seen.rows).toEqual(rows);
    expect(seen.fatal).toBeUndefined();
  });

  it('bytes that are no UTF-8 cost their row and say what to do', () => {
    const seen = csv(Buffer.from('a,b\n1,\xd8st\n2,3\n', 'latin1'));
    expect(seen.faults[0]).toContain('2:3 b these bytes are no text in utf-8');
    expect(seen.rows).toEqual([['2', '3']]);
  });

  it('a quote that never closes ends the reading where it opened', () => {
    expect(csv('a,b\n1,2\n3,"x\n5,6\n').fatal).toContain('3:3 - the quote that opens here is never closed');
    const long = csv(`a,b\n1,2\n3,"${'x\n'.repeat(MAX_ROW)}`, {}, 65_536);
    expect(long.fatal).toContain('3:3 - the quote that opens here is not closed within');
    expect(long.rows).toEqual([['1', '2']]);
  });

  it('a line without end is passed over in bounded memory', () => {
    let pieces = 0;
    const faults: string[] = [];
    const rows: string[][] = [];
    const reader = createCsvReader({ record: (r) => rows.push([...r.values]), fault: (f) => faults.push(said(f)) });
    reader.push(Buffer.from('a,b\n'));
    const piece = Buffer.alloc(1 << 20, 'x');
    while (pieces++ < 12) reader.push(piece);
    reader.push(Buffer.from('\n7,8\n'));
    expect(reader.end()).toBe(true);
    expect(rows).toEqual([['7', '8']]);
    expect(faults).toEqual([`2:1 - this row is longer than 1,048,576 characters; is a line end missing?`]);
  });

  it('an empty file and one with too many columns are refused', () => {
    expect(csv('').fatal).toContain('the file is empty');
    expect(csv('\n\n').fatal).toContain('the file is empty');
    expect(csv(`${'x,'.repeat(600)}x\n`).fatal).toContain('601 columns');
  });

  it('whatever is written is read back; whatever comes is borne', () => {
    const cell = fc.string({ unit: fc.constantFrom('a', '"', ',', '\n', '\r\n', ' ', 'ø', '=') });
    fc.assert(
      fc.property(fc.array(fc.tuple(cell, cell), { maxLength: 8 }), fc.integer({ min: 1, max: 9 }), (rows, step) => {
        const text = `a,b\r\n${rows.map((row) => `${row.map((c) => `"${c.replaceAll('"', '""')}"`).join(',')}\r\n`).join('')}`;
        const seen = csv(text, {}, step);
        expect(seen.rows).toEqual(rows);
        expect(seen.faults).toEqual([]);
      }),
    );
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 60 }), fc.integer({ min: 1, max: 9 }), (bytes, step) => {
        expect(csv(bytes, {}, step)).toEqual(csv(bytes));
      }),
    );
  });
});

describe('XML', () => {
  const file = (inside: string): string =>
    `<?xml version="1.0"?><amiable-registry version="1">${inside}</amiable-registry>`;
  const TEXT = file(
    '\n<!-- x --><region code="N&amp;S" name="&#216;st"/>\n<meter serial="1"><attribute name="colour">r<![CDATA[<e>]]>d</attribute></meter>',
  );
  it('gives an element a record, whatever pieces the bytes come in', () => {
    const whole = xml(TEXT);
    expect(whole.rows).toEqual([
      ['region', 'code=N&S', 'name=Øst'],
      ['meter', 'serial=1', 'x.colour=r<e>d'],
    ]);
    expect(whole.faults).toEqual([]);
    expect(whole.fatal).toBeUndefined();
    for (const step of [1, 2, 3, 7, 50]) expect(xml(TEXT, step).rows).toEqual(whole.rows);
    for (let cut = 0; cut < TEXT.length; cut++) expect(xml(TEXT.slice(0, cut)).fatal).toBeDefined();
  });

  it.each([
    [file('<meter serial="1" serial="2"/>'), 'well-formed'],
    [file('<meter'), 'well-formed'],
    [file('<a><b></a></b>'), 'well-formed'],
    ['<registry/>', 'begins with <registry>'],
    ['<amiable-registry version="9"/>', 'reads version="1"'],
    [file('<meter serial="1"><attribute name="a"><b/></attribute></meter>'), 'three levels'],
    [file('&bomb;'), 'well-formed'],
    ['<?xml version="1.0" encoding="ISO-8859-1"?><amiable-registry version="1"/>', 'says it is in iso-8859-1'],
    [`<!DOCTYPE x [<!ENTITY a "ha"><!ENTITY b "&a;&a;&a;&a;&a;&a;">]>${file('&b;')}`, 'document type'],
    ['<!DOCTYPE x SYSTEM "file:///etc/passwd"><x/>', 'document type'],
    [file('<meter serial="\0"/>'), 'well-formed'],
  ])('%j ends the reading', (text, words) => {
    const { fatal } = xml(text);
    expect(fatal).toContain(words);
  });

  it.each([
    ['<meter serial="1">text</meter>', 'stands between elements'],
    ['<meter serial="1"><serial>2</serial></meter>', 'is not known inside of <meter>'],
    ['<meter serial="1"><attribute>2</attribute></meter>', 'has to have a name'],
    ['<meter serial="1"><attribute name="a">1</attribute><attribute name="a">2</attribute></meter>', 'given twice'],
  ])('%j costs its element alone', (text, words) => {
    const seen = xml(file(`${text}<meter serial="9"/>`));
    expect(seen.faults.join()).toContain(words);
    expect(seen.rows).toEqual([['meter', 'serial=9']]);
  });

  it('what has no end is bounded', () => {
    for (const [begin, more] of [
      ['<amiable-registry version="1"><meter serial="', 'x'],
      ['<amiable-registry version="1"><!--', 'x'],
      ['<amiable-registry version="1"><meter ', 'y="1" '],
      ['<amiable-registry version="1">', ' '],
    ] as const) {
      const reader = createXmlReader({ record() {}, fault() {} });
      reader.push(Buffer.from(begin));
      const piece = Buffer.from(more.repeat(65_536 / more.length));
      let pieces = 0;
      // Attributes have to have names of their own: this one ends for that.
      while (reader.push(piece) && pieces < 40) pieces++;
      expect(reader.fatal).toBeDefined();
      expect(pieces).toBeLessThan(40);
    }
    expect(xml(`<amiable-registry version="1">${'<a>'.repeat(10_000)}`).fatal).toContain('three levels');
  });

  it('whatever comes is borne', () => {
    const word = fc.constantFrom(
      '<',
      '>',
      '/',
      '"',
      '=',
      'meter',
      ' ',
      '&',
      ';',
      '<!',
      '[',
      ']]>',
      '<?',
      '?>',
      '--',
      'a',
      '\0',
      'ø',
    );
    fc.assert(
      fc.property(fc.array(word, { maxLength: 30 }), (words) => {
        const text = `<amiable-registry version="1">${words.join('')}`;
        expect(xml(text, 3).rows).toEqual(xml(text).rows);
      }),
    );
  });
});

describe('values', () => {
  it('what a spreadsheet would take for a formula is defused and comes back exactly', () => {
    expect(defused('=1+1')).toBe("'=1+1");
    expect(defused("'=1")).toBe("''=1");
    expect(defused("o'clock")).toBe("o'clock");
    fc.assert(
      fc.property(fc.string({ unit: fc.constantFrom("'", '=', '+', '-', '@', 'a', '\t', '1') }), (text) => {
        expect(undefused(defused(text))).toBe(text);
        expect(/^[=+\-@\t\r]/.test(defused(text))).toBe(false);
      }),
    );
  });

  it('times are local without an offset, and must be', () => {
    const now = Date.UTC(2026, 10, 20);
    const zone = 'Europe/Oslo';
    expect(timeOf('2026-07-01', zone, now)).toBe(Date.UTC(2026, 5, 30, 22));
    expect(timeOf('2026-01-01T12:00Z', zone, now)).toBe(Date.UTC(2026, 0, 1, 12));
    expect(timeOf('2026-01-01 12:00:30.5+0130', zone, now)).toBe(Date.UTC(2026, 0, 1, 10, 30, 30, 500));
    for (const wrong of [
      '',
      '1.2.2026',
      '2026-02-30',
      '2026-13-01',
      '2026-01-01T25:00',
      '2026-03-29T02:30',
      '2027-01-01',
      '1800-01-01',
    ])
      expect(() => timeOf(wrong, zone, now)).toThrow();
  });
});

/** CIM 61968-9, Green Button, MSCONS and Parquet: written, checked by a reader that is not ours, read back, and hostile files. */
import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { parquetReadObjects } from 'hyparquet';
import { SaxesParser } from 'saxes';
import { expect, test } from 'vitest';
import { meaningOf, readingTypeOf } from '../src/cim/codes.ts';
import { createCimReader } from '../src/cim/read.ts';
import { CIM_STRUCTURE } from '../src/cim/schema.ts';
import { createCimWriter } from '../src/cim/write.ts';
import { createEspiReader } from '../src/espi/read.ts';
import { ESPI_STRUCTURE } from '../src/espi/schema.ts';
import { createEspiWriter } from '../src/espi/write.ts';
import { createMsconsReader } from '../src/mscons/read.ts';
import { decodeInterchange, segmentText } from '../src/mscons/segments.ts';
import { createMsconsWriter } from '../src/mscons/write.ts';
import { createParquetWriter } from '../src/parquet/write.ts';
import { createXmlEvents } from '../src/xml/events.ts';
import { createStructureCheck, type Structure } from '../src/xml/structure.ts';
import { expected, facts, fileOf, given, intervals, QUARTER, readAll, sample, showings, textOf } from './samples.ts';

const golden = (name: string): string => readFileSync(new URL(`golden/${name}`, import.meta.url), 'utf8');
const all = [...sample, showings(3, [facts.from, facts.to], [1_000_000, 1_012_345])];

/** Elements and texts as plain saxes gives them, nothing of ours between. */
function plainly(text: string): { tag: string; text: string; attributes: Record<string, string> }[] {
  const out: { tag: string; text: string; attributes: Record<string, string> }[] = [];
  const open: (typeof out)[number][] = [];
  const parser = new SaxesParser();
  parser.on('error', (error) => {
    throw error;
  });
  parser.on('opentag', (tag) => {
    const one = { tag: tag.name, text: '', attributes: tag.attributes as Record<string, string> };
    out.push(one);
    open.push(one);
  });
  parser.on('text', (piece) => {
    const one = open.at(-1);
    if (one) one.text += piece;
  });
  parser.on('closetag', () => void open.pop());
  parser.write(text).close();
  return out;
}
function structureFaults(structure: Structure, text: string): string[] {
  const faults: string[] = [];
  const check = createStructureCheck(structure, (_, message) => void faults.push(message));
  const events = createXmlEvents({
    open: (local, uri, attributes, at) => check.open(local, uri, attributes, at),
    close: (_, piece, at) => check.close(piece, at),
    fault: (_, message) => void faults.push(message),
  });
  events.push(new TextEncoder().encode(text));
  events.end();
  return faults;
}

test('CIM: the golden file, of the schema’s structure, as an XML parser reads it', () => {
  const text = textOf(createCimWriter(facts), all);
  expect(text).toBe(golden('meter-readings.xml'));
  expect(structureFaults(CIM_STRUCTURE, text)).toEqual([]);
  const elements = plainly(text);
  expect(elements.filter(({ tag }) => tag === 'value').map((e) => e.text)).toEqual([
    '0.250',
    '0.275',
    '0.300',
    '1.2345',
    '0.0000',
    '0.0007',
    '0.0001',
    '1000.000',
    '1012.345',
  ]);
  // The end of each interval.
  expect(elements.find(({ tag }) => tag === 'timeStamp')?.text).toBe('2026-11-19T23:15:00Z');
  expect(elements.filter(({ tag }) => tag === 'ReadingType').map((e) => e.attributes.ref)).toEqual([
    '0.0.2.4.1.1.12.0.0.0.0.0.0.0.0.3.72.0',
    '0.0.2.4.19.1.12.0.0.0.0.0.0.0.0.3.72.0',
    '0.0.0.3.1.1.12.0.0.0.0.0.0.0.0.3.72.0',
    '0.0.0.3.1.1.12.0.0.0.0.0.0.0.0.3.72.0',
  ]);
});

test('CIM: read back in any pieces', () => {
  const text = textOf(createCimWriter(facts), all);
  for (const piece of [1, 100, 1e6]) {
    const { rows, faults } = readAll((sink) => createCimReader(sink), text, piece);
    expect(faults).toEqual([]);
    expect(given(rows)).toEqual(expected(all));
    expect(rows.slice(0, 3).map(({ quality }) => quality)).toEqual(['measured', 'estimated', 'edited']);
  }
});

test('CIM: what a file of others may hold, and what is told of wrong ones by line', () => {
  const other = `<?xml version="1.0"?>
<msg:RequestMessage xmlns:msg="http://iec.ch/TC57/2011/schema/message"><msg:Header><msg:Verb>created</msg:Verb></msg:Header><msg:Payload>
<m:MeterReadings xmlns:m="http://iec.ch/TC57/2011/MeterReadings#">
<m:MeterReading>
<m:Meter><m:Names><m:name>M&amp;1</m:name></m:Names></m:Meter>
<m:Readings><m:reason>billing</m:reason><m:timeStamp>2026-11-20T00:00:00+01:00</m:timeStamp><m:value>12.5</m:value><m:ReadingType ref="0.0.0.1.1.1.12.0.0.0.0.0.0.0.0.3.72.0"/></m:Readings>
</m:MeterReading>
</m:MeterReadings></msg:Payload></msg:RequestMessage>`;
  const { rows, faults } = readAll((sink) => createCimReader(sink), other);
  expect(faults).toEqual([]);
  expect(rows).toMatchObject([
    { line: 6, meter: 'M&1', what: 'energyImport', time: facts.from, period: 0, mantissa: 12_500 },
  ]);
  const wrong = (from: string | RegExp, to: string) =>
    readAll((sink) => createCimReader(sink), other.replace(from, to)).faults[0];
  expect(wrong('12.5', 'a lot')).toMatchObject({
    line: 6,
    message: expect.stringMatching(/a number is wanted, not "a lot"/),
  });
  expect(wrong('billing', 'curiosity')).toMatchObject({ line: 6, message: expect.stringMatching(/one of billing/) });
  expect(wrong('2026-11-20T00:00:00+01:00', 'today')).toMatchObject({
    message: expect.stringMatching(/a time such as/),
  });
  expect(wrong('<m:Meter>', '<m:Color/><m:Meter>')).toMatchObject({
    line: 5,
    message: expect.stringMatching(/<Color> is not known in <MeterReading>/),
  });
  expect(wrong(/<m:ReadingType[^>]*>/, '')).toMatchObject({
    message: expect.stringMatching(/<ReadingType> is missing/),
  });
  expect(wrong('0.0.0.1.1.1.12', '0.0.0.1.1.1.8')).toMatchObject({
    message: expect.stringMatching(/not a quantity that is read/),
  });
  expect(wrong('/MeterReadings#', '/Other#')).toMatchObject({ message: expect.stringMatching(/is of the namespace/) });
  expect(wrong('</m:MeterReading>', '')).toMatchObject({ message: expect.stringMatching(/broken/) });
});

test('every reading type that is written is understood', () => {
  for (const step of [0, 60_000, 300_000, 600_000, QUARTER, 1_800_000, 3_600_000, 86_400_000])
    for (const name of ['energyImport', 'energyExport', 'reactiveImport', 'gasVolume', 'waterVolume', 'heatEnergy']) {
      const { code, multiplier } = readingTypeOf(name, step);
      expect(meaningOf(code)).toMatchObject({ quantity: name, period: step, power: multiplier });
    }
  expect(() => readingTypeOf('hotWaterVolume', 0)).toThrow(/no reading type/);
  expect(() => readingTypeOf('energyImport', 1_200_000)).toThrow(/no measuring period of 1200 s/);
});

test('Green Button: the golden file, of the schema’s structure, read back', () => {
  const text = textOf(createEspiWriter(facts), all);
  expect(text).toBe(golden('green-button.xml'));
  expect(structureFaults(ESPI_STRUCTURE, text)).toEqual([]);
  const elements = plainly(text);
  expect(elements.filter(({ tag }) => tag === 'value').map((e) => Number(e.text))).toEqual([
    250, 275, 300, 12_345, 0, 7, 1, 1_000_000, 1_012_345,
  ]);
  expect(elements.filter(({ tag }) => tag === 'start')[1]?.text).toBe(String(facts.from / 1000));
  const { rows, faults } = readAll((sink) => createEspiReader(sink), text, 97);
  expect(faults).toEqual([]);
  expect(given(rows)).toEqual(expected(all));
  // A file of a custodian says nothing of meters: whoever imports it does.
  const named = readAll((sink) => createEspiReader(sink, { meter: 'M1' }), text).rows;
  expect(new Set(named.map(({ meter }) => meter))).toEqual(new Set(['M1']));
});

test('Green Button: wrong files are told by line', () => {
  const text = textOf(createEspiWriter(facts), sample);
  const wrong = (from: string | RegExp, to: string) =>
    readAll((sink) => createEspiReader(sink), text.replace(from, to)).faults[0];
  expect(wrong('<value>250</value>', '<value>2,5</value>')).toMatchObject({
    message: expect.stringMatching(/whole number is wanted/),
  });
  expect(wrong('<uom>72</uom>', '<uom>61</uom>')).toMatchObject({ message: expect.stringMatching(/unit 61/) });
  expect(wrong(/<link rel="related" href="ReadingType[^>]*>/, '')).toMatchObject({
    message: expect.stringMatching(/no ReadingType is linked/),
  });
});

test('XML bombs and endless tags end the reading, with a sentence', () => {
  const bomb =
    '<?xml version="1.0"?><!DOCTYPE x [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;">]><MeterReadings>&b;</MeterReadings>';
  const cases: [string, RegExp][] = [
    [bomb, /document type is not read/],
    [`<MeterReadings>${'<a>'.repeat(100)}`, /nested too deep/],
    [`<MeterReadings ${'x'.repeat(300_000)}`, /does not end/],
    [`<MeterReadings>${'x'.repeat(300_000)}`, /characters of text|does not end/],
    ['<?xml version="1.0" encoding="UTF-16"?><MeterReadings/>', /save it as UTF-8/],
    ['', /broken/],
  ];
  for (const [text, message] of cases)
    for (const make of [createCimReader, createEspiReader]) {
      const { faults, ended } = readAll((sink) => make(sink), text, 1000);
      expect(ended).toBe(false);
      expect(faults.map((fault) => fault.message).join()).toMatch(message);
    }
});

/** An interchange by the rules of ISO 9735, in a few lines of its own. */
function segmentsOf(text: string): string[][] {
  expect(text.startsWith("UNA:+.? '")).toBe(true);
  return text
    .slice(9)
    .split(/(?<!\?)'/)
    .filter((one) => one !== '')
    .map((one) => one.split(/(?<!\?)\+/));
}

test('MSCONS: the golden file; counts and references by hand', () => {
  const bytes = fileOf(createMsconsWriter(facts), all);
  const text = Buffer.from(bytes).toString('latin1');
  expect(text.replaceAll("'", "'\n")).toBe(golden('mscons.edi'));
  const segments = segmentsOf(text);
  expect(segments[0]).toEqual(['UNB', 'UNOC:3', '9900204000002:14', '4012345000023:14', '261120:2230', '4711']);
  expect(segments.at(-1)).toEqual(['UNZ', '3', '4711']);
  const heads = segments.flatMap(([tag], i) => (tag === 'UNH' ? [i] : []));
  for (const head of heads) {
    const tail = segments.findIndex(([tag], i) => i > head && tag === 'UNT');
    expect(segments[tail]?.[1]).toBe(String(tail - head + 1));
    expect(segments[tail]?.[2]).toBe(segments[head]?.[1]);
  }
  expect(segments.filter(([tag]) => tag === 'QTY').map(([, quantity]) => quantity)).toEqual([
    '220:0.250:KWH',
    '67:0.275:KWH',
    '67:0.300:KWH',
    '220:1.2345:KWH',
    '220:0.0000:KWH',
    '220:0.0007:KWH',
    '220:0.0001:KWH',
    '220:1000.000:KWH',
    '220:1012.345:KWH',
  ]);
  const { rows, faults } = readAll((sink) => createMsconsReader(sink), bytes, 50);
  expect(faults).toEqual([]);
  expect(
    given(rows).map((row) => ({ ...row, what: row.what === '1-0:2.29.0' ? 'energyExport' : 'energyImport' })),
  ).toEqual(expected(all));
});

test('MSCONS: signs are released, and wrong interchanges told', () => {
  const odd = "A?'+:B";
  const writer = createMsconsWriter({ ...facts, sender: odd });
  const one = intervals(1, [1]);
  const bytes = fileOf(writer, [{ ...one, meter: { ...one.meter, serial: odd, point: null } }]);
  const { rows } = readAll((sink) => createMsconsReader(sink), bytes);
  expect(rows[0]?.meter).toBe(odd);
  const text = Buffer.from(bytes).toString('latin1');
  expect(decodeInterchange(text).sender[0]).toBe(odd);
  const wrong = (from: string | RegExp, to: string) =>
    readAll((sink) => createMsconsReader(sink), text.replace(from, to)).faults[0]?.message;
  expect(wrong(/UNT\+\d+/, 'UNT+5')).toMatch(/UNT counts 5 segments/);
  expect(wrong('UNZ+1', 'UNZ+2')).toMatch(/UNZ counts 2 messages/);
  expect(wrong('UNZ+1+4711', 'UNZ+1+4712')).toMatch(/reference 4712/);
  expect(wrong(/UNT.*/, '')).toMatch(/does not end with UNT/);
  expect(wrong('QTY+220', 'QTY+999')).toMatch(/quantity 999/);
});

test('MSCONS: the parts of an interchange are counted, however short each is', () => {
  const text = `UNB+UNOC:3+a+b+c+1'UNH+1+X'ABC${'+'.repeat(200)}'UNT+3+1'UNZ+1+1'`;
  expect(decodeInterchange(text).messages).toHaveLength(1);
  expect(() => decodeInterchange(text, 200)).toThrow('more than 200 elements');
});

test('Green Button: as many links as a file likes are followed once each', () => {
  const entry = (kind: string, self: string, links = '') =>
    `<entry><id>x</id><link rel="self" href="${self}"/>${links}<content><espi:${kind}/></content></entry>`;
  const many = <T>(of: (i: number) => T): string => Array.from({ length: 2500 }, (_, i) => of(i)).join('');
  const related = Array.from({ length: 1000 }, (_, i) => `<link rel="related" href="/x/${i}"/>`).join('');
  const text =
    '<feed xmlns="http://www.w3.org/2005/Atom" xmlns:espi="http://naesb.org/espi">' +
    entry('MeterReading', '/MeterReading/1', related) +
    many((i) => entry('ReadingType', `/ReadingType/${i}`)) +
    many((i) => entry('IntervalBlock', `/MeterReading/1/IntervalBlock/${i}`)) +
    '</feed>';
  // Each block asked each type for each link: 27 s of them.
  const { faults } = readAll((sink) => createEspiReader(sink), text, 65_536);
  expect(faults.filter(({ message }) => message.startsWith('no ReadingType is linked'))).toHaveLength(2500);
});

test('segments come back whatever they hold', () => {
  const word = fc.stringMatching(/^[A-Z?'+: .0-9]{0,8}$/);
  fc.assert(
    fc.property(fc.array(fc.array(word, { minLength: 1, maxLength: 3 }), { maxLength: 4 }), (elements) => {
      const body = segmentText(['FTX', ...elements]);
      const text = `UNB+UNOC:3+a+b+c+1'UNH+1+X'${body}UNT+3+1'UNZ+1+1'`;
      const segment = decodeInterchange(text).messages[0]?.segments[0] ?? ['?'];
      // What is empty at the end is not sent.
      const trimmed = (list: readonly (readonly string[])[]) => {
        const cut = <T>(some: readonly T[], empty: (one: T) => boolean) =>
          some.slice(0, some.findLastIndex((one) => !empty(one)) + 1);
        return cut(
          list.map((one) => cut(one, (word) => word === '')),
          (one) => one.length === 0,
        ).map((one) => (one.length === 0 ? [''] : one));
      };
      expect(trimmed(segment.slice(1) as string[][])).toEqual(trimmed(elements));
    }),
    { numRuns: 200 },
  );
});

test('Parquet: what hyparquet reads is what was written, with row groups over the border', async () => {
  const long = intervals(
    4,
    Array.from({ length: 510 }, (_, i) => i),
    { scaler: -2 },
  );
  const bytes = fileOf(createParquetWriter(facts, 500), [...sample, long]);
  const file = bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.byteLength) as ArrayBuffer;
  const rows = await parquetReadObjects({ file });
  expect(rows).toHaveLength(8 + 510);
  expect(rows[1]).toEqual({
    meter: '6970631000000001',
    utility_serial: 'U-1',
    metering_point: '707057500000000001',
    quantity: 'energyImport',
    obis: '1-0:1.29.0',
    unit: 'Wh',
    time: new Date(facts.from + QUARTER),
    period: 900,
    mantissa: 275n,
    scaler: 0,
    value: 275,
    quality: 'estimated',
  });
  expect(rows[2]).toMatchObject({ mantissa: null, value: null, quality: 'missing' });
  expect(rows.at(-1)).toMatchObject({ mantissa: 509n, value: 5.09, utility_serial: null });
});

test('no bytes make a reader throw', () => {
  const files = [
    textOf(createCimWriter(facts), sample),
    textOf(createEspiWriter(facts), sample),
    textOf(createMsconsWriter(facts), sample),
  ];
  fc.assert(
    fc.property(fc.nat(2), fc.uint8Array({ maxLength: 40 }), fc.nat(3000), fc.nat(50), (which, bytes, at, cut) => {
      const whole = Buffer.from(files[which] as string);
      const damaged = Buffer.concat([whole.subarray(0, at), bytes, whole.subarray(at + cut)]);
      for (const make of [createCimReader, createEspiReader, createMsconsReader])
        readAll((sink) => make(sink), damaged);
    }),
    { numRuns: 60 },
  );
});

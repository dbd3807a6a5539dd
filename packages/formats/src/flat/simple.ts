/**
 * Plain tables of readings that nobody designed: what the columns are is found out by their names, the separator by the first line, the
 * form of times by the first value. For histories that a household or another system has as CSV.
 *
 * Decides: the names that are known, in several languages; a table that leaves a doubt is refused with what to name. Leaves out:
 * several quantities in columns side by side.
 */
import { FLAT_UNIT_POWERS, type FlatColumn, type FlatField, type FlatFormat } from '@amiable/model';
import { dateForm } from '../date.ts';
import type { ReadingReader, ReadingSink } from '../series.ts';
import { createFlatReader, type FlatReadOptions, MAX_LINE, separatedCells } from './read.ts';

const NAMES: readonly (readonly [FlatField, RegExp])[] = [
  ['meter', /^(meter|serial|serial number|meter serial|måler|målernummer|zähler|zählernummer|compteur|mätare)$/],
  ['utilitySerial', /^(utility serial|utilityserial|asset)$/],
  [
    'point',
    /^(point|metering point|målepunkt|målepunkt-id|målepunktid|zählpunkt|melo|malo|pdl|prm|ean|ean code|anläggningsid)$/,
  ],
  ['quantity', /^(quantity|what|register|type|retning|direction)$/],
  ['obis', /^(obis|obis code|obis-kode|obis-code)$/],
  [
    'time',
    /^(time|start|from|begin|timestamp|start time|fra|von|zeitstempel|datetime|date time|fra_dato|fradato|från|debut|début|time start)$/,
  ],
  ['end', /^(end|to|until|end time|til|bis|till|fin|til_dato|tildato)$/],
  ['unit', /^(unit|enhet|einheit|unité|enhed)$/],
  ['quality', /^(quality|status|kvalitet|qualität|qualité)$/],
  ['period', /^(period|interval)$/],
];
const VALUE =
  /^(value|reading|consumption|energy|forbruk|forbrug|verbrauch|wert|verdi|mengde|consommation|valeur|förbrukning|usage)\b|\b(kwh|wh|mwh|m3|m³)\b/;
const PATTERNS = [
  'iso',
  'dd.MM.yyyy HH:mm',
  'dd.MM.yyyy HH:mm:ss',
  'dd/MM/yyyy HH:mm',
  'dd/MM/yyyy HH:mm:ss',
  'dd-MM-yyyy HH:mm',
  'yyyy/MM/dd HH:mm',
  'yyyy.MM.dd HH:mm',
  'yyyyMMddHHmm',
  'yyyy-MM-dd',
  'dd.MM.yyyy',
  'epoch',
  'epoch-ms',
];
const SEPARATORS = [';', '\t', ',', '|'];

const column = (field: FlatField): FlatColumn => ({
  field,
  align: 'left',
  pad: ' ',
  date: 'iso',
  zone: 'local',
  text: '',
});

/** What a table's first two lines say. @returns a sentence where they leave a doubt */
export function guessFormat(first: string, second: string, options: FlatReadOptions): FlatFormat | string {
  let separator = ',';
  let most = 0;
  for (const one of SEPARATORS) {
    const count = first.split(one).length - 1;
    if (count > most) {
      most = count;
      separator = one;
    }
  }
  const heads = separatedCells(first.replace(/^\ufeff/, ''), separator);
  const cells = separatedCells(second, separator);
  if (!Array.isArray(heads) || !Array.isArray(cells)) return 'the first lines have quotes that do not close';
  const columns: FlatColumn[] = [];
  for (const [i, head] of heads.entries()) {
    const name = head.text.trim().toLowerCase();
    const known = NAMES.find(([, pattern]) => pattern.test(name))?.[0];
    if (known === undefined && VALUE.test(name)) {
      if (columns.some((c) => c.field === 'value'))
        return `the columns ${columns.find((c) => c.field === 'value')?.name} and ${head.text.trim()} both look like values; name one of them \`value\` and take the other out, or design a format`;
      const unit = Object.keys(FLAT_UNIT_POWERS).find((one) =>
        new RegExp(`\\b${one}\\b`, 'i').test(name.replace('³', '3')),
      );
      columns.push({
        ...column('value'),
        name: head.text.trim(),
        ...(unit === undefined ? {} : { unit: unit as NonNullable<FlatColumn['unit']> }),
      });
    } else if (known === 'time' || known === 'end') {
      const sample = cells[i]?.text.trim() ?? '';
      const pattern = PATTERNS.find((one) => typeof dateForm(one, 'local').parse(sample, options.zone) === 'number');
      if (pattern === undefined)
        return `${JSON.stringify(sample.slice(0, 40))} is no time in a form that is known; such as 2026-11-20T14:30:00Z or 20.11.2026 14:30`;
      columns.push({ ...column(known), name: head.text.trim(), date: pattern });
    } else if (known !== undefined && !columns.some((c) => c.field === known))
      columns.push({ ...column(known), name: head.text.trim() });
    // What is not known is passed over: `row` is read by nobody.
    else columns.push({ ...column('row'), name: head.text.trim() });
  }
  const has = (field: FlatField): boolean => columns.some((c) => c.field === field);
  const named = heads
    .map((head) => head.text.trim())
    .join(', ')
    .slice(0, 200);
  if (!has('value')) return `no column is the value (there are ${named}); name it \`value\` or \`kWh\``;
  if (!has('time') && !has('end')) return `no column is the time (there are ${named}); name it \`time\``;
  if (!options.meter && !has('meter') && !has('utilitySerial') && !has('point'))
    return `nothing says whose values these are (there are ${named}); name a column \`meter\` or \`point\`, or say the meter`;
  return {
    layout: 'separated',
    separator,
    quote: 'needed',
    encoding: 'utf-8',
    lineEnd: 'lf',
    decimal: separator === ',' ? '.' : ',',
    columnNames: true,
    header: [],
    columns,
    footer: [],
    missing: 'skip',
    formulas: 'defuse',
  };
}

const joined = (a: Uint8Array, b: Uint8Array): Uint8Array => {
  const out = new Uint8Array(a.length + b.length);
  out.set(a);
  out.set(b, a.length);
  return out;
};

export function createSimpleReader(sink: ReadingSink, options: FlatReadOptions): ReadingReader {
  let head = new Uint8Array(0) as Uint8Array;
  let reader: ReadingReader | undefined;
  let over = false;

  function begin(last: boolean): boolean {
    const second = head.indexOf(10, head.indexOf(10) + 1);
    if (!last && (head.indexOf(10) < 0 || second < 0) && head.length <= 2 * MAX_LINE) return true;
    let text: string;
    let latin = false;
    const cut = head.subarray(0, second < 0 ? head.length : second);
    try {
      text = new TextDecoder('utf-8', { fatal: true }).decode(cut);
    } catch {
      // Spreadsheets of the west save what they call ANSI.
      text = new TextDecoder('iso-8859-1').decode(cut);
      latin = true;
    }
    const [first = '', next = ''] = text.split(/\r?\n/);
    const format = next === '' ? 'the file has no line with a value' : guessFormat(first, next, options);
    if (typeof format === 'string') {
      sink.fault({ line: 1, column: 1, message: format });
      over = true;
      return false;
    }
    reader = createFlatReader({ ...format, encoding: latin ? 'latin1' : 'utf-8' }, sink, {
      ...options,
      eitherDecimal: true,
    });
    return reader.push(head);
  }

  return {
    push(bytes) {
      if (over) return false;
      if (reader) return reader.push(bytes);
      head = joined(head, bytes);
      return begin(false);
    },
    end() {
      if (over) return false;
      if (!reader && !begin(true)) return false;
      return reader?.end() ?? false;
    },
  };
}

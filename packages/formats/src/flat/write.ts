/**
 * A flat file by a design (model mdm/format.ts; AMI system description §5.5.2): one line for each value, lines before and after.
 *
 * Decides: sums and counts in the last lines are of what was written, exact; a text that outgrows its width ends the file with a
 * sentence, for a number that was cut off is another number. Leaves out: lines before that count what follows (nobody knows it yet).
 */
import { MisuseError } from '@amiable/bytes';
import { FLAT_UNIT_POWERS, type FlatColumn, type FlatFormat, type LineColumn } from '@amiable/model';
import { type DateForm, dateForm } from '../date.ts';
import { type DeliveredSeries, type FileFacts, type FileWriter, QUALITY_NAMES, timeAt } from '../series.ts';
import { decimalText, defused, encodeText, flat } from '../text.ts';

const MISSING = 4;

interface Sum {
  mantissa: bigint;
  scaler: number;
}

export function createFlatWriter(format: FlatFormat, facts: FileFacts): FileWriter {
  const { columns, layout, separator, quote } = format;
  const fixed = layout === 'fixed';
  const dates = columns.map((column): DateForm | undefined =>
    column.field === 'time' || column.field === 'end' ? dateForm(column.date, column.zone) : undefined,
  );
  const end = format.lineEnd === 'crlf' ? '\r\n' : '\n';
  const encoding = format.encoding === 'latin1' ? 'latin1' : 'utf-8';
  let rows = 0;
  const sum: Sum = { mantissa: 0n, scaler: 0 };

  const cell = (column: FlatColumn | LineColumn, text: string, isText: boolean): string => {
    const clean = flat(text);
    if (fixed) {
      const wide = column.width as number;
      const { length } = clean;
      if (length > wide)
        throw new MisuseError(
          `${column.field}: ${JSON.stringify(clean)} has ${length} characters and its column ${wide}; make the column wider`,
        );
      return column.align === 'right' ? clean.padStart(wide, column.pad) : clean.padEnd(wide, column.pad);
    }
    const safe = isText && format.formulas === 'defuse' ? defused(clean) : clean;
    if (quote === 'always') return `"${safe.replaceAll('"', '""')}"`;
    const odd = safe.includes(separator) || safe.includes('"') || safe.trim() !== safe;
    if (quote === 'needed') return odd ? `"${safe.replaceAll('"', '""')}"` : safe;
    if (safe.includes(separator))
      throw new MisuseError(
        `${column.field}: ${JSON.stringify(safe)} holds the separator, and the format has no quotes; allow quotes or choose another separator`,
      );
    return safe;
  };
  const comma = (text: string): string => (format.decimal === ',' ? text.replace('.', ',') : text);
  const number = (column: FlatColumn | LineColumn, mantissa: number | bigint, scaler: number): string =>
    comma(decimalText(mantissa, scaler - (FLAT_UNIT_POWERS[column.unit ?? '']?.power ?? 0), column.decimals));
  /** A padded number is padded before its sign is thought of: zeros in front of a minus would be no number. */
  const numberCell = (column: FlatColumn | LineColumn, text: string): string => {
    if (!fixed || column.pad !== '0' || column.align !== 'right' || !text.startsWith('-'))
      return cell(column, text, false);
    const wide = column.width as number;
    if (text.length > wide) return cell(column, text, false);
    return `-${text.slice(1).padStart(wide - 1, '0')}`;
  };

  const joined = (cells: readonly string[]): string => {
    return cells.join(fixed ? '' : separator) + end;
  };

  const special = (line: readonly LineColumn[]): string =>
    joined(
      line.map((column) => {
        switch (column.field) {
          case 'constant':
            return cell(column, column.text, true);
          case 'created':
          case 'from':
          case 'to':
            return cell(column, dateForm(column.date, column.zone).print(facts[column.field], facts.zone), false);
          case 'name':
            return cell(column, facts.reference, true);
          case 'rows':
            return numberCell(column, String(rows));
          case 'lines':
            // All of the file, this line and those after it too.
            return numberCell(column, String(total()));
          default:
            return numberCell(column, number(column, sum.mantissa, sum.scaler));
        }
      }),
    );
  const total = (): number => format.header.length + (format.columnNames ? 1 : 0) + rows + format.footer.length;

  const textOf = (column: FlatColumn, series: DeliveredSeries, i: number): string => {
    const { meter, quantity } = series;
    switch (column.field) {
      case 'meter':
        return meter.serial;
      case 'utilitySerial':
        return meter.utilitySerial ?? '';
      case 'meterId':
        return meter.id;
      case 'point':
        return meter.point ?? '';
      case 'quantity':
        return column.words?.[quantity.name] ?? quantity.name;
      case 'obis':
        return quantity.obis;
      case 'unit':
        return column.text !== '' ? column.text : (columns.find((one) => one.field === 'value')?.unit ?? quantity.unit);
      case 'period':
        return String(series.step / 1000);
      case 'quality': {
        const name = QUALITY_NAMES[series.quality[i] as number] as string;
        return column.words?.[name] ?? name;
      }
      case 'row':
        return String(rows);
      default:
        return column.text;
    }
  };

  function add(mantissa: number, scaler: number): void {
    if (scaler < sum.scaler) {
      sum.mantissa *= 10n ** BigInt(sum.scaler - scaler);
      sum.scaler = scaler;
    }
    sum.mantissa += BigInt(mantissa) * 10n ** BigInt(scaler - sum.scaler);
  }

  /** Cells that are the same for all values of a series are made once. */
  const CONSTANT = new Set([
    'meter',
    'utilitySerial',
    'meterId',
    'point',
    'quantity',
    'obis',
    'unit',
    'period',
    'constant',
  ]);

  return {
    head() {
      let text = '';
      for (const line of format.header) text += special(line);
      if (format.columnNames)
        text += joined(
          columns.map((column) => {
            const name = column.name ?? column.field;
            // A name that outgrows its column is cut: it says nothing that counts.
            return cell(column, fixed ? name.slice(0, column.width) : name, true);
          }),
        );
      const bytes = encodeText(text, encoding);
      if (format.encoding !== 'utf-8-bom') return bytes;
      const marked = new Uint8Array(bytes.length + 3);
      marked.set([0xef, 0xbb, 0xbf]);
      marked.set(bytes, 3);
      return marked;
    },
    series(series) {
      for (const { field, unit } of columns)
        if (field === 'value' && unit !== undefined && FLAT_UNIT_POWERS[unit]?.base !== series.quantity.unit)
          throw new MisuseError(
            `value: ${series.quantity.name} is counted in ${series.quantity.unit} and the format wants ${unit}; choose a format of its own for it`,
          );
      const ready = columns.map((column) =>
        CONSTANT.has(column.field) ? cell(column, textOf(column, series, 0), true) : '',
      );
      const n = series.values.length;
      const { step, scaler } = series;
      let text = '';
      const cells: string[] = new Array(columns.length);
      for (let i = 0; i < n; i++) {
        const mantissa = series.values[i] as number;
        const lacks = Number.isNaN(mantissa) || series.quality[i] === MISSING;
        if (lacks && format.missing === 'skip') continue;
        rows++;
        if (!lacks) add(mantissa, scaler);
        const time = timeAt(series, i);
        for (let c = 0; c < columns.length; c++) {
          const column = columns[c] as FlatColumn;
          const form = dates[c];
          if (form)
            cells[c] = cell(column, form.print(column.field === 'end' ? time + step : time, series.meter.zone), false);
          else if (CONSTANT.has(column.field)) cells[c] = ready[c] as string;
          else if (column.field === 'value')
            cells[c] = lacks
              ? cell(column, (format.missing as { write: string }).write, false)
              : numberCell(column, number(column, mantissa, scaler));
          else cells[c] = cell(column, textOf(column, series, i), column.field === 'quality');
        }
        text += joined(cells);
      }
      return encodeText(text, encoding);
    },
    tail() {
      let text = '';
      for (const line of format.footer) text += special(line);
      return encodeText(text, encoding);
    },
    get rows() {
      return rows;
    },
  };
}

/**
 * MSCONS, metered services consumption report (UN/EDIFACT D.04B), as the energy markets of Germany and its neighbours use it: one message
 * for each series, intervals with begin and end, showings with the day of reading.
 *
 * Decides: QTY 220 for true values and 67 for substitutes (estimated, edited, calculated); energy in kWh, times in UTC with offset; the
 * register by PIA with its OBIS code. Leaves out: contracts, status reasons (STS), groups.
 */
import { MisuseError } from '@amiable/bytes';
import { type DeliveredSeries, type FileFacts, type FileWriter, timeAt } from '../series.ts';
import { decimalText, encodeText } from '../text.ts';
import { type Segment, segmentText } from './segments.ts';

const MISSING = 4;
const MEASURED = 0;

export interface MsconsOptions {
  /** Of sender and receiver in UNB: 14 GS1, 500 BDEW, 502 DVGW; in NAD: 9 GS1, 293 BDEW, 332 DVGW. */
  readonly agency?: 'gs1' | 'bdew' | 'dvgw';
  /** Association's version in UNH, such as 2.4c. */
  readonly release?: string;
  readonly test?: boolean;
}

const AGENCIES = { gs1: ['14', '9'], bdew: ['500', '293'], dvgw: ['502', '332'] } as const;
const UNITS: Readonly<Record<string, readonly [code: string, power: number]>> = {
  Wh: ['KWH', 3],
  varh: ['KVR', 3],
  VAh: ['C79', 3],
  m3: ['MTQ', 0],
};
const two = (n: number): string => String(n).padStart(2, '0');

function stamp(ms: number): string {
  const at = new Date(ms);
  return `${at.getUTCFullYear()}${two(at.getUTCMonth() + 1)}${two(at.getUTCDate())}${two(at.getUTCHours())}${two(at.getUTCMinutes())}+00`;
}
const time = (qualifier: string, ms: number): Segment => ['DTM', [qualifier, stamp(ms), '303']];

export function createMsconsWriter(facts: FileFacts, options: MsconsOptions = {}): FileWriter {
  const [own, party] = AGENCIES[options.agency ?? 'gs1'];
  const release = options.release ?? '2.4c';
  // 14 characters at most (0020, 0062).
  const reference = facts.reference.replace(/[^A-Za-z0-9]/g, '').slice(-14) || '1';
  let rows = 0;
  let messages = 0;
  const made = new Date(facts.created);
  const encode = (segments: readonly Segment[]): Uint8Array => encodeText(segments.map(segmentText).join(''), 'latin1');

  return {
    head() {
      const date = `${two(made.getUTCFullYear() % 100)}${two(made.getUTCMonth() + 1)}${two(made.getUTCDate())}`;
      const unb: Segment = [
        'UNB',
        ['UNOC', '3'],
        [facts.sender.slice(0, 35), own],
        [facts.receiver.slice(0, 35), own],
        [date, `${two(made.getUTCHours())}${two(made.getUTCMinutes())}`],
        [reference],
        ...(options.test ? [[''], [''], [''], [''], [''], ['1']] : []),
      ];
      return encodeText(`UNA:+.? '${segmentText(unb)}`, 'latin1');
    },
    series(series: DeliveredSeries) {
      const { meter, quantity, step, scaler, values, quality } = series;
      const unit = UNITS[quantity.unit];
      if (!unit)
        throw new MisuseError(
          `MSCONS has no unit for ${quantity.name} in ${quantity.unit} here; deliver energy or volumes`,
        );
      const own = String(++messages);
      const from = values.length === 0 ? facts.from : timeAt(series, 0);
      const to = values.length === 0 ? facts.to : timeAt(series, values.length - 1) + step;
      const segments: Segment[] = [
        ['UNH', [own], ['MSCONS', 'D', '04B', 'UN', release]],
        ['BGM', ['7'], [`${reference}${own.padStart(6, '0')}`], ['9']],
        time('137', facts.created),
        ['NAD', ['MS'], [facts.sender.slice(0, 35), '', party]],
        ['NAD', ['MR'], [facts.receiver.slice(0, 35), '', party]],
        ['UNS', ['D']],
        ['NAD', ['DP']],
        ['LOC', ['172'], [meter.point ?? meter.serial]],
        time('163', from),
        time('164', to),
        ['RFF', ['MG', meter.serial]],
        ['LIN', ['1']],
        ['PIA', ['5'], [quantity.obis, 'SRW']],
      ];
      for (let i = 0; i < values.length; i++) {
        const mantissa = values[i] as number;
        if (Number.isNaN(mantissa) || quality[i] === MISSING) continue;
        rows++;
        const start = timeAt(series, i);
        segments.push([
          'QTY',
          [quality[i] === MEASURED ? '220' : '67', decimalText(mantissa, scaler - unit[1]), unit[0]],
        ]);
        if (step === 0) segments.push(time('9', start));
        else segments.push(time('163', start), time('164', start + step));
      }
      segments.push(['UNT', [String(segments.length + 1)], [own]]);
      return encode(segments);
    },
    tail: () => encode([['UNZ', [String(messages)], [reference]]]),
    get rows() {
      return rows;
    },
  };
}

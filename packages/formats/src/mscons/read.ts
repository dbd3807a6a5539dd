/**
 * MSCONS read: the interchange is checked as a whole (counts, references), then its values are given, each with its place.
 *
 * Decides: the register by PIA; a value between two times is an interval, one at a time a showing; substitutes are estimated. Leaves out:
 * messages of other types, which are refused.
 */
import { DecodeError } from '@amiable/bytes';
import { QUANTITIES } from '@amiable/model';
import type { ReadingReader, ReadingSink } from '../series.ts';
import { readDecimal, scaledBy } from '../text.ts';
import { decodeInterchange, type Segment } from './segments.ts';

/** Characters of an interchange: it is checked whole, for its counts stand at its end. */
const MOST = 64 * 1024 * 1024;
const UNITS: Readonly<Record<string, readonly [unit: string, power: number]>> = {
  KWH: ['Wh', 3],
  WHR: ['Wh', 0],
  MWH: ['Wh', 6],
  KVR: ['varh', 3],
  K3: ['varh', 3],
  C79: ['VAh', 3],
  MTQ: ['m3', 0],
};

/** CCYYMMDDHHMM with or without offset (203, 303), or a day (102). @returns epoch ms, undefined for none */
function momentOf(segment: Segment): number | undefined {
  const [, text = '', form] = segment[1] ?? [];
  const found = /^(\d{4})(\d\d)(\d\d)(?:(\d\d)(\d\d)(?:\d\d)?([+-]\d\d)?)?$/.exec(text);
  if (!found || !['102', '203', '303'].includes(form ?? '')) return undefined;
  const [, year, month, day, hour = '0', minute = '0', offset = '+00'] = found;
  const ms =
    Date.UTC(Number(year), Number(month) - 1, Number(day), Number(hour), Number(minute)) - Number(offset) * 3_600_000;
  return Number(month) >= 1 && Number(month) <= 12 && Number(day) <= 31 && Number(hour) <= 24 && Number(minute) < 60
    ? ms
    : undefined;
}

export function createMsconsReader(sink: ReadingSink): ReadingReader {
  const decoder = new TextDecoder('iso-8859-1');
  let text = '';
  let over = false;

  /** Segments may stand on one line: its column says where. */
  const places = (): ((offset: number) => { line: number; column: number }) => {
    const starts = [0];
    for (let at = text.indexOf('\n'); at >= 0; at = text.indexOf('\n', at + 1)) starts.push(at + 1);
    return (offset) => {
      let low = 0;
      let high = starts.length - 1;
      while (low < high) {
        const middle = (low + high + 1) >> 1;
        if ((starts[middle] as number) <= offset) low = middle;
        else high = middle - 1;
      }
      return { line: low + 1, column: offset - (starts[low] as number) + 1 };
    };
  };

  function give(): void {
    const placeOf = places();
    const { messages } = decodeInterchange(text);
    for (const { type, segments, offsets } of messages) {
      if (type[0] !== 'MSCONS') {
        sink.fault({ ...placeOf(offsets[0] ?? 0), message: `a message ${type[0]} is not read; MSCONS is` });
        continue;
      }
      let point: string | undefined;
      let meter: string | undefined;
      let what: string | undefined;
      for (const [i, segment] of segments.entries()) {
        const at = placeOf(offsets[i] as number);
        if (segment[0] === 'LOC' && segment[1]?.[0] === '172') {
          point = segment[2]?.[0];
          meter = undefined;
          what = undefined;
        } else if (segment[0] === 'RFF' && segment[1]?.[0] === 'MG') meter = segment[1][1];
        else if (segment[0] === 'LIN') what = undefined;
        else if (segment[0] === 'PIA') what = segment[2]?.[0];
        if (segment[0] !== 'QTY') continue;
        const [qualifier = '', number = '', code = ''] = segment[1] ?? [];
        let from: number | undefined;
        let to: number | undefined;
        let moment: number | undefined;
        for (let k = i + 1; k < segments.length && segments[k]?.[0] === 'DTM'; k++) {
          const dtm = segments[k] as Segment;
          const ms = momentOf(dtm);
          const of = dtm[1]?.[0];
          if (ms === undefined)
            sink.fault({
              ...placeOf(offsets[k] as number),
              message: `${JSON.stringify(dtm[1]?.join(':').slice(0, 40))} is no time that is read`,
            });
          else if (of === '163') from = ms;
          else if (of === '164') to = ms;
          else if (of === '9' || of === '7') moment = ms;
        }
        const read = readDecimal(number);
        const known = code === '' ? undefined : UNITS[code];
        const quantity = QUANTITIES.find((one) => one.obis === what);
        const power = known?.[1] ?? (quantity?.unit === 'm3' ? 0 : 3);
        const time = from ?? moment;
        if (!read) sink.fault({ ...at, message: `${JSON.stringify(number.slice(0, 40))} is no number` });
        else if (code !== '' && !known)
          sink.fault({
            ...at,
            message: `the unit ${code.slice(0, 10)} is not read; there are ${Object.keys(UNITS).join(', ')}`,
          });
        else if (!['220', '67', '201'].includes(qualifier))
          sink.fault({ ...at, message: `a quantity ${qualifier.slice(0, 10)} is not read; 220 and 67 are` });
        else if (time === undefined) sink.fault({ ...at, message: 'nothing says from when the value is' });
        else if (to !== undefined && from !== undefined && to <= from)
          sink.fault({ ...at, message: 'it ends before it begins' });
        else
          sink.row({
            ...at,
            meter: meter ?? point,
            by: meter !== undefined ? 'serial' : 'point',
            what,
            time,
            period: from !== undefined && to !== undefined ? to - from : 0,
            ...scaledBy(read, power),
            unit: known?.[0] ?? quantity?.unit,
            quality: qualifier === '220' ? 'measured' : 'estimated',
          });
      }
    }
  }

  return {
    push(bytes) {
      if (over) return false;
      text += decoder.decode(bytes, { stream: true });
      if (text.length <= MOST) return true;
      over = true;
      sink.fault({
        line: 1,
        column: 1,
        message: `an interchange of more than ${MOST} characters is not read; cut it into several`,
      });
      return false;
    },
    end() {
      if (over) return false;
      over = true;
      try {
        give();
      } catch (error) {
        if (!(error instanceof DecodeError)) throw error;
        sink.fault({ ...places()(error.offset), message: error.message.replace(/ \(at byte \d+\)$/, '') });
        return false;
      }
      return true;
    },
  };
}

/**
 * MeterReadings of IEC 61968-9 read: checked against the structure of its schema, each value with its line.
 *
 * Decides: the meter is told by mRID or a name, else the usage point; what a file says of a quality of several is the worst. A payload
 * inside of a message envelope is found. Leaves out: events.
 */
import type { Quality } from '@amiable/model';
import { dateForm } from '../date.ts';
import { QUALITY_NAMES, type ReadingReader, type ReadingSink } from '../series.ts';
import { readDecimal, scaledBy } from '../text.ts';
import { createXmlEvents, type XmlPlace } from '../xml/events.ts';
import { createStructureCheck } from '../xml/structure.ts';
import { meaningOf, qualityMeant } from './codes.ts';
import { CIM_STRUCTURE, CIM_URI } from './schema.ts';

/** Values of one MeterReading: they wait for the meter's name, which follows them. */
const MOST = 500_000;

interface Waiting {
  readonly line: number;
  readonly column: number;
  time: number | undefined;
  start: number | undefined;
  end: number | undefined;
  value: string | undefined;
  quality: Quality;
  type: string | undefined;
}

export function createCimReader(sink: ReadingSink): ReadingReader {
  const iso = dateForm('iso', 'utc');
  const path: string[] = [];
  let inside = false;
  let found = false;
  let waiting: Waiting[] = [];
  let blockFrom = 0;
  let one: Waiting | undefined;
  let meter: string | undefined;
  let name: string | undefined;
  let point: string | undefined;
  let pointName: string | undefined;
  const fault = (at: XmlPlace, message: string): void => sink.fault({ ...at, message });
  const check = createStructureCheck(CIM_STRUCTURE, fault);
  const worse = (a: Quality, b: Quality): Quality => (QUALITY_NAMES.indexOf(a) >= QUALITY_NAMES.indexOf(b) ? a : b);

  function give(): void {
    const whose = meter ?? name ?? point ?? pointName;
    const by = meter !== undefined || name !== undefined ? 'serial' : 'point';
    for (const { line, column, time, start, end, value, quality, type } of waiting) {
      const at = { line, column };
      if (type === undefined) continue;
      const meaning = meaningOf(type);
      if (typeof meaning === 'string') {
        fault(at, meaning);
        continue;
      }
      const { period } = meaning;
      const stamp = end ?? time;
      if (stamp === undefined && start === undefined) {
        fault(at, 'the value has no timeStamp');
        continue;
      }
      if (start !== undefined && end !== undefined && period > 0 && end - start !== period) {
        fault(at, `the timePeriod is ${(end - start) / 1000} s long and the reading type says ${period / 1000} s`);
        continue;
      }
      const read = value === undefined ? null : readDecimal(value.trim());
      if (read === undefined) {
        fault(at, `${JSON.stringify(value?.slice(0, 40))} has more digits than are kept`);
        continue;
      }
      const exact = read && scaledBy(read, meaning.power);
      sink.row({
        ...at,
        meter: whose,
        by,
        what: meaning.quantity,
        time: period > 0 ? (start ?? (stamp as number) - period) : (stamp ?? (start as number)),
        period,
        mantissa: exact?.mantissa ?? null,
        scaler: exact?.scaler ?? 0,
        unit: meaning.unit,
        quality: exact === null ? 'missing' : quality,
      });
    }
    waiting = [];
  }

  const events = createXmlEvents({
    open(local, uri, attributes, at) {
      if (!inside) {
        // An envelope around it says nothing of values.
        if (local !== 'MeterReadings') return;
        inside = true;
        found = true;
      }
      check.open(local, uri, attributes, at);
      path.push(local);
      switch (local) {
        case 'MeterReading':
          meter = undefined;
          name = undefined;
          point = undefined;
          pointName = undefined;
          break;
        case 'IntervalBlocks':
          blockFrom = waiting.length;
          break;
        case 'IntervalReadings':
        case 'Readings':
          if (waiting.length >= MOST) {
            fault(at, `one MeterReading has more than ${MOST} values; cut it into several`);
            events.stop();
            break;
          }
          one = {
            ...at,
            time: undefined,
            start: undefined,
            end: undefined,
            value: undefined,
            quality: 'measured',
            type: undefined,
          };
          waiting.push(one);
          break;
        case 'ReadingType': {
          const ref = attributes.get('ref');
          const parent = path.at(-2);
          if (parent === 'IntervalBlocks')
            for (let i = blockFrom; i < waiting.length; i++) (waiting[i] as Waiting).type = ref;
          else if (parent === 'Readings' && one) one.type = ref;
          break;
        }
        case 'ReadingQualityType': {
          const ref = attributes.get('ref');
          if (!one || ref === undefined || path.at(-2) !== 'ReadingQualities') break;
          const meant = qualityMeant(ref);
          if (meant === undefined) fault(at, `${JSON.stringify(ref.slice(0, 40))} is no reading quality that is known`);
          else one.quality = worse(one.quality, meant);
          break;
        }
        default:
      }
    },
    close(local, text, at) {
      if (!inside) return;
      check.close(text, at);
      const parent = path.at(-2);
      const reading = parent === 'IntervalReadings' || parent === 'Readings';
      if (one && reading && local === 'timeStamp') one.time = timeOf(text, at);
      else if (one && reading && local === 'value') one.value = text;
      else if (one && parent === 'timePeriod' && (local === 'start' || local === 'end')) one[local] = timeOf(text, at);
      else if (local === 'mRID' && parent === 'Meter') meter = text.trim();
      else if (local === 'mRID' && parent === 'UsagePoint') point = text.trim();
      else if (local === 'name' && parent === 'Names') {
        if (path.at(-3) === 'Meter') name ??= text.trim();
        else if (path.at(-3) === 'UsagePoint') pointName ??= text.trim();
      } else if (local === 'MeterReading') give();
      path.pop();
      if (path.length === 0) inside = false;
    },
    fault,
  });

  function timeOf(text: string, at: XmlPlace): number | undefined {
    const read = iso.parse(text.trim(), 'UTC');
    if (typeof read === 'number') return read;
    fault(at, read);
    return undefined;
  }

  return {
    push: (bytes) => events.push(bytes),
    end() {
      if (!events.end()) return false;
      if (!found) fault({ line: 1, column: 1 }, `there is no <MeterReadings xmlns="${CIM_URI}"> in the file`);
      return found;
    },
  };
}

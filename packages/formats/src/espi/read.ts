/**
 * Green Button files of any custodian, checked against the structure of the schema: each value with its line.
 *
 * Decides: which type a block has is told by links (block up to meter reading, meter reading related to type), and where a file has one
 * type only, that one. Most files do not name the meter: whoever imports does. Leaves out: costs, summaries.
 */
import type { Quality } from '@amiable/model';
import { QUALITY_NAMES, type ReadingReader, type ReadingSink } from '../series.ts';
import { scaledBy } from '../text.ts';
import { createXmlEvents, type XmlPlace } from '../xml/events.ts';
import { createStructureCheck } from '../xml/structure.ts';
import { espiQualityMeant, meaningOfEspi } from './codes.ts';
import { ESPI_STRUCTURE } from './schema.ts';

const MOST = 2_000_000;

interface Entry {
  self: string;
  up: string;
  related: string[];
  title: string;
  kind: string;
  type: Map<string, number>;
  first: number;
  last: number;
  at: XmlPlace;
}
interface Value {
  readonly line: number;
  readonly column: number;
  start: number | undefined;
  duration: number | undefined;
  value: number | undefined;
  quality: Quality;
}

/** `…/IntervalBlock/2026` and `…/IntervalBlock` stand below `…`. */
const above = (href: string): string => href.replace(/\/IntervalBlock(\/[^/]*)?$/, '');

/** Parts of a link that are looked at. */
const DEEPEST = 40;

function pointAbove(points: ReadonlyMap<string, Entry>, href: string): Entry | undefined {
  for (let end = href.lastIndexOf('/'), n = 0; end > 0 && n < DEEPEST; end = href.lastIndexOf('/', end - 1), n++) {
    const found = points.get(href.slice(0, end));
    if (found) return found;
  }
  return undefined;
}

export function createEspiReader(sink: ReadingSink, options: { readonly meter?: string } = {}): ReadingReader {
  const fault = (at: XmlPlace, message: string): void => sink.fault({ ...at, message });
  const check = createStructureCheck(ESPI_STRUCTURE, fault);
  const path: string[] = [];
  const entries: Entry[] = [];
  const values: Value[] = [];
  let entry: Entry | undefined;
  let one: Value | undefined;

  const events = createXmlEvents({
    open(local, uri, attributes, at) {
      check.open(local, uri, attributes, at);
      const parent = path.at(-1);
      path.push(local);
      if (local === 'entry')
        entry = {
          self: '',
          up: '',
          related: [],
          title: '',
          kind: '',
          type: new Map(),
          first: values.length,
          last: values.length,
          at,
        };
      else if (local === 'link' && parent === 'entry' && entry) {
        const href = attributes.get('href') ?? '';
        const rel = attributes.get('rel');
        if (rel === 'self') entry.self = href;
        else if (rel === 'up') entry.up = href;
        else if (rel === 'related' && entry.related.length < 1000) entry.related.push(href);
      } else if (parent === 'content' && entry) {
        entry.kind = local;
        // Several blocks may share a content.
      } else if (local === 'IntervalReading') {
        if (values.length >= MOST) {
          fault(at, `the file has more than ${MOST} values; cut it into several`);
          events.stop();
        } else {
          one = { ...at, start: undefined, duration: undefined, value: undefined, quality: 'measured' };
          values.push(one);
        }
      }
    },
    close(local, text, at) {
      check.close(text, at);
      const parent = path.at(-2);
      const plain = text.trim();
      if (parent === 'ReadingType' && entry && plain !== '' && /^-?\d{1,9}$/.test(plain))
        entry.type.set(local, Number(plain));
      else if (local === 'title' && parent === 'entry' && entry) entry.title = plain;
      else if (one && path.at(-3) === 'IntervalReading' && parent === 'timePeriod') {
        if (local === 'start') one.start = whole(plain);
        else if (local === 'duration') one.duration = whole(plain);
      } else if (one && parent === 'IntervalReading' && local === 'value') one.value = whole(plain);
      else if (one && parent === 'ReadingQuality' && local === 'quality') {
        const meant = espiQualityMeant(whole(plain) ?? 0);
        if (QUALITY_NAMES.indexOf(meant) > QUALITY_NAMES.indexOf(one.quality)) one.quality = meant;
      } else if (local === 'entry' && entry) {
        entry.last = values.length;
        entries.push(entry);
        entry = undefined;
      }
      path.pop();
    },
    fault,
  });

  const whole = (text: string): number | undefined => {
    const value = Number(text);
    return text !== '' && Number.isSafeInteger(value) ? value : undefined;
  };

  function give(): void {
    // A file may have as many of each as it has lines: they are found by their links, each reading's once.
    const linked = (kind: string): Map<string, Entry> =>
      new Map(entries.filter((one) => one.kind === kind).map((one) => [one.self, one]));
    const [types, readings, points] = [linked('ReadingType'), linked('MeterReading'), linked('UsagePoint')];
    const only = (all: ReadonlyMap<string, Entry>): Entry | undefined =>
      all.size === 1 ? all.values().next().value : undefined;
    const known = new Map<Entry | undefined, readonly [type: Entry | undefined, point: Entry | undefined]>();
    const of = (reading: Entry | undefined): readonly [type: Entry | undefined, point: Entry | undefined] => {
      let found = known.get(reading);
      if (!found) {
        const type = reading?.related.find((href) => types.has(href));
        found = [
          type === undefined ? only(types) : types.get(type),
          (reading && pointAbove(points, reading.self)) ?? only(points),
        ];
        known.set(reading, found);
      }
      return found;
    };
    for (const block of entries) {
      if (block.kind !== 'IntervalBlock') continue;
      const reading = readings.get(above(block.up)) ?? readings.get(above(block.self)) ?? only(readings);
      const [type, point] = of(reading);
      if (!type) {
        fault(block.at, 'no ReadingType is linked with this IntervalBlock; what is it that was measured?');
        continue;
      }
      const meaning = meaningOfEspi(type.type);
      if (!meaning) {
        fault(
          type.at,
          `a reading type with unit ${type.type.get('uom') ?? '?'}, commodity ${type.type.get('commodity') ?? '?'} and direction ${type.type.get('flowDirection') ?? '?'} is not read; energy and volumes are`,
        );
        continue;
      }
      const power = type.type.get('powerOfTenMultiplier') ?? 0;
      const showing = [1, 3].includes(type.type.get('accumulationBehaviour') ?? 4);
      // Our own files have the serial number as title of the meter reading.
      const serial = reading?.title;
      const meter = options.meter ?? (serial ? serial : point?.title ? point.title : undefined);
      const by = options.meter !== undefined || serial ? 'serial' : 'point';
      for (let i = block.first; i < block.last; i++) {
        const { line, column, start, duration, value, quality } = values[i] as Value;
        const at = { line, column };
        const length = duration ?? type.type.get('intervalLength') ?? 0;
        if (start === undefined || start < 315_532_800 || start > 7_258_118_400)
          fault(at, 'the value has no time from 1980 to 2199');
        else if (!showing && length <= 0) fault(at, 'nothing says how long the interval is');
        else if (value === undefined) fault(at, 'the value is missing, or has more than 15 digits');
        else if (Math.abs(power) > 12) fault(at, `a powerOfTenMultiplier of ${power} is not read`);
        else {
          const exact = scaledBy({ mantissa: value, scaler: 0 }, power);
          sink.row({
            ...at,
            meter,
            by,
            what: meaning.quantity,
            time: start * 1000,
            period: showing ? 0 : length * 1000,
            ...exact,
            unit: meaning.unit,
            quality,
          });
        }
      }
    }
  }

  return {
    push: (bytes) => events.push(bytes),
    end() {
      if (!events.end()) return false;
      give();
      return true;
    },
  };
}

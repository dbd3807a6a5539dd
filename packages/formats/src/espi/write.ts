/**
 * Green Button: an Atom feed with the resources of ESPI (NAESB REQ.21), for each series a usage point, a meter reading, its type and a
 * block for each day of UTC.
 *
 * Decides: times are seconds since 1970 in UTC, values whole numbers with powerOfTenMultiplier; ids are made of what they stand for, so that
 * the same file made twice is the same. Leaves out: rules of summer time (LocalTimeParameters), costs, values that lack.
 */
import { MisuseError } from '@amiable/bytes';
import { isoTime, messageId } from '@amiable/model';
import { type DeliveredSeries, type FileFacts, type FileWriter, QUALITY_NAMES, timeAt } from '../series.ts';
import { xmlText } from '../text.ts';
import { ESPI_KINDS, espiQuality, multiplierFor } from './codes.ts';
import { ATOM_URI, ESPI_URI } from './schema.ts';

const MISSING = 4;
const DAY = 86_400_000;
const utf8 = new TextEncoder();

export function createEspiWriter(facts: FileFacts): FileWriter {
  let rows = 0;
  const made = isoTime(facts.created);
  const uuid = (of: string): string =>
    messageId('espi', of, utf8.encode(of)).replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5');
  const entry = (self: string, up: string, related: readonly string[], title: string, content: string): string =>
    `<entry>\n<id>urn:uuid:${uuid(self)}</id>\n<link rel="self" href="${self}"/>\n<link rel="up" href="${up}"/>\n${related
      .map((href) => `<link rel="related" href="${href}"/>\n`)
      .join(
        '',
      )}<title>${xmlText(title)}</title>\n<content>${content}</content>\n<published>${made}</published>\n<updated>${made}</updated>\n</entry>\n`;

  return {
    head: () =>
      utf8.encode(
        `<?xml version="1.0" encoding="UTF-8"?>\n<feed xmlns="${ATOM_URI}">\n<id>urn:uuid:${uuid(`feed ${facts.reference} ${facts.created}`)}</id>\n<title>${xmlText(facts.sender)}</title>\n<updated>${made}</updated>\n`,
      ),
    series(series: DeliveredSeries) {
      const { meter, quantity, step, values, quality, scaler } = series;
      const kind = ESPI_KINDS[quantity.name];
      if (!kind)
        throw new MisuseError(
          `${quantity.name} has no reading type of ESPI; there are ${Object.keys(ESPI_KINDS).join(', ')}. Choose another format for it`,
        );
      const power = multiplierFor(scaler);
      const factor = 10 ** (scaler - power);
      const point = `UsagePoint/${encodeURIComponent(meter.point ?? meter.serial)}`;
      const reading = `${point}/MeterReading/${encodeURIComponent(meter.serial)}-${quantity.name}`;
      const type = `ReadingType/${encodeURIComponent(meter.serial)}-${quantity.name}-${step / 1000}`;
      const ns = `xmlns="${ESPI_URI}"`;
      let text =
        entry(
          point,
          'UsagePoint',
          [`${point}/MeterReading`],
          meter.point ?? meter.serial,
          `<UsagePoint ${ns}><ServiceCategory><kind>${kind.service}</kind></ServiceCategory></UsagePoint>`,
        ) +
        entry(
          reading,
          `${point}/MeterReading`,
          [`${reading}/IntervalBlock`, type],
          meter.serial,
          `<MeterReading ${ns}/>`,
        ) +
        entry(
          type,
          'ReadingType',
          [],
          quantity.name,
          `<ReadingType ${ns}><accumulationBehaviour>${step === 0 ? 3 : 4}</accumulationBehaviour><commodity>${kind.commodity}</commodity><dataQualifier>12</dataQualifier><flowDirection>${kind.flow}</flowDirection><intervalLength>${step / 1000}</intervalLength><kind>${kind.kind}</kind><powerOfTenMultiplier>${power}</powerOfTenMultiplier><timeAttribute>0</timeAttribute><uom>${kind.uom}</uom></ReadingType>`,
        );
      let day = Number.NaN;
      let block = '';
      let from = 0;
      let to = 0;
      const close = (): void => {
        if (block === '') return;
        const self = `${reading}/IntervalBlock/${isoTime(day * DAY).slice(0, 10)}`;
        text += entry(
          self,
          `${reading}/IntervalBlock`,
          [],
          '',
          `<IntervalBlock ${ns}><interval><duration>${(to - from) / 1000}</duration><start>${from / 1000}</start></interval>\n${block}</IntervalBlock>`,
        );
        block = '';
      };
      for (let i = 0; i < values.length; i++) {
        const mantissa = values[i] as number;
        if (Number.isNaN(mantissa) || quality[i] === MISSING) continue;
        const time = timeAt(series, i);
        if (time % 1000 !== 0)
          throw new MisuseError(`${meter.serial}: Green Button has whole seconds, and ${isoTime(time)} is none`);
        if (Math.floor(time / DAY) !== day) {
          close();
          day = Math.floor(time / DAY);
          from = time;
        }
        to = time + step;
        rows++;
        const name = QUALITY_NAMES[quality[i] as number] as 'measured';
        const mark =
          name === 'measured' ? '' : `<ReadingQuality><quality>${espiQuality(name)}</quality></ReadingQuality>`;
        block += `<IntervalReading>${mark}<timePeriod><duration>${step / 1000}</duration><start>${time / 1000}</start></timePeriod><value>${mantissa * factor}</value></IntervalReading>\n`;
      }
      close();
      return utf8.encode(text);
    },
    tail: () => utf8.encode('</feed>\n'),
    get rows() {
      return rows;
    },
  };
}

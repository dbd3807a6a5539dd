/**
 * MeterReadings of IEC 61968-9 as a stream (AMI system description §5.5): one MeterReading for each series.
 *
 * Decides: an interval reading is stamped with its end, as the standard has it, in UTC; measured values have no quality (it would be
 * two thirds of the file), all others have one. Leaves out: values that lack, which have no element.
 */
import { isoTime } from '@amiable/model';
import { type DeliveredSeries, type FileFacts, type FileWriter, QUALITY_NAMES, timeAt } from '../series.ts';
import { decimalText, xmlText } from '../text.ts';
import { qualityCode, readingTypeOf } from './codes.ts';
import { CIM_URI } from './schema.ts';

const MISSING = 4;
const utf8 = new TextEncoder();

export function createCimWriter(facts: FileFacts): FileWriter {
  let rows = 0;
  const source = xmlText(facts.sender);

  return {
    head: () => utf8.encode(`<?xml version="1.0" encoding="UTF-8"?>\n<MeterReadings xmlns="${CIM_URI}">\n`),
    series(series: DeliveredSeries) {
      const { meter, quantity, step, scaler, values, quality } = series;
      const type = readingTypeOf(quantity.name, step);
      const tag = step === 0 ? 'Readings' : 'IntervalReadings';
      const ref = `<ReadingType ref="${type.code}"/>`;
      let text = '<MeterReading>\n';
      let first = Number.NaN;
      let last = Number.NaN;
      let block = '';
      for (let i = 0; i < values.length; i++) {
        const mantissa = values[i] as number;
        if (Number.isNaN(mantissa) || quality[i] === MISSING) continue;
        rows++;
        const end = timeAt(series, i) + step;
        if (Number.isNaN(first)) first = end - step;
        last = end;
        const stamp = isoTime(end);
        const name = QUALITY_NAMES[quality[i] as number] as 'measured';
        const mark =
          name === 'measured'
            ? ''
            : `<ReadingQualities><source>${source}</source><ReadingQualityType ref="${qualityCode(name)}"/></ReadingQualities>`;
        block += `<${tag}><timeStamp>${stamp}</timeStamp><value>${decimalText(mantissa, scaler - type.multiplier)}</value>${mark}${step === 0 ? ref : ''}</${tag}>\n`;
      }
      const names =
        meter.utilitySerial === null
          ? ''
          : `<Names><name>${xmlText(meter.utilitySerial)}</name><NameType><name>utilitySerial</name></NameType></Names>`;
      const identity = `<Meter><mRID>${xmlText(meter.serial)}</mRID>${names}</Meter>\n`;
      if (step > 0) text += `<IntervalBlocks>\n${block}${ref}\n</IntervalBlocks>\n${identity}`;
      else text += identity + block;
      if (meter.point !== null) text += `<UsagePoint><mRID>${xmlText(meter.point)}</mRID></UsagePoint>\n`;
      if (!Number.isNaN(first))
        text += `<valuesInterval><end>${isoTime(last)}</end><start>${isoTime(first)}</start></valuesInterval>\n`;
      return utf8.encode(`${text}</MeterReading>\n`);
    },
    tail: () => utf8.encode('</MeterReadings>\n'),
    get rows() {
      return rows;
    },
  };
}

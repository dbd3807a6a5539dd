/**
 * The structure of a Green Button file: Atom (RFC 4287) with the resources of NAESB REQ.21 ESPI in its contents, namespace
 * http://naesb.org/espi, as a table: what is written and read here, the other resources named.
 *
 * Decides: order and number as in espi.xsd 1.1 to 3.3 for these resources. Leaves out: customers (RetailCustomer), authorisation.
 */
import type { ElementType, Structure } from '../xml/structure.ts';

export const ATOM_URI = 'http://www.w3.org/2005/Atom';
export const ESPI_URI = 'http://naesb.org/espi';

const string: ElementType = { text: 'string' };
const espi = (type: Omit<ElementType, 'uri'>): ElementType => ({ ...type, uri: ESPI_URI });
const optional = (names: readonly string[], type = 'integer') => names.map((name) => [name, type, 0, 1] as const);

export const ESPI_STRUCTURE: Structure = {
  uri: ATOM_URI,
  root: ['feed', 'feed'],
  types: {
    string,
    title: { text: 'string', attributes: [{ name: 'type' }] },
    dateTime: { text: 'dateTime' },
    link: { attributes: [{ name: 'rel' }, { name: 'href', required: true }, { name: 'type' }] },
    feed: {
      any: [
        ['id', 'string'],
        ['title', 'title'],
        ['updated', 'dateTime'],
        ['published', 'dateTime'],
        ['link', 'link'],
        ['author', 'unread'],
        ['generator', 'unread'],
        ['entry', 'entry'],
      ],
    },
    entry: {
      any: [
        ['id', 'string'],
        ['title', 'title'],
        ['updated', 'dateTime'],
        ['published', 'dateTime'],
        ['link', 'link'],
        ['content', 'content'],
      ],
    },
    content: {
      attributes: [{ name: 'type' }],
      any: [
        ['UsagePoint', 'UsagePoint'],
        ['MeterReading', 'MeterReading'],
        ['ReadingType', 'ReadingType'],
        ['IntervalBlock', 'IntervalBlock'],
        ['LocalTimeParameters', 'unread'],
        ['UsageSummary', 'unread'],
        ['ElectricPowerUsageSummary', 'unread'],
        ['ElectricPowerQualitySummary', 'unread'],
        ['TimeConfiguration', 'unread'],
      ],
    },
    UsagePoint: espi({
      sequence: [
        ['extension', 'unread', 0, -1],
        ['roleFlags', 'text', 0, 1],
        ['ServiceCategory', 'ServiceCategory', 0, 1],
        ['ServiceDeliveryPoint', 'unread', 0, 1],
        ['status', 'integer', 0, 1],
      ],
    }),
    ServiceCategory: espi({ sequence: [['kind', 'integer', 1, 1]] }),
    MeterReading: espi({}),
    ReadingType: espi({
      sequence: [
        ['extension', 'unread', 0, -1],
        ...optional([
          'accumulationBehaviour',
          'commodity',
          'consumptionTier',
          'currency',
          'dataQualifier',
          'defaultQuality',
          'flowDirection',
          'intervalLength',
          'kind',
          'phase',
          'powerOfTenMultiplier',
          'timeAttribute',
          'tou',
          'uom',
          'cpp',
        ]),
        ['interharmonic', 'unread', 0, 1],
        ['measuringPeriod', 'integer', 0, 1],
        ['argument', 'unread', 0, 1],
      ],
    }),
    IntervalBlock: espi({
      sequence: [
        ['extension', 'unread', 0, -1],
        ['interval', 'interval', 0, 1],
        ['IntervalReading', 'IntervalReading', 0, -1],
      ],
    }),
    interval: espi({ sequence: optional(['duration', 'start']) }),
    IntervalReading: espi({
      sequence: [
        ['extension', 'unread', 0, -1],
        ['cost', 'integer', 0, 1],
        ['currency', 'integer', 0, 1],
        ['ReadingQuality', 'ReadingQuality', 0, -1],
        ['timePeriod', 'interval', 0, 1],
        ['value', 'integer', 0, 1],
        ...optional(['consumptionTier', 'tou', 'cpp']),
      ],
    }),
    ReadingQuality: espi({ sequence: [['quality', 'integer', 1, 1]] }),
    integer: espi({ text: 'integer' }),
    text: espi({ text: 'string' }),
    unread: { open: true },
  },
};

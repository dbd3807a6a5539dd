export { type Amount, amountOf, type PriceUnit, perUnit, priceUnitOf } from './amount.ts';
export { type CsvForm, type CsvReading, decimalOf, type LineFault, readPriceCsv } from './csv.ts';
export { type PriceDay, priceDays } from './days.ts';
export { readEntsoe } from './entsoe.ts';
export { readPriceJson, usualStep } from './json.ts';
export { instantOf, isDayFirst, isSkipped, readStamp, type Stamp } from './stamp.ts';
export { columnOf, type Row as TextRow, readRows, SEPARATORS, type Separator, separatorOf } from './table.ts';
export { MOST_TEXT, type PriceList, type PriceReading, type PriceSpan, type PriceWish } from './types.ts';

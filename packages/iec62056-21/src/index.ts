export {
  ACK,
  blockCheck,
  bytesOf,
  CR,
  DEL,
  EOT,
  ETX,
  evenParity,
  isEven,
  LF,
  NAK,
  NUL,
  parityOf,
  SOH,
  STX,
  textOf,
  visible,
  withoutParity,
} from './characters.ts';
export {
  type BracketValue,
  type DataLine,
  type DataSet,
  encodeDataSet,
  parseDataBlock,
  parseDataLine,
} from './data-set.ts';
export { createReadoutDecoder, MAX_TELEGRAM, type MessageContext, messageOfReadings } from './decoder.ts';
export {
  addressFits,
  fastest,
  type Identification,
  type LineSettings,
  MODE_D_LINE,
  type Mode,
  type OptionSelect,
  parseIdentification,
  parseOptionSelect,
  parseRequest,
  RATES,
  rateCharacter,
  SIGN_ON_LINE,
} from './identification.ts';
export { isHeatCode, itemOf, meaningOf } from './items.ts';
export { makerName } from './makers.ts';
export { type Readings, readingsOf, utcOf } from './message.ts';
export { type UnitText, unitOfText } from './units.ts';
export { type Moment, parseDate, parseMoment, parseNumber, parseTime, printNumber } from './values.ts';

export { encodeDate, encodeRecords, encodeSecondary } from './encode.ts';
export {
  decodeLongHeader,
  decodeShortHeader,
  encodeIdentification,
  encodeLongHeader,
  identificationAt,
  LONG_HEADER,
  MEDIA,
  manufacturerCode,
  manufacturerOf,
  SHORT_HEADER,
  statusTexts,
} from './header.ts';
export { MbusMessage, type MessageContext, messageOfRecords, type Sender } from './message.ts';
export { decodeRecords } from './records.ts';
export type {
  DecodedRecords,
  ManufacturerData,
  MbusFunction,
  MbusHeader,
  MbusKeys,
  MbusRecord,
  RecordData,
  RecordOptions,
  RecordToSend,
  ShortHeader,
} from './types.ts';

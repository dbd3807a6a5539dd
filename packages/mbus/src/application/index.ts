export { createMbusDecoder, type MbusDecoderOptions } from './decoder.ts';
export { encodeDate, encodeRecords, encodeSecondary } from './encode.ts';
export { ciText, explainData } from './explain.ts';
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
export type { Columns } from './read.ts';
export { decodeRecords, recordsAlong } from './records.ts';
export { type Opened, openRecords } from './telegram.ts';
export { createTelegramReader, type TelegramReader } from './telegram-reader.ts';
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

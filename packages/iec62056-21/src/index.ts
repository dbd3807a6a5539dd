export {
  type Block,
  type CommandLetter,
  type CommandMessage,
  createMessageReceiver,
  type Expectation,
  encodeCommand,
  encodeData,
  encodeReadout,
  type MessageReceiver,
  type Received,
} from './block.ts';
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
  lineTime,
  NAK,
  NUL,
  parityOf,
  SOH,
  STX,
  textOf,
  visible,
  withoutParity,
} from './characters.ts';
export type {
  Answer,
  ClientEvent,
  ClientOptions,
  ClientSink,
  SignedOn,
  Want,
} from './client/types.ts';
export { createOpticalClient, type OpticalClient } from './client.ts';
export {
  type BracketValue,
  type DataLine,
  type DataSet,
  encodeDataSet,
  parseDataBlock,
  parseDataLine,
} from './data-set.ts';
export { createReadoutDecoder, MAX_TELEGRAM, type MessageContext, messageOfReadings } from './decoder.ts';
export { errorText, errorWords } from './errors.ts';
export { explainReadout } from './explain.ts';
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
export { createLineDriver, type LineDriver, type OpticalClock, type OpticalLink } from './line.ts';
export { makerName } from './makers.ts';
export { type Readings, readingsOf, utcOf } from './message.ts';
export { type ModeEOptions, modeELink } from './mode-e.ts';
export { type OpticalPort, type OpticalPortOptions, serveOpticalPort } from './port.ts';
export { isLoadProfile, type LoadProfile, type LoadProfileRow, loadProfiles } from './profile.ts';
export {
  createOpticalServer,
  type DeviceCommand,
  type OpticalServer,
  type Reply,
  type ServerOptions,
  type ServerSink,
  type TariffDevice,
} from './server.ts';
export {
  createOpticalSession,
  type MessageOptions,
  type OpticalReadout,
  type OpticalSession,
  type OpticalSessionOptions,
  type OpticalTrace,
  type ReadOptions,
  type WriteOptions,
} from './session.ts';
export { type UnitText, unitOfText } from './units.ts';
export { type Moment, parseDate, parseMoment, parseNumber, parseTime, printNumber } from './values.ts';

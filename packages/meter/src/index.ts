export { acquireDlms, notOpened, openDlms } from './acquire/dlms.ts';
export { acquireIec, openIec } from './acquire/iec.ts';
export {
  createShapeMemory,
  type ObjectShape,
  type ProfileShape,
  type ShapeMemory,
  type TypeShape,
} from './acquire/shape.ts';
export {
  type AccessCommon,
  type Acquire,
  type AcquireAuthentication,
  type AcquiredColumn,
  type AcquiredEvent,
  type AcquiredRegister,
  type AcquiredRows,
  type AcquireResult,
  type AcquireSink,
  type ClockAction,
  type ClockItem,
  type ClockMeasure,
  type ClockResult,
  type ClockRule,
  type DlmsAccess,
  type IdentityCheck,
  type IecAccess,
  type ItemResult,
  type LogItem,
  type MeterAccess,
  type OpenMeter,
  type ProfileItem,
  type ReadItem,
  type ReadPlan,
  type RegistersItem,
  ROW_FLAGS,
  type RowFlag,
  type Span,
  type StatusKind,
} from './acquire/types.ts';
export {
  type AnyReader,
  type AnyReaderOptions,
  createAnyReader,
  mbusKeysOf,
  PORT_PROTOCOLS,
  type PortProtocol,
  textProtocol,
} from './any.ts';
export { type CarrierKind, isApduTag } from './explain/carriers.ts';
export {
  type Conversation,
  type ConversationOptions,
  type ExplainedPart,
  explainConversation,
} from './explain/conversation.ts';
export type { Layer, MessageField } from './explain/layers.ts';
export { type ExplainOptions, explainHan, explainMessage } from './explain/message.ts';
export type { ExplainKeys } from './explain/opener.ts';
export { type Direction, MAX_PASTE, type Pasted, type PastedPiece, parsePaste } from './explain/paste.ts';
export { layersText } from './explain/print.ts';
export { type ApduDetail, apduDetail } from './journal-apdu.ts';
export {
  createHanReader,
  type HanCounters,
  type HanLink,
  type HanReader,
  type HanReaderOptions,
  type HanSink,
} from './reader.ts';
export { createMeterServer, serveLink, serveOn } from './serve/serve.ts';
export type {
  Connection,
  ConnectionEvents,
  MeterServer,
  MeterServerOptions,
  ServedDevice,
  ServerAddress,
  ServerClock,
  ServerTransport,
} from './serve/types.ts';
export { type HdlcTransportOptions, hdlcServerAddress, hdlcTransport } from './session/hdlc.ts';
export { type LlcTransportOptions, llcTransport, type MacService } from './session/llc.ts';
export { type MbusTransportOptions, mbusTransport } from './session/mbus.ts';
export { readCaptureObjects, readObjectList, readShortNameList } from './session/object-list.ts';
export { openSession } from './session/open.ts';
export { profileAccess } from './session/profile.ts';
export { rawTransport } from './session/raw.ts';
export {
  type ApduTransport,
  type ApduTransportEvents,
  type CaptureObjectDefinition,
  type ObjectListEntry,
  type ProfileReading,
  type ProfileRows,
  type ProfileSelection,
  type ReadProfileOptions,
  SESSION_TIMEOUTS,
  type Session,
  type SessionClock,
  type SessionLink,
  type SessionOptions,
  type SessionSecurity,
  type SessionTimeouts,
  type SessionTrace,
} from './session/types.ts';
export { type WrapperTransportOptions, wrapperTransport } from './session/wrapper.ts';
export { systemTitleOf } from './wire.ts';

export {
  type AddressLength,
  addressBytes,
  addressLength,
  type HdlcAddress,
  isAllStation,
  isNoStation,
  lowerAddress,
  readAddress,
  upperAddress,
} from './address.ts';
export {
  CONTROL,
  type Control,
  type ControlKind,
  controlText,
  decodeControl,
  encodeControl,
  PF,
} from './control.ts';
export { explainFrame } from './explain.ts';
export {
  decodeFrame,
  encodeFrame,
  FLAG,
  type FrameLayout,
  frameAt,
  type HdlcFrame,
  type HdlcFrameParts,
  layoutFrame,
  MAX_LENGTH,
} from './frame.ts';
export { createHdlcClient } from './link/client.ts';
export { createHdlcServer } from './link/server.ts';
export type {
  DisconnectReason,
  HdlcAddresses,
  HdlcClient,
  HdlcClientOptions,
  HdlcClientSink,
  HdlcClientState,
  HdlcLinkCounters,
  HdlcLinkOptions,
  HdlcServer,
  HdlcServerLink,
  HdlcServerOptions,
  HdlcServerSink,
} from './link/types.ts';
export {
  DEFAULT_PARAMETERS,
  decodeParameters,
  encodeParameters,
  type HdlcLimits,
  type HdlcParameters,
  MAX_INFO,
  negotiate,
} from './parameters.ts';
export { createHdlcReceiver, type ReceiverSink } from './receiver.ts';
export { decodeReject, encodeReject, type FrameReject, rejectReasons } from './reject.ts';
export {
  type Counters,
  createHdlcScanner,
  type DropReason,
  type HdlcScanner,
  type ScanOptions,
  type ScanSink,
} from './scanner.ts';

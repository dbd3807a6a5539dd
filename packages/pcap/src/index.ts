export {
  createTcpConversation,
  DLMS_PORT,
  type Endpoint,
  type Endpoints,
  type Side,
  type TcpConversation,
  udpPacket,
} from './build.ts';
export { decodeNetworkPacket, type NetworkPacket, type TcpFlags } from './network.ts';
export { LINKTYPE, milliseconds, type Packet, type PacketTime, packetTime } from './packet.ts';
export { type Capture, type CaptureReader, createCaptureReader, decodeCapture, type ReadOptions } from './read.ts';
export { isCapture, type Run, runsOf } from './runs.ts';
export { decodeSerialPacket, RTAC_EVENT, type SerialPacket, serialPacket } from './serial.ts';
export {
  type CollectedStream,
  createStreamCollector,
  extractStreams,
  type Piece,
  type Stream,
  type StreamCollector,
  type StreamOptions,
  type StreamSide,
  type StreamSink,
  type Streams,
} from './streams.ts';
export {
  type CaptureWriter,
  createPcapngWriter,
  createPcapWriter,
  SNAP_LENGTH,
  type WrittenPacket,
} from './write.ts';

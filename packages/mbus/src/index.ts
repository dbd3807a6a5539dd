export { explainLongFrame } from './explain.ts';
export {
  decodeLongFrame,
  encodeLongFrame,
  encodeShortFrame,
  LONG_OVERHEAD,
  type LongFrame,
  longFrameAt,
} from './frame.ts';
export { createMbusReceiver, type MbusReceiver, type MbusSink } from './receiver.ts';
export { splitTransport, type TransportSegment, transportSegment } from './transport.ts';

export * from './application/index.ts';
export { explainLongFrame } from './explain.ts';
export {
  decodeLongFrame,
  encodeLongFrame,
  encodeShortFrame,
  LONG_OVERHEAD,
  type LongFrame,
  longFrameAt,
} from './frame.ts';
export {
  baudOfCi,
  ciOfBaud,
  decodeSecondary,
  matchesSecondary,
  type SecondaryAddress,
  type SlaveIdentity,
} from './link.ts';
export * from './master/index.ts';
export { createMbusReceiver, type MbusReceiver, type MbusSink } from './receiver.ts';
export * from './slave/index.ts';
export { splitTransport, type TransportSegment, transportSegment } from './transport.ts';
export { formatWaveCsv, parseWaveCsv, type WaveCsv, type WaveCsvOptions } from './wave/csv.ts';
export {
  decodeWave,
  type WaveCharacter,
  type WaveDecodeOptions,
  type WaveFault,
  type WaveFaultKind,
  type WaveReading,
} from './wave/decode.ts';
export { drawWave, type WaveDrawing } from './wave/draw.ts';
export type { Edge, WaveLevels } from './wave/edges.ts';
export { encodeWave, lineBits, type WaveOptions } from './wave/model.ts';
export {
  BAUD_RATES,
  LEVELS,
  LIMITS,
  type Quantity,
  timeOf,
  type Waveform,
  type WaveParity,
  type WaveSender,
} from './wave/types.ts';
export * from './wireless/index.ts';

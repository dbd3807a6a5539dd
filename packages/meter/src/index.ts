export { type ExplainOptions, explainHan, type Layer, type MessageField } from './explain.ts';
export {
  createHanReader,
  type HanCounters,
  type HanLink,
  type HanReader,
  type HanReaderOptions,
  type HanSink,
} from './reader.ts';
export { systemTitleOf } from './wire.ts';

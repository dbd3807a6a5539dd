export { createPushDecoder, type PushDecoder, type PushDecoderOptions } from './decoder.ts';
export { explainNotification, type ReadingField } from './explain.ts';
export { LISTS, type ListDef } from './lists.ts';
export { makerOf } from './makers.ts';
export { PushMessage, plainMessage } from './message.ts';

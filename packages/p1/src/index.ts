export { DEFAULT_ZONE } from './clock.ts';
export { createP1Decoder, type P1Counters, type P1Decoder, type P1DecoderOptions } from './decoder.ts';
export { explainTelegram } from './explain.ts';
export { P1Message } from './message.ts';
export { addParity, stripParity } from './parity.ts';
export { type SealOptions, sealTelegram } from './seal.ts';
export { decodeTelegram, encodeTelegram, MAX_TELEGRAM, type Telegram } from './telegram.ts';

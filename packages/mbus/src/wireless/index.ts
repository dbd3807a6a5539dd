export { cmac, type MbusCrypto, softwareAes } from './aes.ts';
export { compactOf, createFormatMemory, type FormatMemory, formatOf, formatSignature } from './compact.ts';
export { createWmbusDecoder, type FrameFacts, type WmbusDecoder, type WmbusOptions } from './decoder.ts';
export {
  encodeLinkAddress,
  encodeTelegram,
  type TelegramToSend,
  type WirelessMeter,
  type WirelessSecurity,
} from './encode.ts';
export { type ExplainedFrame, explainWireless } from './explain.ts';
export {
  controlName,
  decodeWirelessFrame,
  encodeWirelessFrame,
  LINK_HEADER,
  lengthOfA,
  type WirelessForm,
  type WirelessFrame,
} from './frame.ts';
export { decode3of6, decodeManchester, encode3of6, encodeManchester } from './line-code.ts';
export { framesOfLine, hexOf, type LineFrame } from './lines.ts';
export { type OpenOptions, openTelegram, type Sealed, type Telegram } from './open.ts';
export { createStickDecoder, type StickDecoder, type StickSink, type Wrapping } from './sticks.ts';

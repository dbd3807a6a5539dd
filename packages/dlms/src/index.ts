export {
  APDU,
  type Apdu,
  type DataNotification,
  type DateTimeForm,
  decodeApdu,
  decodeNotification,
  encodeApdu,
  encodeDataNotification,
  type GeneralBlockTransfer,
  type GeneralCiphering,
  type NotificationHead,
  readNotificationHead,
} from './apdu.ts';
export { type BlockJoiner, createBlockJoiner } from './blocks.ts';
export { array, decodeData, encodeData, nullData, number, octets, skipData, structure, text } from './data.ts';
export {
  Budget,
  type BytesType,
  type Data,
  type DataLimits,
  type DataType,
  DEFAULT_LIMITS,
  decodeLength,
  encodeLength,
  type NumberType,
  type Seen,
  TAGS,
  type TypeDescription,
  typeOfTag,
} from './data-types.ts';
export {
  CLOCK,
  type DlmsDate,
  type DlmsDateTime,
  type DlmsTime,
  dateTimeBytes,
  dateTimeOf,
  daysFromCivil,
  decodeDateTime,
  encodeDateTime,
  isCivilDate,
  wallMillis,
} from './date-time.ts';
export { explainApdu } from './explain.ts';
export type {
  CipheringForm,
  InvocationCounter,
  KeyInfoMethod,
  PeerCounter,
  Protection,
  SecurityContext,
  SecurityContextOptions,
  SecurityKeys,
  SecuritySuite,
  Unprotected,
  UnprotectFailure,
  UnprotectOptions,
} from './security/context.ts';
export type { AesGcm, Crypto, Curve, EcKeyPair, EcPrivateKey, EcPublicKey } from './security/crypto.ts';
export {
  type Deciphered,
  decipher,
  type EncipherOptions,
  encipher,
  type KeyPair,
  type KeyRing,
  looksLikeApdu,
  SECURITY,
  type SecurityControl,
  securityControl,
} from './security/push.ts';

/**
 * Parameters of the methods of Security setup (IEC 62056-6-2, class 64 versions 0 and 1): changing and agreeing on keys,
 * and handling certificates. Both ends.
 *
 * Decides: key_transfer (global_key_transfer in version 0): keys wrapped under the master key; key_agreement, C(2e, 0s): a
 * fresh key pair of each end for each key, signed with its key id in front; how a certificate is named. A new key's
 * counters begin at 0, and it counts once the method has succeeded: that is the caller's. Leaves out: invoking.
 */
import { DecodeError, MisuseError, Reader, Writer } from '@amiable/bytes';
import type { EncodedData } from '../apdu/types.ts';
import { array, decodeData, encodeData, number, octets, structure } from '../data.ts';
import type { Data } from '../data-types.ts';
import { SUITES } from './control.ts';
import type { Crypto, EcKeyPair, EcPrivateKey, EcPublicKey } from './crypto.ts';
import { type AlgorithmId, agreeKey, gcmAlgorithm } from './key-agreement.ts';
import type { AlgorithmArc, SecuritySuite } from './types.ts';

/** key_id. */
export const KEY_ID = { unicastEncryption: 0, broadcastEncryption: 1, authentication: 2, master: 3 } as const;
/** certificate_type. */
export const CERTIFICATE_TYPE = { digitalSignature: 0, keyAgreement: 1, tls: 2, other: 3 } as const;
/** certificate_entity. */
export const CERTIFICATE_ENTITY = { server: 0, client: 1, certificationAuthority: 2, other: 3 } as const;

/** A key, or what stands for it, with the key_id it is for. */
export interface KeyData {
  readonly keyId: number;
  readonly data: Uint8Array;
}

/** There are four keys to change, so there is no longer list. */
const MOST_KEYS = 4;

/** array of structure { enum key_id, octet-string }, the form of both methods. */
export function encodeKeyData(list: readonly KeyData[]): EncodedData {
  return encoded(array(...list.map(({ keyId, data }) => structure(number('enum', keyId), octets(data)))));
}

/** @throws DecodeError */
export function decodeKeyData(parameters: EncodedData): KeyData[] {
  const list = decoded(parameters);
  if (list.type !== 'array' || list.value.length > MOST_KEYS) throw new DecodeError('value', 'no array of keys', 0);
  return list.value.map((element) => {
    if (element.type !== 'structure' || element.value.length !== 2)
      throw new DecodeError('value', 'no structure of a key', 0);
    const [keyId, data] = element.value as [Data, Data];
    if (keyId.type !== 'enum' || data.type !== 'octet-string')
      throw new DecodeError('value', 'no key id and key data', 0);
    return { keyId: keyId.value, data: data.value };
  });
}

/** Parameters of key_transfer. `keys` are the new keys as they are. @throws MisuseError on a wrong length */
export function encodeKeyTransfer(
  suite: SecuritySuite,
  master: Uint8Array,
  keys: readonly KeyData[],
  crypto: Crypto,
): EncodedData {
  const length = SUITES[suite].keyLength;
  for (const { data } of keys)
    if (data.length !== length)
      throw new MisuseError(`a key of suite ${suite} has ${length} bytes, not ${data.length}`);
  return encodeKeyData(keys.map(({ keyId, data }) => ({ keyId, data: crypto.keyWrap(master, data) })));
}

/**
 * The new keys that a client sent.
 * @returns undefined when one was not wrapped under this master key or is of the wrong length; then none counts
 * @throws DecodeError
 */
export function decodeKeyTransfer(
  suite: SecuritySuite,
  master: Uint8Array,
  parameters: EncodedData,
  crypto: Crypto,
): KeyData[] | undefined {
  const keys: KeyData[] = [];
  for (const { keyId, data } of decodeKeyData(parameters)) {
    const key = crypto.keyUnwrap(master, data);
    if (!key || key.length !== SUITES[suite].keyLength || keyId > KEY_ID.master) return undefined;
    keys.push({ keyId, data: key });
  }
  return keys;
}

/** What one end contributes to key_agreement: its ephemeral public key and the signature over key_id || key. */
export function keyAgreementData(
  keyId: number,
  ephemeral: EcPublicKey,
  signing: EcPrivateKey,
  crypto: Crypto,
): KeyData {
  const signature = crypto.ecdsaSign(signing, withKeyId(keyId, ephemeral.point));
  const data = new Uint8Array(ephemeral.point.length + signature.length);
  data.set(ephemeral.point);
  data.set(signature, ephemeral.point.length);
  return { keyId, data };
}

/**
 * The ephemeral public key that the other end contributed.
 * @returns undefined when the other end has not signed it
 */
export function checkKeyAgreementData(
  { keyId, data }: KeyData,
  peerSigning: EcPublicKey,
  crypto: Crypto,
): EcPublicKey | undefined {
  const half = peerSigning.point.length;
  if (data.length !== 2 * half) return undefined;
  const point = data.subarray(0, half);
  if (!crypto.ecdsaVerify(peerSigning, withKeyId(keyId, point), data.subarray(half))) return undefined;
  return { curve: peerSigning.curve, point };
}

/**
 * The key that both contributions give.
 * @param own the pair made for this key alone; to be forgotten afterwards
 * @returns undefined when the peer's point is not on the curve
 */
export function agreedGlobalKey(
  suite: SecuritySuite,
  keyId: number,
  own: EcKeyPair,
  peer: EcPublicKey,
  clientSystemTitle: Uint8Array,
  serverSystemTitle: Uint8Array,
  crypto: Crypto,
  arc?: AlgorithmArc,
): Uint8Array | undefined {
  // The client is party U, whoever computes.
  const algorithm = agreedAlgorithm(suite, keyId);
  return agreeKey(suite, crypto, own.privateKey, peer, algorithm, clientSystemTitle, serverSystemTitle, arc);
}

/** A master key wraps keys, all others go into AES-GCM. */
function agreedAlgorithm(suite: SecuritySuite, keyId: number): AlgorithmId {
  if (keyId !== KEY_ID.master) return gcmAlgorithm(suite);
  return SUITES[suite].keyLength === 32 ? 'AES-WRAP-256' : 'AES-WRAP-128';
}

function withKeyId(keyId: number, point: Uint8Array): Uint8Array {
  const out = new Uint8Array(1 + point.length);
  out[0] = keyId;
  out.set(point, 1);
  return out;
}

/** How export_certificate and remove_certificate name one. */
export type CertificateName =
  | { readonly by: 'entity'; readonly entity: number; readonly type: number; readonly systemTitle: Uint8Array }
  | { readonly by: 'serial'; readonly serialNumber: Uint8Array; readonly issuer: Uint8Array };

export function encodeCertificateName(name: CertificateName): EncodedData {
  return encoded(
    name.by === 'entity'
      ? structure(
          number('enum', 0),
          structure(number('enum', name.entity), number('enum', name.type), octets(name.systemTitle)),
        )
      : structure(number('enum', 1), structure(octets(name.serialNumber), octets(name.issuer))),
  );
}

/** @throws DecodeError */
export function decodeCertificateName(parameters: EncodedData): CertificateName {
  const outer = decoded(parameters);
  const [choice, options] = outer.type === 'structure' && outer.value.length === 2 ? outer.value : [];
  if (choice?.type === 'enum' && options?.type === 'structure') {
    const [a, b, c] = options.value;
    if (choice.value === 0 && a?.type === 'enum' && b?.type === 'enum' && c?.type === 'octet-string')
      return { by: 'entity', entity: a.value, type: b.value, systemTitle: c.value };
    if (choice.value === 1 && a?.type === 'octet-string' && b?.type === 'octet-string' && c === undefined)
      return { by: 'serial', serialNumber: a.value, issuer: b.value };
  }
  throw new DecodeError('value', 'no identification of a certificate', 0);
}

function encoded(data: Data): EncodedData {
  const writer = new Writer();
  encodeData(writer, data);
  return writer.finish();
}

function decoded(parameters: EncodedData): Data {
  const reader = new Reader(parameters);
  const data = decodeData(reader);
  if (reader.remaining > 0) throw new DecodeError('trailing', `${reader.remaining} bytes follow the value`, reader.pos);
  return data;
}

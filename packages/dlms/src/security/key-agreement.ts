/**
 * Key derivation and the three key agreement schemes of DLMS (IEC 62056-5-3 clause 5.3.4.6; NIST SP 800-56A Rev. 2 clause
 * 5.8.1, concatenation KDF).
 *
 * Decides: OtherInfo = AlgorithmID || PartyUInfo || PartyVInfo. PartyU is the originator's system title, followed in the
 * static scheme by the transaction-id with its length as nonce; PartyV is the recipient's system title. One hash always
 * suffices, as no key is longer than it. Leaves out: who signs the ephemeral keys (envelopes: context.ts; Security
 * setup: security-setup.ts). The shared secret is overwritten once the key is derived.
 */
import { MisuseError } from '@amiable/bytes';
import { SUITES } from './control.ts';
import type { Crypto, EcPrivateKey, EcPublicKey } from './crypto.ts';
import type { AlgorithmArc, SecuritySuite } from './types.ts';

/** COSEM_Cryptographic_Algorithm_Id, last arc: what the derived key is for. */
export const ALGORITHM_ID = { 'AES-GCM-128': 0, 'AES-GCM-256': 1, 'AES-WRAP-128': 2, 'AES-WRAP-256': 3 } as const;
export type AlgorithmId = keyof typeof ALGORITHM_ID;

/** key-parameters of an agreed key. */
export const KEY_AGREEMENT = { onePassDiffieHellman: 0x01, staticUnifiedModel: 0x02 } as const;

/** The algorithm that an encryption key of this suite is for. */
export function gcmAlgorithm(suite: SecuritySuite): AlgorithmId {
  return SUITES[suite].keyLength === 32 ? 'AES-GCM-256' : 'AES-GCM-128';
}

/** The key that Z gives. @throws MisuseError in suite 0, which has no hash */
export function deriveKey(
  suite: SecuritySuite,
  crypto: Crypto,
  z: Uint8Array,
  algorithm: AlgorithmId,
  partyU: Uint8Array,
  partyV: Uint8Array,
  arc: AlgorithmArc = 5,
): Uint8Array {
  if (suite === 0) throw new MisuseError('security suite 0 has no key agreement');
  const input = new Uint8Array(4 + z.length + 7 + partyU.length + partyV.length);
  input[3] = 1;
  input.set(z, 4);
  let at = 4 + z.length;
  input.set([0x60, 0x85, 0x74, arc, 0x08, 0x03, ALGORITHM_ID[algorithm]], at);
  at += 7;
  input.set(partyU, at);
  input.set(partyV, at + partyU.length);
  const hash = suite === 1 ? crypto.sha256(input) : crypto.sha384(input);
  input.fill(0);
  return hash.subarray(0, SUITES[suite].keyLength);
}

/**
 * C(2e, 0s) and C(1e, 1s): the key between one private and the other's public key.
 * @returns undefined when the public key is no point of the suite's curve
 */
export function agreeKey(
  suite: SecuritySuite,
  crypto: Crypto,
  own: EcPrivateKey,
  peer: EcPublicKey,
  algorithm: AlgorithmId,
  partyU: Uint8Array,
  partyV: Uint8Array,
  arc?: AlgorithmArc,
): Uint8Array | undefined {
  const z = crypto.ecdh(own, peer);
  if (!z) return undefined;
  const key = deriveKey(suite, crypto, z, algorithm, partyU, partyV, arc);
  z.fill(0);
  return key;
}

/** C(0e, 2s): both keys are static, so the transaction-id makes each key another. */
export function agreeStaticKey(
  suite: SecuritySuite,
  crypto: Crypto,
  own: EcPrivateKey,
  peer: EcPublicKey,
  originator: Uint8Array,
  transactionId: Uint8Array,
  recipient: Uint8Array,
  arc?: AlgorithmArc,
): Uint8Array | undefined {
  const partyU = new Uint8Array(originator.length + 1 + transactionId.length);
  partyU.set(originator);
  partyU[originator.length] = transactionId.length;
  partyU.set(transactionId, originator.length + 1);
  return agreeKey(suite, crypto, own, peer, gcmAlgorithm(suite), partyU, recipient, arc);
}

/**
 * ECDSA and ECDH on P-256 and P-384 (FIPS 186-4, NIST SP 800-56A) as security suites 1 and 2 of DLMS use them, on the
 * machine's own library.
 *
 * Decides: how bare points and scalars become keys of that library; a key object is made once per key and kept as long
 * as the key is. Leaves out: key derivation and what is signed (package dlms).
 */
import {
  createPrivateKey,
  createPublicKey,
  diffieHellman,
  generateKeyPairSync,
  type KeyObject,
  sign,
  verify,
} from 'node:crypto';
import { MisuseError } from '@amiable/bytes';
import type { Curve, EcKeyPair, EcPrivateKey, EcPublicKey } from '@amiable/dlms';

interface CurveFacts {
  readonly bytes: number;
  readonly hash: string;
  readonly named: string;
  /** Order of the base point: private keys are below it. */
  readonly order: Buffer;
  /** SubjectPublicKeyInfo up to the point (RFC 5480). */
  readonly publicHead: Buffer;
  /** ECPrivateKey up to the scalar, and what follows it (RFC 5915). */
  readonly privateHead: Buffer;
  readonly privateTail: Buffer;
}

const CURVES: Record<Curve, CurveFacts> = {
  'P-256': {
    bytes: 32,
    hash: 'sha256',
    named: 'prime256v1',
    order: Buffer.from('ffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551', 'hex'),
    publicHead: Buffer.from('3059301306072a8648ce3d020106082a8648ce3d03010703420004', 'hex'),
    privateHead: Buffer.from('30310201010420', 'hex'),
    privateTail: Buffer.from('a00a06082a8648ce3d030107', 'hex'),
  },
  'P-384': {
    bytes: 48,
    hash: 'sha384',
    named: 'secp384r1',
    order: Buffer.from(
      'ffffffffffffffffffffffffffffffffffffffffffffffffc7634d81f4372ddf581a0db248b0a77aecec196accc52973',
      'hex',
    ),
    publicHead: Buffer.from('3076301006072a8648ce3d020106052b8104002203620004', 'hex'),
    privateHead: Buffer.from('303e0201010430', 'hex'),
    privateTail: Buffer.from('a00706052b81040022', 'hex'),
  },
};

const privateObjects = new WeakMap<EcPrivateKey, KeyObject>();
const publicObjects = new WeakMap<EcPublicKey, KeyObject>();

function privateObject(key: EcPrivateKey): KeyObject {
  const known = privateObjects.get(key);
  if (known) return known;
  const facts = CURVES[key.curve];
  if (key.scalar.length !== facts.bytes)
    throw new MisuseError(`a private key on ${key.curve} has ${facts.bytes} bytes, not ${key.scalar.length}`);
  // The library would take these and sign with them.
  if (facts.order.compare(key.scalar) <= 0 || key.scalar.every((byte) => byte === 0))
    throw new MisuseError(`this is no private key on ${key.curve}: it must lie between 1 and the order of the curve`);
  const der = Buffer.concat([facts.privateHead, key.scalar, facts.privateTail]);
  try {
    const made = createPrivateKey({ key: der, format: 'der', type: 'sec1' });
    privateObjects.set(key, made);
    return made;
  } finally {
    der.fill(0);
  }
}

/** Undefined when the point is not on the curve: it may come from a peer. */
function publicObject(key: EcPublicKey): KeyObject | undefined {
  const known = publicObjects.get(key);
  if (known) return known;
  const facts = CURVES[key.curve];
  if (key.point.length !== 2 * facts.bytes) return undefined;
  try {
    const made = createPublicKey({ key: Buffer.concat([facts.publicHead, key.point]), format: 'der', type: 'spki' });
    publicObjects.set(key, made);
    return made;
  } catch {
    return undefined;
  }
}

function pointOf(object: KeyObject, curve: Curve): EcPublicKey {
  const der = object.export({ format: 'der', type: 'spki' });
  return { curve, point: new Uint8Array(der.subarray(CURVES[curve].publicHead.length)) };
}

export function ecdsaSign(key: EcPrivateKey, data: Uint8Array): Uint8Array {
  return new Uint8Array(sign(CURVES[key.curve].hash, data, { key: privateObject(key), dsaEncoding: 'ieee-p1363' }));
}

export function ecdsaVerify(key: EcPublicKey, data: Uint8Array, signature: Uint8Array): boolean {
  const facts = CURVES[key.curve];
  const object = publicObject(key);
  if (!object || signature.length !== 2 * facts.bytes) return false;
  try {
    return verify(facts.hash, data, { key: object, dsaEncoding: 'ieee-p1363' }, signature);
  } catch {
    return false;
  }
}

export function ecdh(own: EcPrivateKey, peer: EcPublicKey): Uint8Array | undefined {
  const publicKey = own.curve === peer.curve ? publicObject(peer) : undefined;
  if (!publicKey) return undefined;
  return new Uint8Array(diffieHellman({ privateKey: privateObject(own), publicKey }));
}

export function generateKeyPair(curve: Curve): EcKeyPair {
  const pair = generateKeyPairSync('ec', { namedCurve: CURVES[curve].named });
  const { d } = pair.privateKey.export({ format: 'jwk' });
  const privateKey: EcPrivateKey = { curve, scalar: new Uint8Array(Buffer.from(d as string, 'base64url')) };
  const publicKey = pointOf(pair.publicKey, curve);
  privateObjects.set(privateKey, pair.privateKey);
  publicObjects.set(publicKey, pair.publicKey);
  return { privateKey, publicKey };
}

export function publicKeyOf(key: EcPrivateKey): EcPublicKey {
  return pointOf(createPublicKey(privateObject(key)), key.curve);
}

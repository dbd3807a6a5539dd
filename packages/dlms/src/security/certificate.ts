/**
 * X.509 version 3 certificates as DLMS uses them (Green Book 10 §9.2.6.4, profile of RFC 5280): an EC public key of a
 * system title, signed with ECDSA.
 *
 * Decides: what is read: serial number, issuer, common name, validity, key, key usage and basic constraints; that a key
 * outside of P-256 and P-384 or a critical extension that is not known is refused; the check of the signature by a key
 * one trusts. Leaves out: chains, revocation lists, and making certificates.
 */
import { DecodeError, fromHex, Reader } from '@amiable/bytes';
import type { Crypto, Curve, EcPublicKey } from './crypto.ts';
import { DER, type Element, expectElement, finished, inside, readElement, readOid, readTime } from './der.ts';

export interface Certificate {
  /** The whole certificate. */
  readonly der: Uint8Array;
  /** As in the certificate: big-endian, with a leading zero where it needs one. */
  readonly serialNumber: Uint8Array;
  /** Name of the issuer, DER; equal in the certificates of one issuer. */
  readonly issuer: Uint8Array;
  readonly subject: Uint8Array;
  /** Common name of the subject. */
  readonly commonName: string | undefined;
  /** Eight bytes, where the common name is a system title in hexadecimal. */
  readonly systemTitle: Uint8Array | undefined;
  /** Milliseconds since 1970. */
  readonly notBefore: number;
  readonly notAfter: number;
  readonly publicKey: EcPublicKey;
  /** Undefined where the certificate does not restrict its key. */
  readonly keyUsage: KeyUsage | undefined;
  /** A certification authority by its basic constraints. */
  readonly authority: boolean;
  /** What is signed, and the signature as DLMS writes it (r || s). */
  readonly signed: Uint8Array;
  readonly signature: Uint8Array;
  readonly signatureCurve: Curve;
}

export interface KeyUsage {
  readonly digitalSignature: boolean;
  readonly keyAgreement: boolean;
  readonly keyCertSign: boolean;
}

/** More than any certificate of a meter. */
const MOST_BYTES = 8192;

const OID = {
  commonName: '2.5.4.3',
  ecPublicKey: '1.2.840.10045.2.1',
  p256: '1.2.840.10045.3.1.7',
  p384: '1.3.132.0.34',
  ecdsaSha256: '1.2.840.10045.4.3.2',
  ecdsaSha384: '1.2.840.10045.4.3.3',
  keyUsage: '2.5.29.15',
  basicConstraints: '2.5.29.19',
} as const;
/** Understood well enough to be passed over when critical: names, key identifiers, policies, extended usage. */
const HARMLESS = new Set(['2.5.29.14', '2.5.29.17', '2.5.29.18', '2.5.29.32', '2.5.29.35', '2.5.29.37']);

/** @throws DecodeError */
export function decodeCertificate(der: Uint8Array): Certificate {
  if (der.length > MOST_BYTES) throw new DecodeError('limit', `a certificate of ${der.length} bytes`, 0);
  const all = new Reader(der);
  const outer = inside(all, expectElement(all, DER.sequence, 'certificate'));
  finished(all, 'the certificate');
  const tbs = expectElement(outer, DER.sequence, 'tbsCertificate');
  const signatureCurve = readSignatureAlgorithm(outer);
  const signature = readSignature(outer, signatureCurve);
  finished(outer, 'the signature');
  return { der, signed: tbs.raw, signature, signatureCurve, ...readTbs(inside(outer, tbs), signatureCurve) };
}

/** Whether this key signed the certificate. Says nothing of its dates, nor of whose key it is. */
export function verifyCertificate(certificate: Certificate, issuer: EcPublicKey, crypto: Crypto): boolean {
  // ECDSA with SHA-256 goes with P-256 and SHA-384 with P-384 in both suites.
  if (issuer.curve !== certificate.signatureCurve) return false;
  return crypto.ecdsaVerify(issuer, certificate.signed, certificate.signature);
}

function readTbs(
  reader: Reader,
  signatureCurve: Curve,
): Omit<Certificate, 'der' | 'signed' | 'signature' | 'signatureCurve'> {
  const version = expectElement(reader, 0xa0, 'version');
  const number = expectElement(inside(reader, version), DER.integer, 'version').value;
  if (number.length !== 1 || number[0] !== 2)
    throw new DecodeError('value', 'no certificate of version 3', version.offset);
  const serial = expectElement(reader, DER.integer, 'serial number');
  if (serial.value.length === 0 || serial.value.length > 21)
    throw new DecodeError('value', `a serial number of ${serial.value.length} bytes`, serial.offset);
  if (readSignatureAlgorithm(reader) !== signatureCurve)
    throw new DecodeError('value', 'two signature algorithms that differ', reader.pos);
  const issuer = expectElement(reader, DER.sequence, 'issuer');
  const dates = inside(reader, expectElement(reader, DER.sequence, 'validity'));
  const notBefore = readTime(readElement(dates));
  const notAfter = readTime(readElement(dates));
  finished(dates, 'the validity');
  const subject = expectElement(reader, DER.sequence, 'subject');
  const commonName = readCommonName(inside(reader, subject));
  const publicKey = readPublicKey(reader, expectElement(reader, DER.sequence, 'subjectPublicKeyInfo'));
  const extensions = readExtensions(reader);
  return {
    serialNumber: serial.value,
    issuer: issuer.raw,
    subject: subject.raw,
    commonName,
    systemTitle: commonName && /^[0-9A-Fa-f]{16}$/.test(commonName) ? fromHex(commonName) : undefined,
    notBefore,
    notAfter,
    publicKey,
    ...extensions,
  };
}

function readSignatureAlgorithm(reader: Reader): Curve {
  const algorithm = inside(reader, expectElement(reader, DER.sequence, 'signature algorithm'));
  const at = algorithm.pos;
  const oid = readOid(expectElement(algorithm, DER.oid, 'signature algorithm'));
  finished(algorithm, 'the signature algorithm');
  if (oid === OID.ecdsaSha256) return 'P-256';
  if (oid === OID.ecdsaSha384) return 'P-384';
  throw new DecodeError('value', `signature algorithm ${oid} is not ECDSA with SHA-256 or SHA-384`, at);
}

/** BIT STRING of SEQUENCE { r, s }, made r || s. */
function readSignature(reader: Reader, curve: Curve): Uint8Array {
  const bits = bitString(reader, 'signature');
  const pair = inside(bits, expectElement(bits, DER.sequence, 'signature'));
  finished(bits, 'the signature');
  const size = curve === 'P-256' ? 32 : 48;
  const signature = new Uint8Array(2 * size);
  for (let half = 0; half < 2; half++) {
    const element = expectElement(pair, DER.integer, 'signature');
    const { value } = element;
    const number = value.length > 1 && value[0] === 0 ? value.subarray(1) : value;
    if (number.length === 0 || number.length > size)
      throw new DecodeError('value', `half a signature of ${number.length} bytes`, element.offset);
    signature.set(number, (half + 1) * size - number.length);
  }
  finished(pair, 'the signature');
  return signature;
}

/** The bytes of a BIT STRING, which has no odd bits here. */
function bitString(reader: Reader, what: string): Reader {
  const bits = inside(reader, expectElement(reader, DER.bitString, what));
  if (bits.u8('unused bits') !== 0) throw new DecodeError('value', `${what} is not made of whole bytes`, bits.pos - 1);
  return bits;
}

function readCommonName(names: Reader): string | undefined {
  let found: string | undefined;
  while (names.remaining > 0) {
    const set = inside(names, expectElement(names, DER.set, 'relative distinguished name'));
    while (set.remaining > 0) {
      const pair = inside(set, expectElement(set, DER.sequence, 'attribute'));
      const oid = readOid(expectElement(pair, DER.oid, 'attribute type'));
      const value = readElement(pair);
      finished(pair, 'the attribute');
      if (oid === OID.commonName) found ??= latin(value);
    }
  }
  return found;
}

function latin(element: Element): string {
  if (element.value.length > 64) throw new DecodeError('value', 'a common name of more than 64 bytes', element.offset);
  return String.fromCharCode(...element.value);
}

function readPublicKey(reader: Reader, element: Element): EcPublicKey {
  const info = inside(reader, element);
  const algorithm = inside(info, expectElement(info, DER.sequence, 'key algorithm'));
  const kind = readOid(expectElement(algorithm, DER.oid, 'key algorithm'));
  if (kind !== OID.ecPublicKey)
    throw new DecodeError('value', `a public key of algorithm ${kind}, not EC`, element.offset);
  const named = readOid(expectElement(algorithm, DER.oid, 'curve'));
  finished(algorithm, 'the key algorithm');
  if (named !== OID.p256 && named !== OID.p384)
    throw new DecodeError('value', `curve ${named} is neither P-256 nor P-384`, element.offset);
  const curve: Curve = named === OID.p256 ? 'P-256' : 'P-384';
  const bits = bitString(info, 'public key');
  finished(info, 'the public key');
  const size = curve === 'P-256' ? 64 : 96;
  if (bits.remaining !== 1 + size || bits.u8() !== 0x04)
    throw new DecodeError('value', 'a point that is not written uncompressed', bits.pos);
  return { curve, point: bits.bytes(size) };
}

function readExtensions(reader: Reader): Pick<Certificate, 'keyUsage' | 'authority'> {
  let keyUsage: KeyUsage | undefined;
  let authority = false;
  while (reader.remaining > 0) {
    const element = readElement(reader);
    // [1] and [2] are unique identifiers, which nobody uses; [3] the extensions.
    if (element.tag === 0x81 || element.tag === 0x82) continue;
    if (element.tag !== 0xa3) throw new DecodeError('tag', `tag ${element.tag} in tbsCertificate`, element.offset);
    const explicit = inside(reader, element);
    const list = inside(explicit, expectElement(explicit, DER.sequence, 'extensions'));
    finished(explicit, 'the extensions');
    while (list.remaining > 0) {
      const extension = inside(list, expectElement(list, DER.sequence, 'extension'));
      const at = extension.pos;
      const oid = readOid(expectElement(extension, DER.oid, 'extension'));
      let value = readElement(extension);
      const critical = value.tag === 0x01 && value.value[0] !== 0;
      if (value.tag === 0x01) value = readElement(extension);
      if (value.tag !== DER.octetString) throw new DecodeError('tag', 'an extension without its value', value.offset);
      finished(extension, 'the extension');
      if (oid === OID.keyUsage) keyUsage = readKeyUsage(inside(extension, value));
      else if (oid === OID.basicConstraints) authority = readAuthority(inside(extension, value));
      else if (critical && !HARMLESS.has(oid))
        throw new DecodeError('value', `critical extension ${oid} is not known`, at);
    }
  }
  return { keyUsage, authority };
}

function readKeyUsage(reader: Reader): KeyUsage {
  const { value, offset } = expectElement(reader, DER.bitString, 'key usage');
  finished(reader, 'the key usage');
  if (value.length < 2) throw new DecodeError('value', 'a key usage without bits', offset);
  const bits = value[1] as number;
  return { digitalSignature: (bits & 0x80) !== 0, keyAgreement: (bits & 0x08) !== 0, keyCertSign: (bits & 0x04) !== 0 };
}

function readAuthority(reader: Reader): boolean {
  const constraints = inside(reader, expectElement(reader, DER.sequence, 'basic constraints'));
  finished(reader, 'the basic constraints');
  if (constraints.remaining === 0) return false;
  const first = readElement(constraints);
  return first.tag === 0x01 && first.value[0] !== 0;
}

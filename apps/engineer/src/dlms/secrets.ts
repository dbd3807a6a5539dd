/**
 * Secrets of the command line: keys as hex, passwords as text, EC keys and certificates as PEM, DER or bare hex. Each may be
 * `@file`, so that it need not stand in the list of processes.
 *
 * Decides: what is taken for what. No message repeats a secret.
 */
import { createPrivateKey, createPublicKey, type KeyObject, X509Certificate } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { fromHex } from '@amiable/bytes';
import { type Curve, decodeCertificate, type EcPrivateKey, type EcPublicKey } from '@amiable/dlms';
import { UsageError } from './usage.ts';

async function fileOf(name: string, path: string): Promise<Uint8Array> {
  try {
    return new Uint8Array(await readFile(path));
  } catch (error) {
    throw new UsageError(`${name}: ${path} cannot be read: ${(error as Error).message}`);
  }
}

const textOf = (bytes: Uint8Array): string => Buffer.from(bytes).toString('utf8');

/** Hex of one of these lengths in bytes. @throws UsageError */
export async function hexOption(
  name: string,
  value: unknown,
  lengths: readonly number[],
): Promise<Uint8Array | undefined> {
  if (value === undefined) return undefined;
  const given = String(value);
  const text = given.startsWith('@') ? textOf(await fileOf(name, given.slice(1))) : given;
  const digits = text.trim().replace(/^0x/i, '').replace(/[\s:]/g, '');
  const wanted = `${lengths.map((n) => 2 * n).join(' or ')} hex digits`;
  if (!/^[0-9a-f]*$/i.test(digits)) throw new UsageError(`${name} is not hex; ${wanted} are needed.`);
  if (!lengths.includes(digits.length / 2))
    throw new UsageError(`${name} has ${digits.length} hex digits; ${wanted} are needed.`);
  return fromHex(digits);
}

/** A file of PEM, with or without the mark @. @throws UsageError */
export async function pemOption(name: string, value: unknown): Promise<Uint8Array | undefined> {
  if (value === undefined) return undefined;
  const bytes = await fileOf(name, String(value).replace(/^@/, ''));
  if (!textOf(bytes).includes('-----BEGIN')) throw new UsageError(`${name}: ${value} is no file of PEM.`);
  return bytes;
}

/** A password: text, or bytes as `0x…`. @throws UsageError */
export async function passwordOption(name: string, value: unknown): Promise<Uint8Array | undefined> {
  if (value === undefined) return undefined;
  const given = String(value);
  const text = given.startsWith('@') ? textOf(await fileOf(name, given.slice(1))).replace(/\r?\n$/, '') : given;
  if (text === '') throw new UsageError(`${name} is empty.`);
  if (/^0x/i.test(text)) {
    if (!/^0x([0-9a-f]{2})+$/i.test(text)) throw new UsageError(`${name} begins with 0x but is no hex.`);
    return fromHex(text.slice(2));
  }
  return new TextEncoder().encode(text);
}

const CURVE_OF: Readonly<Record<string, Curve>> = { 'P-256': 'P-256', 'P-384': 'P-384' };
const FORMS = 'a file of PEM or DER (@file), or bare hex';
const ascii = (bytes: Uint8Array): boolean => bytes.every((b) => b < 0x80);

async function keyBytes(name: string, given: string): Promise<Uint8Array> {
  if (given.startsWith('@')) return fileOf(name, given.slice(1));
  if (/^([0-9a-f]{2})+$/i.test(given)) return fromHex(given);
  // Keys of EC are mostly files: the mark may be forgotten.
  return fileOf(name, given);
}

/** A private key of EC. @throws UsageError */
export async function privateKeyOption(name: string, value: unknown): Promise<EcPrivateKey | undefined> {
  if (value === undefined) return undefined;
  const bytes = bareHex(await keyBytes(name, String(value)));
  if (bytes.length === 32 || bytes.length === 48)
    return { curve: bytes.length === 32 ? 'P-256' : 'P-384', scalar: bytes };
  const object = attempt(
    () => createPrivateKey(Buffer.from(bytes)),
    () => createPrivateKey({ key: Buffer.from(bytes), format: 'der', type: 'pkcs8' }),
    () => createPrivateKey({ key: Buffer.from(bytes), format: 'der', type: 'sec1' }),
  );
  const { crv, d } = jwkOf(object);
  const curve = CURVE_OF[crv ?? ''];
  if (!curve || !d) throw new UsageError(`${name} holds no private key on P-256 or P-384; give ${FORMS}.`);
  return { curve, scalar: new Uint8Array(Buffer.from(d, 'base64url')) };
}

export interface PeerKey {
  readonly key: EcPublicKey;
  /** Of a certificate, where its common name is one. */
  readonly systemTitle?: Uint8Array;
}

/** A public key of EC, also from a certificate. @throws UsageError */
export async function publicKeyOption(name: string, value: unknown): Promise<PeerKey | undefined> {
  if (value === undefined) return undefined;
  const bytes = bareHex(await keyBytes(name, String(value)));
  if (bytes.length === 64 || bytes.length === 96)
    return { key: { curve: bytes.length === 64 ? 'P-256' : 'P-384', point: bytes } };
  const certificate = attempt(() => new X509Certificate(Buffer.from(bytes)).raw);
  if (certificate) {
    const { publicKey, systemTitle } = decodeCertificate(new Uint8Array(certificate));
    return { key: publicKey, ...(systemTitle && { systemTitle }) };
  }
  const object = attempt(
    () => createPublicKey(Buffer.from(bytes)),
    () => createPublicKey({ key: Buffer.from(bytes), format: 'der', type: 'spki' }),
  );
  const { crv, x, y } = jwkOf(object);
  const curve = CURVE_OF[crv ?? ''];
  if (!curve || !x || !y)
    throw new UsageError(`${name} holds no certificate or public key on P-256 or P-384; give ${FORMS}.`);
  return {
    key: { curve, point: new Uint8Array(Buffer.concat([Buffer.from(x, 'base64url'), Buffer.from(y, 'base64url')])) },
  };
}

/** The DER of a certificate. @throws UsageError */
export async function certificateOption(name: string, value: unknown): Promise<Uint8Array | undefined> {
  if (value === undefined) return undefined;
  const bytes = bareHex(await keyBytes(name, String(value)));
  const raw = attempt(() => new X509Certificate(Buffer.from(bytes)).raw);
  if (!raw) throw new UsageError(`${name} is no X.509 certificate; give ${FORMS}.`);
  return new Uint8Array(raw);
}

/** A file may hold hex as text. */
function bareHex(bytes: Uint8Array): Uint8Array {
  if (!ascii(bytes)) return bytes;
  const text = textOf(bytes).trim();
  return /^([0-9a-f]{2})+$/i.test(text) ? fromHex(text) : bytes;
}

function attempt<T>(...ways: readonly (() => T)[]): T | undefined {
  for (const way of ways) {
    try {
      return way();
    } catch {
      // The next way, or none: the caller says what is needed.
    }
  }
  return undefined;
}

function jwkOf(key: KeyObject | undefined): JsonWebKey {
  return key && key.asymmetricKeyType === 'ec' ? key.export({ format: 'jwk' }) : {};
}

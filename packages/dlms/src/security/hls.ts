/**
 * Low and high level security: passes 3 and 4 of authentication (IEC 62056-5-3 clause 5.3.2.3; Green Book 10 §9.2.7.4).
 *
 * Decides: f(StoC), which the client answers, and f(CtoS), which the server answers, for mechanisms 2 to 7, and their
 * check in constant time. A peer that sends our own challenge back is refused: it would have us compute its answer.
 * Leaves out: carrying them (reply_to_HLS_authentication), and what 2 means: that is the maker's, so a function is
 * passed in; `aesEcbManufacturer` is what Gurux servers and Landis+Gyr meters do.
 */
import { MisuseError, PeerError } from '@amiable/bytes';
import { HEAD_LENGTH, SECURITY, SUITES, TAG_LENGTH, TITLE_LENGTH } from './control.ts';
import type { Crypto, EcPrivateKey, EcPublicKey } from './crypto.ts';
import { Sealer } from './sealing.ts';
import type { InvocationCounter, SecuritySuite } from './types.ts';

/** Mechanism names (IEC 62056-5-3 clause 7.3.7.2): the last arc of the object identifier. */
export const MECHANISM = {
  none: 0,
  lls: 1,
  hlsManufacturer: 2,
  hlsMd5: 3,
  hlsSha1: 4,
  hlsGmac: 5,
  hlsSha256: 6,
  hlsEcdsa: 7,
} as const;

export type HlsMechanism = 2 | 3 | 4 | 5 | 6 | 7;

/** f of mechanism 2: the answer that this secret gives to this challenge. */
export type ManufacturerMechanism = (secret: Uint8Array, challenge: Uint8Array, crypto: Crypto) => Uint8Array;

export interface HlsParameters {
  readonly mechanism: HlsMechanism;
  readonly crypto: Crypto;
  /** Which end we are. */
  readonly role: 'client' | 'server';
  /** The calling authentication value of AARQ. */
  readonly clientChallenge: Uint8Array;
  /** The responding authentication value of AARE. */
  readonly serverChallenge: Uint8Array;
  /** HLS secret; mechanisms 2, 3, 4 and 6. */
  readonly secret?: Uint8Array;
  /** 8 bytes each; mechanisms 5, 6 and 7. */
  readonly clientSystemTitle?: Uint8Array;
  readonly serverSystemTitle?: Uint8Array;
  /** Mechanism 5; the counter is asked for replies only. */
  readonly gmac?: {
    readonly suite: SecuritySuite;
    readonly unicast: Uint8Array;
    readonly authentication: Uint8Array;
    readonly counter?: InvocationCounter;
  };
  /** Mechanism 7. */
  readonly signing?: EcPrivateKey;
  readonly peerSigning?: EcPublicKey;
  /** Mechanism 2. */
  readonly manufacturer?: ManufacturerMechanism;
}

/** Shortest and longest challenge; of mechanism 7 they have 32 at least. */
export const CHALLENGE_LENGTH = { least: 8, most: 64, leastEcdsa: 32, usual: 16 } as const;

/** A fresh challenge of 16 bytes, 32 for ECDSA. */
export function makeChallenge(crypto: Crypto, mechanism: number, length?: number): Uint8Array {
  const least = mechanism === MECHANISM.hlsEcdsa ? CHALLENGE_LENGTH.leastEcdsa : CHALLENGE_LENGTH.least;
  const wanted = length ?? Math.max(least, CHALLENGE_LENGTH.usual);
  if (!Number.isInteger(wanted) || wanted < least || wanted > CHALLENGE_LENGTH.most)
    throw new MisuseError(`a challenge has ${least} to ${CHALLENGE_LENGTH.most} bytes, not ${wanted}`);
  return crypto.randomBytes(wanted);
}

/**
 * What we answer: as client f(StoC), as server f(CtoS).
 * @throws PeerError when the challenges are equal or of an impossible length, MisuseError when a secret or key is missing
 */
export function hlsReply(p: HlsParameters): Uint8Array {
  const fault = challengeFault(p);
  if (fault) throw new PeerError(fault);
  const client = p.role === 'client';
  if (p.mechanism === MECHANISM.hlsGmac) {
    const { counter } = need(p.gmac, 'keys', p);
    return gmac(p, client, need(counter, 'an invocation counter', p).next());
  }
  if (p.mechanism === MECHANISM.hlsEcdsa)
    return p.crypto.ecdsaSign(need(p.signing, 'our private signature key', p), titlesAndChallenges(p, client));
  return digest(p, client);
}

/** Whether the peer's answer (as client: f(CtoS), as server: f(StoC)) is right. @throws MisuseError when a key is missing */
export function hlsCheck(p: HlsParameters, received: Uint8Array): boolean {
  if (challengeFault(p)) return false;
  const byClient = p.role === 'server';
  if (p.mechanism === MECHANISM.hlsGmac) {
    if (received.length !== HEAD_LENGTH + TAG_LENGTH) return false;
    // Its number is not held against the counter: the challenge is fresh, and stacks take it before or after the
    // number of the envelope around it.
    const b = received;
    const counter = ((b[1] as number) << 24) | ((b[2] as number) << 16) | ((b[3] as number) << 8) | (b[4] as number);
    return p.crypto.equal(gmac(p, byClient, counter >>> 0), received);
  }
  if (p.mechanism === MECHANISM.hlsEcdsa) {
    const key = need(p.peerSigning, "the peer's signature key", p);
    return p.crypto.ecdsaVerify(key, titlesAndChallenges(p, byClient), received);
  }
  return p.crypto.equal(digest(p, byClient), received);
}

/** What makes the exchange worthless, in words; undefined when nothing does. */
export function challengeFault(
  p: Pick<HlsParameters, 'mechanism' | 'clientChallenge' | 'serverChallenge' | 'crypto'>,
): string | undefined {
  for (const challenge of [p.clientChallenge, p.serverChallenge])
    if (challenge.length < CHALLENGE_LENGTH.least || challenge.length > CHALLENGE_LENGTH.most)
      return `a challenge has 8 to 64 bytes, not ${challenge.length}`;
  if (p.crypto.equal(p.clientChallenge, p.serverChallenge)) return 'both challenges are the same: one was sent back';
  return undefined;
}

/** Whether the password is right, in a time that tells neither where it differs nor how long it is. */
export function llsCheck(crypto: Crypto, secret: Uint8Array, received: Uint8Array): boolean {
  return crypto.equal(crypto.sha256(secret), crypto.sha256(received));
}

/** Mechanism 2 as AES-128 in ECB mode under the secret, both filled up with zeros to whole blocks. */
export const aesEcbManufacturer: ManufacturerMechanism = (secret, challenge, crypto) => {
  if (secret.length === 0 || secret.length > 16)
    throw new MisuseError(`the secret of AES-128 has 1 to 16 bytes, not ${secret.length}`);
  const key = new Uint8Array(16);
  key.set(secret);
  const out = new Uint8Array(Math.ceil(challenge.length / 16) * 16);
  out.set(challenge);
  for (let at = 0; at < out.length; at += 16) out.set(crypto.aesEncryptBlock(key, out.subarray(at, at + 16)), at);
  return out;
};

function need<T>(value: T | undefined, what: string, p: HlsParameters): T {
  if (value === undefined) throw new MisuseError(`authentication mechanism ${p.mechanism} needs ${what}`);
  return value;
}

/** SC || IC || GMAC(SC || AK || challenge). */
function gmac(p: HlsParameters, byClient: boolean, counter: number): Uint8Array {
  const { suite, unicast, authentication } = need(p.gmac, 'keys', p);
  const { keyLength } = SUITES[suite];
  if (unicast.length !== keyLength || authentication.length !== keyLength)
    throw new MisuseError(`the keys of security suite ${suite} have ${keyLength} bytes`);
  const title = titleOf(p, byClient);
  const challenge = byClient ? p.serverChallenge : p.clientChallenge;
  const control = suite | SECURITY.authenticated;
  const out = new Uint8Array(HEAD_LENGTH + TAG_LENGTH);
  out[0] = control;
  new DataView(out.buffer).setUint32(1, counter);
  out.set(new Sealer(p.crypto, authentication).tag(unicast, title, counter, control, challenge), HEAD_LENGTH);
  return out;
}

function titleOf(p: HlsParameters, ofClient: boolean): Uint8Array {
  const whose = ofClient ? 'client' : 'server';
  const title = need(ofClient ? p.clientSystemTitle : p.serverSystemTitle, `the ${whose}'s system title`, p);
  if (title.length !== TITLE_LENGTH) throw new MisuseError(`a system title has 8 bytes, not ${title.length}`);
  return title;
}

/** The answering end's title and the other's, the challenge answered and the other: mechanisms 6 and 7. */
function titlesAndChallenges(p: HlsParameters, byClient: boolean): Uint8Array {
  const challenge = byClient ? p.serverChallenge : p.clientChallenge;
  const other = byClient ? p.clientChallenge : p.serverChallenge;
  return joined(titleOf(p, byClient), titleOf(p, !byClient), challenge, other);
}

function digest(p: HlsParameters, byClient: boolean): Uint8Array {
  const secret = need(p.secret, 'a secret', p);
  const challenge = byClient ? p.serverChallenge : p.clientChallenge;
  switch (p.mechanism) {
    case MECHANISM.hlsManufacturer:
      return need(p.manufacturer, "the maker's function", p)(secret, challenge, p.crypto);
    case MECHANISM.hlsMd5:
      return p.crypto.md5(joined(challenge, secret));
    case MECHANISM.hlsSha1:
      return p.crypto.sha1(joined(challenge, secret));
    case MECHANISM.hlsSha256:
      return p.crypto.sha256(joined(secret, titlesAndChallenges(p, byClient)));
    default:
      throw new MisuseError(`there is no high level authentication mechanism ${p.mechanism}`);
  }
}

function joined(...parts: readonly Uint8Array[]): Uint8Array {
  let length = 0;
  for (const part of parts) length += part.length;
  const out = new Uint8Array(length);
  let at = 0;
  for (const part of parts) {
    out.set(part, at);
    at += part.length;
  }
  return out;
}

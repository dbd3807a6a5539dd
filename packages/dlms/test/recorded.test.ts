/**
 * Every APDU of every exchange between other people's DLMS/COSEM programs (vectors/dlms): read and written again byte by
 * byte, ciphered ones opened with the keys of the recording, high level authentication checked from both ends. What the
 * peers did wrong is listed here, so that it stays known.
 */
import { DecodeError, fromHex, toHex } from '@amiable/bytes';
import { nodeCrypto } from '@amiable/io';
import { describe, expect, it } from 'vitest';
import {
  type Aare,
  type Aarq,
  type Apdu,
  aesEcbManufacturer,
  createSecurityContext,
  decodeApdu,
  encodeApdu,
  type HlsMechanism,
  type HlsParameters,
  hlsCheck,
  memoryCounter,
  memoryPeerCounter,
  NO_PROTECTION,
  type SecurityContext,
  type Unprotected,
} from '../src/index.ts';
import { apdusOf, type Recording, recordings } from './recorded.ts';

const all = recordings();

interface Oddity {
  /** `<recording> <frame>`. */
  readonly at: RegExp;
  /** Only APDUs that begin so, as hex. */
  readonly begins: string;
  readonly why: string;
}

/** What is no APDU by the standard's book: refused, or read with indulgence. */
const MALFORMED: readonly Oddity[] = [
  {
    at: /^(c2|cpp|java)-/,
    begins: '63',
    why: 'Gurux servers: RLRE with user-information gives its own length 4 too small, that of the field 1 too small',
  },
  {
    at: /^\w+-c-sn-/,
    begins: '620102',
    why: 'Gurux C client, short names: RLRQ of length 1 with 5 bytes',
  },
  {
    at: /^java-j-sn-hdlc-refused /,
    begins: '61',
    why: 'Gurux Java server: the AARE is followed by the LLC octets and an empty InitiateResponse',
  },
  {
    at: /^c1-\w+-ln-hdlc-none /,
    begins: 'c401c',
    why: 'Gurux C server: the two values of a list capture come one behind the other in a normal response',
  },
  { at: /^c1-\w+-ln-hdlc-none /, begins: 'c402c', why: 'the same server: two responses in one frame' },
  { at: /^cpp-\w+-sn-/, begins: '0c010001', why: 'Gurux C++ server, short names: the array of rows says one too few' },
  {
    at: /^amiable-o-ln-wrapper-/,
    begins: 'c101c1000100006001',
    why: 'Gurux Java client: of a long set in general block transfer it sends the first block and says that was all',
  },
  {
    at: /^java-o-ln-wrapper-ecdsa-/,
    begins: 'c401c10001000202',
    why: 'Gurux Java server: rows by range come as an array of none, and the rows behind it',
  },
  {
    at: /^java-o-ln-wrapper-low-gbt /,
    begins: 'c502',
    why: 'Gurux Java server: three octets follow the block number of a set-response-datablock',
  },
  {
    at: /^java-o-ln-wrapper-low-gbt /,
    begins: 'c503',
    why: 'the same server: set-response-last-datablock without block number',
  },
];

/** What no key of the recording opens to an APDU. */
const SEALED: readonly Oddity[] = [
  {
    at: /^java-o-ln-wrapper-gmac-gbt /,
    begins: 'db084752580000000001',
    why: 'Gurux Java server: its answer to a long ciphered set in general block transfer begins with 00',
  },
];

/** Answers to a challenge that are wrong. */
const UNANSWERED: readonly Oddity[] = [
  {
    at: /^c2-c-ln-wrapper-gmac /,
    begins: '',
    why: 'Gurux C, both ends: random numbers without a seed, so a fresh client and a fresh server have the same challenge',
  },
];

const seen = new Set<Oddity>();

function odd(list: readonly Oddity[], at: string, bytes: Uint8Array): boolean {
  const hex = toHex(bytes);
  const found = list.find((oddity) => oddity.at.test(at) && hex.startsWith(oddity.begins));
  if (found) seen.add(found);
  return found !== undefined;
}

/** The contexts that open what the client and what the server sends, and what the association agreed on. */
interface Association {
  readonly aarq: Aarq;
  aare?: Aare;
  readonly ofClient?: SecurityContext;
  ofServer?: SecurityContext;
}

/** What an association carried, layer by layer until it is plain. */
interface Account {
  readonly plain: Apdu[];
  ciphered: number;
  /** Answers to a challenge that were checked. */
  hls: number;
}

describe('recorded exchanges between other programs', () => {
  it('are there', () => {
    expect(all.length).toBeGreaterThan(30);
  });

  it.each(all.map((recording) => [recording.name, recording] as const))('%s', (name, recording) => {
    const account = follow(recording);
    expect(account.plain.length).toBeGreaterThan(0);
    if (recording.security && !/refused|counter|plain/.test(name)) expect(account.ciphered).toBeGreaterThan(2);
    if (/high|md5|sha|gmac|ecdsa/.test(name) && !/counter|refused/.test(name)) expect(account.hls).toBe(2);
  });

  it('hold every oddity that is listed', () => {
    for (const oddity of [...MALFORMED, ...SEALED, ...UNANSWERED]) expect(seen.has(oddity), oddity.why).toBe(true);
  });
});

function follow(recording: Recording): Account {
  const account: Account = { plain: [], ciphered: 0, hls: 0 };
  let association: Association | undefined;
  let blocks: Uint8Array[] = [];
  for (const { bytes, frame, fromClient } of apdusOf(recording)) {
    const at = `${recording.name} ${frame}`;
    if (odd(MALFORMED, at, bytes) && !isExact(bytes)) continue;
    let apdu = thereAndBack(bytes, at);
    let whole = bytes;
    if (apdu.type === 'general-block-transfer') {
      if (apdu.block.length > 0) blocks.push(apdu.block);
      if (!apdu.lastBlock || apdu.block.length === 0) continue;
      whole = Uint8Array.from(blocks.flatMap((block) => [...block]));
      blocks = [];
      if (odd(MALFORMED, at, whole) && !isExact(whole)) continue;
      apdu = thereAndBack(whole, at);
    }
    if (apdu.type === 'aarq') association = open(recording, apdu, at);
    if (apdu.type === 'aare' && association) accept(recording, association, apdu, at);
    const context = fromClient ? association?.ofClient : association?.ofServer;
    if (context && !/^(aa|rl)r|exception/.test(apdu.type)) {
      const opened = context.unprotect(whole);
      if (odd(SEALED, at, whole) && !opened.ok) continue;
      expect(opened.ok ? '' : opened.text, at).toBe('');
      if (opened.ok && opened.wasProtected) account.ciphered += 1;
      const plain = plainOf(opened);
      if (odd(MALFORMED, at, plain) && !isExact(plain)) continue;
      apdu = thereAndBack(plain, at);
    }
    account.plain.push(apdu);
    if (association?.aare) account.hls += checkedAnswer(recording, association, apdu, at);
  }
  return account;
}

function thereAndBack(bytes: Uint8Array, at: string): Apdu {
  try {
    const apdu = decodeApdu(bytes);
    expect(toHex(encodeApdu(apdu)), at).toBe(toHex(bytes));
    return apdu;
  } catch (error) {
    if (error instanceof DecodeError) throw new Error(`frame ${at}: ${error.message} in ${toHex(bytes)}`);
    throw error;
  }
}

/** False where the decoder refuses, or reads what the standard would write otherwise. */
function isExact(bytes: Uint8Array): boolean {
  try {
    return toHex(encodeApdu(decodeApdu(bytes))) === toHex(bytes);
  } catch (error) {
    if (error instanceof DecodeError) return false;
    throw error;
  }
}

function plainOf(opened: Unprotected): Uint8Array {
  return opened.ok ? opened.plain : new Uint8Array();
}

/** What the AARQ says; the server's side of its security when the application context is a ciphered one. */
function open(recording: Recording, aarq: Aarq, at: string): Association {
  const { security } = recording;
  if (!security || aarq.applicationContext < 3 || !aarq.callingApTitle) return { aarq };
  const ofClient = contextFor(recording, 'server', SERVER, aarq.callingApTitle);
  const opened = ofClient.unprotect(aarq.userInformation ?? new Uint8Array());
  const initiate = thereAndBack(plainOf(opened), at);
  if (initiate.type === 'initiate-request' && initiate.dedicatedKey) ofClient.setDedicatedKey(initiate.dedicatedKey);
  expect(initiate, at).toMatchObject({ type: 'initiate-request', version: 6 });
  return { aarq, ofClient };
}

function accept(recording: Recording, association: Association, aare: Aare, at: string): void {
  association.aare = aare;
  const { userInformation } = aare;
  if (aare.result !== 0 || !userInformation) return;
  if (!association.ofClient || !aare.respondingApTitle) {
    expect(thereAndBack(userInformation, at).type).toBe('initiate-response');
    return;
  }
  const calling = association.aarq.callingApTitle as Uint8Array;
  association.ofServer = contextFor(recording, 'client', calling, aare.respondingApTitle);
  const opened = association.ofServer.unprotect(userInformation);
  expect(thereAndBack(plainOf(opened), at)).toMatchObject({ type: 'initiate-response', version: 6 });
  const dedicated = recording.security?.dedicatedKey;
  if (dedicated) association.ofServer.setDedicatedKey(fromHex(dedicated));
}

/** Not used where only receiving is done, but a context has a title of its own. */
const SERVER = fromHex('0000000000000000');

function contextFor(recording: Recording, role: 'client' | 'server', own: Uint8Array, peer: Uint8Array) {
  const security = recording.security as NonNullable<Recording['security']>;
  return createSecurityContext({
    suite: security.suite,
    role,
    ownSystemTitle: own,
    peerSystemTitle: peer,
    keys: { unicast: fromHex(security.unicastKey), authentication: fromHex(security.authenticationKey) },
    send: NO_PROTECTION,
    require: NO_PROTECTION,
    form: 'general-global',
    counter: memoryCounter(),
    peerCounter: memoryPeerCounter(),
    crypto: nodeCrypto,
  });
}

/** Passes 3 and 4: 1 when this APDU is one of them and its answer is right. */
function checkedAnswer(recording: Recording, { aarq, aare }: Association, apdu: Apdu, at: string): number {
  const mechanism = aarq.mechanism ?? 0;
  if (mechanism < 2 || !aarq.callingAuthenticationValue || !aare?.respondingAuthenticationValue) return 0;
  let answer: Uint8Array | undefined;
  if (apdu.type === 'action-request-normal' && apdu.method.classId === 15 && apdu.method.methodId === 1)
    answer = apdu.parameters;
  if (apdu.type === 'action-response-normal' && apdu.result.returned && 'data' in apdu.result.returned)
    answer = apdu.result.returned.data;
  if (answer?.[0] !== 0x09) return 0;
  const { security, password, signatures } = recording;
  const byClient = apdu.type === 'action-request-normal';
  const parameters: HlsParameters = {
    mechanism: mechanism as HlsMechanism,
    crypto: nodeCrypto,
    role: byClient ? 'server' : 'client',
    clientChallenge: aarq.callingAuthenticationValue,
    serverChallenge: aare.respondingAuthenticationValue,
    ...(password ? { secret: new TextEncoder().encode(password) } : {}),
    ...(aarq.callingApTitle ? { clientSystemTitle: aarq.callingApTitle } : {}),
    ...(aare.respondingApTitle ? { serverSystemTitle: aare.respondingApTitle } : {}),
    ...(security
      ? {
          gmac: {
            suite: security.suite,
            unicast: fromHex(security.unicastKey),
            authentication: fromHex(security.authenticationKey),
          },
        }
      : {}),
    ...(signatures
      ? {
          peerSigning: {
            curve: security?.suite === 2 ? 'P-384' : 'P-256',
            point: fromHex(byClient ? signatures.clientKey : signatures.serverKey),
          },
        }
      : {}),
    manufacturer: aesEcbManufacturer,
  };
  expect(hlsCheck(parameters, answer.subarray(2)), at).toBe(!odd(UNANSWERED, at, answer));
  return 1;
}

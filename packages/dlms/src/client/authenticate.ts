/**
 * The client's half of high-level authentication (IEC 62056-5-3 clause 5.3.2.3 and 7.3.1): the challenge in the AARQ,
 * f(StoC) to reply_to_HLS_authentication of the current association, and the check of f(CtoS) that it returns.
 *
 * Decides: where the reply goes: method 1 of class 15 at 0-0:40.0.0, or the short name FA58 read with the reply as its
 * parameter. Leaves out: f itself (security/hls.ts).
 */
import { MisuseError } from '@amiable/bytes';
import { aesEcbManufacturer, type HlsParameters, hlsCheck, hlsReply, makeChallenge } from '../security/hls.ts';
import { ActionOperation } from './action.ts';
import { octetString } from './octet-string.ts';
import type { Operation } from './operation.ts';
import { ReadOperation } from './short-names.ts';
import type { ClientAssociationOptions, ClientLimits, HighAuthentication, Outcome } from './types.ts';

const ASSOCIATION_LN = Uint8Array.of(0, 0, 40, 0, 0, 255);
const REPLY_TO_HLS = 1;
const REPLY_TO_HLS_SN = 0xfa58;

function high({ authentication }: ClientAssociationOptions): HighAuthentication | undefined {
  return authentication && authentication.mechanism >= 2 ? (authentication as HighAuthentication) : undefined;
}

/** Our challenge, undefined without high-level authentication. @throws MisuseError when there is no randomness for it */
export function challengeOf(options: ClientAssociationOptions): Uint8Array | undefined {
  const authentication = high(options);
  if (!authentication) return undefined;
  if (authentication.challenge) return authentication.challenge;
  if (!options.crypto) throw new MisuseError('high-level authentication needs crypto');
  return makeChallenge(options.crypto, authentication.mechanism);
}

export interface Challenges {
  readonly client: Uint8Array;
  readonly server: Uint8Array;
  readonly serverSystemTitle: Uint8Array | undefined;
}

/** Pass 3. @throws MisuseError when a secret or key is missing, PeerError when the challenge of the server is worthless */
export function replyOperation(
  options: ClientAssociationOptions,
  challenges: Challenges,
  invoke: number,
  limits: ClientLimits,
): Operation {
  const reply = octetString(hlsReply(parameters(options, challenges)));
  if (options.referencing !== 'SN') {
    const method = { classId: 15, instanceId: ASSOCIATION_LN, methodId: REPLY_TO_HLS };
    return new ActionOperation(method, reply, invoke, limits);
  }
  const variable = { kind: 'parameterised-access', name: REPLY_TO_HLS_SN, selector: 1, parameters: reply } as const;
  return new ReadOperation([variable], limits);
}

/** Pass 4. @returns what is wrong with it; undefined when the server has proved itself */
export function checkAnswer(
  options: ClientAssociationOptions,
  challenges: Challenges,
  outcome: Outcome,
): string | undefined {
  const answer = answerWithin(outcome);
  if (typeof answer === 'string') return answer;
  if (hlsCheck(parameters(options, challenges), answer)) return undefined;
  return "the server's answer to our challenge is wrong: it has not the secret";
}

function parameters(options: ClientAssociationOptions, challenges: Challenges): HlsParameters {
  const authentication = high(options);
  const { crypto, systemTitle } = options;
  if (!authentication || !crypto) throw new MisuseError('high-level authentication needs crypto');
  const { mechanism, secret, gmac, signing, peerSigning, manufacturer } = authentication;
  return {
    mechanism,
    crypto,
    role: 'client',
    clientChallenge: challenges.client,
    serverChallenge: challenges.server,
    manufacturer: manufacturer ?? aesEcbManufacturer,
    ...(secret && { secret }),
    ...(systemTitle && { clientSystemTitle: systemTitle }),
    ...(challenges.serverSystemTitle && { serverSystemTitle: challenges.serverSystemTitle }),
    ...(gmac && { gmac }),
    ...(signing && { signing }),
    ...(peerSigning && { peerSigning }),
  };
}

/** The bytes inside the octet-string that was returned, or what is wrong. */
function answerWithin(outcome: Outcome): Uint8Array | string {
  const refused = 'the server refuses our answer to its challenge';
  let data: Uint8Array = new Uint8Array(0);
  if (outcome.ok && outcome.operation === 'action') {
    const { result, returned } = outcome.result;
    if (result !== 0) return `${refused} (action result ${result})`;
    if (returned && 'data' in returned) data = returned.data;
  }
  if (outcome.ok && outcome.operation === 'read') {
    const [result] = outcome.results;
    if (result && 'error' in result) return `${refused} (data access result ${result.error})`;
    if (result) data = result.data;
  }
  if (data[0] !== 0x09) return "the server's answer to our challenge is missing";
  const length = data[1] as number;
  const head = length < 0x80 ? 2 : length === 0x81 ? 3 : 0;
  return head === 0 ? "the server's answer to our challenge is too long" : data.subarray(head);
}

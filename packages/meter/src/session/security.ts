/** From what a user says of security and authentication to what the association takes. */
import { MisuseError } from '@amiable/bytes';
import {
  type Authentication,
  type ClientAssociationOptions,
  createSecurityContext,
  type HighAuthentication,
  memoryPeerCounter,
  protectionOverhead,
} from '@amiable/dlms';
import type { SessionOptions, SessionSecurity } from './types.ts';

/** @throws MisuseError when something that is needed was not given */
export function associationOptions(options: SessionOptions): ClientAssociationOptions {
  const { security, crypto } = options;
  const own = {
    ...pick(options, 'referencing', 'crypto', 'conformance', 'maxPduSize', 'userId', 'certificate', 'preEstablished'),
    ...pick(options, 'releaseWithInitiate', 'window', 'limits'),
    ...(options.authentication && { authentication: authenticationOf(options.authentication, security) }),
  };
  if (!security) return own;
  if (!crypto) throw new MisuseError('security needs crypto');
  const named = {
    ...own,
    systemTitle: security.systemTitle,
    ...(security.serverSystemTitle && { serverSystemTitle: security.serverSystemTitle }),
  };
  if (security.ciphered === false) return named;
  const { dedicatedKey, send = { authenticated: true, encrypted: true } } = security;
  const key = dedicatedKey === true ? crypto.randomBytes(security.keys.unicast.length) : dedicatedKey || undefined;
  const form = security.form ?? (key ? 'service-specific-dedicated' : 'service-specific-global');
  const { suite } = security;
  const overhead = protectionOverhead({ suite, form, send, ...pick(security, 'keyInfo') });
  const context = createSecurityContext({
    suite,
    role: 'client',
    ownSystemTitle: security.systemTitle,
    ...(security.serverSystemTitle && { peerSystemTitle: security.serverSystemTitle }),
    keys: security.keys,
    send,
    require: security.require ?? send,
    form,
    counter: security.counter,
    peerCounter: security.peerCounter ?? memoryPeerCounter(),
    ...pick(security, 'keyInfo', 'signing', 'initiate', 'dialect'),
    crypto,
  });
  return {
    ...named,
    security: context,
    overhead,
    ...(key && { dedicatedKey: key }),
    ...pick(security, 'cipheredInitiate'),
  };
}

/** The keys of the association serve its authentication too. */
function authenticationOf(authentication: Authentication, security: SessionSecurity | undefined): Authentication {
  if (authentication.mechanism < 2 || !security) return authentication;
  const high = authentication as HighAuthentication;
  const { suite, keys, counter } = security;
  if (high.mechanism === 5 && !high.gmac)
    return { ...high, gmac: { suite, unicast: keys.unicast, authentication: keys.authentication, counter } };
  if (high.mechanism === 7)
    return {
      ...(keys.signing && { signing: keys.signing }),
      ...(keys.peerSigning && { peerSigning: keys.peerSigning }),
      ...high,
    };
  return high;
}

/** The given properties, those that are there. */
function pick<T extends object, K extends keyof T>(
  from: T,
  ...keys: readonly K[]
): { [P in K]?: Exclude<T[P], undefined> } {
  const out: { [P in K]?: Exclude<T[P], undefined> } = {};
  for (const key of keys) if (from[key] !== undefined) out[key] = from[key] as Exclude<T[K], undefined>;
  return out;
}

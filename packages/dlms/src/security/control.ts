/**
 * Security suites, the security control byte and security policies (IEC 62056-5-3 clauses 5.3.2.2 and 5.3.7.2.1;
 * IEC 62056-6-2, Security setup, attribute 2).
 *
 * Decides: lengths and algorithms of each suite, what bits mean, which protection satisfies which demand. Leaves out:
 * applying it (sealing.ts, context.ts).
 */
import type { Curve } from './crypto.ts';
import type { Protection, SecuritySuite } from './types.ts';

/** The security control byte. */
export interface SecurityControl {
  readonly suite: number;
  readonly authenticated: boolean;
  readonly encrypted: boolean;
  /** Broadcast key instead of unicast. */
  readonly broadcast: boolean;
  readonly compressed: boolean;
}

export const SECURITY = { authenticated: 0x10, encrypted: 0x20, broadcast: 0x40, compressed: 0x80 } as const;
export const SUITE_MASK = 0x0f;
/** Every suite sends 12 of the 16 bytes of the tag. */
export const TAG_LENGTH = 12;
/** Security control and invocation counter. */
export const HEAD_LENGTH = 5;
export const TITLE_LENGTH = 8;

export interface SuiteFacts {
  readonly name: string;
  /** Bytes of every symmetric key: encryption, authentication, key-encrypting, dedicated. */
  readonly keyLength: 16 | 32;
  /** Suite 0 neither signs nor agrees on keys. */
  readonly curve: Curve | undefined;
}

export const SUITES: readonly [SuiteFacts, SuiteFacts, SuiteFacts] = [
  { name: 'AES-GCM-128', keyLength: 16, curve: undefined },
  { name: 'ECDH-ECDSA-AES-GCM-128-SHA-256', keyLength: 16, curve: 'P-256' },
  { name: 'ECDH-ECDSA-AES-GCM-256-SHA-384', keyLength: 32, curve: 'P-384' },
];

export function securityControl(byte: number): SecurityControl {
  return {
    suite: byte & SUITE_MASK,
    authenticated: (byte & SECURITY.authenticated) !== 0,
    encrypted: (byte & SECURITY.encrypted) !== 0,
    broadcast: (byte & SECURITY.broadcast) !== 0,
    compressed: (byte & SECURITY.compressed) !== 0,
  };
}

export function controlByte(suite: SecuritySuite, protection: Protection, broadcast = false): number {
  return (
    suite |
    (protection.authenticated ? SECURITY.authenticated : 0) |
    (protection.encrypted ? SECURITY.encrypted : 0) |
    (broadcast ? SECURITY.broadcast : 0)
  );
}

export const NO_PROTECTION: Protection = { authenticated: false, encrypted: false, signed: false };

/**
 * What a security policy (Security setup, attribute 2) asks of one direction. Version 0 of the class enumerates (0 none,
 * 1 authenticated, 2 encrypted, 3 both) for both directions alike; version 1 has bits: 2 to 4 for requests, 5 to 7 for
 * responses.
 */
export function policyProtection(version: 0 | 1, policy: number, direction: 'request' | 'response'): Protection {
  if (version === 0) return { authenticated: (policy & 1) !== 0, encrypted: (policy & 2) !== 0, signed: false };
  const bits = direction === 'request' ? policy >> 2 : policy >> 5;
  return { authenticated: (bits & 1) !== 0, encrypted: (bits & 2) !== 0, signed: (bits & 4) !== 0 };
}

/** The policy of version 1 that asks for these; the inverse of `policyProtection`. */
export function securityPolicy(request: Protection, response: Protection): number {
  return (policyBits(request) << 2) | (policyBits(response) << 5);
}

function policyBits(protection: Protection): number {
  return (protection.authenticated ? 1 : 0) | (protection.encrypted ? 2 : 0) | (protection.signed ? 4 : 0);
}

/** Whether what was applied is at least what is demanded. */
export function satisfies(applied: Protection, demanded: Protection): boolean {
  return (policyBits(demanded) & ~policyBits(applied)) === 0;
}

/** For sentences: 'authenticated and encrypted'. */
export function describeProtection(protection: Protection): string {
  const words = [
    protection.authenticated ? 'authenticated' : '',
    protection.encrypted ? 'encrypted' : '',
    protection.signed ? 'signed' : '',
  ].filter(Boolean);
  return words.length === 0 ? 'unprotected' : words.join(' and ');
}

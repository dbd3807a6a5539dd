/**
 * Security setup (class 64, version 1), the counters that clients begin from, and Push setup (class 40) (IEC 62056-6-2
 * clauses 4.4.7 and 4.4.8).
 *
 * Decides: two sets of keys, of management and of firmware, each with a setup that governs its association; policies can
 * only be strengthened; keys change by key_transfer under the master key and count from the next association on. Leaves out:
 * key_agreement and certificates.
 */
import { DecodeError } from '@amiable/bytes';
import { SECURITY_POLICY_BITS } from '@amiable/cosem';
import { decodeKeyTransfer, KEY_ID, RESULT } from '@amiable/dlms';
import { quickCrypto } from '@amiable/io';
import { data, encode, type MeterObject, object } from '../define.ts';
import type { KeyName, KeyOwner } from '../keys.ts';
import { DELIVERED_PUSH, PUSH_OBIS, PUSH_VERSION, push } from '../push.ts';
import type { ServedMeter } from '../served.ts';
import { doubleLong, hexOctets, octets } from '../values.ts';

export const SECURITY_SETUPS: Readonly<Record<KeyOwner, string>> = {
  management: '0-0:43.0.1',
  firmware: '0-0:43.0.2',
};
const COUNTERS: Readonly<Record<KeyOwner, string>> = { management: '0-0:43.1.1', firmware: '0-0:43.1.2' };
const KEYS: Readonly<Record<number, KeyName>> = {
  [KEY_ID.unicastEncryption]: 'unicast',
  [KEY_ID.broadcastEncryption]: 'broadcast',
  [KEY_ID.authentication]: 'authentication',
  [KEY_ID.master]: 'master',
};

/** A list of names back to the byte. */
function policyOf(value: unknown): number {
  if (typeof value === 'number') return value;
  return (value as readonly string[]).reduce(
    (bits, name) => bits | (1 << Math.max(0, (SECURITY_POLICY_BITS as readonly string[]).indexOf(name))),
    0,
  );
}

function strengthen(m: ServedMeter, owner: KeyOwner, value: unknown): number | undefined {
  const { stored } = m.credentials.sets[owner];
  const wanted = policyOf(value);
  // Signatures need certificates, which are not there.
  if ((wanted & stored.policy) !== stored.policy || (wanted & 0x93) !== 0) return RESULT.otherReason;
  stored.policy = wanted;
  m.credentials.save();
  return undefined;
}

/** The parameters as they came: key_transfer is decoded by what knows how keys are wrapped. */
function transfer(
  m: ServedMeter,
  owner: KeyOwner,
  list: readonly { key_id: string; key_wrapped: unknown }[],
): number | undefined {
  const { suite, sets } = m.credentials;
  const { stored } = sets[owner];
  const names = [
    'global_unicast_encryption_key',
    'global_broadcast_encryption_key',
    'authentication_key',
    'master_key',
  ];
  const parameters = encode({
    type: 'array',
    value: list.map(({ key_id, key_wrapped }) => ({
      type: 'structure',
      value: [{ type: 'enum', value: names.indexOf(key_id) }, octets(hexOctets(key_wrapped))],
    })),
  });
  try {
    const keys = decodeKeyTransfer(suite, stored.master, parameters, quickCrypto);
    if (!keys) return RESULT.otherReason;
    for (const { keyId, data } of keys) {
      const name = KEYS[keyId];
      if (name) stored[name] = data.slice();
    }
    if (keys.some(({ keyId }) => keyId === KEY_ID.unicastEncryption)) sets[owner].restart();
    m.credentials.save();
    return undefined;
  } catch (error) {
    if (!(error instanceof DecodeError)) throw error;
    return RESULT.typeUnmatched;
  }
}

function setup(owner: KeyOwner): MeterObject {
  return object({
    classId: 64,
    version: 1,
    obis: SECURITY_SETUPS[owner],
    meaning: `Security setup of ${owner}: suite, policy (can only be strengthened), key transfer under the master key`,
    level: 'secret',
    attributes: {
      security_policy: { get: (m) => ({ type: 'enum', value: m.credentials.sets[owner].stored.policy }) },
      security_suite: { get: (m) => ({ type: 'enum', value: m.credentials.suite }) },
      client_system_title: { is: octets('') },
      server_system_title: { get: (m) => octets(m.credentials.systemTitle) },
      certificates: { is: [] },
    },
    methods: {
      security_activate: (m, value) => strengthen(m, owner, value),
      key_transfer: (m, value) => transfer(m, owner, value),
    },
  });
}

export const securityObjects = (): MeterObject[] => [
  setup('management'),
  setup('firmware'),
  ...(['management', 'firmware'] as const).map((owner) =>
    data(COUNTERS[owner], `Invocation counter: the lowest that ${owner}'s next request may carry`, 'open', (m) =>
      doubleLong(m.credentials.sets[owner].peerCounter.lowest()),
    ),
  ),
  object({
    classId: 40,
    version: PUSH_VERSION,
    obis: PUSH_OBIS,
    meaning: 'Push: the registers, to a TCP or UDP destination (host:port), protected as the policy of management says',
    level: 'secret',
    attributes: {
      push_object_list: { kept: DELIVERED_PUSH },
      send_destination_and_method: {
        kept: {
          transport_service: { type: 'enum', value: 0 },
          destination: octets(''),
          message: { type: 'enum', value: 0 },
        },
        check: (value) =>
          (value.transport_service === 'TCP' || value.transport_service === 'UDP') &&
          value.message === 'A-XDR_encoded_xDLMS_APDU'
            ? undefined
            : RESULT.otherReason,
      },
      communication_window: { kept: [] },
      randomisation_start_interval: { kept: 0 },
      number_of_retries: { kept: 0 },
      repetition_delay: { kept: 0 },
    },
    methods: { push: (m) => push(m) },
  }),
];

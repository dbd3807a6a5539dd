/**
 * Pushing (IEC 62056-6-2 clause 4.4.8, Push setup; IEC 62056-5-3 DataNotification): the values that the push object list names,
 * in one message to the destination.
 *
 * Decides: the message is protected as the policy of management has it for responses, under its unicast key in a general
 * envelope, so that who holds the key reads it without an association. Leaves out: the way there (listen.ts), retries.
 */

import { Reader } from '@amiable/bytes';
import { obisToBytes } from '@amiable/cosem';
import { createSecurityContext, type Data, decodeData, encodeApdu, RESULT } from '@amiable/dlms';
import { quickCrypto } from '@amiable/io';
import { type Answer, keptValue } from './define.ts';
import { textOf } from './objects/registers.ts';
import type { ServedMeter } from './served.ts';
import { localDateTime } from './values.ts';

export const PUSH_OBIS = '0-0:25.9.0';
export const PUSH_VERSION = 0;

/** Clock, logical device name, status, and the registers. */
export const DELIVERED_PUSH = [
  [8, '0-0:1.0.0', 2],
  [1, '0-0:42.0.0', 2],
  [1, '0-0:96.5.0', 2],
  [3, '1-0:1.8.0', 2],
  [3, '1-0:2.8.0', 2],
  [3, '1-0:1.8.1', 2],
  [3, '1-0:1.8.2', 2],
].map(([class_id, logical_name, attribute_index]) => ({
  class_id: class_id as number,
  logical_name: logical_name as string,
  attribute_index: attribute_index as number,
  data_index: 0,
}));

/** Reads an attribute as management would; set by devices.ts, which has the objects. */
export type ReadAttribute = (
  m: ServedMeter,
  classId: number,
  name: Uint8Array,
  index: number,
) => Uint8Array | undefined;
let readAttribute: ReadAttribute | undefined;
export function readAttributesWith(read: ReadAttribute): void {
  readAttribute = read;
}

/** The notification with the values as they are now. */
export function notification(m: ServedMeter): Uint8Array {
  const list = (keptValue(m, 40, PUSH_VERSION, PUSH_OBIS, 2) ?? DELIVERED_PUSH) as typeof DELIVERED_PUSH;
  const body: Data[] = list.map(({ class_id, logical_name, attribute_index }) => {
    const value = readAttribute?.(m, class_id, obisToBytes(logical_name), attribute_index);
    return value ? decodeData(new Reader(value)) : { type: 'null-data' };
  });
  m.pushes = (m.pushes + 1) & 0xffffff;
  const { clock, config } = m.engine;
  const apdu = encodeApdu({
    type: 'data-notification',
    invokeId: m.pushes,
    dateTimeForm: 'length',
    dateTime: localDateTime(config.zone, clock.utc, { invalid: clock.invalid, doubtful: !clock.synchronised }),
    body: { type: 'structure', value: body },
  });
  const { suite, systemTitle, sets } = m.credentials;
  const { stored, counter, peerCounter } = sets.management;
  const protection = { authenticated: (stored.policy & 0x20) !== 0, encrypted: (stored.policy & 0x40) !== 0 };
  if (!protection.authenticated && !protection.encrypted) return apdu;
  return createSecurityContext({
    suite,
    role: 'server',
    form: 'general-global',
    ownSystemTitle: systemTitle,
    keys: { unicast: stored.unicast, authentication: stored.authentication, broadcast: stored.broadcast },
    send: protection,
    require: protection,
    counter,
    peerCounter,
    crypto: quickCrypto,
  }).protect(apdu);
}

export function push(m: ServedMeter): Answer {
  const to = keptValue(m, 40, PUSH_VERSION, PUSH_OBIS, 3);
  const destination = textOf(to?.destination);
  if (!destination || !m.onPush) return RESULT.otherReason;
  const service = to.transport_service === 'UDP' ? 1 : 0;
  return m.onPush({ service, destination, apdu: notification(m) }) ? undefined : RESULT.otherReason;
}

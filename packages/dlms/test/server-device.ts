/** A device of a few attributes in memory, and both ends of an association talking to each other. */
import { fromHex } from '@amiable/bytes';
import {
  type AttributeDescriptor,
  type ClientAssociation,
  type ClientProfile,
  type createClientAssociation,
  createServerAssociation,
  encodeApdu,
  type Indication,
  LN_CONFORMANCE,
  type LogicalDevice,
  type MethodDescriptor,
  type Outcome,
  type ServerAssociation,
  type ServerLimits,
  SN_CONFORMANCE,
  type Step,
} from '@amiable/dlms';
import { nodeCrypto } from '@amiable/io';

export const ALL = LN_CONFORMANCE | SN_CONFORMANCE;
export const NAME = fromHex('0000600100ff');

export function attribute(attributeId: number, access?: AttributeDescriptor['access']): AttributeDescriptor {
  return { classId: 1, instanceId: NAME, attributeId, ...(access && { access }) };
}
export const method = (methodId: number): MethodDescriptor => ({ classId: 1, instanceId: NAME, methodId });

export function octets(length: number, fill = 0x55): Uint8Array {
  const head = length < 128 ? [length] : length < 256 ? [0x81, length] : [0x82, length >> 8, length & 0xff];
  return Uint8Array.of(0x09, ...head, ...new Array<number>(length).fill(fill));
}

export interface FakeDevice extends LogicalDevice<undefined> {
  /** By attribute index, or by short name. */
  readonly values: Map<number, Uint8Array>;
  readonly calls: string[];
}

/** Attributes and short names are what `values` has; method 1 gives its parameters back, 2 returns nothing, others are undefined. */
export function fakeDevice(profiles: readonly ClientProfile[]): FakeDevice {
  const values = new Map<number, Uint8Array>();
  const calls: string[] = [];
  const read = (at: number) => {
    const data = values.get(at);
    return data ? { data } : { error: 4 };
  };
  const write = (at: number, value: Uint8Array): number => {
    if (!values.has(at)) return 4;
    values.set(at, value.slice());
    return 0;
  };
  return {
    values,
    calls,
    profiles,
    profile: (sap) => profiles.find((profile) => profile.clientSap === sap),
    get: ({ attributeId, access }) => (access ? { data: access.parameters } : read(attributeId)),
    set: ({ attributeId }, value) => write(attributeId, value),
    action: ({ methodId }, parameters) => {
      calls.push(`action ${methodId}`);
      if (methodId === 1) return { result: 0, ...(parameters && { returned: { data: parameters } }) };
      return { result: methodId === 2 ? 0 : 4 };
    },
    readName: (name, _selector, parameters) => (parameters ? { data: parameters } : read(name)),
    writeName: (name, _selector, _parameters, value) => write(name, value),
    associated: (context) => void calls.push(`status ${context.status}`),
  };
}

export const PUBLIC: ClientProfile = {
  name: 'public',
  clientSap: 16,
  applicationContexts: [1, 2],
  mechanism: 0,
  conformance: ALL,
};

export function serverFor(
  device: LogicalDevice<undefined>,
  clientSap = 16,
  limits?: ServerLimits,
): ServerAssociation<undefined> {
  let challenge = 0;
  return createServerAssociation({
    device,
    meter: undefined,
    clientSap,
    serverSap: 1,
    random: (length) => new Uint8Array(length).fill(++challenge),
    crypto: nodeCrypto,
    ...(limits && { limits }),
  });
}

export interface AarqParts {
  readonly applicationContext?: 1 | 2 | 3 | 4;
  readonly conformance?: number;
  readonly maxPduSize?: number;
  readonly version?: number;
  readonly responseAllowed?: boolean;
  readonly mechanism?: number;
  readonly value?: Uint8Array;
  readonly title?: Uint8Array;
  readonly acseRequirements?: boolean;
  readonly protocolVersion?: string;
  readonly userInformation?: Uint8Array | null;
}

export function aarq(parts: AarqParts = {}): Uint8Array {
  const { userInformation, mechanism, value, title, protocolVersion } = parts;
  const initiate = encodeApdu({
    type: 'initiate-request',
    responseAllowed: parts.responseAllowed ?? true,
    version: parts.version ?? 6,
    conformance: parts.conformance ?? ALL,
    maxPduSize: parts.maxPduSize ?? 1024,
  });
  const information = userInformation === undefined ? initiate : userInformation;
  const requirements = parts.acseRequirements ?? mechanism !== undefined;
  return encodeApdu({
    type: 'aarq',
    applicationContext: parts.applicationContext ?? 1,
    ...(protocolVersion !== undefined && { protocolVersion }),
    ...(title && { callingApTitle: title }),
    ...(requirements && { senderAcseRequirements: true }),
    ...(mechanism !== undefined && { mechanism }),
    ...(value && { callingAuthenticationValue: value }),
    ...(information && { userInformation: information }),
  });
}

/** A server with an open association. */
export function opened(
  device: LogicalDevice<undefined>,
  parts: AarqParts = {},
  limits?: ServerLimits,
): ServerAssociation<undefined> {
  const server = serverFor(device, 16, limits);
  server.receive(aarq(parts));
  if (server.status !== 2) throw new Error('not associated');
  return server;
}

/** Hands APDUs to and fro until the operation is done. */
export function finish(
  client: ClientAssociation,
  server: ServerAssociation<undefined>,
  step: Step,
  seen: { exchanges?: number; indications?: Indication[]; longest?: number } = {},
): Outcome {
  const toServer = [...step.send];
  let done = step.done;
  for (let turns = 0; !done; turns++) {
    const next = toServer.shift();
    if (!next) throw new Error(`both wait: the client for ${client.expecting}`);
    if (turns > 200_000) throw new Error('no end');
    seen.exchanges = turns + 1;
    for (let answer = server.receive(next); answer; answer = server.next()) {
      seen.longest = Math.max(seen.longest ?? 0, answer.length);
      const taken = client.receive(answer.slice());
      toServer.push(...taken.send);
      if (taken.indication) seen.indications?.push(taken.indication);
      done ??= taken.done;
    }
  }
  return done;
}

export type Client = ReturnType<typeof createClientAssociation>;

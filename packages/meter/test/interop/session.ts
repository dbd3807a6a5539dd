/** How our client speaks with a foreign server: the settings of a recording as options of a session. */
import { fromHex } from '@amiable/bytes';
import {
  type Authentication,
  aesEcbManufacturer,
  type Crypto,
  type EcPrivateKey,
  type EcPublicKey,
  memoryCounter,
} from '@amiable/dlms';
import {
  hdlcTransport,
  type SessionClock,
  type SessionLink,
  type SessionOptions,
  wrapperTransport,
} from '@amiable/meter';

export interface PeerSettings {
  readonly transport: 'hdlc' | 'wrapper';
  readonly referencing: 'ln' | 'sn';
  readonly clientAddress: number;
  readonly serverAddress: number;
  readonly authentication: string;
  readonly password?: string;
  readonly security?: {
    readonly suite: 0 | 1 | 2;
    readonly unicastKey: string;
    readonly authenticationKey: string;
    readonly dedicatedKey?: string;
    /** Without ciphering, for HLS 5 alone. */
    readonly plain?: boolean;
    readonly form?: 'general-global' | 'service-specific-global';
  };
  /** Ours, 8 bytes. */
  readonly systemTitle?: string;
  /** The first number we use. */
  readonly invocationCounter?: number;
  readonly signing?: { readonly own: EcPrivateKey; readonly peer: EcPublicKey };
  readonly maxInfo?: number;
  readonly window?: number;
  /** Of general block transfer. */
  readonly blockWindow?: number;
  /** Proposed, 24 bits. */
  readonly conformance?: number;
}

const MECHANISM: Readonly<Record<string, 0 | 1 | 2 | 3 | 4 | 5 | 6 | 7>> = {
  none: 0,
  low: 1,
  high: 2,
  md5: 3,
  sha1: 4,
  gmac: 5,
  sha256: 6,
  ecdsa: 7,
};

/** Goes on from the counter that the meter names, as a caller does who keeps it. */
function raisedCounter(first: number): { next(): number; raise(to: number): void } {
  let counter = memoryCounter(first);
  return {
    next: () => counter.next(),
    raise(to) {
      counter = memoryCounter(to);
    },
  };
}

export function sessionOptions(
  settings: PeerSettings,
  link: SessionLink,
  clock: SessionClock,
  crypto: Crypto,
): SessionOptions {
  const { security, clientAddress: client, serverAddress: server } = settings;
  const counter = raisedCounter(settings.invocationCounter ?? 1);
  const mechanism = MECHANISM[settings.authentication] ?? 0;
  const secret = new TextEncoder().encode(settings.password ?? '');
  const systemTitle = fromHex(settings.systemTitle ?? '414d490000000002');
  const keys = security && {
    unicast: fromHex(security.unicastKey),
    authentication: fromHex(security.authenticationKey),
    ...(settings.signing && { signing: settings.signing.own, peerSigning: settings.signing.peer }),
  };
  // All that is negotiated is said here, so that recordings outlive other defaults of the library.
  const { maxInfo = 2030, window = 7, conformance = settings.referencing === 'sn' ? 0x1c1b20 : 0x62fedf } = settings;
  const limits = {
    maxInfoTransmit: maxInfo,
    maxInfoReceive: maxInfo,
    windowTransmit: window,
    windowReceive: window,
  };
  const authentication = { mechanism, secret, password: secret, manufacturer: aesEcbManufacturer } as Authentication;
  return {
    transport:
      settings.transport === 'wrapper'
        ? wrapperTransport(link, { client, server })
        : hdlcTransport(link, clock, { client, server, limits }),
    clock,
    crypto,
    referencing: settings.referencing === 'sn' ? 'SN' : 'LN',
    authentication,
    ...(keys && {
      security: {
        ...(security.plain && { ciphered: false }),
        suite: security.suite,
        keys,
        systemTitle,
        counter,
        ...(security.form && { form: security.form }),
        ...(security.dedicatedKey && { dedicatedKey: fromHex(security.dedicatedKey) }),
      },
    }),
    conformance,
    maxPduSize: 0xffff,
    window: settings.blockWindow ?? 1,
    timeouts: { connect: 5000, answer: 5000 },
  };
}

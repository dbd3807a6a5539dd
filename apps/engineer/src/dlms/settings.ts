/**
 * From the options of the command line to what a session takes. Everything that can be wrong with them is told here, before
 * the line is touched.
 *
 * Decides the defaults: client 16 (public) without authentication, client 1 (management) with it; server 1; HLS-GMAC
 * and ciphered messages as soon as a key is given.
 */
import { isValidZone } from '@amiable/calendar';
import type {
  Authentication,
  CipheringForm,
  HlsMechanism,
  KeyInfoMethod,
  Protection,
  SecurityKeys,
  SecuritySuite,
} from '@amiable/dlms';
import type { TlsOptions } from '@amiable/io';
import { type Address, parseAddress, type Transport, transportOf } from './address.ts';
import {
  certificateOption,
  hexOption,
  passwordOption,
  pemOption,
  privateKeyOption,
  publicKeyOption,
} from './secrets.ts';
import { UsageError } from './usage.ts';

/** Ours where none is given: AMIC and 00000001. The virtual meters of this project begin with AMI too, but not with AMIC. */
const DEFAULT_TITLE = '414D494300000001';

export interface SecuritySettings {
  readonly suite: SecuritySuite;
  readonly keys: SecurityKeys;
  readonly title: Uint8Array;
  readonly meterTitle?: Uint8Array;
  /** Undefined: APDUs go plain, the keys serve the log-in alone. */
  readonly protection?: Protection;
  readonly form?: CipheringForm;
  readonly keyInfo?: KeyInfoMethod;
  readonly dedicated: boolean;
  readonly gurux: boolean;
}

export interface Settings {
  readonly address: Address;
  readonly transport: Transport;
  readonly client: number;
  readonly server: number;
  readonly physical?: number;
  readonly addressSize?: 1 | 2 | 4;
  readonly shortNames: boolean;
  readonly authentication?: Authentication;
  readonly security?: SecuritySettings;
  readonly certificate?: Uint8Array;
  readonly maxPdu?: number;
  readonly window?: number;
  readonly maxInfo?: number;
  /** For an answer, ms. */
  readonly timeout: number;
  readonly tls?: TlsOptions;
  readonly baud?: number;
  readonly parity?: 'N' | 'E' | 'O';
  readonly modeE: boolean;
  /** Of a meter in mode E. */
  readonly modeEAddress?: string;
  readonly counter: 'auto' | number | string;
  readonly state?: string;
  readonly trace?: 'bytes' | 'xml';
  readonly pcap?: string;
  /** IANA name; where the user gave none, that of this machine. */
  readonly zone: string;
  /** The user named the zone: times are shown in it. */
  readonly zoneGiven: boolean;
}

export type Given = Readonly<Record<string, unknown>>;

export const MECHANISMS: Readonly<Record<string, HlsMechanism>> = {
  aes: 2,
  md5: 3,
  sha1: 4,
  gmac: 5,
  sha256: 6,
  ecdsa: 7,
};

/** A whole number in a range. @throws UsageError */
export function numberOption(name: string, value: unknown, from: number, to: number): number | undefined {
  if (value === undefined) return undefined;
  const text = String(value).trim();
  const n = /^(\d+|0x[0-9a-f]+)$/i.test(text) ? Number(text) : Number.NaN;
  if (!(n >= from && n <= to)) throw new UsageError(`${name} ${text} is no number from ${from} to ${to}.`);
  return n;
}

function oneOf<const T extends string>(name: string, value: unknown, choices: readonly T[]): T | undefined {
  if (value === undefined) return undefined;
  const found = choices.find((choice) => choice === String(value).toLowerCase());
  if (found === undefined) throw new UsageError(`${name} ${value} is none of ${choices.join(', ')}.`);
  return found;
}

/** Leaves out what is undefined. */
export function given<T extends object>(value: { [K in keyof T]: T[K] | undefined }): T {
  return Object.fromEntries(Object.entries(value).filter(([, v]) => v !== undefined)) as T;
}

const POLICIES: Readonly<Record<string, Protection | undefined>> = {
  none: undefined,
  auth: { authenticated: true, encrypted: false },
  encrypt: { authenticated: false, encrypted: true },
  both: { authenticated: true, encrypted: true },
};

/** @throws UsageError */
export async function settingsOf(text: string, options: Given): Promise<Settings> {
  const address = parseAddress(text);
  if (options.hdlc && options.wrapper) throw new UsageError('--hdlc or --wrapper, not both.');
  const transport: Transport = options.hdlc ? 'hdlc' : options.wrapper ? 'wrapper' : transportOf(address);
  if (address.kind === 'udp' && transport === 'hdlc')
    throw new UsageError('HDLC does not go over UDP; leave --hdlc away.');
  if (options.modeE !== undefined && options.modeE !== false && address.kind === 'udp')
    throw new UsageError('--mode-e is for serial lines and optical heads (also behind TCP), not for UDP.');
  if (options.modeE && transport === 'wrapper') throw new UsageError('--mode-e ends in HDLC; leave --wrapper away.');
  const security = await securityOf(options);
  const authentication = await authenticationOf(options, security);
  const high = transport === 'hdlc' ? 127 : 65_535;
  const client = numberOption('--client', options.client, 0, high) ?? (authentication || security ? 1 : 16);
  const zone = options.tz === undefined ? systemZone() : String(options.tz);
  if (!isValidZone(zone)) throw new UsageError(`--tz ${zone} is no time zone; write one as Europe/Oslo.`);
  const addressSize = oneOf('--address-size', options.addressSize, ['1', '2', '4']);
  if (transport === 'wrapper' && (options.physical !== undefined || addressSize))
    throw new UsageError(
      '--physical and --address-size belong to HDLC; over the wrapper --server alone is the address.',
    );
  if (addressSize === '1' && options.physical !== undefined)
    throw new UsageError(
      '--address-size 1 has no room for --physical: leave one of them away, or say --address-size 2 or 4.',
    );
  const timeout = seconds('--timeout', options.timeout) ?? 10_000;
  return given<Settings>({
    address,
    transport,
    client,
    server: numberOption('--server', options.server, 0, transport === 'hdlc' ? 16_383 : 65_535) ?? 1,
    physical: numberOption('--physical', options.physical, 0, 16_383),
    addressSize: addressSize && (Number(addressSize) as 1 | 2 | 4),
    shortNames: options.sn === true,
    authentication,
    security,
    certificate: await certificateOption('--certificate', options.certificate),
    maxPdu: numberOption('--max-pdu', options.maxPdu, 12, 65_535),
    window: numberOption('--window', options.window, 1, transport === 'hdlc' ? 7 : 63),
    maxInfo: numberOption('--max-info', options.maxInfo, 32, 2030),
    timeout,
    tls: await tlsOf(address, options),
    baud: numberOption('--baud', options.baud, 50, 4_000_000),
    parity: parityOf(options.parity),
    modeE: options.modeE !== undefined && options.modeE !== false,
    modeEAddress: typeof options.modeE === 'string' && options.modeE !== '' ? options.modeE : undefined,
    counter: counterOf(options.counter),
    state: options.state === undefined ? undefined : String(options.state),
    trace: oneOf('--trace', options.trace === true ? 'bytes' : options.trace, ['bytes', 'xml']),
    pcap: options.pcap === undefined ? undefined : String(options.pcap),
    zone,
    zoneGiven: options.tz !== undefined,
  });
}

const TLS_OPTIONS = { ca: '--ca', tlsCert: '--tls-cert', tlsKey: '--tls-key', tlsName: '--tls-name' } as const;

async function tlsOf(address: Address, options: Given): Promise<TlsOptions | undefined> {
  const used = Object.entries(TLS_OPTIONS).find(([name]) => options[name] !== undefined);
  if (address.kind !== 'tcp' || !address.tls) {
    if (used) throw new UsageError(`${used[1]} is for TLS: write the address as tls://…`);
    return undefined;
  }
  if ((options.tlsCert === undefined) !== (options.tlsKey === undefined))
    throw new UsageError('--tls-cert and --tls-key belong together.');
  return given<TlsOptions>({
    ca: await pemOption('--ca', options.ca),
    cert: await pemOption('--tls-cert', options.tlsCert),
    key: await pemOption('--tls-key', options.tlsKey),
    servername: options.tlsName === undefined ? undefined : String(options.tlsName),
  });
}

export const systemZone = (): string => Intl.DateTimeFormat().resolvedOptions().timeZone;

function seconds(name: string, value: unknown): number | undefined {
  if (value === undefined) return undefined;
  const n = Number(String(value).replace(/s$/, ''));
  if (!(n >= 0.05 && n <= 3600)) throw new UsageError(`${name} ${value} is no time from 0.05 to 3600 seconds.`);
  return n * 1000;
}

function parityOf(value: unknown): 'N' | 'E' | 'O' | undefined {
  const found = oneOf('--parity', value, ['n', 'e', 'o', 'none', 'even', 'odd']);
  return found && (found[0]?.toUpperCase() as 'N' | 'E' | 'O');
}

function counterOf(value: unknown): Settings['counter'] {
  if (value === undefined || value === 'auto') return 'auto';
  const text = String(value);
  if (/^\d+$/.test(text)) return numberOption('--counter', text, 0, 0xffff_ffff) as number;
  if (/^\d+-\d+:\d+\.\d+\.\d+(\*\d+)?$/.test(text)) return text;
  throw new UsageError(`--counter ${text} is none of: auto, a number, the object that holds it (0-0:43.1.0).`);
}

const KEY = [16, 32] as const;

export async function securityOf(options: Given): Promise<SecuritySettings | undefined> {
  const key = await hexOption('--key', options.key, KEY);
  const auth = await hexOption('--auth-key', options.authKey, KEY);
  const title = (await hexOption('--title', options.title ?? DEFAULT_TITLE, [8])) as Uint8Array;
  const meterTitle = await hexOption('--meter-title', options.meterTitle, [8]);
  const master = await hexOption('--master-key', options.masterKey, KEY);
  const signing = await privateKeyOption('--signing-key', options.signingKey);
  const agreement = (await privateKeyOption('--agreement-key', options.agreementKey)) ?? signing;
  const peer = await publicKeyOption('--peer-key', options.peerKey);
  const peerAgreement = (await publicKeyOption('--peer-agreement-key', options.peerAgreementKey)) ?? peer;
  const policy = oneOf('--policy', options.policy, ['none', 'auth', 'encrypt', 'both', 'signed']);
  const titled = options.hls === 'gmac' || options.hls === 'sha256' || options.hls === 'ecdsa';
  if (!key) {
    const wants = ['authKey', 'masterKey', 'dedicated', 'general', 'generalCiphering'].find(
      (name) => options[name] !== undefined,
    );
    if (wants) throw new UsageError(`${optionName(wants)} needs --key, the encryption key, too.`);
    if (policy && policy !== 'none') throw new UsageError(`--policy ${policy} needs --key and --auth-key.`);
    if (options.hls === 'gmac') throw new UsageError('--hls gmac needs --key and --auth-key.');
    if (!titled) return undefined;
  }
  if (key && !auth)
    throw new UsageError(
      '--auth-key is missing: letters with keys name two, the encryption and the authentication key.',
    );
  const suite = suiteOf(options.suite, key, signing?.curve ?? peer?.key.curve);
  const length = suite === 2 ? 32 : 16;
  for (const [name, bytes] of [
    ['--key', key],
    ['--auth-key', auth],
    ['--master-key', master],
  ] as const)
    if (bytes && bytes.length !== length)
      throw new UsageError(`${name} has ${bytes.length * 2} hex digits; suite ${suite} has keys of ${length * 2}.`);
  if ((policy === 'signed' || options.hls === 'ecdsa') && !signing)
    throw new UsageError(
      `${policy === 'signed' ? '--policy signed' : '--hls ecdsa'} needs --signing-key, our private key.`,
    );
  if (options.hls === 'ecdsa' && !peer)
    throw new UsageError("--hls ecdsa needs --peer-key, the meter's certificate or public key for signatures.");
  const form = oneOf('--general-ciphering', options.generalCiphering, [
    'identified',
    'wrapped',
    'one-pass-dh',
    'static-dh',
  ]);
  if (form && options.general) throw new UsageError('--general or --general-ciphering, not both.');
  if (form === 'wrapped' && !master) throw new UsageError('--general-ciphering wrapped needs --master-key.');
  if (form?.endsWith('dh') && (!agreement || !peerAgreement))
    throw new UsageError(
      `--general-ciphering ${form} needs --agreement-key (ours) and --peer-agreement-key (the meter's).`,
    );
  const dedicated = options.dedicated === true;
  const protection =
    !key || policy === 'none'
      ? undefined
      : policy === 'signed'
        ? { authenticated: true, encrypted: true, signed: true }
        : POLICIES[policy ?? 'both'];
  if (!protection && dedicated) throw new UsageError('--dedicated needs ciphered messages; leave --policy none away.');
  return given<SecuritySettings>({
    suite,
    // Without a key the titles alone are needed.
    keys: given<SecurityKeys>({
      unicast: key ?? new Uint8Array(length),
      authentication: auth ?? new Uint8Array(length),
      master,
      signing,
      agreement,
      peerSigning: peer?.key,
      peerAgreement: peerAgreement?.key,
    }),
    title,
    meterTitle: meterTitle ?? peer?.systemTitle,
    protection,
    form: form
      ? 'general-ciphering'
      : options.general
        ? dedicated
          ? 'general-dedicated'
          : 'general-global'
        : undefined,
    keyInfo: form,
    dedicated,
    gurux: options.gurux === true,
  });
}

const optionName = (name: string): string => `--${name.replace(/[A-Z]/g, (c) => `-${c.toLowerCase()}`)}`;

function suiteOf(value: unknown, key: Uint8Array | undefined, curve: string | undefined): SecuritySuite {
  const said = numberOption('--suite', value, 0, 2) as SecuritySuite | undefined;
  return said ?? (key?.length === 32 || curve === 'P-384' ? 2 : curve === 'P-256' ? 1 : 0);
}

async function authenticationOf(
  options: Given,
  security: SecuritySettings | undefined,
): Promise<Authentication | undefined> {
  const password = await passwordOption('--password', options.password);
  const secret = await passwordOption('--secret', options.secret);
  const name = oneOf('--hls', options.hls, ['gmac', 'sha256', 'sha1', 'md5', 'ecdsa', 'aes']);
  if (password && name) throw new UsageError('--password (low level) or --hls with --secret (high level), not both.');
  if (password) return { mechanism: 1, password };
  if (secret && !name)
    throw new UsageError('--secret goes with --hls sha256, sha1, md5 or aes; for low level log-in write --password.');
  // A key without a word on the log-in: what nearly all meters with keys want.
  const mechanism = name
    ? (MECHANISMS[name] as HlsMechanism)
    : security && options.noAuthentication !== true
      ? 5
      : undefined;
  if (mechanism === undefined) return undefined;
  if (mechanism === 5 || mechanism === 7) return { mechanism };
  if (!secret) throw new UsageError(`--hls ${name} needs --secret.`);
  if (mechanism === 2 && ![16, 32].includes(secret.length))
    throw new UsageError('--hls aes takes a --secret of 16 bytes (as text, or 0x and 32 hex digits).');
  return { mechanism, secret };
}

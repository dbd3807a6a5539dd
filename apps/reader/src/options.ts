/**
 * What the user asked for, checked: each wrong value is refused with the option's name and what would be right, before
 * anything is opened. Reads small files that options name (passwords, certificates).
 */
import { readFileSync } from 'node:fs';
import { DecodeError, fromHex } from '@amiable/bytes';
import { isValidZone } from '@amiable/calendar';
import { DEFAULT_GROUP, type HostPort, isMulticast, type Parity, parseHostPort, portError } from '@amiable/io';
import { PORT_PROTOCOLS, type PortProtocol } from '@amiable/meter';
import type { MqttConnection } from './config/types.ts';
import type { KeyEntry } from './keys.ts';
import { meterWords } from './polled/addresses.ts';
import { isAsked, type PollOptions } from './polled/types.ts';

/** Wrong usage: exit code 2. */
export class UsageError extends Error {
  override readonly name = 'UsageError';
}

export type Speed =
  | { readonly type: 'max' }
  | { readonly type: 'baud'; readonly baud: number }
  | { readonly type: 'clock'; readonly times: number };

/** A live port. */
export type Device =
  | {
      readonly type: 'serial';
      readonly path: string;
      readonly parity?: Parity;
      readonly baud?: number;
      /** Milliseconds a setting may stay without a message. */
      readonly patience: number;
    }
  | { readonly type: 'tcp'; readonly at: HostPort }
  | { readonly type: 'tcpServer'; readonly at: HostPort };

export type Source =
  | { readonly type: 'files'; readonly paths: readonly string[]; readonly speed: Speed }
  | { readonly type: 'multicast' }
  | Device;

export type OutputForm = 'text' | 'json' | 'thesis' | 'none';

export interface TlsFiles {
  readonly ca?: string;
  readonly cert?: string;
  readonly key?: string;
}

export interface MqttOptions {
  readonly url: URL;
  readonly topic: string;
  readonly statusTopic: string;
  readonly clientId: string;
  readonly user?: string;
  readonly password?: string;
  readonly tls: TlsFiles;
}

export interface PostOptions {
  readonly url: URL;
  readonly apiKey?: string;
  readonly tls: TlsFiles;
}

export interface ReadOptions {
  readonly source: Source;
  readonly keys: readonly KeyEntry[];
  readonly zone?: string;
  readonly reader: string;
  readonly port: string;
  /** Found out unless said. */
  readonly protocol?: PortProtocol;
  /** The meters are asked; listened to when absent. */
  readonly poll?: PollOptions;
  /** Modem lines held high, the others low. */
  readonly signals?: { readonly rts: boolean; readonly dtr: boolean };
  readonly output: OutputForm;
  readonly raw: boolean;
  readonly trace: boolean;
  readonly bad: boolean;
  /** Largest believable error of a live meter's clock, ms. */
  readonly maxClockError: number;
  readonly counters: 'text' | 'json';
  /** Milliseconds after each message. */
  readonly pause: number;
  readonly log?: { readonly folder: string };
  readonly multicast: { readonly group: HostPort; readonly ttl: number; readonly interface?: string };
  readonly multicastOut: boolean;
  readonly mqtt?: MqttOptions;
  readonly post?: PostOptions;
  /** Where messages are kept until the uplinks have taken them; in memory when absent. */
  readonly spool?: { readonly folder: string; readonly maxBytes: number };
  /** Milliseconds at the end. */
  readonly wait: number;
}

type Given = Record<string, unknown>;
const MODES = ['auto', 'A', 'B', 'C', 'D'] as const;

const text = (given: Given, name: string): string | undefined => {
  const value = given[name];
  return typeof value === 'string' ? value : undefined;
};
const list = (given: Given, name: string): string[] => (Array.isArray(given[name]) ? (given[name] as string[]) : []);

function number(given: Given, name: string, flag: string, least: number, most: number): number | undefined {
  const value = text(given, name);
  if (value === undefined) return undefined;
  const n = value.trim() === '' ? Number.NaN : Number(value);
  if (!(n >= least && n <= most)) throw new UsageError(`${flag} ${value}: a number from ${least} to ${most} is wanted`);
  return n;
}

function choice<T extends string>(value: string, flag: string, allowed: readonly T[]): T {
  const found = allowed.find((a) => a.toLowerCase() === value.toLowerCase());
  if (!found) throw new UsageError(`${flag} ${value}: it can be ${allowed.join(', ')}`);
  return found;
}

function fileText(path: string, flag: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    throw new UsageError(`${flag} ${portError(path, error).message}`);
  }
}

/** `[ID=]HEX` in encryption and authentication keys, joined by their ID. Errors never show the key. */
export function keyEntries(keys: readonly string[], authKeys: readonly string[]): KeyEntry[] {
  const parse = (given: string, flag: string) => {
    const cut = given.lastIndexOf('=');
    const id = cut < 0 ? undefined : given.slice(0, cut).trim();
    const hex = given.slice(cut + 1).trim();
    let key: Uint8Array;
    try {
      key = fromHex(hex);
    } catch (error) {
      const why =
        error instanceof DecodeError && /odd/.test(error.message)
          ? 'an odd number of digits'
          : 'something that is no hex digit';
      throw new UsageError(`${flag}: a key is 32 hex digits; this one has ${why}`);
    }
    if (key.length !== 16) throw new UsageError(`${flag}: a key is 32 hex digits; this one has ${key.length * 2}`);
    if (id === '') throw new UsageError(`${flag}: no meter id or system title stands before the "="`);
    return { id, key };
  };
  const auths = authKeys.map((given) => parse(given, '--auth-key'));
  const entries = keys.map((given): KeyEntry => {
    const { id, key } = parse(given, '-k');
    const auth = auths.find((a) => a.id === id) ?? auths.find((a) => a.id === undefined);
    return { ...(id === undefined ? {} : { id }), key, ...(auth ? { authKey: auth.key } : {}) };
  });
  for (const auth of auths) {
    if (!entries.some((e) => e.authKey === auth.key))
      throw new UsageError(
        '--auth-key: an authentication key alone opens nothing; give the encryption key with -k too',
      );
  }
  return entries;
}

function speedOf(given: string): Speed {
  if (given === 'max') return { type: 'max' };
  const times = /^(\d+(?:\.\d+)?)x$/i.exec(given);
  if (times && Number(times[1]) > 0 && Number(times[1]) <= 1e6) return { type: 'clock', times: Number(times[1]) };
  const baud = Number(given);
  if (given.trim() !== '' && baud >= 1 && baud <= 1e9) return { type: 'baud', baud };
  throw new UsageError(
    `--speed ${given}: it can be max, a baud rate such as 2400, or times the meter's clock such as 60x`,
  );
}

function sourceOf(given: Given, files: readonly string[]): Source {
  const paths = [...list(given, 'file'), ...files];
  const device = text(given, 'device');
  const listen = given.listen === true;
  if (files.length > 0 && !given.file) throw new UsageError(`${files[0]}: a capture file is given with -f`);
  const count = (paths.length > 0 ? 1 : 0) + (device === undefined ? 0 : 1) + (listen ? 1 : 0);
  if (count === 0) throw new UsageError('what shall be read? Give -f FILE, -d DEVICE or -l; --help tells more');
  if (count > 1) throw new UsageError('-f, -d and -l exclude each other');
  const parityText = text(given, 'parity');
  const parity = parityText === undefined ? undefined : choice(parityText, '-P', ['N', 'E', 'O']);
  const baud = number(given, 'baud', '--baud', 300, 115_200);
  if (listen) return { type: 'multicast' };
  if (device === undefined) {
    if (paths.filter((p) => p === '-').length > 1) throw new UsageError('-f -: standard input can be read once only');
    return { type: 'files', paths, speed: speedOf(text(given, 'speed') ?? 'max') };
  }
  return parseDevice(device, {
    patience: (number(given, 'patience', '--patience', 0.01, 3600) ?? 20) * 1000,
    ...(parity === undefined ? {} : { parity }),
    ...(baud === undefined ? {} : { baud }),
  });
}

/** `/dev/ttyUSB0`, `host:port` or `:port`. @throws UsageError */
export function parseDevice(
  text: string,
  { patience = 20_000, ...line }: { parity?: Parity; baud?: number; patience?: number } = {},
): Device {
  const at = parseHostPort(text);
  if (at) return at.host === '' ? { type: 'tcpServer', at } : { type: 'tcp', at };
  if (/^[\w.-]+:\d*$|^tcp:/.test(text) || text === '')
    throw new UsageError(
      `-d ${text}: a device is a serial port such as /dev/ttyUSB0, or host:port with a port from 1 to 65535`,
    );
  return { type: 'serial', path: text, patience, ...line };
}

/** In mode D there is one rate, and the parity bit is the eighth of the character. */
const inModeD = (source: Source, { mode }: Given): Source =>
  source.type === 'serial' && String(mode).toUpperCase() === 'D' ? { parity: 'N', baud: 2400, ...source } : source;

/** How meters that do not speak unasked are asked; undefined: they are listened to. */
function pollOf(given: Given, source: Source, protocol: string): PollOptions | undefined {
  const seconds = number(given, 'poll', '--poll', 0, 2_678_400) ?? 0;
  const mode = choice(text(given, 'mode') ?? 'auto', '--mode', MODES);
  if (mode === 'D' && protocol !== 'auto' && protocol !== 'iec62056-21')
    throw new UsageError(`--mode D is for optical meters, not for --protocol ${protocol}`);
  if (seconds === 0) {
    const stray = ['meters', 'address', 'wakeUp'].find((name) => given[name] !== undefined);
    if (stray !== undefined)
      throw new UsageError(`--${stray === 'wakeUp' ? 'wake-up' : stray} is for meters that are asked: --poll SECONDS`);
    if (mode !== 'auto' && mode !== 'D')
      throw new UsageError(`--mode ${mode}: such a meter does not speak unasked; --poll SECONDS asks it`);
    return undefined;
  }
  if (!('patience' in source) && source.type !== 'tcp' && source.type !== 'tcpServer')
    throw new UsageError('--poll asks the meters of a device: -d DEVICE');
  if (seconds < 0.1) throw new UsageError(`--poll ${seconds}: at least 0.1 s is wanted`);
  if (!isAsked(protocol))
    throw new UsageError(
      '--poll: which protocol shall be asked? --protocol iec62056-21 (optical heads) or --protocol mbus; all others speak unasked',
    );
  const list = text(given, 'meters');
  const meters = list === undefined ? [] : meterWords(list);
  if (meters === undefined)
    throw new UsageError(
      `--meters ${list}: addresses from 0 to 250 or numbers of meters are wanted, such as "1 5 12345678", or primary or secondary`,
    );
  if (meters.length > 0 && protocol !== 'mbus') throw new UsageError('--meters is for --protocol mbus');
  const address = text(given, 'address');
  if (address !== undefined && !/^[0-9A-Za-z ]{1,32}$/.test(address))
    throw new UsageError(`--address ${address}: up to 32 letters and digits are wanted`);
  if (mode === 'D') throw new UsageError('--mode D: such a meter sends by itself; leave --poll out');
  return {
    interval: seconds * 1000,
    meters,
    address,
    mode: mode === 'auto' ? undefined : mode,
    wakeUp: given.wakeUp === true,
    baud: number(given, 'baud', '--baud', 300, 115_200),
  };
}

/** The Data Request of P1 cables that have it on a modem line. */
function signalsOf(given: Given, source: Source): ReadOptions['signals'] {
  if (given.dataRequest === undefined) return undefined;
  if (source.type !== 'serial') throw new UsageError('--data-request is for a serial port: -d /dev/ttyUSB0');
  const lines =
    given.dataRequest === true ? 'both' : choice(String(given.dataRequest), '--data-request', ['rts', 'dtr', 'both']);
  return { rts: lines !== 'dtr', dtr: lines !== 'rts' };
}

function outputOf(given: Given): OutputForm {
  const form = given.json === true ? 'canonical' : text(given, 'json');
  if (given.text === true && form !== undefined) throw new UsageError('--text and --json exclude each other');
  if (given.quiet === true) {
    if (form !== undefined || given.text === true)
      throw new UsageError('-q shows no messages; leave out --json and --text');
    return 'none';
  }
  if (form === undefined) return 'text';
  return choice(form, '--json', ['canonical', 'thesis']) === 'thesis' ? 'thesis' : 'json';
}

function urlOf(given: string, flag: string, schemes: readonly string[]): URL {
  let url: URL | undefined;
  try {
    url = new URL(given);
  } catch {
    // Told below, without the password that may stand in it.
  }
  if (!url || !schemes.includes(url.protocol) || !url.hostname)
    throw new UsageError(`${flag}: an address such as ${schemes.map((s) => `${s}//host`).join(' or ')} is wanted`);
  return url;
}

function mqttOf(given: Given, reader: string): MqttOptions | undefined {
  const address = text(given, 'mqtt');
  if (address === undefined) {
    const stray = Object.keys(given).find((name) => /^mqtt[A-Z]/.test(name));
    if (stray) throw new UsageError('the options --mqtt-… need the broker: --mqtt mqtt://host');
    return undefined;
  }
  const url = urlOf(address, '--mqtt', ['mqtt:', 'mqtts:']);
  const topic = text(given, 'mqttTopic') ?? `amiable/${reader}/message`;
  if (topic === '' || /[+#]/.test(topic) || topic.includes('\0') || Buffer.byteLength(topic) > 65_535)
    throw new UsageError(`--mqtt-topic ${topic}: a topic to publish on is not empty and has no + or #`);
  const passwordFile = text(given, 'mqttPasswordFile');
  const password =
    passwordFile !== undefined
      ? fileText(passwordFile, '--mqtt-password-file').replace(/\r?\n$/, '')
      : (text(given, 'mqttPassword') ?? (url.password ? decodeURIComponent(url.password) : undefined));
  const user = text(given, 'mqttUser') ?? (url.username ? decodeURIComponent(url.username) : undefined);
  if (password !== undefined && user === undefined)
    throw new UsageError('a password for the broker needs a user: --mqtt-user NAME');
  const tls = tlsOf(given, { ca: 'mqttCa', cert: 'mqttCert', key: 'mqttKey' }, '--mqtt');
  if (Object.keys(tls).length > 0 && url.protocol !== 'mqtts:')
    throw new UsageError('--mqtt: certificates are for mqtts://, this address is not encrypted');
  if ((tls.cert === undefined) !== (tls.key === undefined))
    throw new UsageError('--mqtt-cert and --mqtt-key belong together');
  return {
    url,
    topic,
    statusTopic: `amiable/${reader}/status`,
    clientId: text(given, 'mqttClientId') ?? `amiable-${reader}`,
    ...(user === undefined ? {} : { user }),
    ...(password === undefined ? {} : { password }),
    tls,
  };
}

/** The same as the configuration of the service has it. */
export function mqttConnection({ url, clientId, user, password, tls }: MqttOptions): MqttConnection {
  const secure = url.protocol === 'mqtts:';
  return {
    host: url.hostname.replace(/^\[|\]$/g, ''),
    port: Number(url.port || (secure ? 8883 : 1883)),
    secure,
    clientId,
    ...(user === undefined ? {} : { user }),
    ...(password === undefined ? {} : { password }),
    tls,
  };
}

function spoolOf(given: Given, hasUplink: boolean): ReadOptions['spool'] {
  const folder = text(given, 'spool');
  const size = number(given, 'spoolSize', '--spool-size', 1, 1_000_000);
  if (folder === undefined) {
    if (size !== undefined) throw new UsageError('--spool-size needs the folder: --spool FOLDER');
    return undefined;
  }
  if (folder === '') throw new UsageError('--spool: the name of a folder is wanted');
  if (!hasUplink)
    throw new UsageError('--spool keeps messages until an uplink has taken them; give --mqtt or --post too');
  return { folder, maxBytes: (size ?? 512) * 1_000_000 };
}

function tlsOf(given: Given, names: { ca: string; cert?: string; key?: string }, flag: string): TlsFiles {
  const out: Record<string, string> = {};
  for (const [part, name] of Object.entries(names)) {
    const path = text(given, name);
    if (path === undefined) continue;
    const pem = fileText(path, `${flag}-${part}`);
    if (!/-----BEGIN /.test(pem))
      throw new UsageError(`${flag}-${part} ${path}: it is no PEM file (it has no -----BEGIN line)`);
    out[part] = pem;
  }
  return out;
}

function postOf(given: Given): PostOptions | undefined {
  const address = text(given, 'post');
  const key = text(given, 'apiKey');
  if (address === undefined) {
    if (key !== undefined) throw new UsageError('--api-key needs the server: --post URL');
    return undefined;
  }
  const url = urlOf(address, '--post', ['http:', 'https:']);
  const apiKey = key?.startsWith('@') ? fileText(key.slice(1), '--api-key').trim() : key;
  if (apiKey !== undefined && !/^[\x21-\x7e]+$/.test(apiKey))
    throw new UsageError('--api-key: a key has no blanks and no letters beyond ASCII');
  return { url, ...(apiKey === undefined ? {} : { apiKey }), tls: tlsOf(given, { ca: 'postCa' }, '--post') };
}

/** @throws UsageError */
export function parseOptions(given: Given, files: readonly string[], hostName: string): ReadOptions {
  const source = inModeD(sourceOf(given, files), given);
  const reader = text(given, 'reader') ?? (hostName.replace(/[^\w.-]/g, '-') || 'reader');
  if (reader === '' || reader.length > 100 || /[+#/\p{Cc}]/u.test(reader))
    throw new UsageError(`--reader ${reader}: a name has 1 to 100 letters and no / + or #`);
  const port = text(given, 'port') ?? 'han0';
  if (port === '' || port.length > 100) throw new UsageError('--port: a name has 1 to 100 letters');
  const zone = text(given, 'tz');
  if (zone !== undefined && !isValidZone(zone))
    throw new UsageError(`--tz ${zone}: no such time zone; they look like Europe/Oslo`);
  const protocol = text(given, 'protocol') ?? 'auto';
  if (protocol === 'dlms')
    throw new UsageError('--protocol dlms: such a meter does not speak unasked; ask it with "amiable dlms"');
  const forced = choice(protocol, '--protocol', ['auto', ...PORT_PROTOCOLS]);
  const poll = pollOf(given, source, forced);
  const signals = signalsOf(given, source);
  const group = parseHostPort(text(given, 'multicastAddress') ?? `${DEFAULT_GROUP.host}:${DEFAULT_GROUP.port}`);
  if (!group || !isMulticast(group.host))
    throw new UsageError(
      `--multicast-address ${text(given, 'multicastAddress')}: a group such as 239.192.77.1:7701 is wanted`,
    );
  const paced = given.multicastPaced === true;
  const pause = number(given, 'pause', '--pause', 0, 86_400) ?? (paced ? 1 : 0);
  const on = text(given, 'multicastInterface');
  const mqtt = mqttOf(given, reader);
  const post = postOf(given);
  const spool = spoolOf(given, mqtt !== undefined || post !== undefined);
  const live = source.type !== 'files' && source.type !== 'multicast';
  const log = given.log === undefined ? live : given.log === true;
  if (given.log === true && source.type === 'multicast')
    throw new UsageError('--log: what comes by multicast are messages, not bytes to log');
  return {
    source,
    keys: keyEntries(list(given, 'key'), list(given, 'authKey')),
    ...(zone === undefined ? {} : { zone }),
    reader,
    port,
    ...(forced === 'auto' ? {} : { protocol: forced }),
    ...(poll ? { poll } : {}),
    ...(signals ? { signals } : {}),
    output: outputOf(given),
    raw: given.raw === true,
    trace: given.trace === true,
    bad: given.bad === true,
    maxClockError: (number(given, 'maxClockError', '--max-clock-error', 0.1, 527_040) ?? 60) * 60_000,
    counters: choice(text(given, 'counters') ?? 'text', '--counters', ['text', 'json']),
    pause: pause * 1000,
    ...(log ? { log: { folder: text(given, 'logDir') ?? '.' } } : {}),
    multicast: {
      group,
      ttl: number(given, 'multicastTtl', '--multicast-ttl', 0, 255) ?? 1,
      ...(on === undefined ? {} : { interface: on }),
    },
    multicastOut: given.multicast === true || paced,
    ...(mqtt ? { mqtt } : {}),
    ...(post ? { post } : {}),
    ...(spool ? { spool } : {}),
    wait: (number(given, 'wait', '--wait', 0, 86_400) ?? 30) * 1000,
  };
}

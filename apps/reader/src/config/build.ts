/**
 * From texts by name to a ReaderConfig: each value by its kind, then what settings mean together (a key needs its port, names
 * are unique, certificates need TLS). Either a whole configuration or every fault at once.
 *
 * Decides: a member of a family exists when any of its settings has a value. `@PATH` as the value of a secret or a certificate
 * is the text of that file, `@@` a literal `@`. Reads those files and nothing else.
 */
import { readFileSync, statSync } from 'node:fs';
import { resolve } from 'node:path';
import { portError } from '@amiable/io';
import { ASKED_PROTOCOLS } from '../polled/types.ts';
import { type Fault, SettingError } from './faults.ts';
import { type GivenKey, parseValue } from './kinds.ts';
import {
  canonicalName,
  FAMILIES,
  type Family,
  groupOf,
  MOST_MEMBERS,
  memberOf,
  SETTINGS,
  type Setting,
  settingOf,
} from './schema.ts';
import type { MqttConnection, PortConfig, PortKey, ReaderConfig, TlsConfig, UplinkConfig } from './types.ts';

/** How often meters are asked unless said, ms. */
const MBUS_POLL = 900_000;
const OPTICAL_POLL = 60_000;
const WAKING_POLL = 3_600_000;

export interface Surroundings {
  readonly hostName: string;
  /** Folder that relative paths begin at. */
  readonly folder: string;
}

export interface Built {
  /** Absent when there are faults. */
  readonly config?: ReaderConfig;
  /** Each with the canonical name of its setting. */
  readonly faults: readonly Fault[];
  /** The numbers that each family has, ascending. */
  readonly members: Readonly<Record<Family, readonly number[]>>;
}

/** The argon2id string that stands for a password already hashed. */
export const isHash = (text: string): boolean => /^\$argon2id?\$/.test(text);

/** Settings that look alike, for who mistyped. */
export function nearest(name: string): string | undefined {
  let best: string | undefined;
  let least = 4;
  const wanted = canonicalName(name).replace(/\.\d+\./, '.#.');
  for (const setting of SETTINGS) {
    const far = distance(wanted, setting.name, least);
    if (far < least) {
      least = far;
      best = setting.name;
    }
  }
  return best?.replace('#', String(memberOf(canonicalName(name))?.number ?? 1));
}

function distance(a: string, b: string, most: number): number {
  if (Math.abs(a.length - b.length) >= most || a.length > 100) return most;
  let row = Array.from({ length: b.length + 1 }, (_, i) => i);
  for (let i = 1; i <= a.length; i++) {
    const next = [i];
    for (let j = 1; j <= b.length; j++)
      next.push(
        Math.min(
          (row[j] as number) + 1,
          (next[j - 1] as number) + 1,
          (row[j - 1] as number) + (a[i - 1] === b[j - 1] ? 0 : 1),
        ),
      );
    row = next;
  }
  return row[b.length] as number;
}

function textOf(setting: Setting, text: string, folder: string): string {
  if (setting.kind.is !== 'pem' && !setting.secret) return text;
  if (text.startsWith('@@')) return text.slice(1);
  if (!text.startsWith('@')) return text;
  const path = resolve(folder, text.slice(1).trim());
  try {
    if (statSync(path).size > 1 << 20) throw new SettingError('tooLong', { most: 1 << 20 });
    return readFileSync(path, 'utf8').replace(/\r?\n$/, '');
  } catch (error) {
    if (error instanceof SettingError) throw error;
    throw new SettingError('fileFault', { why: portError(path, error).message });
  }
}

/** `given`: text by canonical name; empty text counts as not given. */
export function buildConfig(given: ReadonlyMap<string, string>, { hostName, folder }: Surroundings): Built {
  const faults: Fault[] = [];
  const values = new Map<string, unknown>();
  const members: Record<Family, number[]> = { port: [], mqtt: [], post: [] };
  for (const [name, text] of given) {
    if (text === '') continue;
    const setting = settingOf(name);
    const member = memberOf(name);
    if (!setting) {
      if (member && member.number > MOST_MEMBERS) faults.push({ name, key: 'tooMany', values: { most: MOST_MEMBERS } });
      else {
        const near = nearest(name);
        faults.push({ name, key: 'unknownName', values: { hint: near === undefined ? '' : ` (${near}?)` } });
      }
      continue;
    }
    if (member && !members[member.family].includes(member.number)) members[member.family].push(member.number);
    try {
      const plain = textOf(setting, text, folder);
      values.set(name, setting.kind.is === 'password' && isHash(plain) ? plain : parseValue(setting.kind, plain));
    } catch (error) {
      if (!(error instanceof SettingError)) throw error;
      faults.push({ name, key: error.key, values: error.values });
    }
  }
  for (const family of FAMILIES) members[family].sort((a, b) => a - b);

  const broken = (name: string) => faults.some((fault) => fault.name === name);
  /** Default included; undefined where there is none or the value is wrong. */
  const value = <T>(name: string): T | undefined => {
    if (values.has(name)) return values.get(name) as T;
    const setting = settingOf(name);
    return setting?.default === undefined ? undefined : (parseValue(setting.kind, setting.default) as T);
  };
  const need = (name: string, by: string) => {
    if (value(name) === undefined && !broken(name)) faults.push({ name: by, key: 'needs', values: { other: name } });
  };
  /** The first setting of a member that was given, to hang a fault of the whole on. */
  const anyOf = (prefix: string) =>
    [...given.keys()].find((name) => name.startsWith(`${prefix}.`) && given.get(name) !== '') ?? prefix;
  const optional = <T, K extends string>(key: K, found: T | undefined): { readonly [k in K]?: T } =>
    found === undefined ? {} : ({ [key]: found } as { [k in K]: T });

  const reader = value<string>('reader') ?? (hostName.replace(/[^\w.-]/g, '-') || 'reader');

  const tlsOf = (of: string, secure: boolean, other: string): TlsConfig => {
    const [ca, cert, key] = ['ca', 'cert', 'key'].map((part) => value<string>(`${of}.${part}`));
    for (const part of ['ca', 'cert', 'key'])
      if (!secure && value(`${of}.${part}`) !== undefined && !broken(other))
        faults.push({ name: `${of}.${part}`, key: 'needsSecure', values: { other } });
    if (cert !== undefined) need(`${of}.key`, `${of}.cert`);
    if (key !== undefined) need(`${of}.cert`, `${of}.key`);
    return { ...optional('ca', ca), ...optional('cert', cert), ...optional('key', key) };
  };
  const connectionOf = (of: string, clientId: string): MqttConnection => {
    const secure = value<boolean>(`${of}.tls`) === true;
    if (value(`${of}.password`) !== undefined) need(`${of}.user`, `${of}.password`);
    return {
      host: value<string>(`${of}.host`) ?? '',
      port: value<number>(`${of}.port`) ?? (secure ? 8883 : 1883),
      secure,
      clientId,
      ...optional('user', value<string>(`${of}.user`)),
      ...optional('password', value<string>(`${of}.password`)),
      tls: tlsOf(of, secure, `${of}.tls`),
    };
  };
  /** Names that would be the same later on: told at the second. */
  const unique = (all: readonly { readonly at: string; readonly name: string }[], key: 'sameName' | 'sameDevice') => {
    const seen = new Map<string, string>();
    for (const { at, name } of all) {
      const first = seen.get(name);
      if (first !== undefined) faults.push({ name: at, key, values: { other: first } });
      else seen.set(name, at);
    }
  };

  /** What a port is asked, and how often. */
  const askingOf = (of: string, protocol: PortConfig['protocol']) => {
    const optical = protocol === 'iec62056-21';
    const mode = value<string>(`${of}.mode`);
    const wakeUp = value<boolean>(`${of}.wake-up`) === true;
    const meters = value<string[]>(`${of}.meters`) ?? [];
    const usual = protocol === 'mbus' ? MBUS_POLL : !optical || mode === 'D' ? 0 : wakeUp ? WAKING_POLL : OPTICAL_POLL;
    const poll = mode === 'D' ? 0 : (value<number>(`${of}.poll`) ?? usual);
    const wants = (name: string, values: readonly string[]) => {
      if (!values.includes(protocol) && !broken(`${of}.protocol`))
        faults.push({ name, key: 'notAsked', values: { other: `${of}.protocol`, values: values.join(', ') } });
    };
    if (poll > 0) wants(`${of}.poll`, ASKED_PROTOCOLS);
    if (meters.length > 0) wants(`${of}.meters`, ['mbus']);
    return {
      ...(poll > 0 ? { poll } : {}),
      ...(meters.length > 0 ? { meters } : {}),
      ...(optical ? optional('address', value<string>(`${of}.address`)) : {}),
      ...(optical && mode !== undefined && mode !== 'auto' ? { mode: mode as NonNullable<PortConfig['mode']> } : {}),
      ...(optical && wakeUp ? { wakeUp } : {}),
    };
  };
  const ports = members.port.map((n): PortConfig => {
    const of = `port.${n}`;
    need(`${of}.device`, anyOf(of));
    const parity = value<string>(`${of}.parity`);
    const baud = value<string>(`${of}.baud`);
    const protocol = value<PortConfig['protocol']>(`${of}.protocol`) ?? 'auto';
    const asking = askingOf(of, protocol);
    return {
      name: value<string>(`${of}.name`) ?? `han${n - 1}`,
      device: value<string>(`${of}.device`) ?? '',
      protocol,
      // In mode D there is one rate, and the parity bit is the eighth of the character.
      ...(asking.mode === 'D' ? { parity: 'N' as const, baud: 2400 } : {}),
      ...(parity === undefined || parity === 'auto' ? {} : { parity: parity as 'N' | 'E' | 'O' }),
      ...(baud === undefined || baud === 'auto' ? {} : { baud: Number(baud) }),
      ...asking,
      patience: value<number>(`${of}.patience`) ?? 0,
      signals: value<PortConfig['signals']>(`${of}.signals`) ?? 'none',
      keys: keysOf(value<GivenKey[]>(`${of}.key`) ?? [], value<GivenKey[]>(`${of}.auth-key`) ?? [], () => {
        if (!broken(`${of}.key`)) faults.push({ name: `${of}.auth-key`, key: 'authAlone' });
      }),
      ...optional('zone', value<string>(`${of}.time-zone`)),
      maxClockError: value<number>(`${of}.max-clock-error`) ?? 0,
    };
  });
  unique(
    members.port.map((n, i) => ({
      at: given.get(`port.${n}.name`) ? `port.${n}.name` : `port.${n}.device`,
      name: ports[i]?.name ?? '',
    })),
    'sameName',
  );
  unique(
    members.port.flatMap((n, i) => (ports[i]?.device ? [{ at: `port.${n}.device`, name: ports[i].device }] : [])),
    'sameDevice',
  );

  const paceOf = (of: string) => ({
    interval: value<number>(`${of}.interval`) ?? 0,
    thin: value<boolean>(`${of}.thin`) ?? false,
  });
  const nameOf = (family: string, n: number) => (n === 1 ? family : `${family}.${n}`);
  const mqtts = members.mqtt.map((n) => {
    const of = `mqtt.${n}`;
    need(`${of}.host`, anyOf(of));
    const id = value<string>(`${of}.client-id`) ?? `amiable-${reader}${n === 1 ? '' : `-${n}`}`;
    return {
      type: 'mqtt' as const,
      name: nameOf('mqtt', n),
      connection: connectionOf(of, id),
      topic: value<string>(`${of}.topic`) ?? `amiable/${reader}/message`,
      statusTopic: value<string>(`${of}.status-topic`) ?? `amiable/${reader}/status`,
      ...paceOf(of),
    };
  });
  const posts = members.post.map((n) => {
    const of = `post.${n}`;
    need(`${of}.url`, anyOf(of));
    const url = value<string>(`${of}.url`) ?? '';
    return {
      type: 'post' as const,
      name: nameOf('post', n),
      url,
      ...optional('apiKey', value<string>(`${of}.api-key`)),
      tls: tlsOf(of, url === '' || url.startsWith('https:'), `${of}.url`),
      ...paceOf(of),
    };
  });
  const uplinks: UplinkConfig[] = [...mqtts, ...posts];

  const homeAssistant = () => {
    const own = value<string>('homeassistant.host') !== undefined;
    const first = mqtts[0]?.connection;
    const clientId = `amiable-${reader}-ha`;
    if (!own && first === undefined && !broken('homeassistant.host'))
      faults.push({ name: 'homeassistant.enabled', key: 'noBroker', values: { other: 'homeassistant.host' } });
    return {
      connection: own || first === undefined ? connectionOf('homeassistant', clientId) : { ...first, clientId },
      prefix: value<string>('homeassistant.prefix') ?? '',
      base: value<string>('homeassistant.base') ?? `amiable/${reader}/ha`,
      interval: value<number>('homeassistant.interval') ?? 0,
    };
  };
  const gateways = {
    ...(value<boolean>('homeassistant.enabled') ? { homeAssistant: homeAssistant() } : {}),
    ...(value<boolean>('modbus.enabled')
      ? {
          modbus: {
            host: value<string>('modbus.host') ?? '',
            port: value<number>('modbus.port') ?? 0,
            maxClients: value<number>('modbus.max-clients') ?? 0,
          },
        }
      : {}),
    ...(value<boolean>('multicast.enabled')
      ? {
          multicast: {
            group: value<{ host: string; port: number }>('multicast.group') ?? { host: '', port: 0 },
            ttl: value<number>('multicast.ttl') ?? 1,
            ...optional('interface', value<string>('multicast.interface')),
          },
        }
      : {}),
  };

  const config: ReaderConfig = {
    reader,
    ports,
    uplinks,
    spool: {
      folder: resolve(folder, value<string>('spool.folder') ?? ''),
      maxBytes: value<number>('spool.max-size') ?? 0,
      syncInterval: value<number>('spool.sync') ?? 0,
    },
    page: {
      host: value<string>('page.host') ?? '',
      port: value<number>('page.port') ?? 0,
      names: value<string[]>('page.names') ?? [],
      ...optional('passwordHash', value<string>('page.password')),
      openStatus: value<boolean>('page.open-status') ?? false,
    },
    gateways,
  };
  faults.sort((a, b) => order(a.name) - order(b.name));
  return faults.length > 0 ? { faults, members } : { config, faults, members };
}

const GROUP_ORDER = ['reader', 'port', 'mqtt', 'post', 'homeassistant', 'modbus', 'multicast', 'page'];
function order(name = ''): number {
  const at = GROUP_ORDER.indexOf(groupOf(name));
  return at < 0 ? GROUP_ORDER.length : at;
}

function keysOf(given: readonly GivenKey[], auths: readonly GivenKey[], alone: () => void): PortKey[] {
  const entries = given.map((entry): PortKey => {
    const auth = auths.find((a) => a.id === entry.id) ?? auths.find((a) => a.id === undefined);
    return auth ? { ...entry, authKey: auth.key } : entry;
  });
  if (auths.some((auth) => !entries.some((entry) => entry.authKey === auth.key))) alone();
  return entries;
}

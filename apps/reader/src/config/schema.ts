/**
 * Every setting of the reader as data: name, kind, default, group, whether it is secret, and in words what it is for. The file,
 * the environment, the set-up page and the reference in docs/reader.md all come from this list.
 *
 * Names of a family (`port.#.device`) stand once for every number from 1; the number may be left out for the first
 * (`mqtt.host` is `mqtt.1.host`). What the settings together mean is in build.ts.
 */
import type { Protocol } from '@amiable/model';
import type { Kind } from './kinds.ts';

export const GROUPS = {
  reader: 'This reader',
  page: 'Set-up and status page',
  port: 'Ports and meters',
  mqtt: 'MQTT broker',
  post: 'Server (HTTP)',
  homeassistant: 'Home Assistant',
  modbus: 'Modbus TCP',
  multicast: 'Multicast',
} as const;
export type Group = keyof typeof GROUPS;
export const FAMILIES = ['port', 'mqtt', 'post'] as const;
export type Family = (typeof FAMILIES)[number];
/** Members of one family. */
export const MOST_MEMBERS = 32;

export interface Setting {
  /** With `#` where a family's number stands. */
  readonly name: string;
  readonly kind: Kind;
  /** As text; absent: the setting has none and what it does is then said by `explanation`. */
  readonly default?: string;
  readonly secret?: boolean;
  /** For who knows what he does: folded away on the page. */
  readonly expert?: boolean;
  /** Of a port: the protocols that it is for. The page folds it away for others. */
  readonly protocols?: readonly Protocol[];
  readonly label: string;
  readonly explanation: string;
}

const SECOND = 1000;
const HOUR = 3_600_000;
const DAY = 24 * HOUR;

const tls = (of: string): Setting[] => [
  {
    name: `${of}.ca`,
    kind: { is: 'pem' },
    expert: true,
    label: 'Verification certificate',
    explanation:
      "The authority that the other side's certificate is checked with, as PEM text, or @ and the path of a file. Empty: the authorities of this machine.",
  },
];
const ownTls = (of: string): Setting[] => [
  {
    name: `${of}.cert`,
    kind: { is: 'pem' },
    expert: true,
    label: 'Certificate of this reader',
    explanation: 'Where the other side asks for one: PEM text, or @ and the path of a file. Goes with its key.',
  },
  {
    name: `${of}.key`,
    kind: { is: 'pem' },
    secret: true,
    expert: true,
    label: 'Key of that certificate',
    explanation: 'The private key, as PEM text, or @ and the path of a file.',
  },
];
const pace = (of: string): Setting[] => [
  {
    name: `${of}.interval`,
    kind: { is: 'span', least: SECOND, most: DAY, live: true },
    default: 'live',
    label: 'Send every',
    explanation: 'live sends each message at once; a span such as 1m, 5m or 1h gathers and sends together.',
  },
  {
    name: `${of}.thin`,
    kind: { is: 'yesNo' },
    default: 'no',
    label: 'Send fewer live values',
    explanation:
      'yes sends only the newest of the live values in each interval (each minute when live). Meter readings always go.',
  },
];
const connection = (of: string, optional: boolean): Setting[] => [
  {
    name: `${of}.host`,
    kind: { is: 'host' },
    label: 'Broker',
    explanation: optional
      ? 'Name or address of the broker. Empty: the first MQTT broker above.'
      : 'Name or address of the broker, e.g. homeassistant.local.',
  },
  {
    name: `${of}.port`,
    kind: { is: 'number', least: 1, most: 65_535 },
    label: 'Port of the broker',
    explanation: 'Empty: 1883, with encryption 8883.',
  },
  {
    name: `${of}.tls`,
    kind: { is: 'yesNo' },
    default: 'no',
    label: 'Encrypted (TLS)',
    explanation: 'yes encrypts and checks the certificate of the broker. Without it anybody on the way can read along.',
  },
  {
    name: `${of}.user`,
    kind: { is: 'text', most: 1000 },
    label: 'User',
    explanation: 'Empty where the broker asks for none.',
  },
  {
    name: `${of}.password`,
    kind: { is: 'text', most: 1000 },
    secret: true,
    label: 'Password',
    explanation: 'Of that user.',
  },
];

export const SETTINGS: readonly Setting[] = [
  {
    name: 'reader',
    kind: { is: 'name' },
    label: 'Name of this reader (device ID)',
    explanation: 'Stands in every message and topic. Empty: the name of the machine.',
  },
  {
    name: 'spool.folder',
    kind: { is: 'folder' },
    default: 'spool',
    expert: true,
    label: 'Folder for what is not sent yet',
    explanation:
      'Every message is on disk here before anything else happens to it. A path that is not absolute begins at the folder of config.txt.',
  },
  {
    name: 'spool.max-size',
    kind: { is: 'size', least: 10e6, most: 10e12 },
    default: '1GB',
    expert: true,
    label: 'Room for it',
    explanation:
      'When it is full, 2-second values are thinned before anything hourly is dropped. 1GB holds months of one meter.',
  },
  {
    name: 'spool.sync',
    kind: { is: 'span', least: 100, most: 60_000, live: true },
    default: '5s',
    expert: true,
    label: 'Written to disk at the latest after',
    explanation:
      'What came since then is what a power cut can cost. live writes each message at once, which wears out the card of a Raspberry Pi.',
  },
  {
    name: 'page.password',
    kind: { is: 'password', least: 8 },
    secret: true,
    label: 'Password of this page',
    explanation:
      'At least 8 letters. Kept as an argon2id hash; in config.txt it may be written plainly and is replaced by its hash at the next start.',
  },
  {
    name: 'page.host',
    kind: { is: 'address' },
    default: '127.0.0.1',
    label: 'Address of this page',
    explanation:
      'Address of this machine that the page listens on. 127.0.0.1: only this machine. 0.0.0.0: the whole local network: then everybody there can try passwords and, as the page is not encrypted, listen when you log in. Do it in a network you trust, or put a web server with HTTPS before it.',
  },
  {
    name: 'page.port',
    kind: { is: 'number', least: 0, most: 65_535 },
    default: '8090',
    label: 'Port of this page',
    explanation: '0 switches the page off; then the settings are changed in config.txt only.',
  },
  {
    name: 'page.names',
    kind: { is: 'hosts' },
    expert: true,
    label: 'Names of this page',
    explanation:
      'Names besides localhost and the name of this machine that stand in its address, e.g. reader.lan. Others are refused, so that pages elsewhere cannot reach it.',
  },
  {
    name: 'page.open-status',
    kind: { is: 'yesNo' },
    default: 'no',
    label: 'Status without log-in',
    explanation:
      'yes shows the status page, its live values and /metrics to everybody who reaches it. From 2-second values strangers can see whether you are at home.',
  },
  {
    name: 'port.#.device',
    kind: { is: 'device' },
    label: 'Device',
    explanation:
      'A serial port such as /dev/ttyUSB0 or, better as it never changes, /dev/serial/by-id/…; or a serial server as host:port; :port waits for one.',
  },
  {
    name: 'port.#.name',
    kind: { is: 'name' },
    expert: true,
    label: 'Name of the port',
    explanation: 'Stands in the messages. Empty: han0, han1 and so on.',
  },
  {
    name: 'port.#.protocol',
    kind: { is: 'choice', values: ['auto', 'han', 'p1', 'iec62056-21', 'mbus', 'wmbus'] },
    default: 'auto',
    label: 'Meter type',
    explanation:
      'auto finds it: han for Kaifa, Aidon, Kamstrup and the others with DLMS, p1 for the Netherlands, Belgium, Luxembourg, Sweden, iec62056-21 for optical heads, mbus and wmbus for M-Bus, wired and by radio.',
  },
  {
    name: 'port.#.key',
    kind: { is: 'keys' },
    secret: true,
    label: 'Encryption key',
    explanation:
      'Of the grid company, where the port is encrypted: 32 hex digits; several with blanks between them, METER= before one that is for that meter only.',
  },
  {
    name: 'port.#.auth-key',
    kind: { is: 'keys' },
    secret: true,
    expert: true,
    label: 'Authentication key',
    explanation: 'In the same form. With it every message is checked for forgery.',
  },
  {
    name: 'port.#.time-zone',
    kind: { is: 'zone' },
    expert: true,
    label: 'Time zone of the meter',
    explanation: 'Such as Europe/Oslo. Empty: as the meter says, else by its country.',
  },
  {
    name: 'port.#.parity',
    kind: { is: 'choice', values: ['auto', 'N', 'E', 'O'] },
    default: 'auto',
    expert: true,
    label: 'Parity',
    explanation: 'auto finds it.',
  },
  {
    name: 'port.#.baud',
    kind: {
      is: 'choice',
      values: ['auto', '300', '600', '1200', '2400', '4800', '9600', '19200', '38400', '57600', '115200'],
    },
    default: 'auto',
    expert: true,
    label: 'Speed',
    explanation: 'auto finds it.',
  },
  {
    name: 'port.#.patience',
    kind: { is: 'span', least: SECOND, most: HOUR },
    default: '20s',
    expert: true,
    label: 'Patience of the search',
    explanation: 'How long a parity and speed may stay without a message before the next is tried.',
  },
  {
    name: 'port.#.signals',
    kind: { is: 'choice', values: ['none', 'rts', 'dtr', 'both'] },
    default: 'none',
    expert: true,
    label: 'Lines held high',
    explanation:
      'The Data Request of some P1 cables and the supply of some optical heads come from RTS or DTR. none leaves both to the system, which on Linux holds them high.',
  },
  {
    name: 'port.#.poll',
    kind: { is: 'span', least: SECOND, most: 31 * DAY, live: true },
    protocols: ['iec62056-21', 'mbus'],
    label: 'Ask the meters every',
    explanation:
      'For meters that do not speak unasked. Empty: 15m for mbus, 1m for iec62056-21 (1h where the meter is woken), and live for all others: they speak by themselves and are only listened to.',
  },
  {
    name: 'port.#.meters',
    kind: { is: 'meters' },
    protocols: ['mbus'],
    label: 'Meters on the M-Bus',
    explanation:
      'Addresses from 0 to 250 or numbers of meters, with blanks between them: 1 5 12345678. Empty: all addresses are searched once, and what is found is remembered; secondary searches by number.',
  },
  {
    name: 'port.#.address',
    kind: { is: 'text', most: 32, refused: /[^0-9A-Za-z ]/ },
    protocols: ['iec62056-21'],
    expert: true,
    label: 'Address of the meter',
    explanation: 'Of an iec62056-21 meter that shares its line with others. Empty: whoever is there.',
  },
  {
    name: 'port.#.mode',
    kind: { is: 'choice', values: ['auto', 'A', 'B', 'C', 'D'] },
    protocols: ['iec62056-21'],
    default: 'auto',
    expert: true,
    label: 'Mode of the meter',
    explanation:
      'Of iec62056-21. auto takes what the meter says. D: it sends by itself and is only listened to. The speed is the fastest that the optical head can.',
  },
  {
    name: 'port.#.wake-up',
    kind: { is: 'yesNo' },
    protocols: ['iec62056-21'],
    default: 'no',
    expert: true,
    label: 'Wake the meter',
    explanation:
      'yes wakes a battery-powered iec62056-21 meter before it is asked. Ask it seldom: each reading takes from its battery.',
  },
  {
    name: 'port.#.max-clock-error',
    kind: { is: 'span', least: 6 * SECOND, most: 366 * DAY },
    default: '1h',
    expert: true,
    label: 'Believable clock error',
    explanation:
      'A meter whose clock is further off is marked clockWrong and its messages are kept by their time of receipt.',
  },
  ...connection('mqtt.#', false),
  {
    name: 'mqtt.#.client-id',
    kind: { is: 'text', most: 200 },
    expert: true,
    label: 'Client ID',
    explanation: 'Must differ between all that connect to the broker. Empty: amiable- and the name of this reader.',
  },
  {
    name: 'mqtt.#.topic',
    kind: { is: 'topic' },
    label: 'Publish topic',
    explanation: 'Empty: amiable/READER/message.',
  },
  {
    name: 'mqtt.#.status-topic',
    kind: { is: 'topic' },
    expert: true,
    label: 'Status topic',
    explanation: 'Where online and offline are told. Empty: amiable/READER/status.',
  },
  ...pace('mqtt.#'),
  ...tls('mqtt.#'),
  ...ownTls('mqtt.#'),
  {
    name: 'post.#.url',
    kind: { is: 'url' },
    label: 'Address of the server',
    explanation: 'Where messages are posted, e.g. https://central.example/api/v1/messages.',
  },
  {
    name: 'post.#.api-key',
    kind: { is: 'header' },
    secret: true,
    label: 'API key (connection key)',
    explanation: 'From the owner of the server.',
  },
  ...pace('post.#'),
  ...tls('post.#'),
  ...ownTls('post.#'),
  {
    name: 'homeassistant.enabled',
    kind: { is: 'yesNo' },
    default: 'no',
    label: 'Appear in Home Assistant',
    explanation: 'yes announces every meter by MQTT discovery, ready for its energy dashboard.',
  },
  ...connection('homeassistant', true),
  ...tls('homeassistant'),
  {
    name: 'homeassistant.prefix',
    kind: { is: 'topic' },
    default: 'homeassistant',
    expert: true,
    label: 'Discovery prefix',
    explanation: 'As it is set in Home Assistant.',
  },
  {
    name: 'homeassistant.base',
    kind: { is: 'topic' },
    expert: true,
    label: 'Topic of the states',
    explanation: 'Empty: amiable/READER/ha.',
  },
  {
    name: 'homeassistant.interval',
    kind: { is: 'span', least: SECOND, most: HOUR, live: true },
    default: '5s',
    label: 'New state at most every',
    explanation: 'Home Assistant keeps every state in its own database; live may fill it.',
  },
  {
    name: 'modbus.enabled',
    kind: { is: 'yesNo' },
    default: 'no',
    label: 'Serve Modbus TCP',
    explanation: 'yes serves the live values in SunSpec form, for inverters, chargers and building control.',
  },
  {
    name: 'modbus.host',
    kind: { is: 'address' },
    default: '127.0.0.1',
    label: 'Address to listen on',
    explanation:
      'Modbus knows no password: with 0.0.0.0 everybody in the local network can read the values. Nothing can be written.',
  },
  {
    name: 'modbus.port',
    kind: { is: 'number', least: 1, most: 65_535 },
    default: '1502',
    label: 'Port to listen on',
    explanation: "Modbus' own is 502, for which the reader needs the right to open ports below 1024.",
  },
  {
    name: 'modbus.max-clients',
    kind: { is: 'number', least: 1, most: 64 },
    default: '8',
    expert: true,
    label: 'Clients at once',
    explanation: 'Further connections are refused.',
  },
  {
    name: 'multicast.enabled',
    kind: { is: 'yesNo' },
    default: 'no',
    label: 'Multicast each message',
    explanation:
      'yes sends each message to the local network, where amiable read -l and others hear it. It is not encrypted.',
  },
  {
    name: 'multicast.group',
    kind: { is: 'group' },
    default: '239.192.77.1:7701',
    label: 'Group and port',
    explanation: 'Listeners use the same.',
  },
  {
    name: 'multicast.ttl',
    kind: { is: 'number', least: 0, most: 255 },
    default: '1',
    expert: true,
    label: 'Routers it may pass, plus one',
    explanation: '1 stays in the local network, 0 on this machine.',
  },
  {
    name: 'multicast.interface',
    kind: { is: 'address' },
    expert: true,
    label: 'Interface',
    explanation: 'Own address on the network to use, where there are several.',
  },
];

const BY_NAME = new Map(SETTINGS.map((setting) => [setting.name, setting]));
const IS_FAMILY = new RegExp(`^(${FAMILIES.join('|')})\\.(?:(\\d{1,4})\\.)?([a-z-]+)$`);

/** Lower case, `_` as `-`, the number of a family put in: `MQTT.api_key` → `mqtt.1.api-key`. */
export function canonicalName(given: string): string {
  const name = given.trim().toLowerCase().replaceAll('_', '-');
  const member = IS_FAMILY.exec(name);
  return member ? `${member[1]}.${Number(member[2] ?? 1)}.${member[3]}` : name;
}

export interface Member {
  readonly family: Family;
  readonly number: number;
}

export function memberOf(name: string): Member | undefined {
  const member = IS_FAMILY.exec(name);
  return member?.[2] === undefined ? undefined : { family: member[1] as Family, number: Number(member[2]) };
}

/** The setting of a canonical name. */
export function settingOf(name: string): Setting | undefined {
  const member = memberOf(name);
  if (!member) return name.includes('#') ? undefined : BY_NAME.get(name);
  if (member.number < 1 || member.number > MOST_MEMBERS) return undefined;
  return BY_NAME.get(schemaName(name));
}

/** `port.2.key` → `port.#.key`. */
export function schemaName(name: string): string {
  return memberOf(name) ? name.replace(/\.\d+\./, '.#.') : name;
}

export function groupOf(name: string): Group {
  const first = name.split('.')[0] as string;
  return first === 'spool' ? 'reader' : (first as Group);
}

/** `port.1.auth-key` → `AMIABLE_PORT_1_AUTH_KEY`. */
export function environmentName(name: string): string {
  return `AMIABLE_${name.toUpperCase().replace(/[.-]/g, '_')}`;
}

/** The canonical name that an environment variable of ours sets; undefined where it is somebody else's. */
export function fromEnvironment(variable: string): string | undefined {
  for (const setting of SETTINGS) {
    const pattern = environmentName(setting.name).replace('_#_', '_(?:(\\d{1,4})_)?');
    const match = new RegExp(`^${pattern}$`).exec(variable);
    if (match) return setting.name.replace('#', String(Number(match[1] ?? 1)));
  }
  return undefined;
}

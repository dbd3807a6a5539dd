/**
 * What a reader that runs for ever is told to do: plain data, complete and checked. Two configurations are the same when
 * their JSON is. How it is written down (config.txt, environment, command line) is in schema.ts and load.ts.
 *
 * Decides: every span of time is in milliseconds; keys are hex text; certificates are PEM text, already read from their
 * files. Secrets stand here as plain strings, because who connects needs them: never log a ReaderConfig, and show it only
 * through `shown` of schema.ts.
 */
import type { Protocol } from '@amiable/model';

/** A key of one port, for one meter or for any. */
export interface PortKey {
  /** Meter id or system title in hex; absent: for any meter. */
  readonly id?: string;
  /** 32 hex digits. Secret. */
  readonly key: string;
  /** 32 hex digits. Secret. */
  readonly authKey?: string;
}

export interface PortConfig {
  /** Unique among the ports, e.g. `han0`: it stands in messages and names the port's part of the spool. */
  readonly name: string;
  /** `/dev/ttyUSB0`, `host:port` or `:port`, as `parseDevice` takes it. */
  readonly device: string;
  /** `auto` finds it. */
  readonly protocol: 'auto' | Protocol;
  /** Found when absent. */
  readonly parity?: 'N' | 'E' | 'O';
  /** Found when absent. */
  readonly baud?: number;
  /** How long a setting may stay without a message, ms. */
  readonly patience: number;
  /** Modem lines held high: the Data Request of a P1 port, the supply of an optical head. */
  readonly signals: 'none' | 'rts' | 'dtr' | 'both';
  /** From one asking of the meters to the next, ms; 0 or absent: the port speaks by itself and is listened to. */
  readonly poll?: number;
  /** M-Bus: who is asked, as `meterWords` writes them; absent: the primary addresses are searched once. */
  readonly meters?: readonly string[];
  /** Optical: the meter's address on a line of several. */
  readonly address?: string;
  /** Optical: by the meter's identification when absent. D sends by itself. */
  readonly mode?: 'A' | 'B' | 'C' | 'D';
  /** Optical: a battery-powered meter that is woken first. */
  readonly wakeUp?: boolean;
  readonly keys: readonly PortKey[];
  /** IANA zone of the meter's clock; from the market when absent. */
  readonly zone?: string;
  /** Largest believable error of the meter's clock, ms. */
  readonly maxClockError: number;
}

/** PEM text. `key` is secret. */
export interface TlsConfig {
  readonly ca?: string;
  readonly cert?: string;
  readonly key?: string;
}

/**
 * How often an uplink sends.
 * - `interval` 0: each message at once; else what was gathered is sent every so many ms.
 * - `thin`: of the short lists (no register that counts energy or volume) only the newest per port, meter and list within
 *   each interval (of a minute where `interval` is 0) is sent; lists with registers always go.
 */
export interface Pace {
  readonly interval: number;
  readonly thin: boolean;
}

export interface MqttConnection {
  readonly host: string;
  readonly port: number;
  /** TLS (mqtts). */
  readonly secure: boolean;
  readonly clientId: string;
  readonly user?: string;
  /** Secret. */
  readonly password?: string;
  readonly tls: TlsConfig;
}

export interface MqttUplinkConfig extends Pace {
  readonly type: 'mqtt';
  /** Unique among the uplinks: `mqtt`, `mqtt.2`; names its cursor in the spool. */
  readonly name: string;
  readonly connection: MqttConnection;
  readonly topic: string;
  readonly statusTopic: string;
}

export interface PostUplinkConfig extends Pace {
  readonly type: 'post';
  /** `post`, `post.2` … */
  readonly name: string;
  readonly url: string;
  /** Secret. */
  readonly apiKey?: string;
  readonly tls: TlsConfig;
}

export type UplinkConfig = MqttUplinkConfig | PostUplinkConfig;

export interface SpoolConfig {
  readonly folder: string;
  readonly maxBytes: number;
  /** ms between syncs: the most that a power cut costs. 5000 when absent; 0: after every group of messages. */
  readonly syncInterval?: number;
}

/** Set-up and status page. */
export interface PageConfig {
  /** Address it listens on: loopback unless the owner opened it. */
  readonly host: string;
  /** 0: no page at all. */
  readonly port: number;
  /** Names besides addresses and localhost that the page answers to, e.g. `reader.lan`. */
  readonly names: readonly string[];
  /** argon2id, as its encoded string. Absent: nobody has set the reader up. Secret. */
  readonly passwordHash?: string;
  /** Whether status, live values and metrics of meters are open to who has not logged in. */
  readonly openStatus: boolean;
}

export interface HomeAssistantConfig {
  readonly connection: MqttConnection;
  /** Discovery prefix, `homeassistant` unless changed there. */
  readonly prefix: string;
  /** Where states go: `<base>/<meter>/state`. */
  readonly base: string;
  /** Least time between two states of a meter, ms. */
  readonly interval: number;
}

export interface ModbusConfig {
  readonly host: string;
  readonly port: number;
  readonly maxClients: number;
}

export interface MulticastConfig {
  readonly group: { readonly host: string; readonly port: number };
  readonly ttl: number;
  /** Address of the interface. */
  readonly interface?: string;
}

export interface GatewaysConfig {
  readonly homeAssistant?: HomeAssistantConfig;
  readonly modbus?: ModbusConfig;
  readonly multicast?: MulticastConfig;
}

export interface ReaderConfig {
  /** Name of this reader. */
  readonly reader: string;
  readonly ports: readonly PortConfig[];
  readonly uplinks: readonly UplinkConfig[];
  readonly spool: SpoolConfig;
  readonly page: PageConfig;
  readonly gateways: GatewaysConfig;
}

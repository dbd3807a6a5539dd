/**
 * Home Assistant by MQTT discovery: each meter a device, each value a sensor. The configuration of each sensor is retained at
 * `<prefix>/sensor/<device>/<value>/config`; the states of a meter are one retained JSON object at `<base>/<device>/state`, always
 * whole, so that a short list does not blank the registers.
 *
 * Availability: `<base>/availability` is `offline` by the last will when the reader goes; `<base>/<device>/availability` when the
 * meter has been silent for much longer than is its custom. Everything is told anew at each connection and when Home Assistant
 * says that it has started. An own connection, so that a thinned or broken uplink does not matter here; nothing waits or is kept
 * for it: states are of now.
 */
import { type Clock, portError } from '@amiable/io';
import type { MqttClient } from 'mqtt';
import type { HomeAssistantConfig } from '../config/types.ts';
import { andThen } from '../words.ts';
import { type Entity, entityOf, spoken, stateOf } from './entities.ts';
import type { Gateway } from './types.ts';
import { isSilent, type LiveDevice, type LiveValues } from './values.ts';

const LOOK_FOR_SILENCE = 30_000;
const RETRY = 5000;

export interface HomeAssistantOptions {
  readonly config: HomeAssistantConfig;
  readonly reader: string;
  readonly values: LiveValues;
  readonly clock: Clock;
  readonly tell: (line: string) => void;
  /** Where the device page of Home Assistant leads to. */
  readonly pageUrl?: string;
}

/** Letters that topics and ids may have. */
export const slug = (text: string): string => text.replace(/[^A-Za-z0-9_-]/g, '_');

const MEDIA = {
  electricity: 'Electricity meter',
  gas: 'Gas meter',
  water: 'Water meter',
  hotWater: 'Hot water meter',
  heat: 'Heat meter',
  cooling: 'Cooling meter',
  other: 'Meter',
} as const;

/** The retained configuration of one sensor, by its topic. */
export function discovery(
  device: LiveDevice,
  key: string,
  entity: Entity,
  { config, reader, pageUrl }: Pick<HomeAssistantOptions, 'config' | 'reader' | 'pageUrl'>,
): { topic: string; payload: Record<string, unknown> } {
  const id = slug(device.id);
  const value = device.values.get(key);
  const name = value ? spoken(value.item, key) : key;
  const object = slug(key);
  return {
    topic: `${config.prefix}/sensor/amiable_${id}/${object}/config`,
    payload: {
      name,
      unique_id: `amiable_${id}_${object}`,
      // The second one took the place of the first, which versions before 2025.10 want and later ones leave alone.
      object_id: `${id}_${object}`.toLowerCase(),
      default_entity_id: `sensor.${id}_${object}`.toLowerCase(),
      state_topic: `${config.base}/${id}/state`,
      value_template: `{{ value_json['${object}'] }}`,
      ...(entity.deviceClass === undefined ? {} : { device_class: entity.deviceClass }),
      ...(entity.stateClass === undefined ? {} : { state_class: entity.stateClass }),
      ...(entity.unit === undefined ? {} : { unit_of_measurement: entity.unit }),
      ...(entity.diagnostic ? { entity_category: 'diagnostic' } : {}),
      ...(entity.disabled ? { enabled_by_default: false } : {}),
      availability_mode: 'all',
      availability: [{ topic: `${config.base}/availability` }, { topic: `${config.base}/${id}/availability` }],
      device: {
        identifiers: [`amiable_${id}`],
        name: `${MEDIA[device.medium]} ${device.id}`,
        serial_number: device.id,
        ...(device.maker === undefined ? {} : { manufacturer: device.maker }),
        ...(device.type === undefined ? {} : { model: device.type }),
        ...(device.parent === undefined ? {} : { via_device: `amiable_${slug(device.parent)}` }),
        ...(pageUrl === undefined ? {} : { configuration_url: pageUrl }),
      },
      origin: { name: `Amiable reader ${reader}` },
    },
  };
}

/** All states of a device as one JSON object. */
export function states(device: LiveDevice): string {
  const parts: string[] = [];
  for (const value of device.values.values()) {
    const entity = entityOf(value.item, value.value, device.medium);
    if (entity) parts.push(`${JSON.stringify(slug(value.key))}:${stateOf(value, entity)}`);
  }
  return `{${parts.join(',')}}`;
}

export async function startHomeAssistant(options: HomeAssistantOptions): Promise<Gateway> {
  const { config, values, clock, tell } = options;
  const { connection } = config;
  const { connect } = await import('mqtt');
  const name = `Home Assistant through ${connection.host}:${connection.port}`;
  let fault: string | undefined = 'not connected yet';
  let told = '';
  let connected = false;
  let published = 0;
  /** What was announced, by topic: the sign of the sensor's form. */
  const announced = new Map<string, string>();
  const available = new Map<string, boolean>();
  const waiting = new Map<string, () => void>();
  const lastSent = new Map<string, number>();
  let connections = 0;

  const client: MqttClient = connect({
    protocol: connection.secure ? 'mqtts' : 'mqtt',
    host: connection.host,
    port: connection.port,
    clientId: connection.clientId,
    ...(connection.user === undefined ? {} : { username: connection.user }),
    ...(connection.password === undefined ? {} : { password: connection.password }),
    ...connection.tls,
    ...(connection.secure ? { servername: connection.host } : {}),
    will: { topic: `${config.base}/availability`, payload: Buffer.from('offline'), qos: 1, retain: true },
    keepalive: 30,
    connectTimeout: 10_000,
    reconnectPeriod: RETRY,
    queueQoSZero: false,
    clean: true,
  });

  /** On their way to the broker, by topic, with what came since: the newest is all that anybody wants of a retained topic. */
  const underWay = new Map<string, string | undefined>();
  const publish = (topic: string, payload: string) => {
    if (!connected) return;
    if (underWay.has(topic)) {
      underWay.set(topic, payload);
      return;
    }
    underWay.set(topic, undefined);
    published++;
    const own = connections;
    client.publish(topic, payload, { qos: 1, retain: true }, () => {
      // Of a connection that is gone: the next one says everything anew.
      if (own !== connections) return;
      const next = underWay.get(topic);
      underWay.delete(topic);
      if (next !== undefined) publish(topic, next);
    });
  };
  const announce = (device: LiveDevice) => {
    for (const value of device.values.values()) {
      const entity = entityOf(value.item, value.value, device.medium);
      if (!entity) continue;
      const { topic, payload } = discovery(device, value.key, entity, options);
      const text = JSON.stringify(payload);
      if (announced.get(topic) === text) continue;
      announced.set(topic, text);
      publish(topic, text);
    }
  };
  const tellAvailable = (device: LiveDevice) => {
    const now = !isSilent(device, clock.now());
    if (available.get(device.id) === now) return;
    available.set(device.id, now);
    publish(`${config.base}/${slug(device.id)}/availability`, now ? 'online' : 'offline');
  };
  const send = (device: LiveDevice) => {
    lastSent.set(device.id, clock.now());
    announce(device);
    tellAvailable(device);
    publish(`${config.base}/${slug(device.id)}/state`, states(device));
  };
  const change = (device: LiveDevice) => {
    if (!connected || waiting.has(device.id)) return;
    const due = (lastSent.get(device.id) ?? Number.NEGATIVE_INFINITY) + config.interval - clock.now();
    if (due <= 0) return send(device);
    waiting.set(
      device.id,
      clock.after(due, () => {
        waiting.delete(device.id);
        send(device);
      }),
    );
  };
  const everything = () => {
    announced.clear();
    available.clear();
    publish(`${config.base}/availability`, 'online');
    for (const device of values.devices.values()) send(device);
  };

  client.on('connect', () => {
    connected = true;
    connections++;
    underWay.clear();
    fault = undefined;
    if (told) tell(`${name}: connected`);
    told = '';
    client.subscribe(`${config.prefix}/status`, { qos: 1 }, () => {});
    everything();
  });
  client.on('message', (topic, payload) => {
    if (topic === `${config.prefix}/status` && payload.toString() === 'online') everything();
  });
  const down = (words: string) => {
    fault = words;
    if (!told) tell(andThen(words, 'Trying again'));
    told = words;
  };
  client.on('error', (error) => down(portError(name, error).message));
  client.on('close', () => {
    if (connected) down(`${name}: the connection is lost`);
    else if (!told) down(`${name}: no answer`);
    connected = false;
  });

  const endListening = values.onChange(change);
  let cancelLook = () => {};
  const look = () => {
    for (const device of values.devices.values()) tellAvailable(device);
    cancelLook = clock.after(LOOK_FOR_SILENCE, look);
  };
  look();

  return {
    name,
    status: () => ({
      name,
      state: connected ? 'up' : 'down',
      count: published,
      ...(fault === undefined ? {} : { fault }),
    }),
    async close(gone = false) {
      endListening();
      cancelLook();
      for (const cancel of waiting.values()) cancel();
      if (connected) {
        // Who switches the gateway off wants the sensors gone from Home Assistant; who only stops the reader does not.
        if (gone) for (const topic of announced.keys()) client.publish(topic, '', { qos: 1, retain: true }, () => {});
        await new Promise<void>((resolve) => {
          const end = clock.after(2000, resolve);
          client.publish(`${config.base}/availability`, 'offline', { qos: 1, retain: true }, () => {
            end();
            resolve();
          });
        });
      }
      told = 'closed';
      await new Promise<void>((resolve) => client.end(!connected, {}, () => resolve()));
    },
  };
}

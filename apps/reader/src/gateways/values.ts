/**
 * The newest value of everything that the meters said, by meter: a short list between two hourly ones does not hide the
 * registers. What gateways and the status page show comes from here.
 *
 * Decides: a meter behind the meter (gas or water on an M-Bus channel) is a device of its own; entries of lists with a time of their
 * own (power failures, peaks of past months) are history and no live value; refused frames never count. Bounded: so many
 * devices, so many values of each; what comes beyond is left out (a radio hears the whole street).
 */
import type { Item, Message, Protocol, Value } from '@amiable/model';
import type { ReaderService } from '../service/types.ts';

export const MOST_DEVICES = 200;
export const MOST_VALUES = 300;
/** ms that a port is waited for to name its meter. */
const PATIENCE = 60_000;

export type Medium = 'electricity' | 'gas' | 'water' | 'hotWater' | 'heat' | 'cooling' | 'other';

export interface LiveValue {
  /** Unique within the device: the name, with storage, tariff and function where they say more. */
  readonly key: string;
  readonly item: Item;
  value: Value;
  /** Epoch ms: the meter's time, else that of receipt. */
  at: number;
}

export interface LiveDevice {
  /** Serial number of the meter; the port where the meter never says one. */
  readonly id: string;
  readonly port: string;
  readonly protocol: Protocol;
  readonly medium: Medium;
  /** Device that handed it on. */
  readonly parent?: string;
  maker?: string;
  type?: string;
  readonly values: Map<string, LiveValue>;
  /** Epoch ms of receipt. */
  seen: number;
  /** ms between the last two messages, the longest of late. */
  gap: number;
}

export interface LiveValues {
  readonly devices: ReadonlyMap<string, LiveDevice>;
  /** Called after a message changed the device. @returns what ends it */
  onChange(listener: (device: LiveDevice, m: Message) => void): () => void;
  close(): void;
}

const BY_NAME: readonly (readonly [RegExp, Medium])[] = [
  [/^gas/, 'gas'],
  [/^hotWater/, 'hotWater'],
  [/^water/, 'water'],
  [/^heat/, 'heat'],
  [/^cooling/, 'cooling'],
  [/^(allocator|air)/, 'other'],
];
const BY_TYPE: readonly (readonly [RegExp, Medium])[] = [
  [/gas/i, 'gas'],
  [/(hot|warm).*water/i, 'hotWater'],
  [/water/i, 'water'],
  [/cool/i, 'cooling'],
  [/heat cost/i, 'other'],
  [/heat/i, 'heat'],
  [/electric/i, 'electricity'],
];

/** P1 says by number what hangs on a channel: the media of EN 13757-3, table 13. */
const BY_NUMBER: Readonly<Record<number, Medium>> = {
  3: 'gas',
  4: 'heat',
  6: 'hotWater',
  7: 'water',
  10: 'cooling',
  11: 'cooling',
  12: 'heat',
  13: 'heat',
  21: 'hotWater',
  22: 'water',
};

export function mediumOf(item: Item, { protocol, meterType }: Pick<Message, 'protocol' | 'meterType'>): Medium {
  const named = BY_NAME.find(([pattern]) => pattern.test(item.name));
  if (named) return named[1];
  if (protocol !== 'mbus' && protocol !== 'wmbus') return 'electricity';
  return BY_TYPE.find(([pattern]) => pattern.test(meterType ?? ''))?.[1] ?? 'other';
}

function keyOf(item: Item): string {
  let key = item.name;
  if (item.storage) key += `_storage${item.storage}`;
  if (item.tariff) key += `_tariff${item.tariff}`;
  if (item.subunit) key += `_subunit${item.subunit}`;
  if (item.function !== undefined && item.function !== 'instantaneous') key += `_${item.function}`;
  return key;
}

interface Slot {
  readonly key: string;
  readonly index: number;
  /** Set for a meter behind the meter. */
  readonly device?: string;
  /** What any of that meter's values says of it: its valve and its type come before its volume, and name no medium. */
  readonly medium?: Medium;
}

/** One for each layout, as messages of one layout share their items. */
const layouts = new WeakMap<readonly Item[], readonly Slot[]>();

/** Which readings are live values, and under what name. */
function slotsOf(items: readonly Item[]): readonly Slot[] {
  const known = layouts.get(items);
  if (known) return known;
  const counts = new Map<string, number>();
  const place = (item: Item) =>
    `${item.obis ?? item.address ?? ''}|${keyOf(item)}|${item.deviceId ?? item.channel ?? ''}`;
  for (const item of items) counts.set(place(item), (counts.get(place(item)) ?? 0) + 1);
  const behind = (item: Item) => item.deviceId ?? (item.channel ? `channel ${item.channel}` : undefined);
  const media = new Map<string, Medium>();
  for (const item of items) {
    const device = behind(item);
    const named = BY_NAME.find(([pattern]) => pattern.test(item.name));
    if (device !== undefined && named && !media.has(device)) media.set(device, named[1]);
  }
  const taken = new Set<string>();
  const slots: Slot[] = [];
  items.forEach((item, index) => {
    // The same code over and over is a list of history. Lists of one entry have well-known codes.
    // Who the meter is and what time it has are no values.
    const code = item.obis ?? '';
    if (
      (counts.get(place(item)) ?? 0) > 1 ||
      /:(98|99)\./.test(code) ||
      /:(0\.2\.(8|129)|96\.1\.|1\.0\.0|0\.0\.)/.test(code)
    )
      return;
    const device = behind(item);
    const medium = device === undefined ? undefined : media.get(device);
    let key = keyOf(item);
    if (taken.has(`${device}|${key}`)) key += `_${item.obis ?? item.address ?? index}`;
    taken.add(`${device}|${key}`);
    slots.push({
      key,
      index,
      ...(device === undefined ? {} : { device }),
      ...(medium === undefined ? {} : { medium }),
    });
  });
  layouts.set(items, slots);
  return slots;
}

export function createLiveValues(service: Pick<ReaderService, 'latest' | 'onMessage'>): LiveValues {
  const devices = new Map<string, LiveDevice>();
  const listeners = new Set<(device: LiveDevice, m: Message) => void>();
  /** Ports that have named a meter. */
  const named = new Set<string>();
  /** When a port without a name was first heard, epoch ms. */
  const nameless = new Map<string, number>();

  const deviceOf = (id: string, m: Message, medium: Medium, parent?: string): LiveDevice | undefined => {
    let device = devices.get(id);
    if (!device) {
      if (devices.size >= MOST_DEVICES) return undefined;
      device = {
        id,
        port: m.port,
        protocol: m.protocol,
        medium,
        values: new Map(),
        seen: 0,
        gap: 0,
        ...(parent === undefined ? {} : { parent }),
      };
      devices.set(id, device);
    }
    return device;
  };

  const take = (m: Message): void => {
    if (m.error || m.flags.includes('checksumBad')) return;
    // Kaifa's short list names no meter, and the one that does comes seconds later: no meter called after the port shall appear until
    // then, least of all in programs that remember it for ever.
    if (m.meterId !== undefined) {
      named.add(m.port);
      if (devices.get(m.port)?.port === m.port) devices.delete(m.port);
    } else {
      if (named.has(m.port)) return;
      const since = nameless.get(m.port) ?? m.receivedAt;
      nameless.set(m.port, since);
      if (m.receivedAt - since < PATIENCE) return;
    }
    const main = m.meterId ?? m.port;
    const changed = new Set<LiveDevice>();
    for (const { key, index, device: behind, medium } of slotsOf(m.items)) {
      const item = m.items[index] as Item;
      const numbered =
        behind !== undefined && item.name === 'deviceType' ? BY_NUMBER[Number(m.values[index])] : undefined;
      const id = behind === undefined ? main : /^channel /.test(behind) ? `${main} ${behind}` : behind;
      const device = deviceOf(id, m, medium ?? numbered ?? mediumOf(item, m), behind === undefined ? undefined : main);
      if (!device) continue;
      if (behind === undefined) {
        if (m.maker !== undefined) device.maker = m.maker;
        if (m.meterType !== undefined) device.type = m.meterType;
      }
      changed.add(device);
      const at = m.times?.[index] ?? m.time ?? m.receivedAt;
      const value = m.values[index] as Value;
      const old = device.values.get(key);
      if (old && old.item === item) {
        old.value = value;
        old.at = at;
      } else if (old || device.values.size < MOST_VALUES) device.values.set(key, { key, item, value, at });
    }
    for (const device of changed) {
      // Half the old one, so that a long gap is forgotten after a while.
      if (device.seen > 0) device.gap = Math.max(device.gap / 2, m.receivedAt - device.seen);
      device.seen = Math.max(device.seen, m.receivedAt);
      for (const listener of listeners) listener(device, m);
    }
  };

  for (const m of [...service.latest().values()].sort((a, b) => a.receivedAt - b.receivedAt)) take(m);
  const end = service.onMessage(take);
  return {
    devices,
    onChange(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    close() {
      end();
      listeners.clear();
    },
  };
}

/** Whether nothing came from the device for much longer than it used to be silent. */
export function isSilent(device: LiveDevice, now: number): boolean {
  return now - device.seen > Math.max(300_000, 3 * device.gap);
}

/**
 * Senders whose frames no key opens. They are listed as meters under their system title, the one thing that a ciphered
 * frame says in the clear, so that somebody can give the key; their frames wait in the queue of unplaced messages.
 *
 * Such an entry holds a place. When a frame of the sender has been read, its meter is known by its own number: the key
 * moves there, what a person wrote about the entry too, and the entry goes. What others say of a title is not believed:
 * a frame counts when our own keys open it.
 */
import type { KeyPair } from '@amiable/dlms';
import { nodeCrypto } from '@amiable/io';
import { createAnyReader, systemTitleOf } from '@amiable/meter';
import type { Message } from '@amiable/model';
import type { MeterId, Placed, Store } from '@amiable/store';
import { type MeterKeys, titleSerial } from './meter-keys.ts';

const MAX_KNOWN = 10_000;
/** A title whose message our keys do not open is looked at again after this time, ms. */
const PAUSE = 60_000;

export const isTitleSerial = (meter: { readonly serial: string }): boolean => meter.serial.startsWith('st:');

export interface Placeholders {
  /** Lists the senders of messages that could not be read. */
  unreadable(messages: readonly Message[]): Promise<void>;
  /** A frame that our keys opened, and its meter. */
  read(raw: Uint8Array, meterId: string): void;
  /** Looks among stored messages for senders that hold a place. @returns whether `settle` has something to do */
  stored(placed: readonly Placed[]): boolean;
  /** Lets the entries go whose meters are known by now. */
  settle(): Promise<void>;
  /** The meter that an entry turned out to be, in this run of the program. */
  successor(entry: MeterId): MeterId | undefined;
}

type Needed = Pick<Store, 'meters' | 'meter' | 'ensureMeters' | 'patchMeter' | 'removeMeter'>;

export async function openPlaceholders(
  store: Needed,
  keys: MeterKeys,
  now: () => number = Date.now,
): Promise<Placeholders> {
  const entries = new Map<string, MeterId>();
  const found = new Map<string, { readonly raw: Uint8Array; readonly meterId: string }>();
  const looked = new Map<string, number>();
  /** Numbers of meters that cipher and say them in the clear. */
  const listed = new Set<string>();
  const successors = new Map<MeterId, MeterId>();
  let settling: Promise<void> = Promise.resolve();

  for (let after: string | undefined; ; ) {
    const page = await store.meters({ q: 'st:', limit: 1000, ...(after === undefined ? {} : { after }) });
    for (const meter of page.meters)
      if (isTitleSerial(meter) && entries.size < MAX_KNOWN) entries.set(meter.serial, meter.id);
    if (page.next === null) break;
    after = page.next;
  }

  const titleOf = (raw: Uint8Array | undefined): string | undefined => {
    const title = raw && systemTitleOf(raw);
    return title && titleSerial(title);
  };

  function read(raw: Uint8Array, meterId: string): void {
    const title = titleOf(raw);
    if (title !== undefined && entries.has(title)) found.set(title, { raw, meterId });
  }

  async function move(title: string, from: MeterId, raw: Uint8Array, meterId: string): Promise<void> {
    const to = (await store.ensureMeters([{ serial: meterId }])).get(meterId);
    const [entry, meter] = await Promise.all([store.meter(from), to === undefined ? undefined : store.meter(to)]);
    if (!entry) entries.delete(title);
    if (!entry || !meter || from === meter.id) return;
    const right = [keys.of(from), keys.of(meter.id)].find((pair) => pair && open(raw, [pair]));
    if (right) await keys.put(meter.id, meter.serial, right, title);
    const told = {
      ...(meter.name === null && entry.name !== null ? { name: entry.name } : {}),
      ...(meter.place === null && entry.place !== null ? { place: entry.place } : {}),
      ...(meter.utilitySerial === null && entry.utilitySerial !== null ? { utilitySerial: entry.utilitySerial } : {}),
    };
    if (Object.keys(told).length > 0) await store.patchMeter(meter.id, told);
    if (!(await store.removeMeter(from))) return;
    keys.forget(from);
    entries.delete(title);
    if (successors.size > MAX_KNOWN) successors.clear();
    successors.set(from, meter.id);
  }

  async function settleAll(): Promise<void> {
    for (const [title, { raw, meterId }] of [...found]) {
      found.delete(title);
      const from = entries.get(title);
      if (from !== undefined) await move(title, from, raw, meterId);
    }
  }

  return {
    async unreadable(messages) {
      const fresh = new Map<string, Message>();
      const numbered = new Map<string, Message>();
      for (const message of messages) {
        const serial = titleOf(message.raw);
        if (serial === undefined) {
          // M-Bus says the meter's number in the clear, so no other name has to hold its place.
          const sealed = message.error?.reason === 'noKey' || message.error?.reason === 'wrongKey';
          if (sealed && message.meterId !== undefined && !listed.has(message.meterId))
            numbered.set(message.meterId, message);
        } else if (!entries.has(serial)) fresh.set(serial, message);
      }
      if (numbered.size > 0 && listed.size < MAX_KNOWN) {
        await store.ensureMeters(
          [...numbered].map(([serial, m]) => ({ serial, reader: m.reader, port: m.port, firstSeen: m.receivedAt })),
        );
        for (const serial of numbered.keys()) listed.add(serial);
      }
      if (fresh.size === 0 || entries.size > MAX_KNOWN) return;
      const ids = await store.ensureMeters(
        [...fresh].map(([serial, m]) => ({ serial, reader: m.reader, port: m.port, firstSeen: m.receivedAt })),
      );
      for (const [serial, id] of ids) entries.set(serial, id);
    },
    read,
    stored(placed) {
      if (entries.size === 0) return false;
      for (const { message } of placed) {
        if (message.error || !message.raw) continue;
        const title = titleOf(message.raw);
        if (title === undefined || !entries.has(title) || now() - (looked.get(title) ?? -Infinity) < PAUSE) continue;
        if (looked.size > MAX_KNOWN) looked.clear();
        looked.set(title, now());
        const opened = open(message.raw, keys.candidates(systemTitleOf(message.raw), message.meterId));
        const meterId = opened?.meterId ?? message.meterId;
        if (opened && meterId !== undefined) found.set(title, { raw: message.raw, meterId });
      }
      return found.size > 0;
    },
    settle() {
      const done = settling.then(settleAll);
      settling = done.catch(() => {});
      return done;
    },
    successor: (entry) => successors.get(entry),
  };
}

/** What a frame says of its meter, when one of these keys opens it. */
function open(raw: Uint8Array, pairs: readonly KeyPair[]): { readonly meterId: string | undefined } | undefined {
  let opened: { meterId: string | undefined } | undefined;
  const reader = createAnyReader(
    { reader: '', port: '', keys: { candidates: () => pairs }, crypto: nodeCrypto, now: () => 0 },
    {
      message: (message) => {
        if (!message.error) opened ??= { meterId: message.meterId };
      },
      drop: () => {},
    },
  );
  reader.push(raw);
  reader.end();
  return opened;
}

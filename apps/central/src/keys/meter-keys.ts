/**
 * The ring of meters' keys that the decoders ask. A key given for a meter is bound to the system title that the meter
 * ciphers under as soon as it has opened one frame of it; until then it is tried on titles that nobody is bound to.
 */
import { fromHex, toHex } from '@amiable/bytes';
import type { KeyPair, KeyRing } from '@amiable/dlms';
import type { MeterId, Store } from '@amiable/store';
import type { Vault } from './vault.ts';

/** Keys tried at most on a title that no key is bound to. */
const MAX_TRIES = 64;

interface Entry {
  readonly meter: MeterId;
  readonly serial: string;
  readonly pair: KeyPair;
  /** The system title that the key is bound to, in the form of `titleSerial`. */
  readonly title?: string | undefined;
}

export interface MeterKeys extends KeyRing {
  /** Keeps a meter's keys, sealed; bound to a system title once that is known. */
  put(meter: MeterId, serial: string, pair: KeyPair, title?: string): Promise<void>;
  /** A meter's keys; for decoders only. */
  of(meter: MeterId): KeyPair | undefined;
  /** Lets go of the keys of a meter that is no more. */
  forget(meter: MeterId): void;
  /** Takes up keys that another program put, such as `amiable reprocess`. */
  refresh(): Promise<void>;
  /** Tries a key on every sender, for as long as the program runs. */
  putForAny(pair: KeyPair): void;
  has(meter: MeterId): boolean;
  readonly size: number;
}

/** How a meter is listed that is known by its system title alone; no meter's own number has this form. */
export const titleSerial = (title: Uint8Array): string => `st:${toHex(title).toUpperCase()}`;

/** @param log told once of keys that cannot be opened; their meters' frames wait as those of a meter without a key */
export async function openMeterKeys(
  store: Pick<Store, 'keys' | 'putKey'>,
  vault: Vault,
  log: (line: string) => void = () => {},
): Promise<MeterKeys> {
  const byMeter = new Map<MeterId, Entry>();
  const bySerial = new Map<string, Entry>();
  const byTitle = new Map<string, Entry>();
  const sealed = new Map<MeterId, string>();
  const forAny: KeyPair[] = [];

  const forget = (meter: MeterId): void => {
    const entry = byMeter.get(meter);
    byMeter.delete(meter);
    sealed.delete(meter);
    if (!entry) return;
    if (bySerial.get(entry.serial) === entry) bySerial.delete(entry.serial);
    if (entry.title !== undefined && byTitle.get(entry.title) === entry) byTitle.delete(entry.title);
  };
  const remember = (entry: Entry, ciphertext: Uint8Array): void => {
    forget(entry.meter);
    byMeter.set(entry.meter, entry);
    bySerial.set(entry.serial, entry);
    if (entry.title !== undefined) byTitle.set(entry.title, entry);
    sealed.set(entry.meter, toHex(ciphertext));
  };

  async function refresh(): Promise<void> {
    const closed: string[] = [];
    for (const { meter, serial, ciphertext } of await store.keys()) {
      if (sealed.get(meter) === toHex(ciphertext)) continue;
      try {
        remember({ meter, serial, ...unpack(vault.open(ciphertext, serial)) }, ciphertext);
      } catch {
        sealed.set(meter, toHex(ciphertext));
        closed.push(serial);
      }
    }
    if (closed.length > 0)
      log(
        `keys: ${closed.length} of the meters' keys cannot be opened (${closed.slice(0, 3).join(', ')}${closed.length > 3 ? ', …' : ''}): ` +
          'they were sealed with another master key. Put the file master-key of that time back into the data folder and start again, ' +
          'or give the keys anew; what these meters send is kept until then',
      );
  }
  await refresh();

  return {
    candidates(systemTitle, meterId) {
      const title = systemTitle && titleSerial(systemTitle);
      // A title is one device's own; a number is what the line gave last.
      const named =
        (title === undefined ? undefined : (bySerial.get(title) ?? byTitle.get(title))) ??
        (meterId === undefined ? undefined : bySerial.get(meterId));
      const tried: KeyPair[] = named ? [named.pair, ...forAny] : [...forAny];
      for (const entry of byMeter.values()) {
        if (tried.length >= MAX_TRIES) break;
        if (entry !== named) tried.push(entry.pair);
      }
      return tried;
    },
    async put(meter, serial, pair, title) {
      const ciphertext = vault.seal(pack(pair, title), serial);
      await store.putKey(meter, ciphertext);
      remember({ meter, serial, pair, title }, ciphertext);
    },
    putForAny(pair) {
      forAny.push(pair);
    },
    of: (meter) => byMeter.get(meter)?.pair,
    forget,
    refresh,
    has: (meter) => byMeter.has(meter),
    get size() {
      return byMeter.size;
    },
  };
}

/** Key (16 bytes), authentication key (16 or none), system title (8 or none). */
const pack = (pair: KeyPair, title: string | undefined): Uint8Array =>
  new Uint8Array([...pair.key, ...(pair.authKey ?? []), ...(title === undefined ? [] : fromHex(title.slice(3)))]);

function unpack(plain: Uint8Array): { pair: KeyPair; title?: string } {
  const keys = plain.length - (plain.length % 16);
  return {
    pair: keys === 16 ? { key: plain.slice(0, 16) } : { key: plain.slice(0, 16), authKey: plain.slice(16, 32) },
    ...(plain.length > keys ? { title: titleSerial(plain.slice(keys)) } : {}),
  };
}

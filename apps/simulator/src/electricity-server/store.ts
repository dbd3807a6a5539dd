/**
 * State of virtual meters in a folder: for each meter what its engine would lose, what was written to it, and, in a file of its
 * own that is written at once, its keys and counters.
 *
 * Decides: a file is replaced by a whole one, synchronised to the disk before: after a crash there is the old or the new one.
 */
import { closeSync, existsSync, fsyncSync, mkdirSync, openSync, readFileSync, renameSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { DecodeError, fromHex, MisuseError, toHex } from '@amiable/bytes';
import type { Kept } from './factory.ts';
import type { StoredCredentials, StoredKeys } from './keys.ts';
import type { ServedMeter } from './served.ts';

export interface Store {
  load(number: number): Kept;
  saveCredentials(number: number, stored: StoredCredentials): void;
  /** Writes a meter that has changed. */
  save(meter: ServedMeter): void;
}

interface KeysFile {
  readonly suite: 0 | 1 | 2;
  readonly password: string;
  readonly management: Record<string, string | number>;
  readonly firmware: Record<string, string | number>;
}

const VERSION = 1;

function replace(path: string, text: string): void {
  const next = `${path}.new`;
  const file = openSync(next, 'w', 0o600);
  try {
    writeSync(file, text);
    fsyncSync(file);
  } finally {
    closeSync(file);
  }
  renameSync(next, path);
}

/** @throws MisuseError for a file that is damaged, naming it */
function parsed<T>(path: string, read: (value: Record<string, never>) => T): T | undefined {
  if (!existsSync(path)) return undefined;
  try {
    const value = JSON.parse(readFileSync(path, 'utf8'));
    if (value?.version !== VERSION) throw new DecodeError('version', `version ${value?.version}`, 0);
    return read(value);
  } catch (error) {
    if (error instanceof DecodeError || error instanceof SyntaxError || error instanceof TypeError)
      throw new MisuseError(`${path} is damaged (${error.message}); remove it to begin with a new meter`);
    throw error;
  }
}

const KEY_NAMES = ['unicast', 'broadcast', 'authentication', 'master'] as const;

function keysOut(keys: StoredKeys): Record<string, string | number> {
  const { policy, counter, peerCounter } = keys;
  return { ...Object.fromEntries(KEY_NAMES.map((name) => [name, toHex(keys[name])])), policy, counter, peerCounter };
}

function keysIn(file: Record<string, string | number>): StoredKeys {
  const key = (name: string): Uint8Array => fromHex(String(file[name]));
  return {
    unicast: key('unicast'),
    broadcast: key('broadcast'),
    authentication: key('authentication'),
    master: key('master'),
    policy: Number(file.policy),
    counter: Number(file.counter),
    peerCounter: Number(file.peerCounter),
  };
}

/** @throws MisuseError (on load) for a damaged file */
export function folderStore(folder: string): Store {
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  const pathOf = (number: number, kind: 'meter' | 'keys'): string =>
    join(folder, `${kind}-${String(number).padStart(5, '0')}.json`);
  return {
    load(number) {
      const meter = parsed(pathOf(number, 'meter'), (file: { engine?: string; settings?: Record<string, string> }) => ({
        ...(file.engine !== undefined && { engine: new Uint8Array(Buffer.from(file.engine, 'base64')) }),
        settings: new Map(Object.entries(file.settings ?? {}).map(([name, hex]) => [name, fromHex(hex)])),
      }));
      const credentials = parsed(pathOf(number, 'keys'), (value) => {
        const file = value as unknown as KeysFile;
        return {
          suite: file.suite,
          password: fromHex(file.password),
          management: keysIn(file.management),
          firmware: keysIn(file.firmware),
        };
      });
      return { ...meter, ...(credentials && { credentials }) };
    },
    saveCredentials(number, { suite, password, management, firmware }) {
      const file = {
        version: VERSION,
        suite,
        password: toHex(password),
        management: keysOut(management),
        firmware: keysOut(firmware),
      };
      replace(pathOf(number, 'keys'), JSON.stringify(file));
    },
    save(meter) {
      const engine = meter.saveEngine();
      if (!engine || !meter.dirty) return;
      const settings = Object.fromEntries([...meter.settings].map(([name, value]) => [name, toHex(value)]));
      const file = { version: VERSION, engine: Buffer.from(engine).toString('base64'), settings };
      replace(pathOf(meter.number, 'meter'), JSON.stringify(file));
      meter.dirty = false;
      meter.written = false;
    },
  };
}

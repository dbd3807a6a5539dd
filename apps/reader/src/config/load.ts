/**
 * Where settings come from, and which wins: the command line, before the environment, before config.txt, before the default.
 * Writes config.txt back so that a power cut leaves either the old file or the new one: into a file beside it, synced, renamed,
 * and the folder synced. The file may be read by its owner only (0600).
 */
import { chmod, mkdir, open, readFile, rename, rm, stat } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { portError } from '@amiable/io';
import { type Built, buildConfig, isHash } from './build.ts';
import { LARGEST_FILE, readDocument } from './document.ts';
import type { Fault } from './faults.ts';
import { canonicalName, environmentName, fromEnvironment, GROUPS, groupOf, memberOf, settingOf } from './schema.ts';
import type { ReaderConfig } from './types.ts';

export interface Origin {
  readonly text: string;
  readonly from: 'file' | 'environment' | 'command line';
  /** For a person: `environment AMIABLE_READER`. */
  readonly where: string;
  readonly line?: number;
}

export interface Loaded {
  readonly config?: ReaderConfig;
  readonly faults: readonly Fault[];
  /** One line each, for the console. */
  readonly warnings: readonly string[];
  /** By canonical name, those that were given. */
  readonly origins: ReadonlyMap<string, Origin>;
  /** Whether there is a file at all. */
  readonly exists: boolean;
}

export interface ConfigSources {
  readonly file: string;
  readonly environment: Readonly<Record<string, string | undefined>>;
  /** `NAME=VALUE` of the command line. */
  readonly given: readonly string[];
  readonly hostName: string;
  /** Makes an argon2id string of a password. */
  readonly hash: (password: string) => Promise<string>;
}

export interface ConfigStore {
  readonly file: string;
  /** Reads everything anew. A password that stands plainly in the file is replaced there by its hash. */
  load(): Promise<Loaded>;
  /** What `load` would give with these changes in the file; nothing is written. */
  preview(changes: ReadonlyMap<string, string | undefined>): Promise<Loaded>;
  /** Writes the changes into the file. @throws Error in words, with the path */
  save(changes: ReadonlyMap<string, string | undefined>): Promise<void>;
}

export function createConfigStore(sources: ConfigSources): ConfigStore {
  const file = resolve(sources.file);
  const folder = dirname(file);
  let turn: Promise<unknown> = Promise.resolve();
  /** One after the other: two pages may save at once. */
  const inTurn = <T>(work: () => Promise<T>): Promise<T> => {
    const result = turn.then(work, work);
    turn = result.catch(() => {});
    return result;
  };

  /** Hashed once: every hash of a password is another one, and log-ins end with theirs. */
  let hashed: { readonly password: string; readonly hash: string } | undefined;
  const hashOf = async (password: string): Promise<string> => {
    if (hashed?.password !== password) hashed = { password, hash: await sources.hash(password) };
    return hashed.hash;
  };

  const read = async (): Promise<{ text: string; exists: boolean; mode: number; fault?: Error }> => {
    try {
      const { size, mode } = await stat(file);
      if (size > LARGEST_FILE) throw new Error(`${file}: it is larger than a configuration can be`);
      return { text: await readFile(file, 'utf8'), exists: true, mode };
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return { text: '', exists: false, mode: 0 };
      throw (error as NodeJS.ErrnoException).code === undefined ? error : new Error(portError(file, error).message);
    }
  };

  const gather = async (text: string, exists: boolean): Promise<Loaded> => {
    const document = readDocument(text);
    const faults: Fault[] = [...document.faults];
    const origins = new Map<string, Origin>();
    for (const { name: written, value, line } of document.entries) {
      const name = canonicalName(written);
      const before = origins.get(name);
      if (before) faults.push({ line, name, key: 'twice', values: { first: before.line ?? 0 } });
      else origins.set(name, { text: value, from: 'file', where: file, line });
    }
    for (const [variable, value] of Object.entries(sources.environment)) {
      if (value === undefined || !variable.startsWith('AMIABLE_')) continue;
      const name = fromEnvironment(variable);
      if (name !== undefined) origins.set(name, { text: value, from: 'environment', where: `environment ${variable}` });
      else if (/^AMIABLE_(PORT|MQTT|POST|PAGE|SPOOL|HOMEASSISTANT|MODBUS|MULTICAST)_/.test(variable))
        faults.push({ source: `environment ${variable}`, key: 'unknownName', values: { hint: '' } });
    }
    for (const one of sources.given) {
      const cut = one.indexOf('=');
      if (cut <= 0) {
        faults.push({ source: '--set', key: 'noEquals' });
        continue;
      }
      const name = canonicalName(one.slice(0, cut));
      origins.set(name, { text: one.slice(cut + 1), from: 'command line', where: `--set ${name}` });
    }
    const texts = new Map([...origins].map(([name, { text: value }]) => [name, value]));
    const built: Built = buildConfig(texts, { hostName: sources.hostName, folder });
    for (const fault of built.faults) {
      const origin = fault.name === undefined ? undefined : origins.get(fault.name);
      faults.push({
        ...fault,
        ...(origin?.line === undefined ? {} : { line: origin.line }),
        ...(origin && origin.line === undefined ? { source: origin.where } : {}),
      });
    }
    let config = faults.length === 0 ? built.config : undefined;
    const password = config?.page.passwordHash;
    if (config && password !== undefined && !isHash(password))
      config = { ...config, page: { ...config.page, passwordHash: await hashOf(password) } };
    return { ...(config ? { config } : {}), faults, warnings: [], origins, exists };
  };

  const write = async (text: string): Promise<void> => {
    const beside = join(folder, `.${file.slice(folder.length).replace(/^[\\/]/, '')}.${process.pid}.new`);
    try {
      await mkdir(folder, { recursive: true });
      const handle = await open(beside, 'w', 0o600);
      try {
        // A file left behind keeps its own mode otherwise.
        await handle.chmod(0o600);
        await handle.writeFile(text);
        await handle.sync();
      } finally {
        await handle.close();
      }
      await rename(beside, file);
      const parent = await open(folder, 'r').catch(() => undefined);
      // Some file systems cannot sync a folder; the rename is then as durable as they make it.
      await parent?.sync().catch(() => {});
      await parent?.close();
    } catch (error) {
      await rm(beside, { force: true }).catch(() => {});
      throw new Error(`the configuration could not be saved: ${portError(file, error).message}`);
    }
  };

  const changed = (text: string, changes: ReadonlyMap<string, string | undefined>) =>
    readDocument(text).changed(changes, canonicalName, (name) =>
      memberOf(name) ? `${GROUPS[groupOf(name)]} ${memberOf(name)?.number}` : GROUPS[groupOf(name)],
    );

  return {
    file,
    load: () =>
      inTurn(async () => {
        const { text, exists, mode } = await read();
        const loaded = await gather(text, exists);
        const warnings: string[] = [];
        const plain = loaded.origins.get('page.password');
        if (
          plain?.from === 'file' &&
          loaded.config?.page.passwordHash &&
          !isHash(plain.text) &&
          !plain.text.startsWith('@')
        ) {
          try {
            await write(changed(text, new Map([['page.password', loaded.config.page.passwordHash]])));
            warnings.push(`${file}:${plain.line}: the password of the page is replaced by its hash`);
          } catch (error) {
            warnings.push(`${(error as Error).message}. The password of the page stands in it plainly`);
          }
        } else if (
          (mode & 0o077) !== 0 &&
          [...loaded.origins].some(([name, { from }]) => from === 'file' && settingOf(name)?.secret)
        ) {
          try {
            await chmod(file, mode & 0o700);
            warnings.push(`${file} has secrets in it and others could read it; now only its owner can`);
          } catch {
            warnings.push(`${file} has secrets in it and others can read it: chmod 600 ${file}`);
          }
        }
        return { ...loaded, warnings };
      }),
    preview: (changes) =>
      inTurn(async () => {
        const { text, exists } = await read();
        return gather(changed(text, changes), exists);
      }),
    save: (changes) =>
      inTurn(async () => {
        const { text } = await read();
        await write(changed(text === '' ? HEADER : text, changes));
      }),
  };
}

const HEADER = `# Settings of the reader, one name=value a line; what each means: docs/reader.md, or its set-up page.
# ${environmentName('reader')}=… in the environment and --set reader=… win over this file.
`;

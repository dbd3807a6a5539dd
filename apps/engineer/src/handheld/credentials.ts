/**
 * Secrets of the meters to visit, by name, so that lists can be passed around.
 *
 * Decides: a name is looked up in the file of `--credentials` (JSON: name → options of `amiable dlms`, or `password` and `level` of
 * `amiable optical`), else in the environment (`AMIABLE_HANDHELD_` and the name in capitals: the password). Values may be
 * `@file`, or `env:NAME`. No message repeats a secret.
 */
import { readFile, stat } from 'node:fs/promises';
import { UsageError } from '../dlms/usage.ts';
import type { Given } from './list.ts';

const OPTIONS = new Set([
  'password',
  'level',
  'hls',
  'secret',
  'key',
  'authKey',
  'masterKey',
  'suite',
  'policy',
  'title',
  'meterTitle',
  'dedicated',
  'general',
  'signingKey',
  'agreementKey',
  'peerKey',
  'certificate',
  'client',
  'state',
  'counter',
]);

export type Credentials = (name: string | undefined, meter: string) => Given;

/** @throws UsageError */
export async function openCredentials(
  path: string | undefined,
  environment: Readonly<Record<string, string | undefined>>,
  note: (text: string) => void,
): Promise<Credentials> {
  let file: Record<string, unknown> = {};
  if (path !== undefined) {
    try {
      if (process.platform !== 'win32' && ((await stat(path)).mode & 0o077) !== 0)
        note(`${path} can be read by others; chmod 600 ${path} keeps it to you.`);
      file = JSON.parse(await readFile(path, 'utf8')) as Record<string, unknown>;
    } catch (error) {
      // The parser's words would repeat a piece of the file.
      const why = error instanceof SyntaxError ? 'it is no JSON' : (error as Error).message;
      throw new UsageError(`--credentials ${path}: ${why}.`);
    }
    if (typeof file !== 'object' || file === null || Array.isArray(file))
      throw new UsageError(`--credentials ${path}: an object is needed, {"name": {"password": "…"}}.`);
  }
  return (name, meter) => {
    if (name === undefined) return {};
    const entry = Object.hasOwn(file, name) ? file[name] : undefined;
    const variable = `AMIABLE_HANDHELD_${name.toUpperCase().replace(/[^A-Z0-9]/g, '_')}`;
    if (entry === undefined) {
      const password = environment[variable];
      if (password !== undefined) return { password };
      throw new UsageError(
        `meter ${meter}: the credentials ${JSON.stringify(name)} are not there. Give --credentials FILE with that name in it, or set ${variable}.`,
      );
    }
    const given = typeof entry === 'string' ? { password: entry } : (entry as Record<string, unknown>);
    const options: Record<string, unknown> = {};
    for (const [option, value] of Object.entries(given ?? {})) {
      if (!OPTIONS.has(option))
        throw new UsageError(`credentials ${JSON.stringify(name)}: ${option} is none of ${[...OPTIONS].join(', ')}.`);
      options[option] = value;
      if (typeof value === 'string' && value.startsWith('env:')) {
        const found = environment[value.slice(4)];
        if (found === undefined)
          throw new UsageError(`credentials ${JSON.stringify(name)}: the variable ${value.slice(4)} is not set.`);
        options[option] = found;
      }
    }
    return options;
  };
}

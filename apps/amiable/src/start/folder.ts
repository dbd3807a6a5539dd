/** What lies in the data folder beside the database: the master key of the meters' keys, and the readers' API key. */
import { randomBytes } from 'node:crypto';
import { chmodSync, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';

export interface DataFolder {
  readonly path: string;
  readonly masterKeyFile: string;
  readonly apiKeyFile: string;
  readonly apiKey: string;
}

export function openFolder(path: string): DataFolder {
  const root = resolve(path);
  try {
    mkdirSync(root, { recursive: true });
  } catch (error) {
    throw new Error(`the data folder ${root} cannot be made: ${(error as Error).message}; name another with --data`);
  }
  const apiKeyFile = join(root, 'api-key');
  if (!existsSync(apiKeyFile)) writeFileSync(apiKeyFile, `${randomBytes(24).toString('base64url')}\n`, { mode: 0o600 });
  chmodSync(apiKeyFile, 0o600);
  return {
    path: root,
    masterKeyFile: join(root, 'master-key'),
    apiKeyFile,
    apiKey: readFileSync(apiKeyFile, 'utf8').trim(),
  };
}

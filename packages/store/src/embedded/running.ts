/**
 * The server of an Amiable that runs on a data folder now, for commands beside it (backup, reprocess). Whoever may read the
 * folder's passwords may use it.
 */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { connectionUrl } from './address.ts';
import { databaseName, type Passwords, userName } from './cluster.ts';
import { findRunning } from './postmaster.ts';

/** @returns undefined when no server runs on the folder, or its passwords may not be read */
export async function runningUrl(dataDir: string): Promise<string | undefined> {
  const found = await findRunning(join(dataDir, 'postgres'));
  if (!found) return undefined;
  let passwords: Passwords;
  try {
    passwords = JSON.parse(await readFile(join(dataDir, 'postgres.json'), 'utf8')) as Passwords;
  } catch {
    return undefined;
  }
  const address = { runDir: found.socketDir, port: found.port, socket: found.socketDir !== '' };
  return connectionUrl(address, userName, passwords.user, databaseName);
}

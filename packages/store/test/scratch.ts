/** Where tests keep databases: in memory where there is plenty (creating a database makes 300 files), else on the disk. */
import { existsSync, statfsSync } from 'node:fs';
import { chmod, mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

export const scratchPrefix = 'amiable-test-';

export function scratchRoot(): string {
  const memory = '/dev/shm';
  if (!existsSync(memory)) return tmpdir();
  const { bavail, bsize } = statfsSync(memory);
  return bavail * bsize > 4 * 2 ** 30 ? memory : tmpdir();
}

/** A new folder that another user may pass through, as the server does not run as root. */
export async function scratchFolder(name = ''): Promise<string> {
  const folder = await mkdtemp(join(scratchRoot(), `${scratchPrefix}${name}`));
  await chmod(folder, 0o711);
  return folder;
}

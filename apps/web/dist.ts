/** Where the built page stands, and whether it is due to be built. Apart from build.ts, which brings the whole bundler. */
import { existsSync, readdirSync, statSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

export const root = dirname(fileURLToPath(import.meta.url));
const repository = join(root, '..', '..');

/** Where the built page stands. */
export const distFolder = join(root, 'dist');

/** What the page is made of; newer than the built page means stale. */
const SOURCES = [
  ...['src', 'public', 'index.html', 'build.ts', 'package.json'].map((name) => join(root, name)),
  join(repository, 'packages', 'model', 'src', 'api.ts'),
  ...['bytes', 'calendar', 'cosem', 'dlms', 'hdlc', 'mbus', 'meter', 'pcap', 'push'].map((name) =>
    join(repository, 'packages', name, 'src'),
  ),
];

function newest(path: string): number {
  if (!existsSync(path)) return 0;
  const found = statSync(path);
  if (!found.isDirectory()) return found.mtimeMs;
  return readdirSync(path).reduce((latest, name) => Math.max(latest, newest(join(path, name))), found.mtimeMs);
}

/** Whether the page was never built or its sources changed since. A shipped page without sources is never stale. */
export function isStale(): boolean {
  const built = join(distFolder, 'index.html');
  if (!existsSync(built)) return true;
  if (!existsSync(join(root, 'src'))) return false;
  const at = statSync(built).mtimeMs;
  return SOURCES.some((source) => newest(source) > at);
}

/** The program that builds it: `node --import tsx <this>`. */
export const buildProgram = join(root, 'build.ts');

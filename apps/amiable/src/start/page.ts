/**
 * The built page: made when it is missing or older than what it is made from, by a process of its own, since a bundler is large
 * and is needed once.
 */
import { spawn } from 'node:child_process';
import { buildProgram, distFolder, isStale } from '@amiable/web';

/** @returns the folder of the built page */
export async function preparePage(log: (line: string) => void): Promise<string> {
  if (!isStale()) return distFolder;
  log('building the page, once');
  const child = spawn(process.execPath, ['--import', import.meta.resolve('tsx'), buildProgram], {
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  let said = '';
  child.stderr.on('data', (chunk: Buffer) => {
    said = (said + chunk.toString()).slice(-2000);
  });
  const code = await new Promise<number | null>((resolve, reject) => {
    child.once('error', reject);
    child.once('close', resolve);
  });
  if (code !== 0) throw new Error(`the page could not be built:\n${said.trim()}\nWithout it: --no-page`);
  return distFolder;
}

/** Folders of files that other programs put here or take from here: below one root that the administrator of the machine names, links followed. */
import { mkdir, realpath } from 'node:fs/promises';
import { dirname, resolve, sep } from 'node:path';
import { MisuseError } from '@amiable/bytes';

const within = (root: string, place: string): boolean =>
  place === root || place.startsWith(root.endsWith(sep) ? root : root + sep);

async function realRoot(root: string, what: string): Promise<string> {
  return realpath(root).catch(() => {
    throw new MisuseError(`the ${what} ${root} is not there; make the folder`);
  });
}

/** @throws MisuseError for a folder that is not there or not below the root */
export async function folderBelow(given: string, folder: string, what: string): Promise<string> {
  const root = await realRoot(given, what);
  const place = await realpath(resolve(root, folder)).catch(() => {
    throw new MisuseError(`there is no folder ${JSON.stringify(folder)} in the ${what}`);
  });
  if (!within(root, place)) throw new MisuseError(`${JSON.stringify(folder)} does not lie in the ${what}`);
  return place;
}

/** The same; what is not there yet is made, unless `check` asks only whether it may be. */
export async function makeFolderBelow(given: string, folder: string, what: string, check = false): Promise<string> {
  const root = await realRoot(given, what);
  const wanted = resolve(root, folder);
  // What is there of the way may be a link that leads elsewhere.
  for (let there = wanted; ; there = dirname(there)) {
    const place = await realpath(there).catch(() => undefined);
    if (place === undefined && within(root, there) && there !== root) continue;
    if (place === undefined || !within(root, place) || !within(root, wanted))
      throw new MisuseError(`${JSON.stringify(folder)} does not lie in the ${what}`);
    break;
  }
  if (!check) await mkdir(wanted, { recursive: true });
  return check ? wanted : folderBelow(root, folder, what);
}

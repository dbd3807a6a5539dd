/**
 * Under whom the server runs. PostgreSQL refuses root, so started by root it runs as somebody else: the owner of an
 * existing cluster, else the owner of the data folder, else an account `amiable`, `postgres` or `nobody`. Where that
 * account cannot pass through a folder above the data or the programs (a checkout in /root, mode 700), the server gets
 * the one capability that it needs for it, CAP_DAC_READ_SEARCH (in containers without it CAP_DAC_OVERRIDE), by way of
 * setpriv. access(2) ignores capabilities of ordinary users unless SECBIT_NO_SETUID_FIXUP is set, and PostgreSQL checks
 * its own programs with access(2): hence that bit.
 */
import { access, constants, readFile, stat } from 'node:fs/promises';
import { platform } from 'node:os';
import { delimiter, dirname, join } from 'node:path';
import { EmbeddedError } from './trouble.ts';

export interface Account {
  /** Undefined: ourselves. */
  readonly other?: { readonly uid: number; readonly gid: number };
  readonly name: string;
}

/** A command as it must be spawned for an account. */
export interface Command {
  readonly file: string;
  readonly args: readonly string[];
  readonly uid?: number;
  readonly gid?: number;
}

interface Entry {
  name: string;
  uid: number;
  gid: number;
}

async function passwd(): Promise<Entry[]> {
  const text = await readFile('/etc/passwd', 'utf8').catch(() => '');
  return text.split('\n').flatMap((line) => {
    const [name, , uid, gid] = line.split(':');
    return name && uid && gid ? [{ name, uid: Number(uid), gid: Number(gid) }] : [];
  });
}

export async function chooseAccount(dataDir: string, clusterDir: string): Promise<Account> {
  const uid = process.getuid?.();
  const entries = await passwd();
  const nameOf = (id: number): string => entries.find((e) => e.uid === id)?.name ?? `user ${id}`;
  const owner = await stat(clusterDir).catch(() => undefined);
  if (uid !== 0) {
    if (owner && uid !== undefined && owner.uid !== uid) {
      throw new EmbeddedError(
        `The database in ${clusterDir} belongs to ${nameOf(owner.uid)}, not to you. Start Amiable as that user` +
          `${owner.uid === 0 ? '' : ' or as root'}, or take the folder over: chown -R ${nameOf(uid)} '${dataDir}'.`,
      );
    }
    return { name: uid === undefined ? 'you' : nameOf(uid) };
  }
  const as = (id: number, gid: number): Account => ({ other: { uid: id, gid }, name: nameOf(id) });
  if (owner && owner.uid !== 0) return as(owner.uid, owner.gid);
  const folder = await stat(dataDir).catch(() => undefined);
  // initdb insists on a name for the user.
  if (folder && folder.uid !== 0 && entries.some((e) => e.uid === folder.uid)) return as(folder.uid, folder.gid);
  for (const name of ['amiable', 'postgres', 'nobody']) {
    const entry = entries.find((e) => e.name === name && e.uid !== 0);
    if (entry) return as(entry.uid, entry.gid);
  }
  // Numbers need no entry; 65534 is `nobody` on every Linux.
  return as(65_534, 65_534);
}

/** Whether the account passes through every folder above `path` by the ordinary permission bits. */
async function reaches(account: { uid: number; gid: number }, path: string): Promise<boolean> {
  for (let dir = path; ; dir = dirname(dir)) {
    const s = await stat(dir);
    if (s.isDirectory()) {
      const bit = s.uid === account.uid ? 0o100 : s.gid === account.gid ? 0o010 : 0o001;
      if ((s.mode & bit) === 0) return false;
    }
    if (dirname(dir) === dir) return true;
  }
}

async function findProgram(name: string): Promise<string | undefined> {
  for (const dir of [...(process.env.PATH ?? '').split(delimiter), '/usr/bin', '/bin']) {
    const file = join(dir, name);
    if (
      dir !== '' &&
      (await access(file, constants.X_OK).then(
        () => true,
        () => false,
      ))
    ) {
      return file;
    }
  }
  return undefined;
}

const dacOverride = 1n << 1n;
const dacReadSearch = 1n << 2n;

/** Makes commands run as the account, given the folders that they must be able to pass through. */
export async function commandMaker(
  account: Account,
  folders: readonly string[],
): Promise<(file: string, args: readonly string[]) => Command> {
  const { other } = account;
  if (!other) return (file, args) => ({ file, args });
  let closed: string | undefined;
  for (const folder of folders) {
    if (!(await reaches(other, folder))) closed = folder;
  }
  if (closed === undefined) return (file, args) => ({ file, args, ...other });
  const setpriv = platform() === 'linux' ? await findProgram('setpriv') : undefined;
  const status = await readFile('/proc/self/status', 'latin1').catch(() => '');
  const bounds = BigInt(`0x${/^CapBnd:\s*([0-9a-f]+)/m.exec(status)?.[1] ?? '0'}`);
  const held = bounds & BigInt(`0x${/^CapPrm:\s*([0-9a-f]+)/m.exec(status)?.[1] ?? '0'}`);
  const cap = (held & dacReadSearch) !== 0n ? 'dac_read_search' : (held & dacOverride) !== 0n ? 'dac_override' : '';
  if (setpriv === undefined || cap === '') {
    throw new EmbeddedError(
      `PostgreSQL does not run as root, and ${account.name}, under whom it would run, cannot enter ${closed}. ` +
        'Start Amiable as an ordinary user, put it and its data folder elsewhere (for example /srv/amiable), ' +
        'or let others pass through the folders above (chmod o+x).',
    );
  }
  const prefix = [
    `--reuid=${other.uid}`,
    `--regid=${other.gid}`,
    '--clear-groups',
    '--securebits=+no_setuid_fixup',
    `--inh-caps=-all,+${cap}`,
    `--ambient-caps=-all,+${cap}`,
    `--bounding-set=-all,+${cap}`,
    '--',
  ];
  return (file, args) => ({ file: setpriv, args: [...prefix, file, ...args] });
}

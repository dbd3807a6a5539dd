/**
 * Builds every library package for npm: JavaScript, type declarations and source maps per package, with a package.json
 * of its own, README and licence, under `dist/npm/<package>`. `npm publish dist/npm/<package>` then publishes one.
 *
 * In the repository packages are used as TypeScript, without a build; this is the only place that makes JavaScript of
 * them. Left out: packages marked private, which are of use inside the program only.
 */
import { execFile } from 'node:child_process';
import { cp, mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { dirname, join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

const root = fileURLToPath(new URL('../..', import.meta.url));
const emitted = join(root, 'dist/emitted');
export const target = join(root, 'dist/npm');

export interface PackageFile {
  readonly name: string;
  readonly version: string;
  readonly description: string;
  readonly license: string;
  readonly private?: boolean;
  readonly exports: Readonly<Record<string, string>>;
  readonly dependencies?: Readonly<Record<string, string>>;
}

/** The packages that are published: folder name to package.json. */
export async function published(): Promise<Map<string, PackageFile>> {
  const found = new Map<string, PackageFile>();
  for (const folder of (await readdir(join(root, 'packages'))).sort()) {
    const file = JSON.parse(await readFile(join(root, 'packages', folder, 'package.json'), 'utf8')) as PackageFile;
    if (!file.private) found.set(folder, file);
  }
  return found;
}

/** `./src/schemas.ts` is `./schemas.js` in the published package. */
const built = (source: string, extension: string): string =>
  source.replace(/^\.\/src\//, './').replace(/\.ts$/, extension);

/** Declarations keep the `.ts` of an import; what a program outside finds is `.js` with its `.d.ts` beside it. */
const RELATIVE_TS = /(from\s+|import\s*\(?\s*)(['"])(\.{1,2}\/[^'"]+)\.ts\2/g;

async function finish(folder: string, file: PackageFile, repository: unknown): Promise<void> {
  const from = join(emitted, folder, 'src');
  const to = join(target, folder);
  await rm(to, { recursive: true, force: true });
  for (const entry of await readdir(from, { recursive: true, withFileTypes: true })) {
    if (!entry.isFile()) continue;
    const source = join(entry.parentPath, entry.name);
    const copy = join(to, relative(from, source));
    await mkdir(dirname(copy), { recursive: true });
    if (entry.name.endsWith('.d.ts')) {
      await writeFile(copy, (await readFile(source, 'utf8')).replace(RELATIVE_TS, '$1$2$3.js$2'));
    } else await cp(source, copy);
  }
  const { name, version, description, license, exports, dependencies = {} } = file;
  const manifest = {
    name,
    version,
    description,
    keywords: ['smart meter', 'dlms', 'cosem', 'ami'],
    license,
    ...(repository ? { repository } : {}),
    type: 'module',
    sideEffects: false,
    engines: { node: '>=20.20' },
    exports: Object.fromEntries(
      Object.entries(exports).map(([path, source]) => [
        path,
        { types: built(source, '.d.ts'), default: built(source, '.js') },
      ]),
    ),
    // Inside the repository versions are exact; outside semantic versioning holds.
    dependencies: Object.fromEntries(
      Object.entries(dependencies).map(([other, range]) => [other, /^\d/.test(range) ? `^${range}` : range]),
    ),
  };
  await writeFile(join(to, 'package.json'), `${JSON.stringify(manifest, null, 2)}\n`);
  await cp(join(root, 'packages', folder, 'README.md'), join(to, 'README.md'));
  await cp(join(root, 'LICENSE'), join(to, 'LICENSE'));
}

export async function build(): Promise<Map<string, PackageFile>> {
  await rm(emitted, { recursive: true, force: true });
  const compiler = join(root, 'node_modules/typescript/bin/tsc');
  await promisify(execFile)(process.execPath, [compiler, '-p', join(root, 'tools/publish/tsconfig.json')]).catch(
    (error: { stdout?: string }) => {
      throw new Error(`The packages do not compile:\n${error.stdout ?? String(error)}`);
    },
  );
  const { repository } = JSON.parse(await readFile(join(root, 'package.json'), 'utf8')) as { repository?: unknown };
  const packages = await published();
  for (const [folder, file] of packages) await finish(folder, file, repository);
  await rm(emitted, { recursive: true, force: true });
  return packages;
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  for (const [folder, file] of await build()) {
    process.stdout.write(`${file.name} ${file.version}: ${relative(root, join(target, folder))}\n`);
  }
}

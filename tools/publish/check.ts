/**
 * Uses the packages as somebody elsewhere would: each is packed as npm packs it and unpacked into a folder that holds
 * nothing but it and what its package.json names (and what its README says to install beside it). There every example of its README runs on plain Node, and its types
 * are checked without looking away from anything (`skipLibCheck` off).
 */
import { execFile } from 'node:child_process';
import { mkdir, mkdtemp, readdir, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { build, type PackageFile, target } from './build.ts';

const root = fileURLToPath(new URL('../..', import.meta.url));
const run = promisify(execFile);

/** The package, what it depends on, and what these depend on. */
function closure(name: string, packages: ReadonlyMap<string, PackageFile>, found = new Set<string>()): Set<string> {
  if (found.has(name)) return found;
  found.add(name);
  const file = [...packages.values()].find((one) => one.name === name);
  for (const other of Object.keys(file?.dependencies ?? {})) closure(other, packages, found);
  return found;
}

/** Blocks marked ```js of a README. */
function examples(readme: string): string[] {
  return [...readme.matchAll(/^```js\n([\s\S]*?)^```$/gm)].map((match) => match[1] as string);
}

/** Packages of ours that the examples use beside it, e.g. a line of `@amiable/io` for a session. */
function alsoUsed(shown: readonly string[]): Set<string> {
  return new Set(
    shown.flatMap((text) => [...text.matchAll(/from '(@amiable\/[a-z0-9-]+)/g)].map((m) => m[1] as string)),
  );
}

async function check(folder: string, file: PackageFile, packages: ReadonlyMap<string, PackageFile>): Promise<number> {
  const home = await mkdtemp(join(tmpdir(), `amiable-publish-${folder}-`));
  try {
    const modules = join(home, 'node_modules');
    const shown = examples(await readFile(join(target, folder, 'README.md'), 'utf8'));
    const wanted = closure(file.name, packages);
    for (const name of alsoUsed(shown)) closure(name, packages, wanted);
    for (const name of wanted) {
      const own = [...packages].find(([, one]) => one.name === name);
      await mkdir(dirname(join(modules, name)), { recursive: true });
      if (!own) {
        if (name.startsWith('@amiable/')) throw new Error(`${file.name} needs ${name}, which is not published`);
        await symlink(join(root, 'node_modules', name), join(modules, name));
        continue;
      }
      const packed = await run('npm', ['pack', '--silent', '--pack-destination', home, join(target, own[0])], {
        cwd: home,
      });
      await mkdir(join(modules, name), { recursive: true });
      const tarball = packed.stdout.trim().split('\n').at(-1) as string;
      await run('tar', ['xzf', join(home, tarball), '--strip-components=1', '-C', join(modules, name)]);
    }
    await writeFile(join(home, 'package.json'), '{ "type": "module" }');
    const entries = Object.keys(file.exports).map((path) => file.name + path.slice(1));
    await writeFile(join(home, 'all.mjs'), entries.map((entry) => `import ${JSON.stringify(entry)};`).join('\n'));
    await run(process.execPath, ['all.mjs'], { cwd: home });
    await writeFile(
      join(home, 'all.mts'),
      entries.map((entry, i) => `export * as e${i} from ${JSON.stringify(entry)};`).join('\n'),
    );
    const lib = (await readdir(join(root, 'node_modules/@types'))).includes('node') ? ['--types', 'node'] : [];
    await symlink(join(root, 'node_modules/@types'), join(modules, '@types'));
    await symlink(join(root, 'node_modules/undici-types'), join(modules, 'undici-types')).catch(() => {});
    await run(
      process.execPath,
      [
        join(root, 'node_modules/typescript/bin/tsc'),
        ...['--noEmit', '--strict', '--target', 'es2023', '--module', 'nodenext', '--lib', 'es2023', ...lib, 'all.mts'],
      ],
      { cwd: home },
    ).catch((error: { stdout?: string }) => {
      throw new Error(`types of ${file.name}:\n${error.stdout ?? String(error)}`);
    });
    const found = examples(await readFile(join(modules, file.name, 'README.md'), 'utf8'));
    if (found.length === 0) throw new Error(`The README of ${file.name} has no example (a block marked js)`);
    for (const [i, example] of found.entries()) {
      await writeFile(join(home, `example-${i}.mjs`), example);
      await run(process.execPath, [`example-${i}.mjs`], { cwd: home, timeout: 20_000 });
    }
    return found.length;
  } finally {
    await rm(home, { recursive: true, force: true });
  }
}

const packages = await build();
const only = process.argv.slice(2);
let failed = 0;
for (const [folder, file] of packages) {
  if (only.length > 0 && !only.includes(folder)) continue;
  try {
    const ran = await check(folder, file, packages);
    process.stdout.write(
      `${file.name}: packs, imports, types hold, ${ran} example${ran === 1 ? '' : 's'} of its README ran\n`,
    );
  } catch (error) {
    failed++;
    const { message, stderr } = error as { message?: string; stderr?: string };
    process.stdout.write(`${file.name}: FAILED\n${stderr || message}\n`);
  }
}
process.exitCode = failed > 0 ? 1 : 0;

/**
 * `npm run check:app`: what a user gets. Builds, packs, installs the package in an empty folder from the registry, as
 * `npm install amiable` would, and starts it there: its size, what it says of itself, a capture read, a page served.
 */
import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { cp, lstat, mkdir, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

const run = promisify(execFile);
const root = fileURLToPath(new URL('../..', import.meta.url));
const MOST_BYTES = 200e6;
const PATIENCE = 60_000;

async function sizeOf(path: string): Promise<number> {
  const found = await lstat(path);
  if (!found.isDirectory()) return found.size;
  let sum = 0;
  for (const name of await readdir(path)) sum += await sizeOf(join(path, name));
  return sum;
}

async function freePort(): Promise<number> {
  const probe = createServer();
  await new Promise<void>((resolve) => probe.listen(0, '127.0.0.1', resolve));
  const { port } = probe.address() as { port: number };
  await new Promise((resolve) => probe.close(resolve));
  return port;
}

/** Resolves with what was printed once `wanted` stands in it. */
function printed(child: ChildProcess, wanted: RegExp): Promise<string> {
  return new Promise((resolve, reject) => {
    let said = '';
    const fail = (why: string) => reject(new Error(`${why}; it said:\n${said}`));
    const late = setTimeout(() => fail('it did not start'), PATIENCE);
    const take = (chunk: Buffer) => {
      said += chunk.toString();
      if (!wanted.test(said)) return;
      clearTimeout(late);
      resolve(said);
    };
    child.stdout?.on('data', take);
    child.stderr?.on('data', take);
    child.once('close', (code) => fail(`it ended with ${code}`));
    child.once('error', reject);
  });
}

function check(holds: boolean, what: string): void {
  if (!holds) throw new Error(`the package: ${what}`);
  process.stdout.write(`  ${what}\n`);
}

const folder = await mkdtemp(join(tmpdir(), 'amiable-package-'));
try {
  await run('npm', ['run', 'build'], { cwd: root, maxBuffer: 16 << 20 });
  const { stdout: packed } = await run('npm', ['pack', '--json', '--pack-destination', folder], { cwd: root });
  const answer = JSON.parse(packed) as unknown;
  // One object in older versions of npm, an array or an object by name in newer ones.
  const [first] = (Array.isArray(answer) ? answer : Object.values(answer as object)) as { filename: string }[];
  const file = first?.filename as string;
  const home = join(folder, 'home');
  await mkdir(home);
  await writeFile(join(home, 'package.json'), '{"private":true}');
  await run('npm', ['install', '--no-audit', '--no-fund', join(folder, file)], { cwd: home });
  const bytes = await sizeOf(join(home, 'node_modules'));
  check(bytes < MOST_BYTES, `${file} is ${Math.round(bytes / 1e6)} MB installed`);

  const command = join(home, 'node_modules/.bin/amiable');
  const { stdout: help } = await run(command, ['--help'], { cwd: home });
  check(/run everything/.test(help), 'amiable --help');
  await cp(join(root, 'vectors/han/amshan_kaifa_no_list_2.hex'), join(home, 'list.hex'));
  const { stdout: read } = await run(command, ['read', '-f', 'list.hex', '--json'], { cwd: home });
  check((JSON.parse(read) as { maker: string }).maker === 'Kaifa', 'amiable read');

  const port = await freePort();
  const started = spawn(command, ['start', '--port', String(port), '--mqtt-port', '0', '--data', 'data'], {
    cwd: home,
  });
  try {
    await printed(started, /Ctrl-C ends it/);
    const page = await fetch(`http://127.0.0.1:${port}/`);
    check(page.ok && /id="(root|app)"/.test(await page.text()), 'amiable start serves the page');
    const health = await fetch(`http://127.0.0.1:${port}/health`);
    check(health.ok, 'and is healthy');
  } finally {
    const ended = new Promise((resolve) => started.once('close', resolve));
    started.kill('SIGTERM');
    await ended;
  }
} finally {
  await rm(folder, { recursive: true, force: true });
}

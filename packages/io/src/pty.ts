/**
 * A pseudo-terminal that another program opens like a serial port. Node cannot make one; socat (a package of every
 * distribution) can, and what it passes on is our standard input and output of it.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync, lstatSync } from 'node:fs';
import { PortError, portError } from './faults.ts';
import type { Link } from './link.ts';

export interface PtyLink extends Link {
  /** The path that the other program opens, once open. */
  readonly path: string;
}

/** socat would put its link in the place of whatever is there: a file, or the port of another simulator. */
function isTaken(path: string): string | undefined {
  const found = lstatSync(path, { throwIfNoEntry: false });
  if (!found) return undefined;
  if (!found.isSymbolicLink()) return `${path}: there is something of this name; choose another`;
  // A link to nothing was left behind.
  return existsSync(path)
    ? `${path}: another program's port has this name; end that one first, or choose another`
    : undefined;
}

/** `path`: a symbolic link to make; without it the system's own name (/dev/pts/N) is used. */
export function ptyLink({ path }: { path?: string } = {}): PtyLink {
  let child: ChildProcess | undefined;
  let name = path ?? '';
  return {
    get describe() {
      return `pty ${name}`;
    },
    get path() {
      return name;
    },
    open(events) {
      return new Promise<void>((resolve, reject) => {
        const taken = path === undefined ? undefined : isTaken(path);
        if (taken !== undefined) {
          reject(new PortError('busy', taken));
          return;
        }
        const address = `PTY,raw,echo=0${path ? `,link=${path}` : ''}`;
        const socat = spawn('socat', ['-d', '-d', address, 'STDIO'], { stdio: ['pipe', 'pipe', 'pipe'] });
        child = socat;
        let said = '';
        let opened = false;
        socat.stderr.setEncoding('utf8');
        socat.stderr.on('data', (text: string) => {
          if (opened) return;
          said = (said + text).slice(-4096);
          const found = /PTY is (\S+)/.exec(said);
          if (!found || !/starting data transfer/.test(said)) return;
          opened = true;
          name = path ?? found[1] ?? '';
          resolve();
        });
        socat.stdout.on('data', (bytes: Uint8Array) => events.data(bytes));
        socat.stdin.on('error', () => {});
        socat.on('error', (error: NodeJS.ErrnoException) => {
          child = undefined;
          reject(
            error.code === 'ENOENT'
              ? new PortError('tool', 'A pty needs the program socat: sudo apt install socat', error)
              : portError('socat', error),
          );
        });
        socat.on('exit', () => {
          const wanted = child !== socat;
          child = undefined;
          if (!opened) reject(new PortError('other', `socat made no pty: ${said.trim().split('\n').pop() ?? ''}`));
          else events.closed(wanted ? undefined : new PortError('closed', `pty ${name}: socat ended`));
        });
      });
    },
    write(bytes) {
      const socat = child;
      if (!socat?.stdin) return Promise.reject(new PortError('closed', `pty ${name}: not open`));
      return new Promise((resolve, reject) => {
        socat.stdin?.write(bytes, (error) => (error ? reject(portError(`pty ${name}`, error)) : resolve()));
      });
    },
    pause() {
      child?.stdout?.pause();
    },
    resume() {
      child?.stdout?.resume();
    },
    close() {
      const socat = child;
      child = undefined;
      if (!socat) return Promise.resolve();
      return new Promise((resolve) => {
        socat.once('exit', () => resolve());
        socat.kill('SIGTERM');
      });
    },
  };
}

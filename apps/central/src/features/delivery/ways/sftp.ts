/**
 * Files by SFTP (SSH file transfer, version 3) to another system.
 *
 * Decides: the server is known by the fingerprint of its key, and no other is given a password; a file is written under another name and
 * renamed, over what lies there of an earlier try. Leaves out: agents, keyboard questions, known_hosts files.
 */
import { createHash } from 'node:crypto';
import { posix } from 'node:path';
import { LinkError, MisuseError, PeerError } from '@amiable/bytes';
import type { Client, SFTPWrapper } from 'ssh2';
import type { Where } from '../shapes.ts';
import { type Acknowledgement, MAX_ANSWER, type Secrets, textOf, type Way } from './way.ts';

const READY = 20_000;
const PIECE = 32_768;

type Done<T> = (error: Error | null | undefined, value: T) => void;
const called = <T>(run: (done: Done<T>) => void): Promise<T> =>
  new Promise((resolve, reject) => {
    run((error, value) => (error ? reject(error) : resolve(value)));
  });

/** Codes of the protocol: what is denied or not there is no matter of waiting. */
function inWords(error: unknown, host: string): Error {
  if (error instanceof LinkError || error instanceof PeerError || error instanceof MisuseError) return error;
  const { message, code, level } = error as Error & { code?: unknown; level?: string };
  if (level === 'client-authentication')
    return new PeerError(`${host} does not take the user or the secret: ${message}`);
  if (code === 2) return new PeerError(`${host}: there is no such folder: ${message}`);
  if (code === 3) return new PeerError(`${host}: permission denied: ${message}`);
  return new LinkError(`${host} cannot be reached: ${message}`);
}

export function sftpWay(where: Extract<Where, { kind: 'sftp' }>, secrets: Secrets): Way {
  const host = where.host.replace(/^\[|\]$/g, '');
  const wanted = where.hostKey.replace(/=+$/, '');

  async function connected<T>(signal: AbortSignal, work: (sftp: SFTPWrapper) => Promise<T>): Promise<T> {
    const password = textOf(secrets, 'password');
    const privateKey = textOf(secrets, 'private-key');
    const passphrase = textOf(secrets, 'passphrase');
    if (password === undefined && privateKey === undefined)
      throw new MisuseError(`the destination has neither password nor private-key; set one`);
    // Loaded when it is wanted: most servers have no destination of this kind.
    const { default: ssh } = await import('ssh2');
    const client: Client = new ssh.Client();
    let stranger: string | undefined;
    const stop = (): void => void client.destroy();
    signal.addEventListener('abort', stop, { once: true });
    let broken: Error | undefined;
    let fail: (error: Error) => void = () => {};
    // A line that breaks ends whatever waits for it.
    const lost = new Promise<never>((_, reject) => {
      fail = reject;
    });
    lost.catch(() => {});
    try {
      await new Promise<void>((resolve, reject) => {
        client.on('ready', () => resolve());
        client.on('error', (error) => {
          broken = error;
          reject(error);
          fail(error);
        });
        client.on('close', () => {
          const error = broken ?? new LinkError(`${host} closed the connection`);
          reject(error);
          fail(error);
        });
        try {
          client.connect({
            host,
            port: where.port,
            username: where.user,
            readyTimeout: READY,
            keepaliveInterval: 15_000,
            ...(password === undefined ? {} : { password }),
            ...(privateKey === undefined ? {} : { privateKey }),
            ...(passphrase === undefined ? {} : { passphrase }),
            hostVerifier: (key: Buffer) => {
              const seen = `SHA256:${createHash('sha256').update(key).digest('base64').replace(/=+$/, '')}`;
              if (seen === wanted) return true;
              stranger = seen;
              return false;
            },
          });
        } catch (error) {
          // A key that is none.
          reject(new MisuseError(`the private key cannot be used: ${(error as Error).message}`));
        }
      });
      const sftp = await called<SFTPWrapper>((done) => client.sftp((error, value) => done(error, value)));
      return await Promise.race([work(sftp), lost]);
    } catch (error) {
      if (stranger !== undefined)
        throw new PeerError(
          `${host} showed the key ${stranger} and not ${wanted}; it may be another server. If its key was changed, set the new one`,
        );
      throw inWords(error, host);
    } finally {
      signal.removeEventListener('abort', stop);
      client.on('error', () => {});
      client.end();
      client.destroy();
    }
  }

  return {
    send: (file, signal) =>
      connected(signal, async (sftp) => {
        const target = posix.join(where.folder, file.file);
        const part = posix.join(where.folder, `.${file.file}.${file.id}.part`);
        const handle = await called<Buffer>((done) => sftp.open(part, 'w', done));
        let at = 0;
        for await (const piece of file.pieces())
          for (let from = 0; from < piece.length; from += PIECE) {
            const chunk = Buffer.from(piece.subarray(from, from + PIECE));
            await called<void>((done) =>
              sftp.write(handle, chunk, 0, chunk.length, at, (error) => done(error, undefined)),
            );
            at += chunk.length;
          }
        await called<void>((done) => sftp.close(handle, (error) => done(error, undefined)));
        const renamed = (): Promise<void> =>
          called<void>((done) => sftp.rename(part, target, (error) => done(error, undefined)));
        try {
          await renamed();
        } catch {
          // Version 3 does not rename over what is there: that is of an earlier try, whose answer was lost.
          await called<void>((done) => sftp.unlink(target, (error) => done(error, undefined)));
          await renamed();
        }
        return {};
      }),
    acknowledgements: (files, signal) =>
      connected(signal, async (sftp) => {
        const found = new Map<string, Acknowledgement>();
        const there = new Set(
          (await called<{ filename: string }[]>((done) => sftp.readdir(where.folder, done))).map((one) => one.filename),
        );
        for (const file of files)
          for (const [ending, good] of [
            ['.ack', true],
            ['.nak', false],
          ] as const) {
            if (!there.has(file + ending)) continue;
            const handle = await called<Buffer>((done) =>
              sftp.open(posix.join(where.folder, file + ending), 'r', done),
            );
            const buffer = Buffer.alloc(MAX_ANSWER);
            const read = await new Promise<number>((resolve) => {
              // An empty file answers with its end, as an error.
              sftp.read(handle, buffer, 0, MAX_ANSWER, 0, (error, n) => resolve(error ? 0 : n));
            });
            await called<void>((done) => sftp.close(handle, (error) => done(error, undefined)));
            found.set(file, { good, text: buffer.subarray(0, read).toString('utf8') });
          }
        return found;
      }),
  };
}

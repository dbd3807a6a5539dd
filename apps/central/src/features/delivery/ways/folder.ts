/**
 * Files into a folder below the outbox of the server, for programs that fetch them there.
 *
 * Decides: a file that is there is whole (written under another name, then renamed); what lies there as a link is replaced, never written
 * through. A file of the same name from an earlier try is replaced.
 */
import { constants } from 'node:fs';
import { open, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { LinkError, MisuseError } from '@amiable/bytes';
import { makeFolderBelow } from '../../exchange/folders.ts';
import { type Acknowledgement, MAX_ANSWER, type Way } from './way.ts';

const AWAY = new Set([
  'ENOSPC',
  'EACCES',
  'EROFS',
  'EIO',
  'EBUSY',
  'EDQUOT',
  'EMFILE',
  'ESTALE',
  'EPERM',
  'ENOENT',
  'EEXIST',
]);
const inWords = (error: unknown): never => {
  const { code, message } = error as NodeJS.ErrnoException;
  if (code !== undefined && AWAY.has(code)) throw new LinkError(`the folder cannot be written: ${message}`);
  throw error;
};

export function folderWay(root: string | undefined, folder: string): Way {
  const place = (): Promise<string> => {
    if (root === undefined)
      throw new MisuseError('this server has no outbox: start it with --outbox FOLDER (see docs/delivery.md)');
    return makeFolderBelow(root, folder, 'outbox');
  };
  return {
    async send(file, signal) {
      const where = await place();
      // Nobody else's name, and never through a link: O_EXCL refuses whatever is there.
      const part = join(where, `.${file.file}.${file.id}.part`);
      try {
        await rm(part, { force: true });
        const handle = await open(
          part,
          constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL | (constants.O_NOFOLLOW ?? 0),
          0o640,
        );
        try {
          for await (const piece of file.pieces()) {
            signal.throwIfAborted();
            await handle.write(piece);
          }
          await handle.sync();
        } finally {
          await handle.close();
        }
        await rename(part, join(where, file.file));
      } catch (error) {
        await rm(part, { force: true }).catch(() => {});
        return inWords(error);
      }
      return {};
    },
    async acknowledgements(files) {
      const where = await place();
      const found = new Map<string, Acknowledgement>();
      for (const file of files)
        for (const [ending, good] of [
          ['.ack', true],
          ['.nak', false],
        ] as const) {
          // A pipe that lies there would be waited for, by a thread that all files share.
          const flags = constants.O_RDONLY | (constants.O_NOFOLLOW ?? 0) | (constants.O_NONBLOCK ?? 0);
          const handle = await open(join(where, file + ending), flags).catch(() => undefined);
          if (!handle) continue;
          try {
            if (!(await handle.stat()).isFile()) continue;
            const { buffer, bytesRead } = await handle.read(Buffer.alloc(MAX_ANSWER), 0, MAX_ANSWER, 0);
            found.set(file, { good, text: buffer.subarray(0, bytesRead).toString('utf8') });
          } finally {
            await handle.close();
          }
        }
      return found;
    },
  };
}

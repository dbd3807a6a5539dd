/**
 * What can go wrong with the embedded server, in sentences for the person who runs it: what, where, and what to do.
 * PostgreSQL's own log lines are matched by the texts that it prints in the C locale, which the supervisor sets.
 */

/**
 * How the supervisor takes it: `crash` may be over at the next start, `busy` needs a moment, `full` needs somebody to
 * free space, `hopeless` needs somebody to change something.
 */
export type TroubleKind = 'crash' | 'busy' | 'full' | 'hopeless';

export class EmbeddedError extends Error {
  override readonly name = 'EmbeddedError';
  readonly kind: TroubleKind;
  constructor(message: string, options: { kind?: TroubleKind; cause?: unknown } = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.kind = options.kind ?? 'hopeless';
  }
}

export interface Place {
  readonly dataDir: string;
  readonly port: number | undefined;
  readonly logFile: string;
  readonly runAs: string;
}

function lastLines(log: string): string {
  const lines = log
    .trimEnd()
    .split('\n')
    .filter((line) => line.trim() !== '');
  const telling = lines.filter((line) => /FATAL|PANIC|ERROR|error:|error while|could not/.test(line));
  return (telling.length > 0 ? telling : lines)
    .slice(-3)
    .map((line) => line.replace(/^[-\d]+ [\d:.]+ \w+ \[\d+\] /, ''))
    .join(' / ');
}

/** Explains why the server (or initdb) ended, from what it wrote. */
export function explainServerLog(log: string, place: Place): EmbeddedError {
  const { dataDir, port, logFile, runAs } = place;
  if (/pre-existing shared memory block|lock file ".*postmaster\.pid" already exists/.test(log)) {
    return new EmbeddedError(
      `An older PostgreSQL server still holds ${dataDir}. It should end by itself within seconds; ` +
        `if it does not, end the processes named "postgres" that work in that folder.`,
      { kind: 'busy' },
    );
  }
  if (/No space left on device|Disk quota exceeded/i.test(log)) {
    return new EmbeddedError(
      `The disk that holds ${dataDir} is full, so the database cannot start. Free some space and start again; ` +
        'nothing that was acknowledged is lost.',
      { kind: 'full' },
    );
  }
  if (/could not bind .*: |Address already in use|could not create any TCP\/IP sockets/i.test(log)) {
    return new EmbeddedError(
      `Port ${port} on 127.0.0.1 is taken by another program. Stop that program, or choose another port for the database.`,
    );
  }
  if (/Read-only file system/i.test(log)) {
    return new EmbeddedError(`${dataDir} lies on a read-only file system. Choose a data folder that can be written.`);
  }
  if (/database files are incompatible|initialized by PostgreSQL version/i.test(log)) {
    return new EmbeddedError(
      `The database in ${dataDir} was made by another major version of PostgreSQL. Start it with the release of Amiable ` +
        'that made it, run `amiable backup`, and restore that backup here into an empty folder.',
    );
  }
  if (/could not look up effective user ID/i.test(log)) {
    return new EmbeddedError(
      `The database needs a user with a name, and the user it would run as (${runAs}) has no entry in /etc/passwd. ` +
        'Start Amiable as a user that has one (in a container: as root, or add the user to the image).',
    );
  }
  if (/could not create shared memory segment|Cannot allocate memory|could not map anonymous/i.test(log)) {
    return new EmbeddedError(
      'There is too little free memory to start the database. Stop other programs and try again.',
    );
  }
  if (/has invalid permissions|has wrong ownership|data directory .* ownership/i.test(log)) {
    return new EmbeddedError(
      `The database folder ${dataDir} must belong to ${runAs} and be closed to others: ` +
        `chown -R ${runAs} '${dataDir}' && chmod 700 '${dataDir}'.`,
    );
  }
  if (/Permission denied|Operation not permitted/i.test(log)) {
    return new EmbeddedError(
      `The database server runs as ${runAs}, who may not use ${dataDir} or the folder of the PostgreSQL programs ` +
        `(${lastLines(log)}). Choose another data folder, or let others pass through the folders above it (chmod o+x).`,
    );
  }
  const detail = lastLines(log);
  return new EmbeddedError(
    `The database server ended unexpectedly${detail ? `: ${detail}` : ''}. Its log is ${logFile}.`,
    { kind: 'crash' },
  );
}

const fileSentences: Record<string, (path: string) => string> = {
  ENOSPC: (p) => `The disk that holds ${p} is full. Free some space and start again.`,
  EDQUOT: (p) => `Your disk quota for ${p} is used up. Free some space and start again.`,
  EACCES: (p) => `You may not write ${p}. Choose another data folder, or take it over with chown.`,
  EPERM: (p) => `You may not change ${p}. Choose another data folder, or take it over with chown.`,
  EROFS: (p) => `${p} lies on a read-only file system. Choose a data folder that can be written.`,
  ENOTDIR: (p) => `${p} cannot be a folder: a part of that path is a file. Choose another data folder.`,
  EEXIST: (p) => `${p} exists but is not a folder. Choose another data folder.`,
};

/** Turns a file system error into a sentence; other errors pass through. */
export function explainFileError(error: unknown, path: string): unknown {
  const code = (error as NodeJS.ErrnoException | undefined)?.code;
  const sentence = code === undefined || error instanceof EmbeddedError ? undefined : fileSentences[code];
  return sentence ? new EmbeddedError(sentence(path), { cause: error }) : error;
}

/** What the user wrote cannot be: exit code 2. The sentence says what would be right. */
export class UsageError extends Error {
  override readonly name = 'UsageError';
}

/** The meter has no such object for this client: exit code 1, but what else was asked for can still be had. */
export class NotThere extends Error {
  override readonly name = 'NotThere';
}

/** Told already, on stderr: only the exit code is left to say. */
export class Failed extends Error {
  override readonly name = 'Failed';
  readonly exitCode: number;
  constructor(exitCode = 1, cause?: unknown) {
    super('failed', cause === undefined ? undefined : { cause });
    this.exitCode = exitCode;
  }
}

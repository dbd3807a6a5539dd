/**
 * Which failures of the database pass by themselves. A transaction that met one is done again as a whole: every statement
 * of the store is idempotent, so it does not matter whether the commit that went unanswered was made.
 */
import { StoreUnavailable } from '../types.ts';

const TRANSIENT = new Set([
  'XX000', // a cluster's node is away
  '40001',
  '40P01', // deadlock
  '57P01', // the server shuts down
  '57P02',
  '57P03', // … or starts
  '55P03', // lock timeout
  '53300', // too many connections
  '25006', // read only: a standby that is being promoted
  'ECONNREFUSED',
  'ECONNRESET',
  'EPIPE',
  'ETIMEDOUT',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'ENOENT', // the socket of a server that is starting
  'EAI_AGAIN',
]);

/** Trying at once does not help, trying later may: the disk is full, memory is short. */
const LATER = new Set(['53000', '53100', '53200', '53400', '58030']);

const codeOf = (error: unknown): string | undefined => (error as { code?: unknown } | null)?.code as string | undefined;

export function isTransient(error: unknown): boolean {
  const code = codeOf(error);
  if (typeof code === 'string') return code.startsWith('08') || TRANSIENT.has(code);
  // The driver's own errors of a lost connection carry no code.
  return (
    error instanceof Error &&
    /connection (terminated|error)|timeout exceeded when trying to connect|closed and is not queryable|not queryable/i.test(
      error.message,
    )
  );
}

export interface RetryPolicy {
  readonly attempts: number;
  /** First pause, ms; each next one is twice as long, up to 5 s. */
  readonly pause: number;
}

/** @throws StoreUnavailable when the database stays away or cannot write; other errors as they are */
export async function retrying<T>(policy: RetryPolicy, work: () => Promise<T>): Promise<T> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await work();
    } catch (error) {
      if (error instanceof StoreUnavailable) throw error;
      const code = codeOf(error);
      if (code !== undefined && LATER.has(code)) throw new StoreUnavailable(inWords(error), code, { cause: error });
      if (!isTransient(error)) throw error;
      if (attempt >= policy.attempts) throw new StoreUnavailable(inWords(error), code, { cause: error });
      await new Promise((wake) => setTimeout(wake, Math.min(policy.pause * 2 ** (attempt - 1), 5000)));
    }
  }
}

export function inWords(error: unknown): string {
  const code = codeOf(error);
  const text = error instanceof Error ? error.message || error.name : String(error);
  if (code === '53100') return 'the disk of the database is full; free some space or shorten the retention';
  if (code === 'ECONNREFUSED' || code === 'ENOENT')
    return 'the database does not answer; is it running, and is its address right?';
  if (code === '28P01' || code === '28000') return 'the database refuses the user or password in its address';
  return `the database could not do it now: ${text}${code ? ` (${code})` : ''}`;
}

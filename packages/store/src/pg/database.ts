/**
 * Connections: a few for queries, two for writing, all told once what the store relies on. Sessions are set to UTC and
 * without just-in-time compilation (its start costs more than our short statements), but no statement depends on it.
 */
import pg from 'pg';
import { NotThere, type StoreOptions } from '../types.ts';
import { type RetryPolicy, retrying } from './retry.ts';

export type Client = pg.PoolClient;

export interface Database {
  /** A query or several outside a transaction, tried anew when the database was away. */
  read<T>(work: (client: Client) => Promise<T>): Promise<T>;
  /** One transaction on a writing connection: committed when it resolves, nothing of it done when it rejects. */
  write<T>(work: (client: Client) => Promise<T>): Promise<T>;
  /** As `write`, in one attempt and outside a transaction: for statements that make partitions. */
  define<T>(work: (client: Client) => Promise<T>): Promise<T>;
  end(): Promise<void>;
}

/** Forms in which values come and go are the session's, whatever the server or database prefers. */
const SESSION =
  "set timezone = 'UTC'; set datestyle = 'ISO, YMD'; set intervalstyle = 'postgres'; set bytea_output = 'hex'; set jit = off";

export function connect(options: StoreOptions): Database {
  const policy: RetryPolicy = options.retry ?? { attempts: 6, pause: 100 };
  const common = {
    connectionString: options.url,
    connectionTimeoutMillis: 10_000,
    idleTimeoutMillis: 60_000,
    keepAlive: true,
    application_name: 'amiable',
    async onConnect(client: pg.ClientBase) {
      client.on('error', () => {});
      await client.query(SESSION);
    },
  };
  const reading = new pg.Pool({ ...common, max: options.connections ?? 4, statement_timeout: 120_000 });
  const writing = new pg.Pool({ ...common, max: 3, statement_timeout: 600_000 });
  // An idle connection that is lost is no matter; the next query opens another.
  for (const each of [reading, writing]) each.on('error', () => {});
  const using = async <T>(from: pg.Pool, work: (client: Client) => Promise<T>): Promise<T> => {
    const client = await from.connect();
    let broken = false;
    try {
      return await work(client);
    } catch (error) {
      // What is not there was found out in good order.
      broken = !(error instanceof NotThere);
      throw error;
    } finally {
      // After an error the connection may be in any state: it is not used again.
      client.release(broken);
    }
  };
  const transaction = <T>(work: (client: Client) => Promise<T>): Promise<T> =>
    using(writing, async (client) => {
      await client.query('begin');
      try {
        const result = await work(client);
        await client.query('commit');
        return result;
      } catch (error) {
        await client.query('rollback').catch(() => {});
        throw error;
      }
    });
  return {
    read: (work) => retrying(policy, () => using(reading, work)),
    write: (work) => retrying(policy, () => transaction(work)),
    define: (work) => using(writing, work),
    async end() {
      await Promise.all([reading.end(), writing.end()]);
    },
  };
}

/** Reading by COPY when the connection is not what it was. */
import pg from 'pg';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { copyOut } from '../src/pg/copy.ts';
import { createTestDatabase, type TestDatabase } from './harness.ts';

const NUMBERS = 'copy (select i::bigint from generate_series(1, 1000) i) to stdout (format binary)';

describe('copyOut', () => {
  let db: TestDatabase;
  beforeAll(async () => {
    db = await createTestDatabase({ empty: true });
  });
  afterAll(() => db.drop());

  const connected = async () => {
    const client = new pg.Client(db.url);
    client.on('error', () => {});
    await client.connect();
    return client;
  };

  it('gives every row, and the connection works on', async () => {
    const client = await connected();
    let sum = 0;
    await copyOut(client, NUMBERS, (row) => {
      sum += row.long();
    });
    expect(sum).toBe(500_500);
    expect((await client.query('select 1 as one')).rows).toEqual([{ one: 1 }]);
    await client.end();
  });
  it('rejects what the server refuses, and the connection works on', async () => {
    const client = await connected();
    await expect(copyOut(client, 'copy (select * from nowhere) to stdout (format binary)', () => {})).rejects.toThrow(
      /nowhere/,
    );
    expect((await client.query('select 1 as one')).rows).toEqual([{ one: 1 }]);
    await client.end();
  });
  it('rejects on a connection that broke before, and on one that breaks before its turn', async () => {
    const client = await connected();
    const other = await connected();
    const { rows } = await client.query('select pg_backend_pid() as pid');
    const turn = Promise.allSettled([client.query('select pg_sleep(10)'), copyOut(client, NUMBERS, () => {})]);
    await other.query('select pg_terminate_backend($1)', [rows[0].pid]);
    expect((await turn).map((r) => r.status)).toEqual(['rejected', 'rejected']);
    await expect(copyOut(client, NUMBERS, () => {})).rejects.toThrow();
    await other.end();
  });
});

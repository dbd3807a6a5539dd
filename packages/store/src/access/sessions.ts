/** Sessions and tokens: looked up by a digest, and good only together with a user who is. */
import type { Database } from '../pg/database.ts';
import { clean } from '../registers.ts';
import { accessSql as sql } from '../sql/access.ts';
import { isId, iso, rowOf } from './accounts.ts';
import { narrowed, privilegesOf, type Row, rightsOf, scopeOf, tokenOf, userOf } from './rows.ts';
import type { AccessStore, Identity } from './types.ts';

type Sessions = Pick<
  AccessStore,
  | 'tokens'
  | 'createToken'
  | 'token'
  | 'deleteToken'
  | 'byToken'
  | 'openSession'
  | 'bySession'
  | 'sessions'
  | 'endSession'
  | 'endSessions'
>;

/** Uses are marked to the minute: not each request writes. */
const MINUTE = 60_000;
/** Sessions of one user at once. */
const MOST_SESSIONS = 50;

const time = (row: Row, name: string): number => (row[name] as Date).getTime();

export function createSessions(db: Database): Sessions {
  return {
    async tokens({ user, after, limit }) {
      if (user !== undefined && !isId(user)) return { tokens: [], next: null };
      const most = Math.min(Math.max(Math.trunc(limit), 1), 1000);
      const from = after !== undefined && isId(after) ? after : '0';
      const { rows } = await db.read((client) => client.query(sql.tokens, [from, most + 1, user ?? null]));
      const page = (rows as Row[]).slice(0, most).map(tokenOf);
      return { tokens: page, next: rows.length > most ? (page.at(-1)?.id as string) : null };
    },
    createToken: (token, at) =>
      db.write(async (client) => {
        const made = (await rowOf(client, sql.insertToken, [
          token.user,
          clean(token.name),
          Buffer.from(token.hash),
          token.privileges,
          token.segments === 'user' ? null : token.segments,
          iso(at),
          token.expiresAt === null ? null : iso(token.expiresAt),
        ])) as Row;
        return tokenOf((await rowOf(client, sql.token, [made.id])) as Row);
      }),
    async token(id) {
      if (!isId(id)) return undefined;
      const row = await db.read((client) => rowOf(client, sql.token, [id]));
      return row && tokenOf(row);
    },
    async deleteToken(id) {
      if (!isId(id)) return false;
      return (await db.write((client) => rowOf(client, sql.deleteToken, [id]))) !== undefined;
    },
    async byToken(hash, now): Promise<Identity | undefined> {
      const row = await db.read((client) => rowOf(client, sql.byToken, [Buffer.from(hash), iso(now)]));
      if (!row) return undefined;
      const used = row.last_used_at as Date | null;
      if (used === null || now - used.getTime() >= MINUTE)
        await db.write((client) => client.query(sql.tokenUsed, [row.token, iso(now)]));
      const own = privilegesOf(row.token_privileges);
      return {
        user: userOf(row),
        privileges: new Set([...privilegesOf(row.privileges)].filter((p) => own.has(p))),
        scope: narrowed(scopeOf(row), row.token_segments as number[] | null),
        token: { id: row.token as string, name: row.token_name as string },
      };
    },
    openSession: (session, now) =>
      db.write(async (client) => {
        await client.query(sql.insertSession, [
          Buffer.from(session.hash),
          session.user,
          session.kind,
          iso(now),
          session.idle,
          iso(session.endsAt),
          session.agent === undefined ? null : clean(session.agent).slice(0, 300),
          session.address ?? null,
        ]);
        await client.query(sql.trimSessions, [session.user, MOST_SESSIONS]);
      }),
    async bySession(hash, now): Promise<Identity | undefined> {
      const key = Buffer.from(hash);
      const row = await db.read((client) => rowOf(client, sql.bySession, [key, iso(now)]));
      if (!row) return undefined;
      const used = time(row, 'used_at');
      const idle = Number(row.idle_ms);
      if (now >= used + idle) return undefined;
      if (now - used >= MINUTE) await db.write((client) => client.query(sql.sessionUsed, [key, iso(now)]));
      return {
        user: userOf(row),
        ...rightsOf(row),
        session: { kind: row.kind as 'page' | 'command', idleUntil: now + idle, endsAt: time(row, 'ends_at') },
      };
    },
    async sessions(user, now) {
      if (!isId(user)) return [];
      const { rows } = await db.read((client) => client.query(sql.sessions, [user, iso(now)]));
      return (rows as Row[])
        .filter((row) => time(row, 'used_at') + Number(row.idle_ms) > now)
        .map((row) => ({
          id: (row.hash as Buffer).toString('hex').slice(0, 12),
          kind: row.kind as 'page' | 'command',
          createdAt: time(row, 'created_at'),
          usedAt: time(row, 'used_at'),
          endsAt: time(row, 'ends_at'),
          agent: row.agent as string | null,
          address: row.address as string | null,
        }));
    },
    async endSession(hash) {
      return (await db.write((client) => rowOf(client, sql.endSession, [Buffer.from(hash)]))) !== undefined;
    },
    async endSessions(user, keep) {
      if (!isId(user)) return 0;
      const { rows } = await db.write((client) =>
        client.query(sql.endSessions, [user, keep ? Buffer.from(keep) : null]),
      );
      return rows.length;
    },
  };
}

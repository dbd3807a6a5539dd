/**
 * Users and groups. Every change holds one lock, checks within it what the caller may give (`allow`) and that an administrator who
 * can log in remains, and ends the sessions that the change concerns.
 */
import type { Privilege, Scope } from '@amiable/model';
import type { Client, Database } from '../pg/database.ts';
import { clean } from '../registers.ts';
import { accessSql as sql } from '../sql/access.ts';
import { groupOf, privilegesOf, type Row, rightsOf, userOf } from './rows.ts';
import { AccessConflict, type AccessStore, ADMINISTRATORS, type Rights, type User } from './types.ts';

export const iso = (at: number): string => new Date(at).toISOString();
export const isId = (id: string): boolean => /^\d{1,19}$/.test(id) && BigInt(id) < 2n ** 63n;
export const nameKey = (name: string): string => clean(name.normalize('NFKC')).trim().toLowerCase();
/** What jsonb takes: it knows neither zeros nor halves of characters. */
export const json = (value: unknown): string =>
  JSON.stringify(value, (_key, each) => (typeof each === 'string' ? clean(each) : each));
const like = (text: string): string => text.replace(/[\\%_]/g, '\\$&');

type Accounts = Pick<
  AccessStore,
  | 'users'
  | 'user'
  | 'userByName'
  | 'passwordOf'
  | 'rights'
  | 'createUser'
  | 'changeUser'
  | 'deleteUser'
  | 'loggedIn'
  | 'loginFailed'
  | 'groups'
  | 'createGroup'
  | 'changeGroup'
  | 'deleteGroup'
  | 'groupPrivileges'
>;

export async function rowOf(client: Client, text: string, values: readonly unknown[]): Promise<Row | undefined> {
  return (await client.query(text, [...values])).rows[0] as Row | undefined;
}

export async function readRights(client: Client, id: string): Promise<Rights | undefined> {
  const row = await rowOf(client, sql.rights, [id]);
  return row && rightsOf(row);
}

/** After a change: somebody must be left who can mend everything. */
export async function requireAdministrator(client: Client): Promise<void> {
  if (!(await rowOf(client, sql.administrators, [])))
    throw new AccessConflict('one administrator who can log in must remain; make another one first');
}

async function isAdministrator(client: Client, id: string): Promise<boolean> {
  const row = await rowOf(client, sql.user, [id]);
  return ((row?.groups as number[] | undefined) ?? []).includes(ADMINISTRATORS);
}

async function putMembership(client: Client, id: string, groups: readonly number[] | undefined): Promise<void> {
  if (!groups) return;
  const wanted = [...new Set(groups)];
  const { rows } = await client.query(sql.knownGroups, [wanted]);
  if (rows.length !== wanted.length) throw new AccessConflict('one of the groups does not exist');
  await client.query(sql.leaveGroups, [id]);
  await client.query(sql.joinGroups, [id, wanted]);
}

async function putSegments(client: Client, id: string, scope: Scope | undefined): Promise<void> {
  if (scope === undefined) return;
  const wanted = scope === 'all' ? [] : [...new Set(scope)];
  const { rows } = await client.query(sql.knownSegments, [wanted]);
  if (rows.length !== wanted.length) throw new AccessConflict('one of the segments does not exist');
  await client.query(sql.leaveSegments, [id]);
  await client.query(sql.joinSegments, [id, wanted]);
}

const same = (a: Rights | undefined, b: Rights | undefined): boolean =>
  a !== undefined &&
  b !== undefined &&
  a.privileges.size === b.privileges.size &&
  [...a.privileges].every((p) => b.privileges.has(p)) &&
  JSON.stringify(a.scope) === JSON.stringify(b.scope);

export function createAccounts(db: Database): Accounts {
  const locked = <T>(work: (client: Client) => Promise<T>): Promise<T> =>
    db.write(async (client) => {
      await client.query(sql.lock);
      return work(client);
    });
  const userIn = async (client: Client, id: string): Promise<User> =>
    userOf((await rowOf(client, sql.user, [id])) as Row);

  return {
    async users({ after, limit, q }) {
      const most = Math.min(Math.max(Math.trunc(limit), 1), 1000);
      const from = after !== undefined && isId(after) ? after : '0';
      const pattern = q === undefined || q === '' ? null : `%${like(nameKey(q))}%`;
      const { rows } = await db.read((client) => client.query(sql.users, [from, most + 1, pattern]));
      const page = (rows as Row[]).slice(0, most).map(userOf);
      return { users: page, next: rows.length > most ? (page.at(-1) as User).id : null };
    },
    async user(id) {
      if (!isId(id)) return undefined;
      const row = await db.read((client) => rowOf(client, sql.user, [id]));
      return row && userOf(row);
    },
    async userByName(name) {
      const row = await db.read((client) => rowOf(client, sql.userByName, [nameKey(name)]));
      return row && { user: userOf(row), password: row.password as string | null };
    },
    async passwordOf(id) {
      const row = await db.read((client) => rowOf(client, sql.passwordOf, [id]));
      return (row?.password as string | null | undefined) ?? undefined;
    },
    async rights(id) {
      return isId(id) ? db.read((client) => readRights(client, id)) : undefined;
    },
    createUser: (user, at, allow) =>
      locked(async (client) => {
        const made = await rowOf(client, sql.insertUser, [
          clean(user.name),
          nameKey(user.name),
          user.password ?? null,
          user.mustChangePassword ?? false,
          user.language ?? null,
          json(user.attributes ?? {}),
          user.segments === 'all',
          iso(at),
        ]);
        if (!made) throw new AccessConflict(`there is a user ${user.name} already`);
        const id = made.id as string;
        await putMembership(client, id, user.groups);
        await putSegments(client, id, user.segments);
        allow(undefined, await readRights(client, id));
        return userIn(client, id);
      }),
    async changeUser(id, patch, allow, keep) {
      if (!isId(id)) return undefined;
      return locked(async (client) => {
        const row = await rowOf(client, sql.user, [id]);
        if (!row || row.erased_at !== null) return undefined;
        const before = await readRights(client, id);
        const wasAdministrator = await isAdministrator(client, id);
        const password = (await rowOf(client, sql.passwordOf, [id]))?.password as string | null;
        const name = patch.name ?? (row.name as string);
        if (await rowOf(client, sql.nameTaken, [nameKey(name), id]))
          throw new AccessConflict(`there is a user ${name} already`);
        const disabled = patch.disabled ?? (row.disabled as boolean);
        await client.query(sql.changeUser, [
          id,
          clean(name),
          nameKey(name),
          patch.password ?? password,
          patch.mustChangePassword ?? row.must_change,
          patch.language === undefined ? row.language : patch.language,
          json(patch.attributes ?? row.attributes),
          disabled,
          patch.segments === undefined ? row.all_segments : patch.segments === 'all',
        ]);
        await putMembership(client, id, patch.groups);
        await putSegments(client, id, patch.segments);
        const after = await readRights(client, id);
        allow(before, after);
        if (wasAdministrator) await requireAdministrator(client);
        if (patch.password !== undefined || disabled || !same(before, after))
          await client.query(sql.endSessions, [id, disabled || !keep ? null : Buffer.from(keep)]);
        return userIn(client, id);
      });
    },
    async deleteUser(id, allow) {
      if (!isId(id)) return false;
      return locked(async (client) => {
        const before = await readRights(client, id);
        if (!before) return false;
        allow(before, undefined);
        const wasAdministrator = await isAdministrator(client, id);
        for (const text of [sql.leaveGroups, sql.leaveSegments, sql.deleteTokensOf]) await client.query(text, [id]);
        await client.query(sql.endSessions, [id, null]);
        await client.query(sql.deleteUser, [id]);
        if (wasAdministrator) await requireAdministrator(client);
        return true;
      });
    },
    async loggedIn(id, at, rehashed) {
      await db.write((client) => client.query(sql.loggedIn, [id, iso(at), rehashed ?? null]));
    },
    async loginFailed(id, at) {
      await db.write((client) => client.query(sql.loginFailed, [id, iso(at)]));
    },

    async groups() {
      const { rows } = await db.read((client) => client.query(sql.groups));
      return (rows as Row[]).map(groupOf);
    },
    createGroup: (group, allow) =>
      locked(async (client) => {
        allow(undefined, group.privileges);
        const made = await rowOf(client, sql.insertGroup, [
          clean(group.name),
          group.description === null ? null : clean(group.description),
          group.privileges,
        ]);
        if (!made) throw new AccessConflict(`there is a group ${group.name} already`);
        return groupOf((await rowOf(client, sql.group, [made.id])) as Row);
      }),
    changeGroup: (id, patch, allow, keep) =>
      locked(async (client) => {
        const row = await rowOf(client, sql.group, [id]);
        if (!row) return undefined;
        const old = groupOf(row);
        if (id === ADMINISTRATORS) throw new AccessConflict('the group administrator cannot be changed');
        if (old.builtIn && patch.name !== undefined && patch.name !== old.name)
          throw new AccessConflict(`${old.name} is known to programs by its name and keeps it`);
        const name = clean(patch.name ?? old.name);
        if (await rowOf(client, sql.groupNameTaken, [name, id]))
          throw new AccessConflict(`there is a group ${name} already`);
        const privileges: readonly Privilege[] = patch.privileges ?? old.privileges;
        allow(old.privileges, privileges);
        const description = patch.description === undefined ? old.description : patch.description;
        await client.query(sql.changeGroup, [id, name, description === null ? null : clean(description), privileges]);
        if (patch.privileges !== undefined)
          await client.query(sql.endSessionsOfGroup, [id, keep ? Buffer.from(keep) : null]);
        return groupOf((await rowOf(client, sql.group, [id])) as Row);
      }),
    deleteGroup: (id, allow) =>
      locked(async (client) => {
        const row = await rowOf(client, sql.group, [id]);
        if (!row) return false;
        if (row.built_in)
          throw new AccessConflict(`${row.name} is known to programs by its name and cannot be deleted`);
        allow(groupOf(row).privileges, undefined);
        await client.query(sql.endSessionsOfGroup, [id, null]);
        await client.query(sql.emptyGroup, [id]);
        await client.query(sql.deleteGroup, [id]);
        return true;
      }),
    async groupPrivileges(id) {
      const row = await db.read((client) => rowOf(client, sql.rightsOfGroups, [[id]]));
      return privilegesOf(row?.privileges ?? []);
    },
  };
}

/** Rows of users and what they may, as the rest of the program knows them. */
import { isPrivilege, PRIVILEGES, type Privilege, type Scope } from '@amiable/model';
import type { Group, Rights, Segment, StoredAudit, Token, User } from './types.ts';

export type Row = Record<string, unknown>;

const ms = (value: unknown): number | null => (value instanceof Date ? value.getTime() : null);

/** `*` is all there are; what a later program knew and this one does not is left out. */
export function privilegesOf(texts: unknown): Set<Privilege> {
  const all = texts as readonly string[];
  return new Set(all.includes('*') ? PRIVILEGES : all.filter(isPrivilege));
}

export const scopeOf = (row: Row): Scope => (row.all_segments ? 'all' : (row.segments as number[]));
export const rightsOf = (row: Row): Rights => ({ privileges: privilegesOf(row.privileges), scope: scopeOf(row) });

/** What both allow. */
export const narrowed = (scope: Scope, to: readonly number[] | null): Scope =>
  to === null ? scope : scope === 'all' ? to : to.filter((segment) => scope.includes(segment));

export const userOf = (row: Row): User => ({
  id: row.id as string,
  name: row.name as string,
  language: row.language as string | null,
  attributes: row.attributes as Record<string, string>,
  disabled: row.disabled as boolean,
  canLogIn: row.can_log_in as boolean,
  mustChangePassword: row.must_change as boolean,
  groups: row.groups as number[],
  segments: scopeOf(row),
  failed: row.failed as number,
  lastLogin: ms(row.last_login_at),
  createdAt: ms(row.created_at) as number,
  erasedAt: ms(row.erased_at),
});

export const groupOf = (row: Row): Group => ({
  id: row.id as number,
  name: row.name as string,
  description: row.description as string | null,
  privileges: [...privilegesOf(row.privileges)].sort(),
  builtIn: row.built_in as boolean,
  members: row.members as number,
});

export const segmentOf = (row: Row): Segment => ({
  id: row.id as number,
  name: row.name as string,
  description: row.description as string | null,
  meters: row.meters as number,
});

export const tokenOf = (row: Row): Token => ({
  id: row.id as string,
  user: row.account as string,
  userName: row.user_name as string,
  name: row.name as string,
  privileges: [...privilegesOf(row.privileges)].sort(),
  segments: (row.segments as number[] | null) ?? 'user',
  createdAt: ms(row.created_at) as number,
  expiresAt: ms(row.expires_at),
  lastUsed: ms(row.last_used_at),
});

export const auditOf = (row: Row): StoredAudit => ({
  id: row.id as string,
  at: ms(row.at) as number,
  who: row.who as string,
  ...(row.account === null ? {} : { user: row.account as string }),
  ...(row.token === null ? {} : { token: row.token as string }),
  action: row.action as string,
  ...(row.object === null ? {} : { object: row.object as string }),
  ...(row.detail === null ? {} : { detail: row.detail as Record<string, unknown> }),
  ...(row.address === null ? {} : { address: row.address as string }),
});

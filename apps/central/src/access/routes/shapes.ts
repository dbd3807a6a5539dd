/** Rows of the store as the API shows them: times in words, nothing that was not asked for. */
import type { UserAnswer } from '@amiable/model/schemas';
import type { OpenSession, StoredAudit, Token, User } from '@amiable/store';
import { z } from 'zod';

const iso = (at: number): string => new Date(at).toISOString();
const isoOrNull = (at: number | null): string | null => (at === null ? null : iso(at));

export const idParams = z.object({ id: z.string().regex(/^\d{1,18}$/, 'an id has digits only') });
export const numberParams = z.object({
  id: z.coerce
    .number()
    .int()
    .min(1)
    .max(2 ** 31 - 1),
});
const digits = z.string().regex(/^\d{1,18}$/);
export const pageQuery = z.object({
  limit: z.coerce.number().int().min(1).max(1000).default(100),
  after: digits.optional(),
});

/** Query parameters that are there, for options that do not know `undefined`. */
export function given<T extends object>(all: T): { [K in keyof T]: Exclude<T[K], undefined> } {
  return Object.fromEntries(Object.entries(all).filter(([, value]) => value !== undefined)) as {
    [K in keyof T]: Exclude<T[K], undefined>;
  };
}

export const userShape = (user: User): UserAnswer => ({
  ...user,
  attributes: { ...user.attributes },
  groups: [...user.groups],
  segments: user.segments === 'all' ? 'all' : [...user.segments],
  lastLogin: isoOrNull(user.lastLogin),
  createdAt: iso(user.createdAt),
  erasedAt: isoOrNull(user.erasedAt),
});

export const tokenShape = (token: Token) => ({
  ...token,
  createdAt: iso(token.createdAt),
  expiresAt: isoOrNull(token.expiresAt),
  lastUsed: isoOrNull(token.lastUsed),
});

export const sessionShape = (session: OpenSession) => ({
  ...session,
  createdAt: iso(session.createdAt),
  usedAt: iso(session.usedAt),
  endsAt: iso(session.endsAt),
});

export const auditShape = (record: StoredAudit) => ({
  id: record.id,
  at: iso(record.at),
  who: record.who,
  user: record.user ?? null,
  token: record.token ?? null,
  action: record.action,
  object: record.object ?? null,
  detail: record.detail ?? null,
  address: record.address ?? null,
});

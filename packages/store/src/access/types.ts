/**
 * Users, groups, segments, tokens, sessions and the audit log, as the store keeps them.
 *
 * Decides: what of a user is personal, and that a token never does more than its user may at that moment. Leaves out: hashing of
 * passwords, cookies, and who may give what to whom (the central system's access/).
 */
import type { Privilege, Scope } from '@amiable/model';

/** Group 1: has every privilege there is, and always a member who can log in. */
export const ADMINISTRATORS = 1;
export const READER_PROGRAMS = 6;
export const GUESTS = 7;

export interface User {
  /** Database id, decimal digits. */
  readonly id: string;
  readonly name: string;
  readonly language: string | null;
  /** Personal data: full name, e-mail and the like. */
  readonly attributes: Readonly<Record<string, string>>;
  readonly disabled: boolean;
  /** Has a password. */
  readonly canLogIn: boolean;
  readonly mustChangePassword: boolean;
  /** Ids. */
  readonly groups: readonly number[];
  readonly segments: Scope;
  /** Log-ins refused since the last that succeeded. */
  readonly failed: number;
  readonly lastLogin: number | null;
  readonly createdAt: number;
  readonly erasedAt: number | null;
}

/** What a user may now: the union of the groups. */
export interface Rights {
  readonly privileges: ReadonlySet<Privilege>;
  readonly scope: Scope;
}

export interface Group {
  readonly id: number;
  readonly name: string;
  readonly description: string | null;
  readonly privileges: readonly Privilege[];
  readonly builtIn: boolean;
  readonly members: number;
}

export interface Segment {
  readonly id: number;
  readonly name: string;
  readonly description: string | null;
  /** Meters in it. */
  readonly meters: number;
}

export interface Token {
  readonly id: string;
  readonly user: string;
  readonly userName: string;
  readonly name: string;
  readonly privileges: readonly Privilege[];
  /** `user`: those of the user. */
  readonly segments: readonly number[] | 'user';
  readonly createdAt: number;
  readonly expiresAt: number | null;
  readonly lastUsed: number | null;
}

export interface OpenSession {
  /** First bytes of its hash, hex: enough to tell sessions apart, useless to use one. */
  readonly id: string;
  readonly kind: 'page' | 'command';
  readonly createdAt: number;
  readonly usedAt: number;
  readonly endsAt: number;
  readonly agent: string | null;
  readonly address: string | null;
}

/** Whom a session or a token belongs to, and what they may. */
export interface Identity extends Rights {
  readonly user: User;
  /** Of a token. */
  readonly token?: { readonly id: string; readonly name: string };
  /** Of a session. */
  readonly session?: { readonly kind: 'page' | 'command'; readonly idleUntil: number; readonly endsAt: number };
}

export interface AuditRecord {
  readonly at: number;
  readonly who: string;
  readonly user?: string;
  readonly token?: string;
  readonly action: string;
  readonly object?: string;
  readonly detail?: Readonly<Record<string, unknown>>;
  readonly address?: string;
}
export interface StoredAudit extends AuditRecord {
  readonly id: string;
}
export interface AuditQuery {
  readonly from?: number;
  readonly to?: number;
  readonly user?: string;
  /** Whole, or its beginning with `*` at the end. */
  readonly object?: string;
  readonly action?: string;
  /** Newest first: ids below this one. */
  readonly before?: string;
  readonly limit: number;
}

export interface NewUser {
  readonly name: string;
  /** argon2id hash. */
  readonly password?: string;
  readonly mustChangePassword?: boolean;
  readonly language?: string;
  readonly attributes?: Readonly<Record<string, string>>;
  readonly groups: readonly number[];
  readonly segments: Scope;
}
export interface UserPatch {
  readonly name?: string;
  readonly password?: string;
  readonly mustChangePassword?: boolean;
  readonly language?: string | null;
  readonly attributes?: Readonly<Record<string, string>>;
  readonly disabled?: boolean;
  readonly groups?: readonly number[];
  readonly segments?: Scope;
}
/** Called in the transaction with what the user may before and after; throws to refuse. `undefined`: was or will not be there. */
export type Allow = (before: Rights | undefined, after: Rights | undefined) => void;
/** The same of a group's privileges. */
export type AllowGroup = (before: readonly Privilege[] | undefined, after: readonly Privilege[] | undefined) => void;

export interface AccessPolicy {
  /** How long the audit log is kept, days. */
  readonly auditDays: number;
  /** How long the audit log keeps from where something was done, and closed log-ins are counted, days. */
  readonly addressDays: number;
  /** How long tokens stand that have ended, and when the failed log-ins of a user are forgotten, days. */
  readonly goneDays: number;
}
export const ACCESS_POLICY: AccessPolicy = { auditDays: 730, addressDays: 180, goneDays: 30 };

/** @throws AccessConflict where what stands does not allow it */
export interface AccessStore {
  users(query: { readonly after?: string; readonly limit: number; readonly q?: string }): Promise<{
    readonly users: User[];
    readonly next: string | null;
  }>;
  user(id: string): Promise<User | undefined>;
  /** For log-in: the hash with the user. */
  userByName(name: string): Promise<{ readonly user: User; readonly password: string | null } | undefined>;
  passwordOf(id: string): Promise<string | undefined>;
  rights(id: string): Promise<Rights | undefined>;
  createUser(user: NewUser, at: number, allow: Allow): Promise<User>;
  /** Ends the user's sessions when rights, password or standing change, but `keep` (hash of a session). */
  changeUser(id: string, patch: UserPatch, allow: Allow, keep?: Uint8Array): Promise<User | undefined>;
  deleteUser(id: string, allow: Allow): Promise<boolean>;
  loggedIn(id: string, at: number, rehashed?: string): Promise<void>;
  loginFailed(id: string, at: number): Promise<void>;

  groups(): Promise<Group[]>;
  createGroup(
    group: { readonly name: string; readonly description: string | null; readonly privileges: readonly Privilege[] },
    allow: AllowGroup,
  ): Promise<Group>;
  /** Ends the sessions of its members when its privileges change. */
  changeGroup(
    id: number,
    patch: {
      readonly name?: string;
      readonly description?: string | null;
      readonly privileges?: readonly Privilege[];
    },
    allow: AllowGroup,
    keep?: Uint8Array,
  ): Promise<Group | undefined>;
  deleteGroup(id: number, allow: AllowGroup): Promise<boolean>;
  /** Privileges of a group. */
  groupPrivileges(id: number): Promise<ReadonlySet<Privilege>>;

  segments(scope: Scope): Promise<Segment[]>;
  createSegment(name: string, description: string | null): Promise<Segment>;
  changeSegment(
    id: number,
    patch: { readonly name?: string; readonly description?: string | null },
  ): Promise<Segment | undefined>;
  /** Refused while anything is in it. */
  deleteSegment(id: number): Promise<boolean>;
  /** Puts meters of `scope` into a segment. @returns how many moved */
  moveMeters(meters: readonly string[], segment: number, scope: Scope): Promise<number>;
  /** Ids of all meters in these segments. */
  metersIn(segments: readonly number[]): Promise<string[]>;

  tokens(query: { readonly user?: string; readonly after?: string; readonly limit: number }): Promise<{
    readonly tokens: Token[];
    readonly next: string | null;
  }>;
  createToken(
    token: {
      readonly user: string;
      readonly name: string;
      readonly hash: Uint8Array;
      readonly privileges: readonly Privilege[];
      readonly segments: readonly number[] | 'user';
      readonly expiresAt: number | null;
    },
    at: number,
  ): Promise<Token>;
  token(id: string): Promise<Token | undefined>;
  deleteToken(id: string): Promise<boolean>;
  /** The token's user and what it may now; marks its use. */
  byToken(hash: Uint8Array, now: number): Promise<Identity | undefined>;

  openSession(
    session: {
      readonly user: string;
      readonly hash: Uint8Array;
      readonly kind: 'page' | 'command';
      readonly idle: number;
      readonly endsAt: number;
      readonly agent?: string;
      readonly address?: string;
    },
    now: number,
  ): Promise<void>;
  bySession(hash: Uint8Array, now: number): Promise<Identity | undefined>;
  sessions(user: string, now: number): Promise<OpenSession[]>;
  endSession(hash: Uint8Array): Promise<boolean>;
  /** All of a user but `keep`. */
  endSessions(user: string, keep?: Uint8Array): Promise<number>;

  hasAdministrator(): Promise<boolean>;
  /** Sets the one-time code of the first administrator. @returns false when there is an administrator */
  setFirstCode(hash: Uint8Array, at: number): Promise<boolean>;
  /** Of claims at once one wins. `taken`: there is an administrator. */
  claimFirst(
    code: Uint8Array,
    user: Pick<NewUser, 'name' | 'language'> & { readonly password: string },
    at: number,
  ): Promise<User | 'taken' | 'wrong'>;

  audit(record: AuditRecord): Promise<void>;
  auditLog(query: AuditQuery): Promise<StoredAudit[]>;

  /** Blanks name and attributes, ends sessions, tokens and membership, takes the name out of the audit log. The row stays. */
  eraseUser(id: string, at: number, allow: Allow): Promise<boolean>;
  /** Blanks what is kept of the people of premises, and the names and places of the meters there. Readings stay. */
  erasePremises(id: string, at: number, scope: Scope): Promise<boolean>;
  retain(now: number, policy?: Partial<AccessPolicy>): Promise<{ readonly audit: number; readonly sessions: number }>;
}

/** What stands does not allow it: a name that is taken, the last administrator, a segment with meters in it. */
export class AccessConflict extends Error {
  override readonly name = 'AccessConflict';
}

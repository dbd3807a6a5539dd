/** Shapes of log-in, users, groups, segments, tokens and audit in the HTTP API. Times are ISO 8601 UTC text. */
import { z } from 'zod';
import { isPrivilege, type Privilege } from './access.ts';

const id = z.string().regex(/^[0-9]{1,19}$/);
const time = z.string();
/** A name that is typed and logged: no control characters, nothing invisible at its ends. */
const name = z
  .string()
  .trim()
  .min(1)
  .max(100)
  .regex(/^[^\p{C}]+$/u, 'letters that can be seen');
const note = z.string().trim().max(500).nullable();
const language = z.string().regex(/^[A-Za-z]{2,3}(-[A-Za-z0-9]{2,8}){0,3}$/, 'a language tag such as nb or de-AT');
export const privilege = z
  .custom<Privilege>((text) => typeof text === 'string' && isPrivilege(text), 'a privilege such as meter:view')
  .meta({ type: 'string', pattern: '^([a-z-]+:(view|create|modify|delete)|execute:[a-z-]+)$', example: 'meter:view' });
const privileges = z.array(privilege).max(500);
const segmentId = z
  .number()
  .int()
  .min(1)
  .max(2 ** 31 - 1);
const scope = z.union([z.literal('all'), z.array(segmentId).max(1000)]);
const groupId = z
  .number()
  .int()
  .min(1)
  .max(2 ** 31 - 1);
/** Personal data beside the name: full name, e-mail, telephone, whatever a utility keeps of its people. */
const attributes = z
  .record(z.string().regex(/^[A-Za-z][A-Za-z0-9_-]{0,39}$/, 'up to 40 letters, digits, - and _'), z.string().max(500))
  .refine((all) => Object.keys(all).length <= 50, 'at most 50 attributes');
/** Long enough that guessing a stolen hash does not pay; no rules on kinds of letters. */
export const PASSWORD_LENGTH = { least: 12, most: 200 } as const;
const password = z
  .string()
  .min(PASSWORD_LENGTH.least, `a password has ${PASSWORD_LENGTH.least} characters at least`)
  .max(PASSWORD_LENGTH.most);

/** GET /api/v1/me: who asks, and what they may. */
export const me = z.object({
  name: z.string(),
  kind: z.enum(['user', 'token', 'guest', 'system']),
  user: id.nullable(),
  language: z.string().nullable(),
  privileges: z.array(z.string()),
  segments: z.union([z.literal('all'), z.array(z.object({ id: segmentId, name: z.string() }))]),
  groups: z.array(z.string()),
  attributes: z.record(z.string(), z.string()),
  mustChangePassword: z.boolean(),
  /** There is no administrator yet. */
  firstNeeded: z.boolean(),
  session: z.object({ idleUntil: time, endsAt: time }).nullable(),
});
export type Me = z.infer<typeof me>;

export const loginPost = z
  .object({
    name: z.string().min(1).max(200),
    password: z.string().min(1).max(1000),
    /** `token`: for programs; the answer has a bearer token in place of a cookie. */
    as: z.enum(['cookie', 'token']).default('cookie'),
  })
  .strict();
export const loginAnswer = me.extend({ token: z.string().optional() });
export type LoginAnswer = z.infer<typeof loginAnswer>;
export const logoutPost = z.object({ everywhere: z.boolean().default(false) }).strict();
export const firstPost = z
  .object({ code: z.string().min(1).max(100), name, password, language: language.optional() })
  .strict();
/** `token`: for sessions of the command line, in place of a new cookie. */
export const passwordAnswer = z.object({ token: z.string().optional() });
export const passwordPut = z.object({ old: z.string().min(1).max(1000), password }).strict();
export const mePatch = z.object({ language: language.nullable(), attributes }).partial().strict();
/** Done; there is nothing to tell. */
export const nothing = z.object({});

export const user = z.object({
  id,
  name: z.string(),
  language: z.string().nullable(),
  attributes: z.record(z.string(), z.string()),
  disabled: z.boolean(),
  canLogIn: z.boolean(),
  mustChangePassword: z.boolean(),
  groups: z.array(groupId),
  segments: scope,
  failed: z.number().int(),
  lastLogin: time.nullable(),
  createdAt: time,
  erasedAt: time.nullable(),
});
export type UserAnswer = z.infer<typeof user>;
export const userList = z.object({ users: z.array(user), next: id.nullable() });
export const userPost = z
  .object({
    name,
    /** Without one the user cannot log in. It has to be changed at the first log-in. */
    password: password.optional(),
    language: language.optional(),
    attributes: attributes.optional(),
    groups: z.array(groupId).max(100),
    segments: scope,
  })
  .strict();
export const userPatch = z
  .object({
    name,
    password,
    language: language.nullable(),
    attributes,
    disabled: z.boolean(),
    groups: z.array(groupId).max(100),
    segments: scope,
  })
  .partial()
  .strict();

export const openSession = z.object({
  id: z.string(),
  kind: z.enum(['page', 'command']),
  createdAt: time,
  usedAt: time,
  endsAt: time,
  agent: z.string().nullable(),
  address: z.string().nullable(),
});
export const sessionList = z.object({ sessions: z.array(openSession) });

export const userGroup = z.object({
  id: groupId,
  name: z.string(),
  description: z.string().nullable(),
  privileges: z.array(z.string()),
  builtIn: z.boolean(),
  members: z.number().int(),
});
export const userGroupList = z.object({ groups: z.array(userGroup), privileges: z.array(z.string()) });
export const userGroupPost = z.object({ name, description: note.default(null), privileges }).strict();
export const userGroupPatch = z.object({ name, description: note, privileges }).partial().strict();

export const segment = z.object({
  id: segmentId,
  name: z.string(),
  description: z.string().nullable(),
  meters: z.number().int(),
});
export const segmentList = z.object({ segments: z.array(segment) });
export const segmentPost = z.object({ name, description: note.default(null) }).strict();
export const segmentPatch = z.object({ name, description: note }).partial().strict();
export const segmentMeters = z.object({ meters: z.array(id).min(1).max(10_000) }).strict();
export const segmentMoved = z.object({ moved: z.number().int() });

export const token = z.object({
  id,
  user: id,
  userName: z.string(),
  name: z.string(),
  privileges: z.array(z.string()),
  segments: z.union([z.literal('user'), z.array(segmentId)]),
  createdAt: time,
  expiresAt: time.nullable(),
  lastUsed: time.nullable(),
});
export const tokenList = z.object({ tokens: z.array(token), next: id.nullable() });
export const tokenPost = z
  .object({
    name,
    privileges: privileges.min(1),
    /** Without it: those of the user. */
    segments: z.array(segmentId).min(1).max(1000).optional(),
    /** Days until it ends; null: it does not. */
    days: z.number().int().min(1).max(3660).nullable().default(365),
  })
  .strict();
/** The only time that the token itself is told. */
export const tokenMade = token.extend({ token: z.string() });

export const auditRecord = z.object({
  id,
  at: time,
  who: z.string(),
  user: id.nullable(),
  token: id.nullable(),
  action: z.string(),
  object: z.string().nullable(),
  detail: z.record(z.string(), z.unknown()).nullable(),
  address: z.string().nullable(),
});
/** Newest first; `next` is the `before` of the next page. */
export const auditList = z.object({ audit: z.array(auditRecord), next: id.nullable() });

/** What the page asks about who is logged in. */
import { z } from 'zod';
import { ask, send, until } from '../api.ts';

const me = z.object({
  kind: z.enum(['user', 'token', 'guest', 'system']),
  name: z.string(),
  language: z.string().nullable().default(null),
  privileges: z.array(z.string()),
  groups: z.array(z.string()).default([]),
  /** An administrator gave the password; the user has not chosen one yet. */
  mustChangePassword: z.boolean().default(false),
  /** There is no administrator yet. */
  firstNeeded: z.boolean().default(false),
});
export type Me = z.infer<typeof me>;

const nothing = z.unknown();

export interface FirstAdministrator {
  readonly code: string;
  readonly name: string;
  readonly password: string;
  readonly language: string;
}

export const accessApi = {
  me: (signal?: AbortSignal): Promise<Me> => ask(me, '/me', until(signal), undefined, true),
  logIn: (name: string, password: string): Promise<Me> =>
    ask(me, '/login', send('POST', { name, password }), undefined, true),
  logOut: (everywhere: boolean): Promise<unknown> =>
    ask(nothing, '/logout', send('POST', everywhere ? { everywhere } : {}), undefined, true),
  first: (asked: FirstAdministrator): Promise<Me> => ask(me, '/first', send('POST', asked), undefined, true),
  language: (language: string): Promise<unknown> => ask(nothing, '/me', send('PATCH', { language })),
  password: (old: string, password: string): Promise<unknown> =>
    ask(nothing, '/me/password', send('PUT', { old, password })),
};

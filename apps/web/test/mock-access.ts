/** The stand-in server's log-in: who is logged in is a mood of the server, not of a cookie. */
import { PRIVILEGES } from '@amiable/model';

/**
 * `anna` may do everything, `viewer` only look, `guest` look without being logged in, `nobody` nothing, `new` is a guest before there is an
 * administrator.
 */
export type MockCaller = 'anna' | 'viewer' | 'guest' | 'new' | 'nobody';

export const PASSWORD = 'a house by the river';
export const FIRST_CODE = 'K7PM-2QXD';

interface Answer {
  readonly code: number;
  readonly body: unknown;
  /** Seconds. */
  readonly retryAfter?: number;
}

const LOOK = ['meter', 'reading', 'message', 'event', 'transaction', 'exception', 'bill'].map((type) => `${type}:view`);

function me(caller: MockCaller, language: string | null) {
  const user = caller === 'anna' || caller === 'viewer';
  return {
    kind: user ? 'user' : 'guest',
    name: user ? caller : 'guest',
    user: user ? '1' : null,
    language,
    privileges: caller === 'anna' ? [...PRIVILEGES].sort() : caller === 'nobody' ? [] : LOOK,
    segments: 'all',
    attributes: {},
    mustChangePassword: false,
    firstNeeded: caller === 'new',
    groups: caller === 'anna' ? ['Administrators'] : [],
    session: user ? { idleUntil: '2026-11-20T12:00:00Z', endsAt: '2026-11-20T20:00:00Z' } : null,
  };
}

interface State {
  caller: MockCaller;
  language?: string | null;
}

/** The answer where access decides it; undefined where the rest of the server does. */
export function accessAnswer(state: State, asked: string, body: unknown): Answer | undefined {
  const given = (body ?? {}) as Record<string, unknown>;
  const good = (answer: unknown = {}) => ({ code: 200, body: answer });
  if (asked === 'GET /me') return good(me(state.caller, state.language ?? null));
  if (asked === 'POST /login') {
    if (given.name === 'busy') return { code: 429, body: { error: 'Too many tries.' }, retryAfter: 30 };
    if ((given.name !== 'anna' && given.name !== 'viewer') || given.password !== PASSWORD)
      return { code: 401, body: { error: 'Name or password is wrong.' } };
    state.caller = given.name;
    return good(me(state.caller, state.language ?? null));
  }
  if (asked === 'POST /logout') {
    state.caller = 'nobody';
    return good();
  }
  if (asked === 'POST /first') {
    if (given.code !== FIRST_CODE) return { code: 401, body: { error: 'This code is not the one that was printed.' } };
    state.caller = 'anna';
    return good(me('anna', String(given.language)));
  }
  if (state.caller === 'nobody') return { code: 401, body: { error: 'Log in first.' } };
  if (asked === 'PATCH /me') {
    state.language = String(given.language);
    return good(me(state.caller, state.language));
  }
  if (asked === 'PUT /me/password')
    return given.old === PASSWORD ? good() : { code: 422, body: { error: 'The present password is wrong.' } };
  const view = asked.startsWith('GET ');
  if (!view && state.caller !== 'anna')
    return state.caller === 'viewer'
      ? { code: 403, body: { error: 'This needs meter:modify.' } }
      : { code: 401, body: { error: 'Log in first.' } };
  return undefined;
}

/**
 * Who is logged in, and what they may do. The server decides; the page only leaves out what would be refused.
 *
 * Decides: what happens on a 401. Somebody who was logged in is asked for the password in a dialog over the open page, so that what was typed
 * stays, and the refused request is sent again; a guest who may look sees what was refused; anybody else goes to the log-in page and
 * comes back to where they were.
 */
import type { Privilege } from '@amiable/model';
import { queryOptions, useQuery } from '@tanstack/react-query';
import { useCallback, useSyncExternalStore } from 'react';
import { navigate } from 'wouter/use-browser-location';
import { ApiError } from '../api.ts';
import { queryClient } from '../queries.ts';
import { loginAddress } from './address.ts';
import { accessApi, type Me } from './api.ts';
import { onUnauthorized, type Regained } from './unauthorized.ts';

export type { Me } from './api.ts';

const NOBODY: Me = {
  kind: 'guest',
  name: 'guest',
  language: null,
  privileges: [],
  groups: [],
  mustChangePassword: false,
  firstNeeded: false,
};

export const meQuery = queryOptions({
  queryKey: ['me'],
  queryFn: async ({ signal }): Promise<Me> => {
    try {
      return await accessApi.me(signal);
    } catch (fault) {
      if (fault instanceof ApiError && fault.kind === 'unauthorized') return NOBODY;
      throw fault;
    }
  },
  staleTime: 5 * 60_000,
});

export function useMe(): Me | undefined {
  return useQuery(meQuery).data;
}

/** Says no until it is known who asks. */
export function useMay(): (privilege: Privilege) => boolean {
  const me = useMe();
  return useCallback((privilege) => me?.privileges.includes(privilege) ?? false, [me]);
}

/** Open while somebody whose session ended is asked to log in again; the name is theirs. */
let ended: { readonly name: string; readonly promise: Promise<Regained>; settle(result: Regained): void } | undefined;
const listeners = new Set<() => void>();
const tell = () => {
  for (const listener of listeners) listener();
};

export function useEnded(): { readonly name: string; settle(result: Regained): void } | undefined {
  return useSyncExternalStore(
    (listener) => {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    () => ended,
  );
}

function askAgain(name: string): Promise<Regained> {
  if (ended) return ended.promise;
  let done: (result: Regained) => void = () => {};
  const promise = new Promise<Regained>((resolve) => {
    done = resolve;
  });
  ended = {
    name,
    promise,
    settle(result) {
      ended = undefined;
      tell();
      done(result);
    },
  };
  tell();
  return promise;
}

onUnauthorized(async () => {
  if (location.pathname === '/login' || location.pathname === '/first') return 'no';
  const known = queryClient.getQueryData(meQuery.queryKey);
  if (known?.kind === 'user') return askAgain(known.name);
  const me = known ?? (await queryClient.fetchQuery(meQuery));
  if (me.kind === 'user') return 'again';
  if (me.privileges.length === 0) toLogin();
  return 'no';
});

function toLogin(): void {
  navigate(loginAddress(), { replace: true });
}

/** Somebody is logged in: what others were shown is forgotten, and everything on the page is asked anew. */
export function take(me: Me): void {
  const before = queryClient.getQueryData(meQuery.queryKey);
  queryClient.setQueryData(meQuery.queryKey, me);
  const same = before?.kind === me.kind && before.name === me.name;
  const others = { predicate: (query: { queryKey: readonly unknown[] }) => query.queryKey[0] !== 'me' };
  if (!same) queryClient.removeQueries({ ...others, type: 'inactive' });
  void queryClient.invalidateQueries(others);
}

/** The log-in page follows, whether or not the server could be told. */
export async function logOut(everywhere = false): Promise<void> {
  await accessApi.logOut(everywhere).catch(() => {});
  // A whole new page: nothing of whoever was logged in stays in memory.
  location.assign('/login');
}

/** Given up in the dialog: on to the log-in page, where somebody else may log in. */
export function giveUp(): void {
  queryClient.setQueryData(meQuery.queryKey, NOBODY);
  ended?.settle('no');
  toLogin();
}

/** Nobody gives, takes or touches what they do not have themselves: the way from a small right to a great one is closed here. */
import type { Caller, Privilege, Scope } from '@amiable/model';
import type { Allow, AllowGroup } from '@amiable/store';
import { HttpError } from '../http/error.ts';

/** Whether everything in `inner` is in `outer`. */
export const covers = (outer: Scope, inner: Scope): boolean =>
  outer === 'all' || (inner !== 'all' && inner.every((segment) => outer.includes(segment)));

function requirePrivileges(caller: Caller, privileges: Iterable<Privilege>): void {
  for (const privilege of privileges)
    if (!caller.privileges.has(privilege))
      throw new HttpError(403, `${caller.name} lacks ${privilege}, and so can neither give it nor change who has it`);
}

export function requireScope(caller: Caller, scope: Scope): void {
  if (!covers(caller.scope, scope))
    throw new HttpError(
      403,
      `${caller.name} does not see all of these segments, and so can neither give nor take them`,
    );
}

export const mayChange =
  (caller: Caller): Allow =>
  (before, after) => {
    for (const rights of [before, after])
      if (rights) {
        requirePrivileges(caller, rights.privileges);
        requireScope(caller, rights.scope);
      }
  };

export const mayChangeGroup =
  (caller: Caller): AllowGroup =>
  (before, after) => {
    requirePrivileges(caller, before ?? []);
    requirePrivileges(caller, after ?? []);
  };

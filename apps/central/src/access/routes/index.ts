/** Routes of log-in, users, groups, segments, tokens and audit. */
import type { Context } from '../../context.ts';
import type { Router } from '../../http/router.ts';
import { groupRoutes } from './groups.ts';
import { sessionRoutes } from './session.ts';
import { tokenRoutes } from './tokens.ts';
import { userRoutes } from './users.ts';

export function accessRoutes(router: Router, context: Context): void {
  sessionRoutes(router, context);
  userRoutes(router, context);
  groupRoutes(router, context);
  tokenRoutes(router, context);
}

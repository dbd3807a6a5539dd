/** Groups of users, and segments of the data. */
import { PRIVILEGES } from '@amiable/model';
import {
  nothing,
  segment,
  segmentList,
  segmentMeters,
  segmentMoved,
  segmentPatch,
  segmentPost,
  userGroup,
  userGroupList,
  userGroupPatch,
  userGroupPost,
} from '@amiable/model/schemas';
import type { Context } from '../../context.ts';
import { HttpError } from '../../http/error.ts';
import type { Router } from '../../http/router.ts';
import { mayChangeGroup, requireScope } from '../rules.ts';
import { given, numberParams } from './shapes.ts';

export function groupRoutes(router: Router, context: Context): void {
  const { access } = context;
  const store = context.store.access;
  const missing = (what: string, id: number) => new HttpError(404, `there is no ${what} ${id}`);

  router.add({
    method: 'GET',
    path: '/api/v1/groups',
    needs: 'group:view',
    tag: 'groups',
    summary: 'Groups of users with their privileges, and the privileges there are',
    answer: userGroupList,
    handler: async () => ({ groups: await store.groups(), privileges: PRIVILEGES }),
  });
  router.add({
    method: 'POST',
    path: '/api/v1/groups',
    needs: 'group:create',
    tag: 'groups',
    summary: 'Makes a group; it may have what whoever makes it has',
    body: userGroupPost,
    answer: userGroup,
    handler: async ({ caller, body, about }) => {
      const made = await store.createGroup(body, mayChangeGroup(caller));
      about(`group ${made.id}`, { name: made.name, privileges: made.privileges });
      return made;
    },
  });
  router.add({
    method: 'PATCH',
    path: '/api/v1/groups/:id',
    needs: 'group:modify',
    tag: 'groups',
    summary: 'Changes a group; sessions of its members end when its privileges change',
    params: numberParams,
    body: userGroupPatch,
    answer: userGroup,
    handler: async ({ caller, params: { id }, body, request, about }) => {
      about(`group ${id}`, given(body));
      const changed = await store.changeGroup(id, given(body), mayChangeGroup(caller), access.asked(request).session);
      if (!changed) throw missing('group', id);
      access.changed();
      return changed;
    },
  });
  router.add({
    method: 'DELETE',
    path: '/api/v1/groups/:id',
    needs: 'group:delete',
    tag: 'groups',
    summary: 'Deletes a group',
    params: numberParams,
    answer: nothing,
    handler: async ({ caller, params: { id }, about }) => {
      about(`group ${id}`);
      if (!(await store.deleteGroup(id, mayChangeGroup(caller)))) throw missing('group', id);
      access.changed();
      return {};
    },
  });

  router.add({
    method: 'GET',
    path: '/api/v1/segments',
    needs: 'segment:view',
    tag: 'segments',
    summary: 'The segments that the caller sees',
    answer: segmentList,
    scoped: true,
    handler: async ({ caller }) => ({ segments: await store.segments(caller.scope) }),
  });
  router.add({
    method: 'POST',
    path: '/api/v1/segments',
    needs: 'segment:create',
    tag: 'segments',
    summary: 'Makes a segment; for callers who see all segments',
    body: segmentPost,
    answer: segment,
    handler: async ({ caller, body, about }) => {
      requireScope(caller, 'all');
      const made = await store.createSegment(body.name, body.description);
      about(`segment ${made.id}`, { name: made.name });
      return made;
    },
  });
  router.add({
    method: 'PATCH',
    path: '/api/v1/segments/:id',
    needs: 'segment:modify',
    tag: 'segments',
    summary: 'Renames a segment',
    params: numberParams,
    body: segmentPatch,
    answer: segment,
    scoped: true,
    handler: async ({ caller, params: { id }, body, about }) => {
      if (caller.scope !== 'all' && !caller.scope.includes(id)) throw missing('segment', id);
      about(`segment ${id}`, given(body));
      const changed = await store.changeSegment(id, given(body));
      if (!changed) throw missing('segment', id);
      return changed;
    },
  });
  router.add({
    method: 'DELETE',
    path: '/api/v1/segments/:id',
    needs: 'segment:delete',
    tag: 'segments',
    summary: 'Deletes a segment that nothing is in',
    params: numberParams,
    answer: nothing,
    scoped: true,
    handler: async ({ caller, params: { id }, about }) => {
      if (caller.scope !== 'all' && !caller.scope.includes(id)) throw missing('segment', id);
      about(`segment ${id}`);
      if (!(await store.deleteSegment(id))) throw missing('segment', id);
      return {};
    },
  });
  router.add({
    method: 'PUT',
    path: '/api/v1/segments/:id/meters',
    needs: 'segment:modify',
    tag: 'segments',
    summary: 'Puts meters into a segment; meters that the caller does not see stay where they are',
    params: numberParams,
    body: segmentMeters,
    answer: segmentMoved,
    scoped: true,
    handler: async ({ caller, params: { id }, body: { meters }, about }) => {
      if (caller.scope !== 'all' && !caller.scope.includes(id)) throw missing('segment', id);
      const moved = await store.moveMeters(meters, id, caller.scope);
      about(`segment ${id}`, { meters: meters.slice(0, 100), count: meters.length, moved });
      return { moved };
    },
  });
}

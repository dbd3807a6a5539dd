/**
 * Destinations by API: where files go, in which format, what of the data.
 *
 * Decides: a destination delivers from the segments of who wrote it; secrets are written and never told, and go when the way to the
 * destination is changed: a password is for the server that it was given for. Leaves out: making and sending.
 */
import { isValidZone } from '@amiable/calendar';
import { type Caller, may, type Privilege } from '@amiable/model';
import type { DestinationSecret, MeterSelection } from '@amiable/store';
import { z } from 'zod';
import type { Context } from '../../context.ts';
import { HttpError } from '../../http/error.ts';
import type { Router } from '../../http/router.ts';
import { selectionOf } from '../../scheduler/targets.ts';
import { makeFolderBelow } from '../exchange/folders.ts';
import { checkSelection } from '../registry/meters.ts';
import { secretOwner } from './courier.ts';
import { destinationBody, destinationJson, destinationShape, named, secretsBody } from './shapes.ts';
import { chosen } from './write.ts';

const tag = 'delivery';

/** What of the data a caller must be allowed to see to have it sent. */
export function mayDeliver(caller: Caller): void {
  for (const privilege of ['reading:view', 'meter:view'] as readonly Privilege[])
    if (!may(caller, privilege))
      throw new HttpError(
        403,
        `what is delivered is readings: it needs ${privilege}, which ${caller.name} does not have`,
      );
}

export function destinationRoutes(router: Router, context: Context): void {
  const { store, vault, access, outbox, now } = context;
  const { destinations } = store.delivery;
  const known = async (name: string, caller: Caller) => {
    const found = await destinations.get(name, caller.scope);
    if (!found) throw new HttpError(404, 'there is no such destination');
    return found;
  };

  router.add({
    method: 'GET',
    path: '/api/v1/destinations',
    needs: 'delivery:view',
    tag,
    summary: 'Where meter data are delivered',
    answer: z.object({ destinations: z.array(destinationShape) }),
    scoped: true,
    handler: async ({ caller }) => ({ destinations: (await destinations.list(caller.scope)).map(destinationJson) }),
  });
  router.add({
    method: 'GET',
    path: '/api/v1/destinations/:name',
    needs: 'delivery:view',
    tag,
    summary: 'A destination',
    params: named,
    answer: destinationShape,
    scoped: true,
    handler: async ({ caller, params }) => destinationJson(await known(params.name, caller)),
  });
  router.add({
    method: 'PUT',
    path: '/api/v1/destinations/:name',
    needs: 'delivery:modify',
    tag,
    summary: 'Writes a destination; it delivers from your segments',
    description:
      'Its secrets are taken away when the way to it is changed (kind, host, port, user, address, host key): set them anew. Needs reading:view and meter:view too.',
    params: named,
    body: destinationBody,
    answer: destinationShape,
    scoped: true,
    handler: async ({ caller, params, body, about }) => {
      const before = await destinations.get(params.name, 'all');
      if (before) await known(params.name, caller);
      mayDeliver(caller);
      if (body.timeZone !== undefined && !isValidZone(body.timeZone))
        throw new HttpError(422, `timeZone: ${body.timeZone} is not known; give an IANA name such as Europe/Oslo`);
      await chosen(store, body.format);
      const { meters, ...rest } = body.content.target;
      const selection = selectionOf(
        { ...rest, ...(meters ? { meters: meters.slice(0, 1000) } : {}) } as Parameters<typeof selectionOf>[0],
        now(),
      );
      checkSelection(selection as MeterSelection, caller);
      await store.registry.count(selection, caller.scope, 1);
      if (body.where.kind === 'folder') {
        if (outbox === undefined)
          throw new HttpError(422, 'this server has no outbox: start it with --outbox FOLDER (see docs/delivery.md)');
        await makeFolderBelow(outbox, body.where.folder, 'outbox', true);
      }
      const { enabled, ...definition } = body;
      const old = before && destinationBody.safeParse(before.definition).data?.where;
      const moved = old !== undefined && wayOf(old) !== wayOf(body.where);
      await destinations.put(
        {
          name: params.name,
          kind: body.where.kind,
          definition,
          segments: caller.scope === 'all' ? null : caller.scope,
          enabled,
        },
        caller.name,
        access.clock(),
        moved,
      );
      about(`destination ${params.name}`, { kind: body.where.kind, secretsGone: moved });
      return destinationJson(await known(params.name, caller));
    },
  });
  router.add({
    method: 'PUT',
    path: '/api/v1/destinations/:name/secrets',
    needs: 'delivery:modify',
    tag,
    summary: 'Sets passwords, keys and tokens of a destination; null takes one away',
    description: 'They are sealed at once and never given back. Those that are not named stay.',
    params: named,
    body: secretsBody,
    answer: destinationShape,
    scoped: true,
    handler: async ({ caller, params, body, about }) => {
      await known(params.name, caller);
      const given = Object.entries(body).filter(([, text]) => text !== undefined) as [
        DestinationSecret,
        string | null,
      ][];
      for (const [name, text] of given)
        await destinations.putSecret(
          params.name,
          name,
          text === null ? null : vault.seal(new TextEncoder().encode(text), secretOwner(params.name, name)),
          access.clock(),
        );
      about(`destination ${params.name}`, { secrets: given.map(([name]) => name) });
      return destinationJson(await known(params.name, caller));
    },
  });
  router.add({
    method: 'DELETE',
    path: '/api/v1/destinations/:name',
    needs: 'delivery:delete',
    tag,
    summary: 'Takes a destination away with its secrets; what was sent there stays in the list',
    params: named,
    answer: z.object({}),
    scoped: true,
    handler: async ({ caller, params, about }) => {
      await known(params.name, caller);
      await destinations.remove(params.name);
      about(`destination ${params.name}`);
      return {};
    },
  });
}

/** Whom a secret would be told. */
function wayOf(where: z.output<typeof destinationBody>['where']): string {
  if (where.kind === 'folder') return 'folder';
  if (where.kind === 'http') {
    const { protocol, host } = new URL(where.url);
    return `${protocol}//${host} ${where.user ?? ''}`;
  }
  return `${where.host} ${where.port} ${where.user} ${where.hostKey}`;
}

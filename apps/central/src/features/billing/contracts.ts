/** Contracts over HTTP: which tariff holds for a product at a metering point, from when to when. */
import { MisuseError } from '@amiable/bytes';
import { localToUtc } from '@amiable/calendar';
import type { Context } from '../../context.ts';
import { HttpError } from '../../http/error.ts';
import type { Router } from '../../http/router.ts';
import {
  byId,
  contractBody,
  contractCorrection,
  contractEnd,
  contractJson,
  contractList,
  contractQuery,
  contractShape,
} from './shapes.ts';
import { tariffOf } from './tariffs.ts';

export function contractRoutes(router: Router, { store, now, timeZone }: Context): void {
  const { contracts, tariffs } = store.billing;
  const tag = 'contracts';

  /** Contracts begin and end at midnight of their tariff's zone. */
  const midnights = async (tariff: string): Promise<(day: string) => number> => {
    const newest = (await tariffs.versions(tariff)).at(-1);
    if (!newest) throw new MisuseError(`there is no tariff ${JSON.stringify(tariff)}`);
    const zone = tariffOf(newest).zone ?? timeZone;
    return (day) => localToUtc(zone, Date.parse(`${day}T00:00:00Z`));
  };
  const found = async (id: string, scope: Parameters<typeof contracts.get>[1]) => {
    const contract = await contracts.get(id, scope);
    if (!contract) throw new HttpError(404, `there is no contract ${id}`);
    return contract;
  };

  router.add({
    method: 'GET',
    path: '/api/v1/contracts',
    needs: 'contract:view',
    tag,
    summary: 'Contracts, by id',
    query: contractQuery,
    answer: contractList,
    scoped: true,
    handler: async ({ caller, query }) => {
      const { limit, after, at, replaced, meteringPoint, product, tariff } = query;
      const rows = await contracts.list({
        limit,
        scope: caller.scope,
        replaced: replaced === 'true',
        ...(meteringPoint === undefined ? {} : { meteringPoint }),
        ...(product === undefined ? {} : { product }),
        ...(tariff === undefined ? {} : { tariff }),
        ...(at === undefined ? {} : { from: at, to: at + 1 }),
        ...(after === undefined ? {} : { after }),
      });
      return { contracts: rows.map(contractJson), next: rows.length === limit ? (rows.at(-1)?.id ?? null) : null };
    },
  });

  router.add({
    method: 'POST',
    path: '/api/v1/contracts',
    needs: 'contract:create',
    tag,
    summary: 'Write a contract down; an open one of the same product and point ends where it begins',
    body: contractBody,
    answer: contractShape,
    scoped: true,
    handler: async ({ caller, body, about }) => {
      const midnight = await midnights(body.tariff);
      const contract = await contracts.put(
        { ...body, from: midnight(body.from), to: body.to == null ? null : midnight(body.to) },
        caller.scope,
        { who: caller.name, at: now() },
      );
      about(`contract ${contract.id}`, { meteringPoint: contract.code, product: body.product, tariff: body.tariff });
      return contractJson(contract);
    },
  });

  router.add({
    method: 'GET',
    path: '/api/v1/contracts/:id',
    needs: 'contract:view',
    tag,
    summary: 'One contract',
    params: byId,
    answer: contractShape,
    scoped: true,
    handler: async ({ caller, params }) => contractJson(await found(params.id, caller.scope)),
  });

  router.add({
    method: 'POST',
    path: '/api/v1/contracts/:id/end',
    needs: 'contract:modify',
    tag,
    summary: 'End a contract',
    params: byId,
    body: contractEnd,
    answer: contractShape,
    scoped: true,
    handler: async ({ caller, params, body, about }) => {
      const contract = await found(params.id, caller.scope);
      const to = (await midnights(contract.tariff))(body.to);
      about(`contract ${contract.id}`, { end: body.to });
      return contractJson(await contracts.end(contract.id, to, caller.scope, { who: caller.name, at: now() }));
    },
  });

  router.add({
    method: 'POST',
    path: '/api/v1/contracts/:id/correct',
    needs: 'contract:modify',
    tag,
    summary: 'Say that a contract was otherwise, or never was; what was billed stays, a difference can be billed',
    params: byId,
    body: contractCorrection,
    answer: contractShape.nullable(),
    scoped: true,
    handler: async ({ caller, params, body, about }) => {
      const contract = await found(params.id, caller.scope);
      const { right } = body;
      let what: Parameters<typeof contracts.correct>[1];
      if (right) {
        const midnight = await midnights(right.tariff);
        what = { ...right, from: midnight(right.from), to: right.to == null ? null : midnight(right.to) };
      }
      about(`contract ${contract.id}`, { reason: body.reason });
      const by = { who: caller.name, at: now() };
      const holds = await contracts.correct(contract.id, what, body.reason, caller.scope, by);
      return holds === undefined ? null : contractJson(holds);
    },
  });
}

/** Tariffs over HTTP: drafts, checks, publication. */
import { MisuseError } from '@amiable/bytes';
import { meterFit } from '@amiable/compute';
import { type Tariff, tariff as tariffSchema } from '@amiable/model/schemas';
import type { TariffVersion } from '@amiable/store';
import { z } from 'zod';
import type { Context } from '../../context.ts';
import { HttpError } from '../../http/error.ts';
import type { Router } from '../../http/router.ts';
import {
  byName,
  checkAnswer,
  checkBody,
  draftBody,
  tariffJson,
  tariffList,
  tariffQuery,
  tariffRow,
  versionJson,
  versionParams,
  versionShape,
} from './shapes.ts';

const MB = 1024 * 1024;
const MOST_FAULTS = 100;

/** Every fault of what somebody wrote, with its place. */
export function faultsOf(definition: unknown): { path: string; sentence: string }[] {
  const found = tariffSchema.safeParse(definition);
  return found.success
    ? []
    : found.error.issues
        .slice(0, MOST_FAULTS)
        .map(({ path, message }) => ({ path: path.map(String).join('.'), sentence: message }));
}

/** @throws MisuseError with the first fault in words */
export function parseTariff(definition: unknown): Tariff {
  const [fault, ...more] = faultsOf(definition);
  if (fault)
    throw new MisuseError(
      `${fault.path === '' ? '' : `${fault.path}: `}${fault.sentence}${more.length > 0 ? ` (and ${more.length} more; POST /api/v1/tariffs/check names all)` : ''}`,
    );
  return tariffSchema.parse(definition);
}

/** What was stored was checked when it was stored. */
export const tariffOf = (version: TariffVersion): Tariff => version.definition as unknown as Tariff;
export function tariffRoutes(router: Router, { store, now, timeZone }: Context): void {
  const { tariffs } = store.billing;
  const tag = 'tariffs';
  const found = async (name: string) => {
    const row = await tariffs.get(name);
    if (!row) throw new HttpError(404, `there is no tariff ${JSON.stringify(name)}`);
    return row;
  };

  router.add({
    method: 'GET',
    path: '/api/v1/tariffs',
    needs: 'tariff:view',
    tag,
    summary: 'Tariffs by name',
    query: tariffQuery,
    answer: tariffList,
    handler: async ({ query }) => {
      const { q, after, limit } = query;
      const rows = await tariffs.list({
        limit,
        ...(q === undefined ? {} : { q }),
        ...(after === undefined ? {} : { after }),
      });
      return { tariffs: rows.map(tariffJson), next: rows.length === limit ? (rows.at(-1)?.name ?? null) : null };
    },
  });

  router.add({
    method: 'POST',
    path: '/api/v1/tariffs/check',
    needs: 'tariff:view',
    tag,
    summary: 'Whether a tariff is good, without keeping it: every fault with its place and what to do',
    body: checkBody,
    bodyLimit: MB,
    answer: checkAnswer,
    audit: 'none',
    handler: ({ body }) => {
      const faults = faultsOf(body.definition);
      if (!body.meter || faults.length > 0) return { good: faults.length === 0, faults, meter: null };
      const day = new Date(now()).toISOString().slice(0, 10);
      const { reasons } = meterFit(tariffSchema.parse(body.definition), day);
      const meter = { fits: reasons.length === 0, reasons: [...reasons] };
      return { good: faults.length === 0, faults, meter };
    },
  });

  router.add({
    method: 'GET',
    path: '/api/v1/tariffs/:name',
    needs: 'tariff:view',
    tag,
    summary: 'One tariff with its versions',
    params: byName,
    answer: tariffRow.extend({ versions: z.array(versionShape) }),
    handler: async ({ params }) => ({
      ...tariffJson(await found(params.name)),
      versions: (await tariffs.versions(params.name)).map((v) => versionJson(v, false)),
    }),
  });

  router.add({
    method: 'GET',
    path: '/api/v1/tariffs/:name/versions/:version',
    needs: 'tariff:view',
    tag,
    summary: 'One version of a tariff, whole',
    params: versionParams,
    answer: versionShape,
    handler: async ({ params }) => {
      const version = await tariffs.version(params.name, params.version);
      if (!version) throw new HttpError(404, `there is no version ${params.version} of ${JSON.stringify(params.name)}`);
      return versionJson(version, true);
    },
  });

  router.add({
    method: 'PUT',
    path: '/api/v1/tariffs/:name',
    needs: 'tariff:modify',
    tag,
    summary: 'Write the draft of a tariff: the one that is there, or a new version',
    description:
      'A draft bills nothing until it is published. A tariff with a fault (a hole in a day table, a rate without a price) is refused.',
    params: byName,
    body: draftBody,
    bodyLimit: MB,
    answer: versionShape,
    handler: async ({ caller, params, body, about }) => {
      const definition = parseTariff(body.definition);
      const version = await tariffs.put(
        params.name,
        {
          validFrom: body.validFrom,
          definition: definition as unknown as Record<string, unknown>,
          ...(body.description === undefined ? {} : { description: body.description }),
        },
        { who: caller.name, at: now() },
      );
      about(`tariff ${params.name}`, { version: version.version, validFrom: version.validFrom });
      return versionJson(version, true);
    },
  });

  router.add({
    method: 'POST',
    path: '/api/v1/tariffs/:name/versions/:version/publish',
    needs: 'tariff:create',
    tag,
    summary: 'Publish a draft: from then on it bills and never changes',
    params: versionParams,
    answer: versionShape,
    handler: async ({ caller, params, about }) => {
      const draft = await tariffs.version(params.name, params.version);
      if (!draft) throw new HttpError(404, `there is no version ${params.version} of ${JSON.stringify(params.name)}`);
      parseTariff(draft.definition);
      const zone = tariffOf(draft).zone ?? timeZone;
      const version = await tariffs.publish(params.name, params.version, zone, { who: caller.name, at: now() });
      about(`tariff ${params.name}`, { published: version.version, validFrom: version.validFrom });
      return versionJson(version, true);
    },
  });

  router.add({
    method: 'DELETE',
    path: '/api/v1/tariffs/:name',
    needs: 'tariff:delete',
    tag,
    summary: 'Take the draft of a tariff away, and the tariff where it has nothing else; what was published stays',
    params: byName,
    answer: z.object({}),
    handler: async ({ params, about }) => {
      await found(params.name);
      if (!(await tariffs.removeDraft(params.name)))
        throw new HttpError(409, `${JSON.stringify(params.name)} has no draft; what was published stays`);
      about(`tariff ${params.name}`, { draft: 'removed' });
      return {};
    },
  });
}

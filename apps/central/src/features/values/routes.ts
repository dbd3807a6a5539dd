/**
 * Meterings of a meter with their qualities, now and as they were; the states that a value had; edits by people, of one value or many.
 *
 * Decides: an edit is made by a person with an account, approved by another where the rule asks for two, and all edits of one request
 * are made or none. Leaves out: what the values are used for (validation, bills, reports).
 */

import { MisuseError } from '@amiable/bytes';
import type { Caller } from '@amiable/model';
import { editList, editShape, meterIntervals, meterings, valueStates } from '@amiable/model/schemas';
import { EDIT_STATES, type NewEdit } from '@amiable/store';
import { z } from 'zod';
import type { Context } from '../../context.ts';
import { HttpError } from '../../http/error.ts';
import { meterParams, span } from '../../http/forms.ts';
import { id63, when } from '../../http/queries.ts';
import type { Router } from '../../http/router.ts';
import { editAnswer, intervalsAnswer, mantissasOf, newEdits, period, quantityWord, stateAnswer } from './shapes.ts';

const DAY = 86_400_000;
/** A year of quarter-hours fits. */
const MOST_DAYS = 400;
const MOST_VALUES = 60_000;
/** Values of the edits of one page, about. */
const PAGE_VALUES = 100_000;
/** 1,000 edits of some hundred values each. */
const BODY = 16 * 1024 * 1024;

const asked = z.object({ quantity: quantityWord.default('energyImport'), period: period.optional() }).and(span);
const editParams = z.object({ id: id63 });
const rule = z.object({ twoPersons: z.boolean().describe('whether edits wait for another person') });
const reason = z.strictObject({ reason: z.string().max(1000) });

export function valueRoutes(router: Router, { store, now }: Context): void {
  const { intervals } = store;
  const common = { needs: 'reading:view', tag: 'values', scoped: true } as const;

  /** The account, whatever token is used: two tokens are not two persons, nor are two names. */
  async function personOf(caller: Caller): Promise<{ readonly name: string; readonly id: string }> {
    const user = caller.user === undefined ? undefined : await store.access.user(caller.user);
    if (!user) throw new HttpError(403, 'values are edited by people: by a user, or a token of one');
    return user;
  }

  function bounded({ from, to }: { from: number; to: number }): void {
    if (to - from > MOST_DAYS * DAY) throw new HttpError(422, `at most ${MOST_DAYS} days of intervals at once`);
  }

  router.add({
    ...common,
    method: 'GET',
    path: '/api/v1/meters/:id/meterings',
    summary: 'Which meterings a meter has: quantity, period, unit, from when to when',
    params: meterParams,
    answer: meterings,
    handler: async ({ caller, params }) => ({
      meterings: (await intervals.list(params.id, caller.scope)).map((m) => ({
        ...m,
        first: new Date(m.first).toISOString(),
        last: new Date(m.last).toISOString(),
      })),
    }),
  });

  router.add({
    ...common,
    method: 'GET',
    path: '/api/v1/meters/:id/intervals',
    summary: 'Validated intervals of a meter with their qualities, now or as they stood at a time',
    description:
      'Values stand at the start of their interval. `asOf` gives everything as it was at that moment: what a bill of that day saw.',
    params: meterParams,
    query: z.object({ asOf: when.optional() }).and(asked),
    answer: meterIntervals,
    handler: async ({ caller, params, query }) => {
      bounded(query);
      const { asOf, ...rest } = query;
      const found = await intervals.one(
        params.id,
        { ...given(rest), ...(asOf === undefined ? {} : { asOf }) },
        caller.scope,
      );
      if (found && found.values.length > MOST_VALUES)
        throw new HttpError(422, `at most ${MOST_VALUES} intervals at once; ask for a shorter time or a longer period`);
      return intervalsAnswer(params.id, query.quantity, asOf, found);
    },
  });

  router.add({
    ...common,
    method: 'GET',
    path: '/api/v1/meters/:id/intervals/history',
    summary: 'Every state that the values of a time had, with source, person, reason and time',
    params: meterParams,
    query: z.object({ limit: z.coerce.number().int().min(1).max(10_000).default(1000) }).and(asked),
    answer: valueStates,
    handler: async ({ caller, params, query }) => {
      bounded(query);
      const { limit, ...rest } = query;
      const states = await intervals.states(params.id, given(rest), limit + 1, caller.scope);
      return { states: states.slice(0, limit).map(stateAnswer), more: states.length > limit };
    },
  });

  router.add({
    ...common,
    method: 'POST',
    path: '/api/v1/edits',
    needs: 'execute:edit-values',
    summary: 'Edits values, of one metering or many: all of it or nothing',
    description: 'Where the rule asks for two persons, they wait for another one; the answer says so (`waiting`).',
    body: newEdits,
    bodyLimit: BODY,
    answer: z.object({ edits: z.array(editShape) }),
    handler: async ({ caller, body, about }) => {
      const by = await personOf(caller);
      const late = body.edits.find((e) => e.to > now());
      if (late)
        throw new MisuseError(
          `meter ${late.meter}: values up to ${new Date(late.to).toISOString()} cannot be known yet; edit what is over`,
        );
      const edits = body.edits.map(
        (e): NewEdit => ({
          meter: e.meter,
          quantity: e.quantity,
          ...(e.period === undefined ? {} : { period: e.period }),
          from: e.from,
          to: e.to,
          ...mantissasOf(e.values),
          reason: e.reason ?? body.reason ?? '',
        }),
      );
      const made = await intervals.edit(edits, by.name, now(), await intervals.twoPersons(), caller.scope, by.id);
      about(made.length === 1 ? `edit ${made[0]?.id}` : `edits ${made[0]?.id} to ${made.at(-1)?.id}`, {
        meters: [...new Set(made.map((e) => e.meter))].slice(0, 100),
        state: made[0]?.state,
        reason: made[0]?.reason,
      });
      return { edits: made.map(editAnswer) };
    },
  });

  router.add({
    ...common,
    method: 'GET',
    path: '/api/v1/edits',
    summary: 'Edits, newest first',
    query: z.object({
      meter: id63.optional(),
      state: z.enum(EDIT_STATES).optional(),
      limit: z.coerce.number().int().min(1).max(1000).default(100),
      after: id63.optional(),
    }),
    answer: editList,
    handler: async ({ caller, query }) => {
      const found = await intervals.edits({
        scope: caller.scope,
        limit: query.limit + 1,
        ...(query.meter === undefined ? {} : { meter: query.meter }),
        ...(query.state === undefined ? {} : { state: query.state }),
        ...(query.after === undefined ? {} : { after: query.after }),
      });
      // An edit may have a year of values: a page ends before it has too many of them.
      let values = 0;
      let count = 0;
      for (const edit of found.slice(0, query.limit)) {
        values += edit.values.length;
        if (count > 0 && values > PAGE_VALUES) break;
        count++;
      }
      const edits = found.slice(0, count);
      return { edits: edits.map(editAnswer), next: found.length > edits.length ? (edits.at(-1)?.id ?? null) : null };
    },
  });

  router.add({
    method: 'GET',
    path: '/api/v1/edits/rule',
    needs: 'reading:view',
    tag: 'values',
    summary: 'Whether edits wait for a second person',
    answer: rule,
    handler: async () => ({ twoPersons: await intervals.twoPersons() }),
  });

  router.add({
    method: 'PUT',
    path: '/api/v1/edits/rule',
    needs: 'system:modify',
    tag: 'values',
    summary: 'Sets whether edits wait for a second person; those that wait already go on waiting',
    body: rule.strict(),
    answer: rule,
    handler: async ({ caller, body, about }) => {
      await intervals.setTwoPersons(body.twoPersons, caller.name, now());
      about('edits', { twoPersons: body.twoPersons });
      return body;
    },
  });

  router.add({
    ...common,
    method: 'GET',
    path: '/api/v1/edits/:id',
    summary: 'One edit',
    params: editParams,
    answer: editShape,
    handler: async ({ caller, params }) => {
      const edit = await intervals.oneEdit(params.id, caller.scope);
      if (!edit) throw new HttpError(404, `there is no edit ${params.id}`);
      return editAnswer(edit);
    },
  });

  for (const [word, yes, summary] of [
    ['approve', true, 'Approves an edit that waits: it is applied'],
    ['refuse', false, 'Refuses an edit that waits; who made it may withdraw it so'],
  ] as const)
    router.add({
      ...common,
      method: 'POST',
      path: `/api/v1/edits/:id/${word}`,
      needs: 'execute:approve-values',
      summary,
      params: editParams,
      answer: editShape,
      handler: async ({ caller, params, about }) => {
        const by = await personOf(caller);
        const done = await intervals.decide(params.id, yes, by.name, now(), caller.scope, by.id);
        about(`edit ${done.id}`, { meter: done.meter, state: done.state });
        return editAnswer(done);
      },
    });

  router.add({
    ...common,
    method: 'POST',
    path: '/api/v1/edits/:id/undo',
    needs: 'execute:edit-values',
    summary: 'Undoes an edit: what was there before is there again, and readings that came meanwhile count',
    params: editParams,
    body: reason,
    answer: editShape,
    handler: async ({ caller, params, body, about }) => {
      const done = await intervals.undo(params.id, (await personOf(caller)).name, body.reason, now(), caller.scope);
      about(`edit ${done.id}`, { meter: done.meter, reason: body.reason });
      return editAnswer(done);
    },
  });
}

function given({ quantity, period: seconds, from, to }: z.output<typeof asked>) {
  return { quantity, from, to, ...(seconds === undefined ? {} : { period: seconds }) };
}

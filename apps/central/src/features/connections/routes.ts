/**
 * How meters are reached, by API: connections with their secrets (written, never read), read-out sets, and how the reading of
 * each meter went last.
 *
 * Decides: what goes together (a wrapper has no lower address; IEC 62056-21 has no keys); a secret is told by its name alone.
 */
import { fromHex } from '@amiable/bytes';
import { may } from '@amiable/model';
import {
  type Connection,
  type MeterId,
  type ReadoutSet,
  SECRET_NAMES,
  type SecretName,
  type StoredConnection,
} from '@amiable/store';
import { z } from 'zod';
import { secretOwner } from '../../acquisition/access.ts';
import { masterOf } from '../../channels/via.ts';
import type { Context } from '../../context.ts';
import { HttpError } from '../../http/error.ts';
import { id63 } from '../../http/queries.ts';
import type { Router } from '../../http/router.ts';
import { ADDRESS, ADDRESS_WORDS } from './address.ts';

const OUTCOMES = ['done', 'partial', 'failed', 'unreachable', 'refused', 'stranger'] as const;
const obis = z
  .string()
  .regex(/^\d{1,3}-\d{1,3}:\d{1,3}\.\d{1,3}\.\d{1,3}(\*\d{1,3})?$/, 'an OBIS code such as 1-0:1.8.0');
const name = z.string().min(1).max(100);

const connectionBody = z
  .strictObject({
    protocol: z.enum(['dlms', 'iec62056-21']),
    address: z.string().max(300).regex(ADDRESS, ADDRESS_WORDS),
    transport: z.enum(['wrapper', 'hdlc', 'iec']),
    readout: name.describe('the read-out set: what is read of it'),
    referencing: z.enum(['LN', 'SN']).optional(),
    client: z.number().int().min(0).max(65_535).optional().describe('wPort or HDLC address of the client'),
    server: z
      .number()
      .int()
      .min(0)
      .max(65_535)
      .optional()
      .describe('wPort or upper HDLC address of the logical device'),
    physical: z.number().int().min(0).max(16_383).optional().describe('lower HDLC address'),
    authentication: z.enum(['none', 'low', 'gmac', 'sha256', 'ecdsa']).optional(),
    suite: z.union([z.literal(0), z.literal(1), z.literal(2)]).optional(),
    ciphered: z.boolean().optional(),
    deviceAddress: z.string().max(32).optional().describe('IEC 62056-21: device address'),
    channel: name.optional(),
    identity: z
      .string()
      .min(1)
      .max(100)
      .optional()
      .describe('what it must say of itself; its serial number unless given'),
  })
  .superRefine((c, context) => {
    const wrong = (path: string, message: string): void => context.addIssue({ code: 'custom', path: [path], message });
    if ((c.protocol === 'iec62056-21') !== (c.transport === 'iec'))
      wrong('transport', 'iec goes with iec62056-21, wrapper and hdlc with dlms');
    if (c.transport === 'wrapper' && c.physical !== undefined) wrong('physical', 'the wrapper has no lower address');
    if (c.transport === 'hdlc' && (c.client ?? 0) > 127) wrong('client', 'an HDLC address of a client is 127 at most');
    if (c.protocol === 'iec62056-21' && c.authentication && c.authentication !== 'none' && c.authentication !== 'low')
      wrong('authentication', 'IEC 62056-21 knows a password at most');
    if (c.authentication === 'ecdsa') wrong('authentication', 'signatures (ecdsa) are not read with yet; use gmac');
  });

/** Hex for keys and titles; a password as text. */
const secretsBody = z
  .strictObject({
    password: z.string().min(1).max(200).nullish(),
    'unicast-key': hex([16, 32]),
    'authentication-key': hex([16, 32]),
    'client-title': hex([8]),
    'server-title': hex([8]),
  })
  .refine((s) => Object.keys(s).length > 0, 'name at least one secret');

function hex(bytes: readonly number[]) {
  const digits = bytes.map((n) => n * 2);
  return z
    .string()
    .regex(/^[0-9a-fA-F]*$/, 'hexadecimal digits')
    .refine((text) => digits.includes(text.length), `${digits.join(' or ')} hexadecimal digits`)
    .nullish();
}

const stateAnswer = z
  .object({
    tried: z.iso.datetime(),
    read: z.iso.datetime().nullable(),
    outcome: z.enum(OUTCOMES),
    reason: z.string().nullable(),
    failures: z.number().int(),
    configuration: z.record(z.string(), z.string()),
    deviation: z.number().nullable().describe("the meter's clock less ours, ms"),
    stranger: z.string().nullable(),
  })
  .nullable();
const connectionAnswer = z.object({
  meter: z.string(),
  serial: z.string(),
  ...connectionBody.shape,
  secrets: z.array(z.enum(SECRET_NAMES)).describe('which are set; what they are is never told'),
  changed: z.iso.datetime(),
  state: stateAnswer,
});

const profile = z.strictObject({
  name,
  kind: z.enum(['profile', 'daily', 'monthly']),
  obis,
  period: z.number().int().min(0).max(86_400),
  registers: z.array(obis).min(1).max(100).optional(),
  status: z.enum(['amr', 'amiable']).optional(),
  interval: z.boolean().optional(),
  optional: z.boolean().optional(),
});
const setBody = z.strictObject({
  identification: z.array(obis).max(10),
  configuration: z.array(obis).max(10).optional(),
  profiles: z.array(profile).max(50),
  logs: z.array(z.strictObject({ name, obis, catalogue: name })).max(50),
  registers: z.record(name, z.array(obis).min(1).max(200)),
  clock: obis.optional(),
});

const iso = (ms: number | undefined): string | null => (ms === undefined ? null : new Date(ms).toISOString());

function toAnswer({ state, changed, ...connection }: StoredConnection): z.infer<typeof connectionAnswer> {
  return {
    ...connection,
    secrets: [...connection.secrets],
    changed: iso(changed) as string,
    state: state
      ? {
          tried: iso(state.tried) as string,
          read: iso(state.read),
          outcome: state.outcome,
          reason: state.reason ?? null,
          failures: state.failures,
          configuration: { ...state.configuration },
          deviation: state.deviation ?? null,
          stranger: state.stranger ?? null,
        }
      : null,
  };
}

const bytesOf = (secret: SecretName, text: string): Uint8Array =>
  secret === 'password' ? new TextEncoder().encode(text) : fromHex(text);

/** Where secrets go, and what of them is sent. */
const WAY = ['address', 'protocol', 'transport', 'channel', 'authentication', 'ciphered'] as const;

const tag = 'Connections';
const oneMeter = z.object({ id: id63 });
const oneSet = z.object({ name });

export function connectionRoutes(router: Router, { store, vault, now, scheduler }: Context): void {
  const { readout } = store;
  const found = async (meter: MeterId, scope: Parameters<typeof readout.connection>[1]): Promise<StoredConnection> => {
    const connection = await readout.connection(meter, scope);
    if (!connection) throw new HttpError(404, 'no connection is set for this meter, or there is no such meter');
    return connection;
  };

  router.add({
    method: 'GET',
    path: '/api/v1/connections',
    needs: 'connection:view',
    tag,
    summary: 'How meters are reached, and how their reading went last',
    query: z.object({
      channel: name.optional(),
      outcome: z.enum(OUTCOMES).optional().describe('of the last reading'),
      q: z.string().max(200).optional().describe('part of serial number, name, place or address'),
      after: id63.optional(),
      limit: z.coerce.number().int().min(1).max(1000).default(100),
    }),
    answer: z.object({ connections: z.array(connectionAnswer), next: z.string().nullable() }),
    scoped: true,
    async handler({ caller, query }) {
      const { limit, channel, outcome, q, after } = query;
      const rows = await readout.connections({
        limit,
        scope: caller.scope,
        ...(channel !== undefined && { channel }),
        ...(outcome !== undefined && { outcome }),
        ...(q !== undefined && { q }),
        ...(after !== undefined && { after }),
      });
      return { connections: rows.map(toAnswer), next: rows.length === limit ? (rows.at(-1)?.meter ?? null) : null };
    },
  });

  router.add({
    method: 'GET',
    path: '/api/v1/meters/:id/connection',
    needs: 'connection:view',
    tag,
    summary: 'How a meter is reached',
    params: oneMeter,
    answer: connectionAnswer,
    scoped: true,
    handler: async ({ caller, params }) => toAnswer(await found(params.id, caller.scope)),
  });

  router.add({
    method: 'PUT',
    path: '/api/v1/meters/:id/connection',
    needs: 'connection:modify',
    tag,
    summary: 'Sets how a meter is reached; its secrets stay',
    description:
      'Where secrets would be sent another way (address, protocol, transport, channel, authentication, ciphering), of this meter or of one behind it, it needs key:modify too: whoever answers there is told a password.',
    params: oneMeter,
    body: connectionBody,
    answer: connectionAnswer,
    scoped: true,
    async handler({ caller, params, body, about }) {
      if (!(await store.meter(params.id, caller.scope))) throw new HttpError(404, 'there is no such meter');
      if (!(await readout.sets()).has(body.readout))
        throw new HttpError(
          422,
          `readout: there is no read-out set ${body.readout}; GET /api/v1/readout-sets lists them`,
        );
      if (body.address === `via:${params.id}`) throw new HttpError(422, 'address: a meter is not behind itself');
      const master = masterOf(body.address);
      if (master !== undefined && !(await store.meter(master, caller.scope)))
        throw new HttpError(422, `address: there is no meter ${master} in front`);
      if (!may(caller, 'key:modify')) {
        const before = await readout.connection(params.id, caller.scope);
        const moved = before && WAY.some((field) => before[field] !== body[field]);
        if (moved && (await readout.keepsSecrets(params.id)))
          throw new HttpError(
            403,
            `${caller.name} lacks the privilege key:modify: the secrets of this meter, or of one behind it, would go another way; take them away first, or ask who may give keys`,
          );
      }
      await readout.putConnections([{ ...(body as Omit<Connection, 'meter'>), meter: params.id }], now());
      about(`meter ${params.id}`, { fields: Object.keys(body), address: body.address });
      scheduler.wake();
      return toAnswer(await found(params.id, caller.scope));
    },
  });

  router.add({
    method: 'PUT',
    path: '/api/v1/meters/:id/connection/secrets',
    needs: 'connection:modify',
    tag,
    summary: 'Sets passwords and keys of a connection; null takes one away',
    description: 'They are sealed at once and never given back. Those that are not named stay.',
    params: oneMeter,
    body: secretsBody,
    answer: z.object({ secrets: z.array(z.enum(SECRET_NAMES)) }),
    scoped: true,
    async handler({ caller, params, body, about }) {
      await found(params.id, caller.scope);
      const given = Object.entries(body).filter(([, text]) => text !== undefined) as [SecretName, string | null][];
      await readout.putSecrets(
        given.map(([secret, text]) => ({
          meter: params.id,
          name: secret,
          ciphertext: text === null ? null : vault.seal(bytesOf(secret, text), secretOwner(params.id, secret)),
        })),
        now(),
      );
      about(`meter ${params.id}`, { secrets: given.map(([secret]) => secret) });
      return { secrets: [...(await found(params.id, caller.scope)).secrets] };
    },
  });

  router.add({
    method: 'DELETE',
    path: '/api/v1/meters/:id/connection',
    needs: 'connection:delete',
    tag,
    summary: 'Takes away how a meter is reached, with its secrets',
    params: oneMeter,
    answer: z.object({}),
    scoped: true,
    async handler({ caller, params, about }) {
      await found(params.id, caller.scope);
      await readout.removeConnection(params.id);
      about(`meter ${params.id}`);
      return {};
    },
  });

  router.add({
    method: 'GET',
    path: '/api/v1/readout-sets',
    needs: 'meter-type:view',
    tag,
    summary: 'What types of meters deliver: profiles, logs, sets of registers',
    answer: z.object({ sets: z.array(z.object({ name: z.string(), set: setBody })) }),
    async handler() {
      const sets = await readout.sets();
      return { sets: [...sets].map(([one, set]) => ({ name: one, set })).sort((a, b) => (a.name < b.name ? -1 : 1)) };
    },
  });

  router.add({
    method: 'PUT',
    path: '/api/v1/readout-sets/:name',
    needs: 'meter-type:modify',
    tag,
    summary: 'Sets what meters of a type deliver; over one that came with the program too',
    params: oneSet,
    body: setBody,
    answer: z.object({}),
    async handler({ params, body, about }) {
      const names = [...body.profiles, ...body.logs].map((one) => one.name);
      if (new Set(names).size < names.length) throw new HttpError(422, 'a name stands for one profile or log');
      await readout.putSet(params.name, body as ReadoutSet, now());
      about(`readout-set ${params.name}`);
      return {};
    },
  });

  router.add({
    method: 'DELETE',
    path: '/api/v1/readout-sets/:name',
    needs: 'meter-type:delete',
    tag,
    summary: 'Takes a read-out set away; one that came with the program is as it came then',
    params: oneSet,
    answer: z.object({}),
    async handler({ params, about }) {
      if (!(await readout.removeSet(params.name)))
        throw new HttpError(404, 'there is no such read-out set of your own');
      about(`readout-set ${params.name}`);
      return {};
    },
  });
}

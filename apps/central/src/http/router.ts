/**
 * How a route is declared: address, what it needs, what it takes and gives, in one place. From this the server registers it,
 * guards it, checks its input, writes the audit log, and describes it in OpenAPI; a route without a privilege cannot be declared.
 *
 * Decides: the order: who asks, may they, is the input right, do it, audit. Leaves out: who is who (access/).
 */
import { type Readable, Transform } from 'node:stream';
import { type Caller, may, type Privilege } from '@amiable/model';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import type { z } from 'zod';
import { HttpError } from './error.ts';

/**
 * What a caller must have. `public`: log-in itself, health, and what carries a secret of its own. `caller`: anybody logged in, for what
 * is about themselves. `known`: anybody who may anything at all, for what every page needs (the clock).
 */
export type Need = Privilege | 'public' | 'caller' | 'known';

type Output<T> = T extends z.ZodType ? z.output<T> : undefined;

export interface Call<P, Q, B> {
  readonly caller: Caller;
  readonly params: P;
  readonly query: Q;
  readonly body: B;
  readonly request: FastifyRequest;
  readonly reply: FastifyReply;
  /** Names what was changed or revealed, for the audit log: an object and, where it helps, what about it. Never a secret. */
  about(object: string, detail?: Readonly<Record<string, unknown>>): void;
  /**
   * For answers that go on (event streams): called once when the caller may no longer have them (logged out, disabled, rights
   * changed). @returns an end of watching
   */
  watch(ended: () => void): () => void;
}

export interface Route<
  P extends z.ZodType | undefined = undefined,
  Q extends z.ZodType | undefined = undefined,
  B extends z.ZodType | undefined = undefined,
> {
  readonly method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';
  /** As fastify writes it: `/api/v1/meters/:id`. */
  readonly path: string;
  readonly needs: Need;
  /** The chapter of the API description it stands in. */
  readonly tag: string;
  /** One line. */
  readonly summary: string;
  readonly description?: string;
  readonly params?: P;
  readonly query?: Q;
  readonly body?: B;
  /** Its answer: a schema, or the media type of what is not JSON. */
  readonly answer?: z.ZodType | string;
  /** Whether data of objects in segments is given or changed: its test checks that no other segment's is. */
  readonly scoped?: boolean;
  /** `change` (default of all but GET) and `reveal` (personal data, keys, audit) are written to the audit log. */
  readonly audit?: 'change' | 'reveal' | 'none';
  /** Bytes; 1 MB unless said. */
  readonly bodyLimit?: number;
  /** True where the handler takes the body as a stream (imports): `request.body`, of any content type, cut off with 413 past `bodyLimit`. */
  readonly raw?: boolean;
  /** Media types of the body where it is `raw`, for the description. */
  readonly takes?: readonly string[];
  /** Runs when the caller is known and may, before any of the body is read: for counting what is under way. */
  readonly before?: (caller: Caller, request: FastifyRequest, reply: FastifyReply) => void;
  readonly handler: (call: Call<Output<P>, Output<Q>, Output<B>>) => unknown;
}

/** A route as the description and the tests see it. */
export type AnyRoute = Route<z.ZodType | undefined, z.ZodType | undefined, z.ZodType | undefined>;

export interface Router {
  add<
    P extends z.ZodType | undefined = undefined,
    Q extends z.ZodType | undefined = undefined,
    B extends z.ZodType | undefined = undefined,
  >(route: Route<P, Q, B>): void;
  readonly routes: readonly AnyRoute[];
  /** For what a route cannot say (content types of a scope); rarely. */
  readonly app: FastifyInstance;
}

/** Who is who, and the log of what they did; access/ makes one. */
export interface Guard {
  /** @throws HttpError 401 when what the request brings to say who asks is not (or no longer) good */
  caller(request: FastifyRequest, route: AnyRoute): Caller | Promise<Caller>;
  watch(caller: Caller, request: FastifyRequest, ended: () => void): () => void;
  /** Called after the handler and before the answer leaves: what cannot be logged is not revealed. */
  audit(entry: AuditEntry): Promise<void>;
}

export interface AuditEntry {
  readonly caller: Caller;
  /** `POST /api/v1/users`. */
  readonly action: string;
  readonly object?: string;
  readonly detail?: Readonly<Record<string, unknown>>;
  readonly request: FastifyRequest;
}

const MB = 1024 * 1024;
const callers = new WeakMap<FastifyRequest, Caller>();

export function createRouter(app: FastifyInstance, guard: Guard): Router {
  const routes: AnyRoute[] = [];
  const register = (route: AnyRoute, on: FastifyInstance): void => {
    const { method, path: url, bodyLimit, needs, before } = route;
    on.route({
      method,
      url,
      ...(bodyLimit === undefined ? {} : { bodyLimit }),
      // Before the body is read: a stranger's five megabytes are not worth receiving.
      onRequest: async (request, reply) => {
        const caller = await guard.caller(request, route);
        admit(caller, needs, reply);
        callers.set(request, caller);
        before?.(caller, request, reply);
      },
      handler: (request, reply) => run(route, guard, request, reply),
    });
  };
  return {
    add(given) {
      const route = given as unknown as AnyRoute;
      routes.push(route);
      if (!route.raw) return register(route, app);
      void app.register(async (scope) => {
        scope.removeAllContentTypeParsers();
        scope.addContentTypeParser('*', (_request, payload, done) =>
          done(null, bounded(payload as Readable, route.bodyLimit ?? MB)),
        );
        register(route, scope);
      });
    },
    routes,
    app,
  };
}

function isMet(caller: Caller, needs: Exclude<Need, 'public'>): boolean {
  if (needs === 'caller') return caller.kind !== 'guest';
  if (needs === 'known') return caller.kind !== 'guest' || caller.privileges.size > 0;
  return may(caller, needs);
}

function admit(caller: Caller, needs: Need, reply: FastifyReply): void {
  if (needs === 'public' || isMet(caller, needs)) return;
  if (caller.kind === 'guest') {
    reply.header('www-authenticate', 'Bearer');
    throw new HttpError(401, 'log in first, or send a token as `Authorization: Bearer <token>`');
  }
  throw new HttpError(403, `${caller.name} lacks the privilege ${needs}`);
}

async function run(route: AnyRoute, guard: Guard, request: FastifyRequest, reply: FastifyReply): Promise<unknown> {
  const caller = callers.get(request) as Caller;
  const audit = route.audit ?? (route.method === 'GET' ? 'none' : 'change');
  let object: string | undefined;
  let detail: Readonly<Record<string, unknown>> | undefined;
  const result = await route.handler({
    caller,
    params: route.params?.parse(request.params),
    query: route.query?.parse(request.query),
    // A body that is left out is an empty one: its schema says whether that will do.
    body: route.raw ? undefined : route.body?.parse(request.body ?? {}),
    request,
    reply,
    about(what, more) {
      object = what;
      detail = more;
    },
    watch: (ended) => guard.watch(caller, request, ended),
  });
  if (audit !== 'none')
    await guard.audit({
      caller,
      action: `${route.method} ${route.path}`,
      ...(object === undefined ? {} : { object }),
      ...(detail === undefined ? {} : { detail }),
      request,
    });
  return result;
}

/** The stream, which fails with 413 when it brings more. */
function bounded(payload: Readable, limit: number): Readable {
  let taken = 0;
  const out = new Transform({
    transform(chunk: Buffer, _encoding, done) {
      taken += chunk.length;
      if (taken > limit) done(new HttpError(413, `the body has more than ${limit} bytes`));
      else done(null, chunk);
    },
  });
  payload.on('error', (error) => out.destroy(error));
  payload.on('close', () => {
    if (!payload.readableEnded) out.destroy(new HttpError(400, 'the connection ended within the body'));
  });
  // Whoever reads it is told; whoever does not must not end the program.
  out.on('error', () => {
    payload.unpipe(out);
    // The rest goes nowhere: a client that only sends would never hear of the refusal.
    payload.resume();
  });
  return payload.pipe(out);
}

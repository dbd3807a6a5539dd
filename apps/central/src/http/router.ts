/**
 * How a route is declared: address, what it needs, what it takes and gives, in one place. From this the server registers it,
 * guards it, checks its input, writes the audit log, and describes it in OpenAPI; a route without a privilege cannot be declared.
 *
 * Decides: the order: who asks, may they, is the input right, do it, audit. Leaves out: who is who (access/).
 */
import type { Caller, Privilege } from '@amiable/model';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import type { z } from 'zod';

/**
 * What a caller must have. `public`: log-in itself, health, and what carries a secret of its own. `caller`: anybody logged in, for what
 * is about themselves.
 */
export type Need = Privilege | 'public' | 'caller';

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
  /** True where the handler takes the body as a stream (imports). */
  readonly raw?: boolean;
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

/**
 * The HTTP server: page, API, health and metrics in one. Over plain HTTP it answers only to names that mean this machine or that were
 * named (so that a page elsewhere cannot reach it by rebinding a name), to whoever brings a token, and to what a named proxy
 * passes on; over TLS to any name. Changes are taken as JSON from its own page only.
 */
import { existsSync } from 'node:fs';
import { DecodeError, MisuseError } from '@amiable/bytes';
import { AccessConflict, NotThere } from '@amiable/store';
import fastifyStatic from '@fastify/static';
import Fastify, { type FastifyInstance, type FastifyRequest } from 'fastify';
import { z } from 'zod';
import { LOCAL_NAME } from '../access/access.ts';
import { accessRoutes } from '../access/routes/index.ts';
import type { Context } from '../context.ts';
import { backupRoutes } from '../features/backups/routes.ts';
import { balanceRoutes } from '../features/balance/routes.ts';
import { billingRoutes } from '../features/billing/routes.ts';
import { commandRoutes } from '../features/command/routes.ts';
import { completenessRoutes } from '../features/completeness/routes.ts';
import { connectionRoutes } from '../features/connections/routes.ts';
import { deliveryRoutes } from '../features/delivery/routes.ts';
import { displayRoutes } from '../features/display/routes.ts';
import { energyRoutes } from '../features/energy/routes.ts';
import { eventRoutes } from '../features/events/routes.ts';
import { exchangeRoutes } from '../features/exchange/routes.ts';
import { formulaRoutes } from '../features/formulas/routes.ts';
import { historyRoutes } from '../features/history/routes.ts';
import { ingestRoutes } from '../features/ingest/routes.ts';
import { liveRoutes } from '../features/live/routes.ts';
import { messageRoutes } from '../features/messages/routes.ts';
import { areaRoutes } from '../features/meters/areas.ts';
import { meterRoutes } from '../features/meters/routes.ts';
import { onDemandRoutes } from '../features/ondemand/routes.ts';
import { outageRoutes } from '../features/outages/routes.ts';
import { priceRoutes } from '../features/prices/routes.ts';
import { readingsRoutes } from '../features/readings/routes.ts';
import { registryRoutes } from '../features/registry/routes.ts';
import { reportRoutes } from '../features/report/routes.ts';
import { statusRoutes } from '../features/status/routes.ts';
import { workRoutes } from '../features/tasks/routes.ts';
import { transactionRoutes } from '../features/transactions/routes.ts';
import { validationRoutes } from '../features/validation/routes.ts';
import { valueRoutes } from '../features/values/routes.ts';
import { BusyError } from '../ingest/ingest.ts';
import { BodyError } from '../ingest/parse.ts';
import { HttpError } from './error.ts';
import { createFaultLog } from './faults.ts';
import { describeRoutes } from './openapi.ts';
import { refusalOf } from './refusals.ts';
import { type AnyRoute, createRouter } from './router.ts';

/** ms for a whole request: registry files of a gigabyte come over slow lines. */
const UPLOAD = 600_000;
/** ms for its headers: who dawdles with those has nothing to send. */
const HEADERS = 60_000;

export interface HttpOptions {
  /** Folder of the built page; without it only the API answers. */
  readonly page?: string;
  /** Names besides those of this machine that may stand in the Host header. */
  readonly hosts?: readonly string[];
  /** PEM. */
  readonly tls?: { readonly cert: string; readonly key: string };
  /** Passwords are taken over plain HTTP, and any name is answered. */
  readonly plainLogin?: boolean;
}

export interface Http {
  readonly app: FastifyInstance;
  readonly routes: readonly AnyRoute[];
}

export async function createHttp(context: Context, options: HttpOptions = {}): Promise<Http> {
  const app = Fastify({
    ...(options.tls ? { https: { ...options.tls, minVersion: 'TLSv1.2' as const } } : {}),
    bodyLimit: 1024 * 1024,
    forceCloseConnections: true,
    requestTimeout: UPLOAD,
    routerOptions: { maxParamLength: 200 },
  }) as unknown as FastifyInstance;
  app.server.headersTimeout = HEADERS;
  const faults = createFaultLog(context.log);
  const allowed = new Set(options.hosts?.map((host) => host.toLowerCase()));
  const { access } = context;
  const anyName = options.tls !== undefined || options.plainLogin === true;
  const isNamed = (host: string): boolean =>
    LOCAL_NAME.test(host) || allowed.has(host.toLowerCase()) || allowed.has(host.toLowerCase().replace(/:\d+$/, ''));
  /** What asks for a key itself, or was given one: no page that rebinds a name can know it. */
  const isKeyed = async (request: FastifyRequest): Promise<boolean> => {
    const path = request.url.split('?', 1)[0] as string;
    return path === '/api/v1/messages' || path === '/api/v1/values' || access.isKeyed(request);
  };

  app.addHook('onRequest', async (request, reply) => {
    const { host, proxied, secure } = access.place(request);
    if (!anyName && !proxied && !isNamed(host) && !(await isKeyed(request)))
      throw new HttpError(421, `${host || 'no host name'} is not a name of this server`);
    const origin = request.headers.origin;
    if (
      request.method !== 'GET' &&
      request.method !== 'HEAD' &&
      ((origin !== undefined && origin.replace(/^https?:\/\//, '') !== host) ||
        request.headers['sec-fetch-site'] === 'cross-site')
    )
      throw new HttpError(403, 'changes are taken from this server’s own page only');
    reply.headers({
      ...(secure ? { 'strict-transport-security': 'max-age=31536000' } : {}),
      'x-content-type-options': 'nosniff',
      'referrer-policy': 'no-referrer',
      'content-security-policy':
        "default-src 'self'; img-src 'self' data:; style-src 'self' 'unsafe-inline'; frame-ancestors 'none'; base-uri 'none'",
    });
  });

  app.setErrorHandler((error: Error & { statusCode?: number }, request, reply) => {
    if (error instanceof HttpError || error instanceof BodyError)
      return reply.code(error.status).send({ error: error.message });
    if (error instanceof z.ZodError) return reply.code(422).send({ error: refusalOf(error) });
    if (error instanceof MisuseError || error instanceof DecodeError)
      return reply.code(422).send({ error: error.message });
    if (error instanceof BusyError) return reply.code(503).header('retry-after', '1').send({ error: error.message });
    if (error instanceof NotThere) return reply.code(404).send({ error: error.message });
    if (error instanceof AccessConflict) return reply.code(409).send({ error: error.message });
    if (context.isUnavailable(error))
      return reply
        .code(503)
        .header('retry-after', '5')
        .send({ error: 'the database does not answer; try again in a moment' });
    if (error.statusCode !== undefined && error.statusCode < 500)
      return reply.code(error.statusCode).send({ error: error.message });
    faults.tell(request.method, request.routeOptions.url ?? request.url.slice(0, 200), error);
    return reply.code(500).send({ error: 'the server failed; its log says how' });
  });

  const router = createRouter(app, access.guard);
  for (const routes of [
    accessRoutes,
    commandRoutes,
    completenessRoutes,
    connectionRoutes,
    deliveryRoutes,
    displayRoutes,
    energyRoutes,
    eventRoutes,
    exchangeRoutes,
    formulaRoutes,
    historyRoutes,
    ingestRoutes,
    liveRoutes,
    messageRoutes,
    areaRoutes,
    meterRoutes,
    onDemandRoutes,
    priceRoutes,
    readingsRoutes,
    registryRoutes,
    reportRoutes,
    outageRoutes,
    statusRoutes,
    transactionRoutes,
    validationRoutes,
    valueRoutes,
    workRoutes,
    backupRoutes,
    balanceRoutes,
    billingRoutes,
  ])
    routes(router, context);
  describeRoutes(router);

  const page = options.page !== undefined && existsSync(options.page) ? options.page : undefined;
  if (page)
    await app.register(fastifyStatic, {
      preCompressed: true,
      root: page,
      wildcard: true,
      index: 'index.html',
      setHeaders: (reply, path) => {
        // Built files carry a hash of their content in their name.
        reply.setHeader(
          'cache-control',
          path.includes('/assets/') ? 'public, max-age=31536000, immutable' : 'no-cache',
        );
      },
    });
  app.setNotFoundHandler((request, reply) => {
    const forPage =
      request.method === 'GET' &&
      !request.url.startsWith('/api/') &&
      // A client that takes anything asks for the page by its address; a browser may ask for any of its places.
      (request.url === '/' || (request.headers.accept ?? '').includes('text/html'));
    if (page && forPage) return reply.sendFile('index.html');
    return reply.code(404).send({ error: `there is no ${request.method} ${request.url.slice(0, 200)}` });
  });
  return { app, routes: router.routes };
}

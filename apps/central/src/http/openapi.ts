/**
 * The description of the API as OpenAPI 3.1, made from the routes themselves: what is not described is not there, and what is
 * described is checked by the same schemas.
 *
 * Everybody may read it (`public`): it tells what the published source tells, and nothing of this installation; pages and generators
 * of clients want it before anybody is logged in.
 */
import { z } from 'zod';
import type { AnyRoute, Router } from './router.ts';

type Json = Record<string, unknown>;

/** Chapters in the order in which a reader meets them; others follow by name. */
const CHAPTERS: Readonly<Record<string, string>> = {
  'log-in': 'Logging in and out, and what everybody does about themselves',
  meters: 'The meters',
  readings: 'Values of meters: now, as curves, as energies',
  messages: 'Messages as they were received',
  events: 'Events of meters',
  outages: 'Interruptions of supply and their statistics',
  completeness: 'What is there of what should be',
  reads: 'Reading a meter now',
  registry: 'What stands where, and who was where when',
  import: 'Taking files in',
  export: 'Giving files out',
  tasks: 'Tasks, flows and their runs',
  transactions: 'The transaction log',
  connections: 'How meters are reached',
  ingest: 'The doors of readers and microcontrollers',
  display: 'Wall displays',
  system: 'How the system fares',
  users: 'Users',
  groups: 'Groups of users and their privileges',
  segments: 'Segments of the data',
  tokens: 'Tokens of programs',
  audit: 'Who changed or revealed what',
};

const problem = (description: string): Json => ({
  description,
  content: { 'application/json': { schema: { $ref: '#/components/schemas/Problem' } } },
});
const RESPONSES: Readonly<Record<string, Json>> = {
  '401': problem('Nobody is logged in, or the token is not known'),
  '403': problem('The caller lacks the privilege'),
  '404': problem('It is not there, or in a segment that the caller does not see'),
  '409': problem('What stands does not allow it'),
  '413': problem('The body is too large'),
  '415': problem('The body is of another media type'),
  '422': problem('What was sent is wrong; the answer says what'),
  '429': problem('Too often; Retry-After says when to try again'),
  '503': problem('The database or the server is busy or away; Retry-After says when to try again'),
};

export interface Described {
  readonly title: string;
  readonly routes: readonly AnyRoute[];
}

export function describeApi({ title, routes }: Described): Json {
  const schemas: Json = {
    Problem: {
      type: 'object',
      properties: { error: { type: 'string', description: 'What is wrong and what to do, in words' } },
      required: ['error'],
    },
  };
  const paths: Record<string, Json> = {};
  for (const route of routes) {
    const path = route.path.replace(/:(\w+)/g, '{$1}').replace(/\*$/, '{path}');
    paths[path] ??= {};
    (paths[path] as Json)[route.method.toLowerCase()] = operation(route, schemas);
  }
  const used = [...new Set(routes.map((route) => route.tag))];
  const order = Object.keys(CHAPTERS);
  const rank = (tag: string): number => (order.includes(tag) ? order.indexOf(tag) : order.length);
  used.sort((a, b) => rank(a) - rank(b) || a.localeCompare(b));
  return {
    openapi: '3.1.0',
    info: {
      title,
      version: '1',
      description:
        'Times are ISO 8601 in UTC; numbers are in base units (W, var, V, A, Wh, varh, m3). `x-needs` says what a caller must have: a privilege, `caller` (anybody logged in), `known` (anybody who may anything) or `public`.',
      license: { name: 'Apache-2.0', identifier: 'Apache-2.0' },
    },
    servers: [{ url: '/' }],
    tags: used.map((name) => ({ name, ...(CHAPTERS[name] ? { description: CHAPTERS[name] } : {}) })),
    paths,
    components: {
      schemas,
      responses: Object.fromEntries(Object.entries(RESPONSES).map(([code, response]) => [`E${code}`, response])),
      securitySchemes: {
        session: { type: 'apiKey', in: 'cookie', name: 'amiable', description: 'POST /api/v1/login sets it' },
        token: { type: 'http', scheme: 'bearer', description: 'A token of POST /api/v1/tokens, or an API key' },
      },
    },
  };
}

export const operationId = (route: Pick<AnyRoute, 'method' | 'path'>): string =>
  route.method.toLowerCase() +
  route.path
    .replace(/^\/api\/v1/, '')
    .split(/[^A-Za-z0-9]+/)
    .filter(Boolean)
    .map((word) => word.charAt(0).toUpperCase() + word.slice(1))
    .join('');

function operation(route: AnyRoute, schemas: Json): Json {
  const id = operationId(route);
  const { needs } = route;
  const query = parametersOf(route.query, 'query', `${id}Query`, schemas);
  const params = parametersOf(route.params, 'path', `${id}Path`, schemas);
  // What the address has and no schema says is text.
  for (const [, name] of route.path.matchAll(/:(\w+)/g))
    if (!params.some((p) => p.name === name))
      params.push({ name, in: 'path', required: true, schema: { type: 'string' } });
  if (route.path.endsWith('*')) params.push({ name: 'path', in: 'path', required: true, schema: { type: 'string' } });
  const parameters = [...params, ...query];
  const body = bodyOf(route, `${id}Body`, schemas);
  const privileged = needs !== 'public' && needs !== 'caller' && needs !== 'known';
  const errors = [
    ...(needs === 'public' ? [] : ['401']),
    ...(privileged ? ['403'] : []),
    ...(params.length > 0 || route.scoped ? ['404'] : []),
    ...(route.method === 'GET' ? [] : ['409']),
    ...(body ? ['413', ...(route.raw ? [] : ['415'])] : []),
    ...(body || parameters.length > 0 ? ['422'] : []),
    ...(needs === 'public' && route.method !== 'GET' ? ['429'] : []),
    '503',
  ];
  return {
    operationId: id,
    tags: [route.tag],
    summary: route.summary,
    ...(route.description === undefined ? {} : { description: route.description }),
    'x-needs': needs,
    ...(privileged ? { 'x-privilege': needs } : {}),
    ...(route.scoped ? { 'x-scoped': true } : {}),
    security: needs === 'public' ? [{}, { session: [] }, { token: [] }] : [{ session: [] }, { token: [] }],
    ...(parameters.length > 0 ? { parameters } : {}),
    ...(body ? { requestBody: body } : {}),
    responses: {
      '200': { description: 'Done', content: contentOf(route, `${id}Answer`, schemas) },
      ...Object.fromEntries(errors.map((code) => [code, { $ref: `#/components/responses/E${code}` }])),
    },
  };
}

function contentOf({ answer }: AnyRoute, name: string, schemas: Json): Json {
  if (answer === undefined) return { 'application/json': { schema: {} } };
  if (typeof answer !== 'string') return { 'application/json': { schema: schemaOf(answer, 'output', name, schemas) } };
  return { [answer]: { schema: answer === 'application/json' ? {} : { type: 'string' } } };
}

function bodyOf({ method, raw, takes, body }: AnyRoute, name: string, schemas: Json): Json | undefined {
  if (raw) {
    const types = takes ?? ['application/octet-stream'];
    return {
      required: true,
      content: Object.fromEntries(
        types.map((type) => [type, { schema: /json$/.test(type) ? {} : { type: 'string' } }]),
      ),
    };
  }
  if (!body || method === 'GET') return undefined;
  // A body may be left out where the empty one will do.
  return {
    required: !body.safeParse({}).success,
    content: { 'application/json': { schema: schemaOf(body, 'input', name, schemas) } },
  };
}

function parametersOf(schema: z.ZodType | undefined, place: 'path' | 'query', name: string, schemas: Json): Json[] {
  if (!schema) return [];
  const whole = schemaOf(schema, 'input', name, schemas);
  const parts = [whole, ...((whole.allOf as Json[] | undefined) ?? [])];
  const required = new Set(parts.flatMap((part) => (part.required as string[] | undefined) ?? []));
  return parts
    .flatMap((part) => Object.entries((part.properties as Record<string, Json> | undefined) ?? {}))
    .map(([parameter, { description, ...rest }]) => ({
      name: parameter,
      in: place,
      required: place === 'path' || required.has(parameter),
      ...(description === undefined ? {} : { description }),
      schema: rest,
    }));
}

/** A schema in JSON; what it defines for itself (recursion) moves to the components. */
function schemaOf(schema: z.ZodType, io: 'input' | 'output', name: string, schemas: Json): Json {
  const made = z.toJSONSchema(schema, { io, unrepresentable: 'any' }) as Json;
  const { $schema: _, $defs, ...rest } = made;
  const defs = Object.entries(($defs as Record<string, Json> | undefined) ?? {});
  const text = JSON.stringify(rest);
  const recursive = text.includes('"$ref":"#"') || defs.some(([, def]) => JSON.stringify(def).includes('"$ref":"#"'));
  if (defs.length === 0 && !recursive) return rest;
  const moved = (json: Json): Json =>
    JSON.parse(
      JSON.stringify(json)
        .replaceAll('"$ref":"#"', `"$ref":"#/components/schemas/${name}"`)
        .replace(
          /"\$ref":"#\/\$defs\/([^"]+)"/g,
          (_all, def: string) => `"$ref":"#/components/schemas/${name}${clean(def)}"`,
        ),
    ) as Json;
  for (const [def, json] of defs) schemas[`${name}${clean(def)}`] = moved(json);
  if (!recursive) return moved(rest);
  schemas[name] = moved(rest);
  return { $ref: `#/components/schemas/${name}` };
}

const clean = (text: string): string => text.replace(/[^A-Za-z0-9._-]/g, '');

export function describeRoutes(router: Router): void {
  let text: string | undefined;
  router.add({
    method: 'GET',
    path: '/api/v1/openapi.json',
    needs: 'public',
    tag: 'system',
    summary: 'This description, as OpenAPI 3.1',
    answer: 'application/json',
    handler: ({ reply }) => {
      // Made when it is first asked for: by then every route is there.
      text ??= JSON.stringify(describeApi({ title: 'Amiable', routes: router.routes }));
      return reply.type('application/json; charset=utf-8').header('cache-control', 'no-cache').send(text);
    },
  });
}

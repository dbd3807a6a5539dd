/**
 * The server's description of its API (OpenAPI 3.1), read into what the page shows: chapters of routes, lines of schemas, examples.
 *
 * Decides: how deep a schema is unfolded, what an example looks like. Leaves out what our server does not write: servers, callbacks,
 * links, discriminators, headers.
 */

export type Json = null | boolean | number | string | readonly Json[] | { readonly [key: string]: Json };
type JsonObject = { readonly [key: string]: Json };

export interface Parameter {
  readonly name: string;
  readonly place: 'path' | 'query';
  readonly required: boolean;
  readonly description: string;
  readonly schema: JsonObject;
}

export interface Body {
  readonly type: string;
  readonly schema: JsonObject | undefined;
}

export interface AnswerShape extends Body {
  readonly code: string;
  readonly description: string;
}

export interface Operation {
  /** Stands in the address behind `#`. */
  readonly key: string;
  readonly method: string;
  readonly path: string;
  readonly chapter: string;
  readonly summary: string;
  readonly description: string;
  /** `public`, `caller` or a privilege; empty where the description does not say. */
  readonly needs: string;
  readonly parameters: readonly Parameter[];
  readonly body: Body | undefined;
  readonly answers: readonly AnswerShape[];
}

export interface Chapter {
  readonly name: string;
  readonly description: string;
  readonly operations: readonly Operation[];
}

export interface Description {
  readonly title: string;
  readonly version: string;
  readonly text: string;
  readonly chapters: readonly Chapter[];
  readonly count: number;
  resolve(schema: Json | undefined): JsonObject | undefined;
}

const METHODS = ['get', 'post', 'put', 'patch', 'delete'];

const objectOf = (value: unknown): JsonObject =>
  typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as JsonObject) : {};
const listOf = (value: unknown): readonly Json[] => (Array.isArray(value) ? value : []);
const textOf = (value: unknown): string => (typeof value === 'string' ? value : '');

/** @throws Error when it is no OpenAPI description */
export function readDescription(document: unknown): Description {
  const root = objectOf(document);
  if (!textOf(root.openapi).startsWith('3.')) throw new Error('This is no OpenAPI 3 description.');
  const resolve = (value: Json | undefined, steps = 0): JsonObject | undefined => {
    if (value === true || value === undefined || value === null) return undefined;
    const schema = objectOf(value);
    const pointer = textOf(schema.$ref);
    if (pointer === '' || steps > 10) return schema;
    const found = pointer
      .replace(/^#\//, '')
      .split('/')
      .reduce<Json | undefined>((at, part) => objectOf(at)[part.replaceAll('~1', '/').replaceAll('~0', '~')], root);
    return resolve(found, steps + 1);
  };
  const contentOf = (value: unknown): Body | undefined => {
    const [entry] = Object.entries(objectOf(objectOf(value).content));
    return entry && { type: entry[0], schema: resolve(objectOf(entry[1]).schema) };
  };
  const chapters = new Map<string, Operation[]>();
  const described = new Map<string, string>();
  for (const tag of listOf(root.tags)) {
    const { name, description } = objectOf(tag);
    chapters.set(textOf(name), []);
    described.set(textOf(name), textOf(description));
  }
  let count = 0;
  for (const [path, item] of Object.entries(objectOf(root.paths))) {
    const shared = listOf(objectOf(item).parameters);
    for (const method of METHODS) {
      const found = objectOf(item)[method];
      if (found === undefined) continue;
      const operation = objectOf(found);
      const chapter = textOf(listOf(operation.tags)[0]);
      const parameters = [...shared, ...listOf(operation.parameters)].flatMap((one): Parameter[] => {
        const parameter = resolve(one) ?? {};
        const place = textOf(parameter.in);
        if (place !== 'path' && place !== 'query') return [];
        const schema = resolve(parameter.schema) ?? {};
        return [
          {
            name: textOf(parameter.name),
            place,
            required: parameter.required === true,
            description: textOf(parameter.description) || textOf(schema.description),
            schema,
          },
        ];
      });
      const list = chapters.get(chapter) ?? [];
      chapters.set(chapter, list);
      list.push({
        key: `${method}-${path.replace(/^\/api\/v1\//, '').replace(/[{}]/g, '')}`,
        method: method.toUpperCase(),
        path,
        chapter,
        summary: textOf(operation.summary),
        description: textOf(operation.description),
        needs: textOf(operation['x-needs']),
        parameters,
        body: contentOf(resolve(operation.requestBody)),
        answers: Object.entries(objectOf(operation.responses)).map(([code, answer]) => {
          const said = resolve(answer);
          const content = contentOf(said);
          return {
            code,
            description: textOf(said?.description),
            type: content?.type ?? '',
            schema: content?.schema,
          };
        }),
      });
      count++;
    }
  }
  const info = objectOf(root.info);
  return {
    title: textOf(info.title),
    version: textOf(info.version),
    text: textOf(info.description),
    chapters: [...chapters]
      .filter(([, operations]) => operations.length > 0)
      .map(([name, operations]) => ({ name, description: described.get(name) ?? '', operations })),
    count,
    resolve,
  };
}

/** Those in which every word is found: in method, path, summary, privilege or chapter. */
export function find(chapters: readonly Chapter[], words: string): readonly Chapter[] {
  const wanted = words.toLowerCase().split(/\s+/).filter(Boolean);
  if (wanted.length === 0) return chapters;
  return chapters.flatMap((chapter) => {
    const operations = chapter.operations.filter((operation) => {
      const text =
        `${operation.method} ${operation.path} ${operation.summary} ${operation.needs} ${chapter.name}`.toLowerCase();
      return wanted.every((word) => text.includes(word));
    });
    return operations.length > 0 ? [{ ...chapter, operations }] : [];
  });
}

/** One line of a schema: a property, or what an array or a union holds. */
export interface SchemaLine {
  readonly depth: number;
  readonly name: string;
  readonly type: string;
  readonly required: boolean;
  /** Bounds, choices, defaults. */
  readonly note: string;
  readonly text: string;
}

const DEEPEST = 8;
const MOST_LINES = 300;
const CHOICES = 24;

function typeOf(schema: JsonObject): string {
  const type = Array.isArray(schema.type) ? schema.type.join(' | ') : textOf(schema.type);
  if (type === 'array') return 'array';
  const format = textOf(schema.format);
  if (type) return format ? `${type} (${format})` : type;
  if (schema.const !== undefined) return JSON.stringify(schema.const);
  if (schema.enum !== undefined) return 'enum';
  if (schema.properties !== undefined) return 'object';
  return 'any';
}

function noteOf(schema: JsonObject): string {
  const parts: string[] = [];
  const values = listOf(schema.enum);
  if (values.length > 0)
    parts.push(
      values.slice(0, CHOICES).map(String).join(' · ') + (values.length > CHOICES ? ` … (${values.length})` : ''),
    );
  if (schema.const !== undefined && schema.type !== undefined) parts.push(`= ${JSON.stringify(schema.const)}`);
  const bound = (name: string, sign: string) => {
    const value = schema[name];
    // Those that only say "a safe integer" tell nothing.
    if (typeof value === 'number' && Math.abs(value) < Number.MAX_SAFE_INTEGER) parts.push(`${sign} ${value}`);
  };
  bound('minimum', '≥');
  bound('exclusiveMinimum', '>');
  bound('maximum', '≤');
  bound('exclusiveMaximum', '<');
  bound('minLength', 'length ≥');
  bound('maxLength', 'length ≤');
  bound('minItems', 'items ≥');
  bound('maxItems', 'items ≤');
  const pattern = textOf(schema.pattern);
  if (pattern && pattern.length < 60) parts.push(pattern);
  if (schema.default !== undefined) parts.push(`default ${JSON.stringify(schema.default)}`);
  return parts.join(', ');
}

/** A schema line by line; `more` when it was cut. */
export function linesOf(
  description: Description,
  schema: JsonObject | undefined,
): { lines: SchemaLine[]; more: boolean } {
  const lines: SchemaLine[] = [];
  let more = false;
  const walk = (given: Json | undefined, name: string, depth: number, required: boolean, above: readonly unknown[]) => {
    if (lines.length >= MOST_LINES) {
      more = true;
      return;
    }
    const found = description.resolve(given) ?? {};
    const again = above.includes(found);
    const union = listOf(found.anyOf ?? found.oneOf).map((one) => description.resolve(one) ?? {});
    const others = union.filter((one) => one.type !== 'null');
    // "This or null" is one line, not three.
    const lone = union.length > 0 && others.length === 1 ? (others[0] as JsonObject) : undefined;
    const shown = lone ?? found;
    const nullable = union.length > others.length ? ' | null' : '';
    const items = typeOf(shown) === 'array' ? description.resolve(shown.items) : undefined;
    const type =
      (items
        ? `${items.properties === undefined ? typeOf(items) : 'object'}[]`
        : others.length > 1
          ? 'one of'
          : typeOf(shown)) + nullable;
    if (depth > 0 || name !== '')
      lines.push({
        depth: Math.max(0, depth - 1),
        name,
        type,
        required,
        note: again ? '…' : [noteOf(shown), items ? noteOf(items) : ''].filter(Boolean).join(', '),
        text: textOf(found.description) || textOf(shown.description),
      });
    if (again || depth >= DEEPEST) return;
    const inside = [...above, found, shown];
    if (!lone) for (const [i, one] of others.entries()) walk(one, `(${i + 1})`, depth + 1, true, inside);
    const holder = items ?? shown;
    const needed = listOf(holder.required);
    for (const [key, value] of Object.entries(objectOf(holder.properties)))
      walk(value, key, depth + 1, needed.includes(key), items ? [...inside, items] : inside);
    const rest = objectOf(holder.additionalProperties);
    if (Object.keys(rest).length > 0) walk(rest, '[…]', depth + 1, false, inside);
  };
  const top = description.resolve(schema);
  if (top) walk(top, typeOf(top) === 'array' ? '[ ]' : '', 0, true, []);
  return { lines, more };
}

const DAY = '2026-11-20';

/** A value that the schema would take, as short as it tells something. */
export function exampleOf(description: Description, given: Json | undefined, name = '', depth = 0): Json {
  const schema = description.resolve(given) ?? {};
  const first =
    listOf(schema.examples)[0] ?? schema.example ?? schema.const ?? schema.default ?? listOf(schema.enum)[0];
  if (first !== undefined) return first;
  const union = listOf(schema.anyOf ?? schema.oneOf).map((one) => description.resolve(one) ?? {});
  if (union.length > 0) return exampleOf(description, union.find((one) => one.type !== 'null') ?? null, name, depth);
  const parts = listOf(schema.allOf);
  if (parts.length > 0)
    return Object.assign({}, ...parts.map((part) => objectOf(exampleOf(description, part, name, depth)))) as Json;
  const type = Array.isArray(schema.type) ? schema.type.find((one) => one !== 'null') : schema.type;
  if (schema.properties !== undefined || type === 'object') {
    if (depth >= DEEPEST) return {};
    return Object.fromEntries(
      Object.entries(objectOf(schema.properties)).map(([key, value]) => [
        key,
        exampleOf(description, value, key, depth + 1),
      ]),
    );
  }
  if (type === 'array') return depth >= DEEPEST ? [] : [exampleOf(description, schema.items, name, depth + 1)];
  if (type === 'integer' || type === 'number') {
    const least = typeof schema.minimum === 'number' ? schema.minimum : 1;
    return Math.abs(least) < Number.MAX_SAFE_INTEGER ? Math.max(least, 1) : 1;
  }
  if (type === 'boolean') return true;
  if (type === 'null') return null;
  if (type !== 'string') return null;
  const format = textOf(schema.format);
  if (format === 'date-time') return `${DAY}T10:00:00.000Z`;
  if (format === 'date') return DAY;
  if (/(^|[a-z])(id|Id)$|^(meter|run|task|node)$/.test(name)) return '1';
  return name || 'text';
}

/** The address with its parameters filled in; what is empty is left out. */
export function addressOf(operation: Operation, values: Readonly<Record<string, string>>): string {
  const query = new URLSearchParams();
  let path = operation.path;
  for (const parameter of operation.parameters) {
    const value = values[parameter.name] ?? '';
    if (parameter.place === 'path')
      path = path.replace(`{${parameter.name}}`, encodeURIComponent(value || `:${parameter.name}`).replace('%3A', ':'));
    else if (value !== '') query.set(parameter.name, value);
  }
  const text = query.toString();
  return text ? `${path}?${text}` : path;
}

/** The same request on a command line; the token is the reader's own. */
export function curlOf(operation: Operation, address: string, origin: string, body: Json | undefined): string {
  const quote = (text: string) => `'${text.replaceAll("'", "'\\''")}'`;
  const parts = ['curl', ...(operation.method === 'GET' ? [] : ['-X', operation.method])];
  if (operation.needs !== 'public') parts.push('-H', quote('Authorization: Bearer TOKEN'));
  if (body !== undefined) parts.push('-H', quote('Content-Type: application/json'), '-d', quote(JSON.stringify(body)));
  parts.push(quote(origin + address));
  return parts.join(' ');
}

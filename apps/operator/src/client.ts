/**
 * The central system's HTTP API as a command sees it.
 *
 * Decides: which server and whose token (option, environment, the kept log-in); that every refusal becomes one sentence
 * with what to do; that an answer is JSON or a stream. Leaves out: what is asked (one file per area).
 */
import { readLogins, serverName } from './login-file.ts';

/** The server said no, or cannot be reached. `message` is a sentence for people. */
export class ApiError extends Error {
  override readonly name = 'ApiError';
  /** HTTP status; 0 when there was no answer. */
  readonly status: number;
  /** The whole answer where it was JSON. */
  readonly answer: unknown;
  constructor(status: number, message: string, answer?: unknown, options?: ErrorOptions) {
    super(message, options);
    this.status = status;
    this.answer = answer;
  }
}

export type Query = Readonly<Record<string, string | number | boolean | undefined>>;

export interface ServerEvent {
  readonly id?: string;
  readonly event: string;
  readonly data: string;
}

export interface Client {
  readonly url: string;
  readonly token: string | undefined;
  get<T>(path: string, query?: Query): Promise<T>;
  /** `body` is sent as JSON. */
  post<T>(path: string, body?: unknown): Promise<T>;
  put<T>(path: string, body?: unknown): Promise<T>;
  patch<T>(path: string, body?: unknown): Promise<T>;
  delete<T>(path: string): Promise<T>;
  /** For bodies and answers that are no JSON: files. Refusals are thrown as by the others. */
  send(method: string, path: string, options: SendOptions): Promise<Response>;
  /** Pages of a list that is read by `after`: `next` of each answer leads to the following one. */
  pages<T extends { readonly next: string | null }>(path: string, query?: Query): AsyncGenerator<T>;
  /** Server-sent events until the signal aborts; a line that breaks is taken up again behind the last event. */
  events(path: string, signal: AbortSignal): AsyncGenerator<ServerEvent>;
}

export interface SendOptions {
  readonly query?: Query;
  readonly body?: BodyInit | ReadableStream;
  readonly headers?: Readonly<Record<string, string>>;
  readonly signal?: AbortSignal;
}

export interface ClientOptions {
  /** `--url`. */
  readonly url?: string;
  /** `--token`, for scripts; the environment's AMIABLE_TOKEN is the better place. */
  readonly token?: string;
}

const DEFAULT_URL = 'http://localhost:8080';
/** An event larger than this is none of ours. */
const MAX_EVENT = 16 * 1024 * 1024;
const PAUSE = 2000;

export function createClient(options: ClientOptions = {}): Client {
  const logins = readLogins();
  const url = serverName(options.url ?? process.env.AMIABLE_URL ?? logins.current ?? DEFAULT_URL);
  const token = options.token ?? process.env.AMIABLE_TOKEN ?? logins.servers[url]?.token;
  let base: URL;
  try {
    base = new URL(url);
  } catch {
    throw new ApiError(0, `${JSON.stringify(url)} is no address; one is such as ${DEFAULT_URL}`);
  }
  if (!/^https?:$/.test(base.protocol)) throw new ApiError(0, `${url}: http:// or https:// is wanted`);

  const address = (path: string, query: Query = {}): string => {
    const words = new URLSearchParams();
    for (const [name, value] of Object.entries(query)) if (value !== undefined) words.set(name, String(value));
    const text = words.toString();
    return `${url}${path}${text === '' ? '' : `?${text}`}`;
  };

  async function send(method: string, path: string, { query, body, headers, signal }: SendOptions): Promise<Response> {
    let response: Response;
    try {
      response = await fetch(address(path, query), {
        method,
        redirect: 'error',
        headers: { ...(token === undefined ? {} : { authorization: `Bearer ${token}` }), ...headers },
        ...(body === undefined ? {} : { body: body as BodyInit, duplex: 'half' }),
        ...(signal === undefined ? {} : { signal }),
      } as RequestInit);
    } catch (error) {
      if (signal?.aborted) throw error;
      throw new ApiError(0, `${url} does not answer (${causeOf(error)}); is it running? \`amiable start\` starts it`, {
        cause: error,
      });
    }
    if (response.ok) return response;
    throw await refusal(response, url, token !== undefined);
  }

  async function json<T>(method: string, path: string, body?: unknown, query?: Query): Promise<T> {
    const response = await send(method, path, {
      ...(query ? { query } : {}),
      ...(body === undefined
        ? {}
        : { body: JSON.stringify(body), headers: { 'content-type': 'application/json; charset=utf-8' } }),
    });
    const text = await response.text();
    if (text === '') return undefined as T;
    try {
      return JSON.parse(text) as T;
    } catch {
      throw new ApiError(response.status, `${url} answered with something else than JSON; is it an Amiable server?`);
    }
  }

  return {
    url,
    token,
    send,
    get: (path, query) => json('GET', path, undefined, query),
    post: (path, body) => json('POST', path, body ?? {}),
    put: (path, body) => json('PUT', path, body ?? {}),
    patch: (path, body) => json('PATCH', path, body ?? {}),
    delete: (path) => json('DELETE', path),
    async *pages<T extends { readonly next: string | null }>(path: string, query: Query = {}) {
      for (let after: string | null | undefined; after !== null; ) {
        const page: T = await json<T>('GET', path, undefined, { ...query, ...(after ? { after } : {}) });
        yield page;
        after = page.next;
      }
    },
    async *events(path, signal) {
      let last: string | undefined;
      while (!signal.aborted) {
        try {
          const response = await send('GET', path, {
            headers: { accept: 'text/event-stream', ...(last === undefined ? {} : { 'last-event-id': last }) },
            signal,
          });
          for await (const event of eventsOf(response.body as ReadableStream<Uint8Array>)) {
            last = event.id ?? last;
            yield event;
          }
        } catch (error) {
          if (signal.aborted) return;
          if (error instanceof ApiError && error.status !== 0 && error.status < 500) throw error;
        }
        await pause(PAUSE, signal);
      }
    },
  };
}

async function refusal(response: Response, url: string, hasToken: boolean): Promise<ApiError> {
  const text = (await response.text().catch(() => '')).slice(0, 1024 * 1024);
  let answer: unknown;
  try {
    answer = JSON.parse(text);
  } catch {
    answer = undefined;
  }
  const said = (answer as { error?: unknown } | undefined)?.error;
  const words = typeof said === 'string' ? said : `${url} answered ${response.status} ${response.statusText}`;
  const advice =
    response.status !== 401 || /amiable login|password is wrong/.test(words)
      ? ''
      : hasToken
        ? '; `amiable login` logs in anew'
        : '; log in with `amiable login`, or set AMIABLE_TOKEN';
  return new ApiError(response.status, `${words}${advice}`, answer);
}

/** Server-sent events out of bytes, as the HTML standard's section 9.2.6 reads them. */
export async function* eventsOf(stream: AsyncIterable<Uint8Array>): AsyncGenerator<ServerEvent> {
  const decoder = new TextDecoder();
  let rest = '';
  let data: string[] = [];
  let event = 'message';
  let id: string | undefined;
  for await (const bytes of stream) {
    rest += decoder.decode(bytes, { stream: true });
    if (rest.length > MAX_EVENT) throw new ApiError(0, 'the server sends an event without end');
    const lines = rest.split(/\r\n|\n|\r(?!$)/);
    rest = lines.pop() as string;
    for (const line of lines) {
      if (line === '') {
        if (data.length > 0) yield { ...(id === undefined ? {} : { id }), event, data: data.join('\n') };
        data = [];
        event = 'message';
        continue;
      }
      const [, name, value] = /^([^:]*)(?:: ?(.*))?$/s.exec(line) as RegExpExecArray;
      if (name === 'data') data.push(value ?? '');
      else if (name === 'event') event = value ?? '';
      else if (name === 'id') id = value ?? '';
    }
  }
}

function pause(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const done = (): void => {
      clearTimeout(timer);
      signal.removeEventListener('abort', done);
      resolve();
    };
    const timer = setTimeout(done, ms);
    signal.addEventListener('abort', done, { once: true });
  });
}

/** What fetch hides: the system's word for why. */
function causeOf(error: unknown): string {
  const cause = (error as { cause?: { code?: string; message?: string } }).cause;
  return cause?.code ?? cause?.message ?? (error as Error).message;
}

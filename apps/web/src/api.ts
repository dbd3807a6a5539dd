/**
 * The page's side of the HTTP API: one function per question, every answer checked against the shared schemas, every
 * failure an ApiError in words that a person can act on.
 */
import type {
  Energy,
  ExplainedMessage,
  KeyAnswer,
  Media,
  Meter,
  MeterList,
  MeterPatch,
  Series,
  Status,
  StoredMessage,
  Total,
} from '@amiable/model';
import {
  energy,
  explainedMessage,
  keyAnswer,
  media,
  messageList,
  meter,
  meterList,
  problem,
  series,
  status,
  total,
} from '@amiable/model/schemas';
import { config, type z } from 'zod';
import { regain } from './access/unauthorized.ts';

// A strict Content-Security-Policy forbids generated code, and merely trying it is reported in the console.
config({ jitless: true });

export const BASE = '/api/v1';

/** `unauthorized`: nobody is logged in; `forbidden`: whoever is may not. */
export type FailureKind = 'offline' | 'missing' | 'refused' | 'server' | 'shape' | 'unauthorized' | 'forbidden';

export class ApiError extends Error {
  override readonly name = 'ApiError';
  readonly kind: FailureKind;
  /** Seconds after which asking again makes sense, where the server said so. */
  readonly retryAfter: number | undefined;
  constructor(kind: FailureKind, message: string, retryAfter?: number) {
    super(message);
    this.kind = kind;
    this.retryAfter = retryAfter;
  }
}

function kindOf(status: number): FailureKind {
  if (status === 404) return 'missing';
  if (status === 401) return 'unauthorized';
  if (status === 403) return 'forbidden';
  return status >= 500 ? 'server' : 'refused';
}

interface Answer {
  readonly response: Response;
  readonly text: string;
}

async function request(path: string, init: RequestInit | undefined): Promise<Answer> {
  try {
    const response = await fetch(BASE + path, init);
    return { response, text: await response.text() };
  } catch (fault) {
    if (fault instanceof DOMException && fault.name === 'AbortError') throw fault;
    throw new ApiError('offline', '');
  }
}

/** The API asked as it is, with the one thing added that holds everywhere: who has to log in is led to it. */
export async function answerOf(path: string, init?: RequestInit): Promise<Answer> {
  const answer = await request(path, init);
  if (answer.response.status !== 401) return answer;
  return (await regain()) === 'again' ? request(path, init) : answer;
}

/** @param own the 401 is the answer to what was asked (a wrong password), not an ended session */
export async function ask<S extends z.ZodType>(
  schema: S,
  path: string,
  init?: RequestInit,
  mark?: string,
  own = false,
): Promise<z.infer<S>> {
  const { response, text } = own ? await request(path, init) : await answerOf(path, init);
  if (mark) performance.mark(mark);
  let body: unknown;
  try {
    body = response.status === 204 ? {} : JSON.parse(text);
  } catch {
    throw new ApiError(response.ok ? 'shape' : kindOf(response.status), `${response.status} ${response.statusText}`);
  }
  if (!response.ok) {
    const said = problem.safeParse(body);
    const wait = Number(response.headers.get('retry-after') ?? '');
    throw new ApiError(
      kindOf(response.status),
      said.success ? said.data.error : `${response.status}`,
      wait > 0 ? wait : undefined,
    );
  }
  const read = schema.safeParse(body);
  if (!read.success) {
    const where = read.error.issues[0];
    throw new ApiError('shape', `${path}: ${where?.path.join('.') ?? ''} ${where?.message ?? ''}`);
  }
  return read.data;
}

export function send(method: string, body: unknown): RequestInit {
  return { method, headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) };
}

export function query(parameters: Record<string, string | number | undefined>): string {
  const out = new URLSearchParams();
  for (const [key, value] of Object.entries(parameters))
    if (value !== undefined && value !== '') out.set(key, String(value));
  const text = out.toString();
  return text ? `?${text}` : '';
}

/** Without a signal, since `exactOptionalPropertyTypes` wants absence rather than undefined. */
export function until(signal: AbortSignal | undefined): RequestInit {
  return signal ? { signal } : {};
}

export interface MeterQuestion {
  readonly q?: string;
  readonly state?: 'new' | 'named';
  /** An area of the network, or the kind of areas of which it stands in none. */
  readonly under?: string;
  readonly outside?: string;
  readonly limit: number;
  readonly after?: string;
}

export const api = {
  total: (signal?: AbortSignal): Promise<Total> => ask(total, '/total', until(signal)),
  status: (signal?: AbortSignal): Promise<Status> => ask(status, '/status', until(signal)),
  meters: (question: MeterQuestion, signal?: AbortSignal): Promise<MeterList> =>
    ask(meterList, `/meters${query({ ...question })}`, until(signal)),
  meter: (id: string, signal?: AbortSignal): Promise<Meter> => ask(meter, `/meters/${id}`, until(signal)),
  changeMeter: (id: string, patch: MeterPatch): Promise<Meter> => ask(meter, `/meters/${id}`, send('PATCH', patch)),
  setKey: (id: string, key: string, authKey: string | null): Promise<KeyAnswer> =>
    ask(keyAnswer, `/meters/${id}/key`, send('PUT', { key, ...(authKey ? { authKey } : {}) })),
  series: (
    id: string,
    obis: readonly string[],
    from: number,
    to: number,
    points: number,
    signal?: AbortSignal,
    mark?: string,
  ): Promise<Series> =>
    ask(series, `/meters/${id}/series${query({ obis: obis.join(','), from, to, points })}`, until(signal), mark),
  energy: (id: string, bucket: Energy['bucket'], from: number, to: number, signal?: AbortSignal): Promise<Energy> =>
    ask(energy, `/meters/${id}/energy${query({ bucket, from, to })}`, until(signal)),
  media: (id: string, bucket: Energy['bucket'], from: number, to: number, signal?: AbortSignal): Promise<Media> =>
    ask(media, `/meters/${id}/media${query({ bucket, from, to })}`, until(signal)),
  messages: async (id: string, limit: number, signal?: AbortSignal): Promise<readonly StoredMessage[]> =>
    (await ask(messageList, `/meters/${id}/messages${query({ limit })}`, until(signal))).messages,
  message: (id: string, message: string, signal?: AbortSignal): Promise<ExplainedMessage> =>
    ask(explainedMessage, `/meters/${id}/messages/${message}`, until(signal)),
};

export function liveAddress(meters: readonly string[] | 'all'): string {
  return `${BASE}/live${meters === 'all' ? '' : `?meters=${meters.join(',')}`}`;
}

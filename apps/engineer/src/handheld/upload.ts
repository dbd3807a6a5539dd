/**
 * `amiable handheld upload`: the messages of all visits to the central system (`POST /api/v1/messages`).
 *
 * Decides: NDJSON in batches, gzip; a message counts as taken when the server has answered 200, which means durable there, and that
 * is written into the visit's file before the next batch goes. What was sent and not marked is sent again: the server knows
 * duplicates by id. A server that is away or busy is asked again for five minutes; one that refuses the key is told.
 */
import { promisify } from 'node:util';
import { gzip } from 'node:zlib';
import { backOff, sleep } from '@amiable/io';
import { createProgress, type Terminal } from '@amiable/io/terminal';
import { passwordOption } from '../dlms/secrets.ts';
import { Failed, UsageError } from '../dlms/usage.ts';
import type { Given } from './list.ts';
import { continueVisit, lockStore, readVisits, type VisitFile, type VisitRecord } from './store.ts';
import { storeOf } from './visit.ts';

const BATCH = 500;
const BATCH_BYTES = 2 << 20;
const TIMEOUT = 30_000;
const PATIENCE = 300_000;
const LONGEST_WAIT = 60_000;
const pack = promisify(gzip);

interface Waiting {
  readonly id: string;
  readonly json: string;
}

/** @throws UsageError, Failed */
export async function runUpload(terminal: Terminal, server: string, given: Given): Promise<void> {
  const url = endpoint(server);
  const bytes = await passwordOption('--api-key', given.apiKey ?? process.env.AMIABLE_API_KEY);
  const key = bytes && new TextDecoder().decode(bytes).trim();
  const folder = storeOf(given);
  const release = lockStore(folder);
  const total = { accepted: 0, duplicates: 0, rejected: 0 };
  const progress = createProgress(terminal, true);
  try {
    const visits = readVisits(folder);
    if (visits.length === 0) terminal.err(`${folder} holds no visits.\n`);
    for (const visit of visits) {
      const waiting = waitingOf(visit, url.host, given.again === true);
      if (waiting.length === 0) continue;
      const writer = continueVisit(folder, visit.name);
      try {
        let most = BATCH;
        for (let at = 0; at < waiting.length; ) {
          progress.show(`${visit.head.meter}: ${at} of ${waiting.length} messages`);
          const batch = batchOf(waiting, at, most);
          const answer = await post(terminal, url, key, batch);
          if (answer.status === 413 || answer.status === 422 || answer.status === 400) {
            if (batch.length > 1) {
              most = Math.max(1, batch.length >> 1);
              continue;
            }
            const words = `answer ${answer.status}${wordsOf(answer.body)}`;
            writer.append({
              t: 'rejected',
              server: url.host,
              id: (batch[0] as Waiting).id,
              words,
              at: terminal.clock.now(),
            });
            total.rejected++;
            at++;
            continue;
          }
          const { accepted, duplicates, rejected } = countsIn(answer.body, batch);
          const lost = new Set(rejected.map(({ id }) => id));
          writer.append({
            t: 'taken',
            server: url.host,
            ids: batch.flatMap(({ id }) => (lost.has(id) ? [] : [id])),
            at: terminal.clock.now(),
          });
          for (const { id, words } of rejected)
            writer.append({ t: 'rejected', server: url.host, id, words, at: terminal.clock.now() });
          total.accepted += accepted;
          total.duplicates += duplicates;
          total.rejected += rejected.length;
          for (const { words } of rejected.slice(0, 3)) {
            progress.clear();
            terminal.err(`amiable: ${url.host} refuses a message of ${visit.head.meter}: ${words}\n`);
          }
          at += batch.length;
          most = BATCH;
        }
      } finally {
        writer.close();
      }
    }
  } finally {
    progress.clear();
    release();
  }
  const rest = total.rejected > 0 ? `, ${total.rejected} refused` : '';
  terminal.out(`${total.accepted} messages taken, ${total.duplicates} it had already${rest}\n`);
  if (total.rejected > 0) throw new Failed(1);
}

function endpoint(server: string): URL {
  let url: URL;
  try {
    url = new URL(/^https?:\/\//i.test(server) ? server : `http://${server}`);
  } catch {
    throw new UsageError(`${JSON.stringify(server)} is no address of a server; write http://192.0.2.1:8080.`);
  }
  if (url.pathname === '/' || url.pathname === '') url.pathname = '/api/v1/messages';
  return url;
}

/** What this server has not taken yet, each once. */
export function waitingOf({ records }: Pick<VisitFile, 'records'>, server: string, again: boolean): Waiting[] {
  const settled = new Set<string>();
  if (!again)
    for (const record of records) {
      if (record.t === 'taken' && record.server === server) for (const id of record.ids) settled.add(id);
      else if (record.t === 'rejected' && record.server === server) settled.add(record.id);
    }
  const waiting: Waiting[] = [];
  for (const record of records) {
    if (record.t !== 'message') continue;
    const id = idOf(record);
    if (settled.has(id)) continue;
    settled.add(id);
    waiting.push({ id, json: record.json });
  }
  return waiting;
}

const idOf = ({ json }: Extract<VisitRecord, { t: 'message' }>): string => (JSON.parse(json) as { id: string }).id;

function batchOf(waiting: readonly Waiting[], from: number, most: number): Waiting[] {
  const batch: Waiting[] = [];
  let bytes = 0;
  for (let i = from; i < waiting.length && batch.length < most; i++) {
    const next = waiting[i] as Waiting;
    bytes += next.json.length + 1;
    if (batch.length > 0 && bytes > BATCH_BYTES) break;
    batch.push(next);
  }
  return batch;
}

interface Answer {
  readonly status: number;
  readonly body: string;
}

/** Tries until the server has answered for good. @throws Failed after it has told why */
async function post(terminal: Terminal, url: URL, key: string | undefined, batch: readonly Waiting[]): Promise<Answer> {
  const { clock, signal } = terminal;
  const body = await pack(Buffer.from(batch.map(({ json }) => `${json}\n`).join('')));
  const since = clock.now();
  let said = '';
  for (let failures = 1; ; failures++) {
    let words: string;
    let wait = backOff({ first: 1000, longest: 30_000 }, failures, Math.random);
    try {
      const response = await fetch(url, {
        method: 'POST',
        body,
        redirect: 'manual',
        headers: {
          'content-type': 'application/x-ndjson',
          'content-encoding': 'gzip',
          ...(key !== undefined && { authorization: `Bearer ${key}` }),
        },
        signal: AbortSignal.any([signal, AbortSignal.timeout(TIMEOUT)]),
      });
      const text = await response.text();
      const { status } = response;
      if (status === 200 && !/^\s*</.test(text)) return { status, body: text };
      if (status === 413 || status === 422 || status === 400) return { status, body: text };
      if (status === 401 || status === 403)
        throw told(
          terminal,
          `${url.host} ${key === undefined ? 'wants an API key; give --api-key' : 'does not accept this API key'}${wordsOf(text)}.`,
        );
      if (status < 500 && status !== 429)
        throw told(
          terminal,
          `${url.host} answers ${status} at ${url.pathname}${status === 200 ? ' with a web page' : ''}; is this the right address?`,
        );
      words = `answers ${status}${wordsOf(text)}`;
      const asked = Number(response.headers.get('retry-after'));
      if (asked > 0) wait = Math.min(LONGEST_WAIT, asked * 1000);
    } catch (error) {
      if (error instanceof Failed) throw error;
      if (signal.aborted) throw new Failed(130);
      const { cause, message } = error as Error & { cause?: { code?: string; message?: string } };
      words = `cannot be reached (${cause?.code ?? cause?.message ?? message})`;
    }
    if (clock.now() - since + wait > PATIENCE)
      throw told(terminal, `${url.host} ${words}. What was not taken stays in the store; upload again later.`);
    if (words !== said) terminal.err(`amiable: ${url.host} ${words}; trying again.\n`);
    said = words;
    await sleep(clock, wait, signal);
    if (signal.aborted) throw new Failed(130);
  }
}

function told(terminal: Terminal, words: string): Failed {
  terminal.err(`amiable: ${words}\n`);
  return new Failed(1);
}

function wordsOf(body: string): string {
  try {
    const { error } = JSON.parse(body) as { error?: unknown };
    return typeof error === 'string' ? ` (${error.slice(0, 200)})` : '';
  } catch {
    return '';
  }
}

interface Counted {
  readonly accepted: number;
  readonly duplicates: number;
  readonly rejected: readonly { readonly id: string; readonly words: string }[];
}

/** Lines count from 1. */
function countsIn(body: string, batch: readonly Waiting[]): Counted {
  try {
    const { accepted, duplicates, rejected } = JSON.parse(body) as Record<string, unknown>;
    return {
      accepted: typeof accepted === 'number' ? accepted : batch.length,
      duplicates: typeof duplicates === 'number' ? duplicates : 0,
      rejected: (Array.isArray(rejected) ? rejected : []).flatMap(
        (one: { line?: unknown; reason?: unknown } | null) => {
          const message = batch[Number(one?.line) - 1];
          return message ? [{ id: message.id, words: String(one?.reason ?? 'no reason given').slice(0, 200) }] : [];
        },
      ),
    };
  } catch {
    // 200 is what counts.
    return { accepted: batch.length, duplicates: 0, rejected: [] };
  }
}

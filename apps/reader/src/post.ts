/**
 * HTTP uplink: NDJSON batches, gzip, one request at a time so that order is kept. A batch leaves the queue when the server
 * has said 200, which means durable there; a web page with 200 is somebody else (a log-in portal, a proxy) and means nothing. 503 and 429 wait as long as Retry-After asks; 413 halves the batch; 422 (the
 * server cannot read it) halves it too until the one bad message is alone, which is told and left out. 401 and 403 and other
 * answers that no repetition changes end the run.
 */
import { request as plainRequest } from 'node:http';
import { request as secureRequest } from 'node:https';
import { promisify } from 'node:util';
import { gzip } from 'node:zlib';
import { backOff, type Clock, PortError, portError, sleep } from '@amiable/io';
import type { PostOptions } from './options.ts';
import { createQueue, type QueueLimits } from './queue.ts';
import { createBell, type Uplink, waitUntil } from './uplink.ts';

const BATCH_ITEMS = 1000;
/** Before compression; the contract allows 5 MB. */
const BATCH_BYTES = 2 << 20;
/** Small bodies are not worth compressing. */
const GZIP_FROM = 1024;
const TIMEOUT = 30_000;
const LARGEST_ANSWER = 1 << 20;
const LONGEST_WAIT = 300_000;
const pack = promisify(gzip);

export interface PostUplinkOptions {
  readonly post: PostOptions;
  readonly clock: Clock;
  readonly random: () => number;
  readonly tell: (line: string) => void;
  readonly limits?: QueueLimits;
}

interface Answer {
  readonly status: number;
  readonly body: string;
  readonly retryAfter?: string;
}

/** Seconds, or a date (RFC 9110 clause 10.2.3), as milliseconds to wait. */
export function retryDelay(header: string | undefined, now: number): number | undefined {
  if (header === undefined) return undefined;
  const ms = /^\d+$/.test(header.trim()) ? Number(header) * 1000 : Date.parse(header) - now;
  return Number.isNaN(ms) ? undefined : Math.min(LONGEST_WAIT, Math.max(0, ms));
}

export function postUplink({ post, clock, random, tell, limits }: PostUplinkOptions): Uplink {
  const name = `server ${post.url.host}`;
  const queue = createQueue(limits);
  const bell = createBell();
  const closing = new AbortController();
  let delivered = 0;
  let refused = 0;
  let refusal: string | undefined;
  let lost = 0;
  let fault: string | undefined;
  let ended = false;
  let gaveUp = false;
  let giveUp: (error: PortError) => void = () => {};
  const hopeless = new Promise<PortError>((resolve) => {
    giveUp = resolve;
  });
  queue.onPut = () => bell.ring();

  const send = async (lines: readonly string[]): Promise<Answer> => {
    const text = Buffer.from(`${lines.join('\n')}\n`);
    const small = text.length < GZIP_FROM;
    const body = small ? text : await pack(text);
    return new Promise((resolve, reject) => {
      const request = post.url.protocol === 'https:' ? secureRequest : plainRequest;
      const outgoing = request(
        post.url,
        {
          method: 'POST',
          ...post.tls,
          headers: {
            'content-type': 'application/x-ndjson',
            'content-length': body.length,
            ...(small ? {} : { 'content-encoding': 'gzip' }),
            ...(post.apiKey === undefined ? {} : { authorization: `Bearer ${post.apiKey}` }),
          },
          timeout: TIMEOUT,
          signal: closing.signal,
        },
        (answer) => {
          const parts: Buffer[] = [];
          let size = 0;
          answer.on('data', (part: Buffer) => {
            size += part.length;
            if (size <= LARGEST_ANSWER) parts.push(part);
          });
          answer.on('error', reject);
          answer.on('end', () => {
            const retryAfter = answer.headers['retry-after'];
            resolve({
              status: answer.statusCode ?? 0,
              body: Buffer.concat(parts).toString('utf8'),
              ...(retryAfter === undefined ? {} : { retryAfter }),
            });
          });
        },
      );
      outgoing.on('timeout', () =>
        outgoing.destroy(new PortError('timeout', `${name}: no answer in ${TIMEOUT / 1000} s`)),
      );
      outgoing.on('error', reject);
      outgoing.end(body);
    });
  };

  const note = (words: string, waits: boolean) => {
    if (fault !== words) tell(waits ? `${words}. Trying again; messages wait in memory` : words);
    fault = words;
    bell.ring();
  };
  const stop = (error: PortError) => {
    ended = true;
    gaveUp = true;
    note(error.message, false);
    queue.close();
    giveUp(error);
  };
  const done = (n: number) => {
    queue.drop(n);
    bell.ring();
  };
  const refuse = (n: number, why: string) => {
    refused += n;
    refusal = why;
    tell(`${name}: refuses ${n === 1 ? 'a message' : `${n} messages`}: ${why}`);
  };

  const work = async () => {
    /** Halved when the server finds a batch too large or unreadable, doubled again with every success. */
    let most = BATCH_ITEMS;
    let failures = 0;
    const again = async (words: string, ms?: number) => {
      failures++;
      note(words, true);
      await sleep(clock, ms ?? backOff({ first: 500, longest: 30_000 }, failures, random), closing.signal);
    };
    while (!ended && !closing.signal.aborted) {
      const lines = queue.look(0, most, BATCH_BYTES);
      if (lines.length === 0) {
        await bell.next();
        continue;
      }
      let answer: Answer;
      try {
        answer = await send(lines);
      } catch (error) {
        if (closing.signal.aborted) return;
        const known = portError(name, error);
        if (known.reason === 'certificate') return stop(known);
        await again(known.message);
        continue;
      }
      const said = wordsOf(answer.body);
      if (answer.status === 200 && /^\s*</.test(answer.body)) {
        await again(`${name}: answers with a web page at ${post.url.pathname}; is this the right address?`);
      } else if (answer.status === 200) {
        if (fault !== undefined) tell(`${name}: takes messages again`);
        fault = undefined;
        failures = 0;
        most = Math.min(BATCH_ITEMS, most * 2);
        const bad = rejections(answer.body, lines.length);
        for (const why of bad.slice(0, 3)) refuse(1, why);
        if (bad.length > 3) refuse(bad.length - 3, 'and more of the kind');
        delivered += lines.length - bad.length;
        done(lines.length);
      } else if (answer.status === 503 || answer.status === 429 || answer.status >= 500) {
        await again(`${name}: answers ${answer.status}${said}`, retryDelay(answer.retryAfter, clock.now()));
      } else if (answer.status === 413 || answer.status === 422 || answer.status === 400) {
        if (lines.length > 1) most = Math.max(1, lines.length >> 1);
        else {
          refuse(1, answer.status === 413 ? 'it is too large for the server' : `answer ${answer.status}${said}`);
          done(1);
        }
      } else if (answer.status === 401 || answer.status === 403) {
        return stop(
          new PortError(
            'credentials',
            `${name}: ${post.apiKey === undefined ? 'wants an API key; give --api-key' : 'does not accept this API key'}${said}`,
          ),
        );
      } else if (answer.status >= 300 && answer.status < 400) {
        return stop(
          new PortError('other', `${name}: answers ${answer.status}: messages go to another address; give that one`),
        );
      } else {
        return stop(
          new PortError(
            'other',
            `${name}: answers ${answer.status} at ${post.url.pathname}: is this the right address?${said}`,
          ),
        );
      }
    }
  };
  const working = work();

  const report = () => ({
    name,
    delivered,
    refused,
    lost,
    gaveUp,
    waiting: queue.length,
    ...(refusal === undefined ? {} : { refusal }),
    ...(fault === undefined ? {} : { fault }),
  });
  return {
    name,
    put: (line) => queue.put(line),
    lose() {
      lost++;
    },
    room: () => queue.room(),
    release: () => queue.wake(),
    hopeless,
    report,
    async finish(ms, cut) {
      await waitUntil(() => queue.length === 0 || ended, bell.next, clock, ms, cut);
      const result = report();
      ended = true;
      closing.abort();
      bell.ring();
      queue.close();
      await working;
      return result;
    },
  };
}

function wordsOf(body: string): string {
  try {
    const { error } = JSON.parse(body) as { error?: unknown };
    if (typeof error === 'string') return ` (${error.slice(0, 200)})`;
  } catch {
    // Not every server answers in JSON.
  }
  return '';
}

function rejections(body: string, sent: number): string[] {
  try {
    const { rejected } = JSON.parse(body) as { rejected?: unknown };
    if (Array.isArray(rejected))
      return rejected
        .slice(0, sent)
        .map((r: { reason?: unknown } | null) => String(r?.reason ?? 'no reason given').slice(0, 200));
  } catch {
    // 200 is what counts.
  }
  return [];
}

/**
 * HTTP uplink: NDJSON batches, gzip, one request at a time so that order is kept. A batch leaves the outbox when the server
 * has said 200, which means durable there; a web page with 200 is somebody else (a log-in portal, a proxy) and means nothing. 503 and 429 wait as long as Retry-After asks; 413 halves the batch; 422 (the
 * server cannot read it) halves it too until the one bad message is alone, which is told and left out. 401 and 403 and other
 * answers that no repetition changes end it, or make it slow where it is patient.
 */
import { request as plainRequest } from 'node:http';
import { request as secureRequest } from 'node:https';
import { promisify } from 'node:util';
import { gzip } from 'node:zlib';
import { backOff, PortError, portError, sleep } from '@amiable/io';
import type { TlsConfig } from '../config/types.ts';
import { andThen } from '../words.ts';
import { createBell, SLOWLY, type Uplink, type UplinkCommon, type UplinkReport, waitUntil } from './uplink.ts';

const BATCH_FIRST = 1000;
const BATCH_PROBE = 64;
const BATCH_ITEMS = 4000;
/** Before compression; the contract allows 5 MB. */
const BATCH_BYTES = 2 << 20;
/** Small bodies are not worth compressing. */
const GZIP_FROM = 1024;
const TIMEOUT = 30_000;
/** ms for one batch from beginning to end: 5 MB take that long on the slowest line that is used. */
const LONGEST_TIME = 300_000;
const LARGEST_ANSWER = 1 << 20;
const LONGEST_WAIT = 300_000;
const pack = promisify(gzip);

export interface PostTarget {
  readonly url: URL;
  readonly apiKey?: string;
  readonly tls: TlsConfig;
}

export interface PostUplinkOptions extends UplinkCommon {
  readonly post: PostTarget;
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

export function postUplink({ outbox, post, clock, random, tell, patient = false }: PostUplinkOptions): Uplink {
  const name = `server ${post.url.host}`;
  const bell = createBell();
  const closing = new AbortController();
  let delivered = 0;
  let refused = 0;
  let refusal: string | undefined;
  let lastDelivery: number | undefined;
  let isUp = false;
  let fault: string | undefined;
  let ended = false;
  let gaveUp = false;
  let giveUp: (error: PortError) => void = () => {};
  const hopeless = new Promise<PortError>((resolve) => {
    giveUp = resolve;
  });
  outbox.onPut = () => bell.ring();

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
            if (size <= LARGEST_ANSWER) return void parts.push(part);
            // The status counts; one that goes on and on is not listened to.
            answer.destroy();
            resolve({ status: answer.statusCode ?? 0, body: Buffer.concat(parts).toString('utf8') });
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
      const giveUpOn = (ms: number) =>
        outgoing.destroy(new PortError('timeout', `${name}: no answer in ${ms / 1000} s`));
      outgoing.on('timeout', () => giveUpOn(TIMEOUT));
      // An answer that comes drop by drop is never silent for so long.
      const end = setTimeout(giveUpOn, LONGEST_TIME, LONGEST_TIME);
      outgoing.on('close', () => clearTimeout(end));
      outgoing.on('error', reject);
      outgoing.end(body);
    });
  };

  const note = (words: string, waits: boolean) => {
    if (fault !== words) tell(waits ? andThen(words, 'Trying again; messages wait') : words);
    fault = words;
    isUp = false;
    bell.ring();
  };
  const stop = (error: PortError) => {
    ended = true;
    gaveUp = true;
    note(error.message, false);
    outbox.close();
    giveUp(error);
  };
  const done = (n: number) => {
    outbox.drop(n);
    lastDelivery = clock.now();
    bell.ring();
  };
  const refuse = (n: number, why: string) => {
    refused += n;
    refusal = why;
    tell(`${name}: refuses ${n === 1 ? 'a message' : `${n} messages`}: ${why}`);
  };

  const refusalOf = (status: number, said: string): PortError => {
    if (status === 401 || status === 403)
      return new PortError(
        'credentials',
        `${name}: ${post.apiKey === undefined ? 'wants an API key; give --api-key' : 'does not accept this API key'}${said}`,
      );
    if (status >= 300 && status < 400)
      return new PortError('other', `${name}: answers ${status}: messages go to another address; give that one`);
    return new PortError(
      'other',
      `${name}: answers ${status} at ${post.url.pathname}: is this the right address?${said}`,
    );
  };

  const work = async () => {
    /** Halved when the server finds a batch too large or unreadable, doubled again with every success. */
    let most = BATCH_FIRST;
    let failures = 0;
    const again = async (words: string, ms?: number) => {
      failures++;
      // A try costs little, however much waits.
      most = Math.min(most, BATCH_PROBE);
      outbox.again();
      note(words, true);
      await sleep(clock, ms ?? backOff({ first: 500, longest: 30_000 }, failures, random), closing.signal);
    };
    /** What only somebody's help changes. @returns whether it is tried again */
    const help = async (error: PortError): Promise<boolean> => {
      if (!patient) {
        stop(error);
        return false;
      }
      await again(error.message, SLOWLY);
      return true;
    };
    while (!ended && !closing.signal.aborted) {
      const lines = outbox.look(0, most, BATCH_BYTES);
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
        if (known.reason !== 'certificate') await again(known.message);
        else if (!(await help(known))) return;
        continue;
      }
      const said = wordsOf(answer.body);
      if (answer.status === 200 && /^\s*</.test(answer.body)) {
        await again(`${name}: answers with a web page at ${post.url.pathname}; is this the right address?`);
      } else if (answer.status === 200) {
        if (fault !== undefined) tell(`${name}: takes messages again`);
        fault = undefined;
        isUp = true;
        failures = 0;
        most = Math.min(BATCH_ITEMS, most * 4);
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
      } else if (!(await help(refusalOf(answer.status, said)))) return;
    }
  };
  const working = work();

  const report = (): UplinkReport => ({
    name,
    delivered,
    refused,
    lost: outbox.lost,
    gaveUp,
    waiting: outbox.length,
    state: isUp ? 'up' : fault === undefined ? 'connecting' : 'down',
    ...(refusal === undefined ? {} : { refusal }),
    ...(fault === undefined ? {} : { fault }),
    ...(lastDelivery === undefined ? {} : { lastDelivery }),
  });
  return {
    name,
    hopeless,
    report,
    async finish(ms, cut) {
      outbox.hurry();
      await waitUntil(() => outbox.length === 0 || ended, bell.next, clock, ms, cut);
      const result = report();
      ended = true;
      closing.abort();
      bell.ring();
      outbox.close();
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

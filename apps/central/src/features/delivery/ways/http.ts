/**
 * Files by HTTP to another system: POST or PUT, as one body of known length.
 *
 * Decides: 2xx took it; 408, 425, 429 and 5xx are for now, redirections and the rest are refusals; the number of the delivery is the
 * idempotency key, so that a try whose answer was lost does no harm. Leaves out: following redirections, which would carry secrets elsewhere.
 */
import { request as plain } from 'node:http';
import { request as secure } from 'node:https';
import { LinkError, PeerError } from '@amiable/bytes';
import type { Where } from '../shapes.ts';
import { MAX_ANSWER, type Outgoing, type Secrets, textOf, type Way } from './way.ts';

const QUIET = 60_000;
const LATER = new Set([408, 425, 429]);

export interface HttpAsked {
  readonly url: string;
  readonly method: 'POST' | 'PUT';
  readonly headers: Readonly<Record<string, string>>;
  readonly length: number;
  /** Until the answer is whole, ms: who answers a byte a minute is heard no longer. */
  readonly within?: number;
  pieces(): AsyncIterable<Uint8Array>;
}

/** One request. @returns the answer's beginning */
export function ask(asked: HttpAsked, outer: AbortSignal): Promise<{ readonly status: number; readonly text: string }> {
  const url = new URL(asked.url);
  const signal = asked.within === undefined ? outer : AbortSignal.any([outer, AbortSignal.timeout(asked.within)]);
  return new Promise((resolve, reject) => {
    const failed = (error: Error): void => reject(new LinkError(`${url.host} cannot be reached: ${error.message}`));
    const call = (url.protocol === 'https:' ? secure : plain)(
      url,
      {
        method: asked.method,
        headers: { ...asked.headers, 'content-length': asked.length },
        signal,
        timeout: QUIET,
        agent: false,
      },
      (answer) => {
        const chunks: Buffer[] = [];
        let size = 0;
        answer.on('data', (chunk: Buffer) => {
          if (size < MAX_ANSWER) chunks.push(chunk);
          size += chunk.length;
          // Whoever answers without end is heard no longer.
          if (size > 1024 * 1024) call.destroy();
        });
        const told = (): void =>
          resolve({
            status: answer.statusCode ?? 0,
            text: Buffer.concat(chunks).toString('utf8').slice(0, MAX_ANSWER),
          });
        answer.on('end', told);
        answer.on('close', told);
        answer.on('error', told);
      },
    );
    call.on('timeout', () => call.destroy(new Error(`no answer for ${QUIET / 1000} s`)));
    call.on('error', failed);
    void (async () => {
      for await (const piece of asked.pieces()) {
        if (call.destroyed) return;
        if (!call.write(piece))
          await new Promise<void>((go) => {
            call.once('drain', go);
            call.once('close', go);
          });
      }
      call.end();
    })().catch((error: Error) => call.destroy(error));
  });
}

/** What an answer means. @throws LinkError, PeerError */
export function judged({ status, text }: { readonly status: number; readonly text: string }, host: string): string {
  if (status >= 200 && status < 300) return `${status} ${text}`.trim();
  const words = `${host} answered ${status}${text === '' ? '' : `: ${text.slice(0, 300)}`}`;
  if (status >= 500 || LATER.has(status)) throw new LinkError(words);
  if (status >= 300 && status < 400)
    throw new PeerError(`${words}; redirections are not followed, set the address that it leads to`);
  throw new PeerError(words);
}

export function authorization(
  where: Extract<Where, { kind: 'http' }>,
  secrets: Secrets,
): Readonly<Record<string, string>> {
  const token = textOf(secrets, 'token');
  if (token !== undefined) return { authorization: `Bearer ${token}` };
  const password = textOf(secrets, 'password');
  if (where.user === undefined || password === undefined) return {};
  return { authorization: `Basic ${Buffer.from(`${where.user}:${password}`).toString('base64')}` };
}

export function httpWay(where: Extract<Where, { kind: 'http' }>, secrets: Secrets): Way {
  return {
    async send(file: Outgoing, signal) {
      const answer = await ask(
        {
          url: where.url,
          method: where.method,
          headers: {
            ...where.headers,
            ...authorization(where, secrets),
            'content-type': file.mediaType,
            'content-disposition': `attachment; filename="${file.file}"`,
            'content-digest': `sha-256=:${Buffer.from(file.digest, 'hex').toString('base64')}:`,
            'idempotency-key': `amiable-${file.id}`,
          },
          length: file.bytes,
          pieces: () => file.pieces(),
        },
        signal,
      );
      return { answer: judged(answer, new URL(where.url).host) };
    },
  };
}

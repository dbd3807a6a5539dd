/**
 * Prices out of HTTP services.
 *
 * Decides: http and https alone, no names and passwords in addresses; a key goes over https only (but to this machine) and to the
 * service's own origin only; size and time are bounded; redirects are followed within the same rules. No error and no log holds the key.
 */
import { MisuseError, PeerError } from '@amiable/bytes';
import { add, startOf, toLocal } from '@amiable/calendar';
import type { SourceShape } from './shapes.ts';

const MOST_BYTES = 16 * 1024 * 1024;
const TIME = 30_000;
const MOST_REDIRECTS = 3;
const HERE = /^(localhost|127\.\d+\.\d+\.\d+|\[::1\])$/;

export interface Span {
  readonly from: number;
  readonly to: number;
}

/** The requests that a source makes for the days around `now`. */
export function spansOf(source: SourceShape, zone: string, now: number): Span[] {
  const first = startOf('day', zone, add('day', zone, now, -source.daysBack));
  const last = add('day', zone, now, source.daysAhead);
  if (!source.perDay) return [{ from: first, to: last }];
  const spans: Span[] = [];
  for (let at = first; at < last; ) {
    const next = add('day', zone, at, 1);
    spans.push({ from: at, to: next });
    at = next;
  }
  return spans;
}

/** Fills an address or a header in. @throws MisuseError for a word in braces that means nothing */
export function fill(
  text: string,
  span: Span,
  zone: string,
  area: string | undefined,
  key: string | undefined,
  encode: boolean,
): string {
  const local = (at: number): string => new Date(toLocal(zone, at)).toISOString().slice(0, 10);
  const utc = (at: number): string => new Date(at).toISOString().replace(/[-T:]/g, '').slice(0, 12);
  const day = local(span.from);
  const words: Readonly<Record<string, string | undefined>> = {
    from: utc(span.from),
    to: utc(span.to),
    fromIso: new Date(span.from).toISOString(),
    toIso: new Date(span.to).toISOString(),
    fromDay: day,
    toDay: local(span.to),
    day,
    year: day.slice(0, 4),
    month: day.slice(5, 7),
    dayOfMonth: day.slice(8, 10),
    area,
    key,
  };
  return text.replace(/\{(\w+)\}/g, (all, word: string) => {
    const value = Object.hasOwn(words, word) ? words[word] : undefined;
    if (value === undefined)
      throw new MisuseError(
        word === 'key' || word === 'area'
          ? `${all} is asked for and no ${word} is set`
          : `${all} means nothing; there are ${Object.keys(words).join(', ')}`,
      );
    return encode ? encodeURIComponent(value) : value;
  });
}

/** @throws MisuseError for an address that is not taken */
export function checkAddress(text: string, keyed: boolean): URL {
  const plain = text.replace(/\{\w+\}/g, 'x');
  let url: URL;
  try {
    url = new URL(plain);
  } catch {
    throw new MisuseError('url: no address; one is such as https://prices.example/day-ahead?from={from}');
  }
  if (url.protocol !== 'https:' && url.protocol !== 'http:')
    throw new MisuseError('url: http:// or https:// is wanted');
  if (url.username !== '' || url.password !== '')
    throw new MisuseError('url: no name or password in the address; the key has a place of its own');
  if (/\{/.test(text.split('/')[2] ?? '')) throw new MisuseError('url: the server’s name cannot be filled in');
  if (keyed && url.protocol === 'http:' && !HERE.test(url.hostname))
    throw new MisuseError('url: a key is sent over https only');
  return url;
}

export type Fetch = (url: string, init: RequestInit) => Promise<Response>;

export interface FetchOptions {
  readonly source: SourceShape;
  readonly span: Span;
  readonly zone: string;
  readonly key: string | undefined;
  readonly signal: AbortSignal;
  readonly fetch?: Fetch;
}

/** The text that the service gives for a span. @throws PeerError in words without the key */
export async function fetchPrices({
  source,
  span,
  zone,
  key,
  signal,
  fetch = globalThis.fetch,
}: FetchOptions): Promise<string> {
  const usesKey = source.url.includes('{key}') || Object.values(source.headers).some((h) => h.includes('{key}'));
  checkAddress(source.url, usesKey);
  const area = source.reading.area;
  let address = new URL(fill(source.url, span, zone, area, key, true));
  const { origin } = address;
  const own = Object.fromEntries(
    Object.entries(source.headers).map(([name, text]) => [name, fill(text, span, zone, area, key, false)]),
  );
  const bounded = AbortSignal.any([signal, AbortSignal.timeout(TIME)]);
  const hide = (words: string): string =>
    (key ? words.replaceAll(key, '…').replaceAll(encodeURIComponent(key), '…') : words).slice(0, 300);
  for (let hop = 0; ; hop++) {
    let response: Response;
    try {
      response = await fetch(address.href, {
        redirect: 'manual',
        signal: bounded,
        headers: {
          accept: 'application/json, application/xml, text/csv, */*;q=0.1',
          ...(address.origin === origin ? own : {}),
        },
      });
    } catch (error) {
      if (signal.aborted) throw error;
      throw new PeerError(
        `${address.host} does not answer${bounded.aborted ? ` within ${TIME / 1000} s` : ` (${hide(causeOf(error))})`}`,
      );
    }
    const next = response.headers.get('location');
    if (response.status >= 300 && response.status < 400 && next !== null) {
      await response.body?.cancel();
      if (hop === MOST_REDIRECTS) throw new PeerError(`${address.host} sends from one address to the next without end`);
      let there: URL;
      try {
        there = new URL(next, address);
      } catch {
        throw new PeerError(`${address.host} sends on to what is no address`);
      }
      if (
        (there.protocol !== 'https:' && there.protocol !== 'http:') ||
        (address.protocol === 'https:' && there.protocol === 'http:')
      )
        throw new PeerError(
          `${address.host} sends on to an address that is not taken: ${hide(there.protocol + there.host)}`,
        );
      address = there;
      continue;
    }
    const text = await bodyOf(response, address.host, bounded, signal);
    // The platform's refusals come with a status and a document that says why.
    if (!response.ok && !text.includes('Acknowledgement_MarketDocument'))
      throw new PeerError(
        `${address.host} answers ${response.status}: ${hide(text.replace(/(<[^>]*>|\s)+/g, ' ').trim() || response.statusText)}`,
      );
    return text;
  }
}

async function bodyOf(response: Response, host: string, bounded: AbortSignal, signal: AbortSignal): Promise<string> {
  const chunks: Uint8Array[] = [];
  let bytes = 0;
  try {
    for await (const chunk of (response.body ?? []) as AsyncIterable<Uint8Array>) {
      bytes += chunk.length;
      if (bytes > MOST_BYTES) throw new PeerError(`${host} answers with more than ${MOST_BYTES / 1024 / 1024} MB`);
      chunks.push(chunk);
    }
  } catch (error) {
    if (error instanceof PeerError || signal.aborted) throw error;
    throw new PeerError(
      `${host} stopped in the middle of its answer${bounded.aborted ? `: it took more than ${TIME / 1000} s` : ''}`,
    );
  }
  return Buffer.concat(chunks).toString('utf8');
}

function causeOf(error: unknown): string {
  const cause = (error as { cause?: { code?: string; message?: string } }).cause;
  return cause?.code ?? cause?.message ?? (error as Error).message;
}

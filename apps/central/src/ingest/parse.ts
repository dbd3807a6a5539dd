/**
 * The body of `POST /api/v1/messages`: one JSON object, a JSON array, or NDJSON, gzip allowed. Limits hold before and
 * after unpacking, so that a small body cannot unfold into a large one.
 */
import { promisify } from 'node:util';
import { gunzip } from 'node:zlib';
import type { Message } from '@amiable/model';
import { MessageFormatError, messageFromJson } from '@amiable/model/schemas';

export const MAX_BODY = 5 * 1024 * 1024;
export const MAX_MESSAGES = 10_000;

/** Refused whole, with the HTTP status that says why. */
export class BodyError extends Error {
  override readonly name = 'BodyError';
  readonly status: 413 | 415 | 422;
  constructor(status: 413 | 415 | 422, message: string) {
    super(message);
    this.status = status;
  }
}

export interface Parsed {
  readonly messages: readonly Message[];
  /** 1-based line (or place in the array) of each message. */
  readonly lines: readonly number[];
  readonly rejected: readonly { readonly line: number; readonly reason: string }[];
}

const unpack = promisify(gunzip);

export async function bodyText(body: Buffer, encoding: string | undefined): Promise<string> {
  if (body.length > MAX_BODY)
    throw new BodyError(413, `the body has ${body.length} bytes; at most ${MAX_BODY} are taken`);
  const coding = encoding?.trim().toLowerCase();
  if (coding === undefined || coding === '' || coding === 'identity') return body.toString('utf8');
  if (coding !== 'gzip' && coding !== 'x-gzip')
    throw new BodyError(415, `content-encoding ${encoding} is not known; use gzip or none`);
  try {
    return (await unpack(body, { maxOutputLength: MAX_BODY })).toString('utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ERR_BUFFER_TOO_LARGE')
      throw new BodyError(413, `the body unpacks to more than ${MAX_BODY} bytes`);
    throw new BodyError(422, 'the body is no gzip, though content-encoding says so');
  }
}

const tooMany = (): BodyError => new BodyError(413, `more than ${MAX_MESSAGES} messages in one request; send several`);

/** @throws BodyError when nothing of the body can be read as messages */
export function parseBody(text: string): Parsed {
  const messages: Message[] = [];
  const lines: number[] = [];
  const rejected: { line: number; reason: string }[] = [];
  const take = (json: unknown, line: number): void => {
    try {
      messages.push(messageFromJson(json));
      lines.push(line);
    } catch (error) {
      if (!(error instanceof MessageFormatError)) throw error;
      rejected.push({ line, reason: error.message });
    }
  };
  const whole = wholeJson(text);
  if (whole !== undefined) {
    const list = Array.isArray(whole) ? whole : [whole];
    if (list.length > MAX_MESSAGES) throw tooMany();
    list.forEach((json, i) => {
      take(json, i + 1);
    });
  } else {
    let line = 0;
    let count = 0;
    for (let at = 0; at <= text.length; ) {
      let end = text.indexOf('\n', at);
      if (end < 0) end = text.length;
      const row = text.slice(at, end).trim();
      at = end + 1;
      line++;
      if (row === '') continue;
      if (++count > MAX_MESSAGES) throw tooMany();
      let json: unknown;
      try {
        json = JSON.parse(row);
      } catch {
        rejected.push({ line, reason: 'no JSON' });
        continue;
      }
      take(json, line);
    }
  }
  if (messages.length === 0 && rejected.length === 0) throw new BodyError(422, 'the body holds no message');
  return { messages, lines, rejected };
}

function wholeJson(text: string): unknown {
  const newline = text.indexOf('\n');
  // More than one line that is complete by itself is NDJSON; do not parse it twice.
  if (newline >= 0 && text[newline - 1] === '}' && text.slice(newline).trim() !== '') return undefined;
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

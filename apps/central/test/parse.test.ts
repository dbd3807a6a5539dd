import { gzipSync } from 'node:zlib';
import { messageToJson } from '@amiable/model';
import { describe, expect, it } from 'vitest';
import { BodyError, bodyText, MAX_BODY, MAX_MESSAGES, parseBody } from '../src/ingest/parse.ts';
import { sampleMessage } from './sample.ts';

const line = messageToJson(sampleMessage(1));

describe('the body of POST /api/v1/messages', () => {
  it('is one object, an array, or NDJSON with blank lines', () => {
    expect(parseBody(line).messages).toHaveLength(1);
    expect(parseBody(JSON.stringify(JSON.parse(line), null, 2)).messages).toHaveLength(1);
    expect(parseBody(`[${line},${line}]`).lines).toEqual([1, 2]);
    expect(parseBody(`${line}\n\n${line}\r\n`).lines).toEqual([1, 3]);
  });
  it('keeps the good lines and names the bad ones', () => {
    const parsed = parseBody(`${line}\n{"v":1}\nnonsense\n${line}`);
    expect(parsed.messages).toHaveLength(2);
    expect(parsed.lines).toEqual([1, 4]);
    expect(parsed.rejected).toEqual([
      { line: 2, reason: expect.stringContaining('id') },
      { line: 3, reason: 'no JSON' },
    ]);
  });
  it('is refused when it holds nothing', () => {
    expect(() => parseBody('')).toThrow(BodyError);
    expect(() => parseBody('\n \n')).toThrow('no message');
  });
  it('is bounded in messages', () => {
    expect(() => parseBody('{}\n'.repeat(MAX_MESSAGES + 1))).toThrow(/more than 10000 messages/);
    expect(() => parseBody(JSON.stringify(Array(MAX_MESSAGES + 1).fill(0)))).toThrow(/more than 10000/);
  });
  it('may be gzip, bounded after unpacking too', async () => {
    expect(await bodyText(gzipSync(line), 'gzip')).toBe(line);
    await expect(bodyText(gzipSync(Buffer.alloc(MAX_BODY + 1)), 'gzip')).rejects.toMatchObject({ status: 413 });
    await expect(bodyText(Buffer.from('not gzip'), 'gzip')).rejects.toMatchObject({ status: 422 });
    await expect(bodyText(Buffer.from(line), 'br')).rejects.toMatchObject({ status: 415 });
    await expect(bodyText(Buffer.alloc(MAX_BODY + 1), undefined)).rejects.toMatchObject({ status: 413 });
  });
});

import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createClient, eventsOf } from '../src/client.ts';

let server: Server;
let answer: (request: IncomingMessage, response: ServerResponse) => void;
let url: string;

beforeEach(async () => {
  process.env.AMIABLE_LOGIN = '/nonexistent/login.json';
  server = createServer((request, response) => answer(request, response));
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
});
afterEach(async () => {
  delete process.env.AMIABLE_LOGIN;
  server.closeAllConnections();
  await new Promise((done) => server.close(done));
});

const bytesOf = (text: string, cut: number) =>
  (async function* () {
    const bytes = new TextEncoder().encode(text);
    for (let i = 0; i < bytes.length; i += cut) yield bytes.slice(i, i + cut);
  })();

describe('the client', () => {
  it('sends its token and gives JSON back', async () => {
    let authorization: string | undefined;
    answer = (request, response) => {
      authorization = request.headers.authorization;
      response.end('{"ok":true}');
    };
    expect(await createClient({ url, token: 'abc' }).get('/x')).toEqual({ ok: true });
    expect(authorization).toBe('Bearer abc');
  });

  it('tells what the server said, and how to log in', async () => {
    answer = (_request, response) => {
      response.statusCode = 401;
      response.end('{"error":"nobody is logged in"}');
    };
    await expect(createClient({ url }).get('/x')).rejects.toThrow(
      'nobody is logged in; log in with `amiable login`, or set AMIABLE_TOKEN',
    );
  });

  it('does not send who is logging in to log in', async () => {
    answer = (_request, response) => {
      response.statusCode = 401;
      response.end('{"error":"the name or the password is wrong"}');
    };
    await expect(createClient({ url, token: 'old' }).get('/x')).rejects.toThrow(/is wrong$/);
  });

  it('says where nobody answers', async () => {
    await expect(createClient({ url: 'http://127.0.0.1:1' }).get('/x')).rejects.toThrow(
      /^http:\/\/127\.0\.0\.1:1 does not answer \(.+\); is it running\?/,
    );
    expect(() => createClient({ url: 'ftp://x' })).toThrow('http:// or https:// is wanted');
    expect(() => createClient({ url: 'nonsense' })).toThrow('is no address');
  });

  it('reads pages one after the other', async () => {
    answer = (request, response) => {
      const after = new URL(request.url as string, url).searchParams.get('after');
      response.end(JSON.stringify({ rows: [after], next: after === null ? '1' : after === '1' ? '2' : null }));
    };
    const seen: unknown[] = [];
    for await (const page of createClient({ url }).pages<{ rows: unknown[]; next: string | null }>('/x'))
      seen.push(...page.rows);
    expect(seen).toEqual([null, '1', '2']);
  });

  it('takes events apart, wherever the bytes are cut', async () => {
    const text = ': hello\n\nid: 7\nevent: end\ndata: one\ndata: två\n\ndata:three\r\n\r\nretry: 10\n\n';
    for (const cut of [1, 2, 3, 1000]) {
      const events = [];
      for await (const event of eventsOf(bytesOf(text, cut))) events.push(event);
      expect(events, `cut by ${cut}`).toEqual([
        { id: '7', event: 'end', data: 'one\ntvå' },
        { id: '7', event: 'message', data: 'three' },
      ]);
    }
  });

  it('takes a stream of events up again behind the last one', async () => {
    const asked: (string | undefined)[] = [];
    answer = (request, response) => {
      asked.push(request.headers['last-event-id'] as string | undefined);
      response.setHeader('content-type', 'text/event-stream');
      response.end(`id: ${asked.length}\ndata: x\n\n`);
    };
    const ending = new AbortController();
    const client = createClient({ url });
    for await (const event of client.events('/x', ending.signal)) if (event.id === '1') break;
    expect(asked).toEqual([undefined]);
    ending.abort();
  });
});

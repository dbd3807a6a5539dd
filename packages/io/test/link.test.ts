import { mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { toHex } from '@amiable/bytes';
import { describe, expect, it } from 'vitest';
import {
  chunksOf,
  createDamage,
  damaged,
  type Link,
  loopback,
  PortError,
  parseHostPort,
  portError,
  ptyLink,
  replayFile,
  sourceLink,
  tcpClient,
  tcpServer,
  traced,
} from '../src/index.ts';

async function collect(chunks: AsyncIterable<Uint8Array>): Promise<string> {
  let hex = '';
  for await (const chunk of chunks) hex += toHex(chunk);
  return hex;
}

describe('links', () => {
  it("a pseudo-terminal takes the place of no file and of no other program's port", async () => {
    const folder = mkdtempSync(join(tmpdir(), 'amiable-pty-'));
    const file = join(folder, 'notes.txt');
    const link = join(folder, 'port');
    writeFileSync(file, 'kept');
    symlinkSync(file, link);
    const events = { data: () => {}, closed: () => {} };
    await expect(ptyLink({ path: file }).open(events)).rejects.toThrow('there is something of this name');
    await expect(ptyLink({ path: link }).open(events)).rejects.toThrow('end that one first');
    expect(readFileSync(file, 'utf8')).toBe('kept');
    rmSync(folder, { recursive: true });
  });

  it('loopback carries both ways, holds back while paused, and ends both ends', async () => {
    const [a, b] = loopback();
    const seen: string[] = [];
    const trace: string[] = [];
    await traced(a, ({ direction, bytes }) => trace.push(`${direction} ${toHex(bytes)}`)).open({
      data: (bytes) => seen.push(`a ${toHex(bytes)}`),
      closed: () => seen.push('a closed'),
    });
    await b.open({ data: (bytes) => seen.push(`b ${toHex(bytes)}`), closed: () => seen.push('b closed') });
    await a.write(Uint8Array.of(1));
    a.pause();
    await b.write(Uint8Array.of(2));
    expect(seen).toEqual(['b 01']);
    a.resume();
    await b.close();
    expect(seen).toEqual(['b 01', 'a 02', 'b closed', 'a closed']);
    expect(trace).toEqual(['in 02']);
  });
  it('gives chunks in order, ends with the link and closes it when the consumer leaves', async () => {
    const source = sourceLink('test', () => [Uint8Array.of(1), Uint8Array.of(2), Uint8Array.of(3)]);
    expect(await collect(chunksOf(source))).toBe('010203');
    for await (const chunk of chunksOf(source)) {
      expect(toHex(chunk)).toBe('01');
      break;
    }
    const forever = sourceLink('test', () => [Uint8Array.of(7)], { again: true });
    let n = 0;
    for await (const _ of chunksOf(forever)) if (++n === 1000) break;
    expect(n).toBe(1000);
  });
  it('tells what a line that does not wait has lost', async () => {
    const [a, b] = loopback();
    let lost = 0;
    const deaf: Link = { ...a, pause() {} };
    const chunks = chunksOf(deaf, { limit: 10, lost: (n) => (lost += n) });
    const first = chunks.next();
    await new Promise((r) => setImmediate(r));
    for (let i = 0; i < 5; i++) await b.write(new Uint8Array(4));
    await first;
    await b.close();
    expect(await collect(chunks)).toBe('00'.repeat(8));
    expect(lost).toBe(8);
  });
  it('hands on the failure of a source', async () => {
    const failing = sourceLink('the thing', () => {
      throw new Error('broke');
    });
    await expect(collect(chunksOf(failing))).rejects.toThrow('the thing: broke');
  });
});

describe('tcp', () => {
  it.each([
    ['host:1', { host: 'host', port: 1 }],
    ['tcp://10.0.0.1:7701', { host: '10.0.0.1', port: 7701 }],
    ['[::1]:80', { host: '::1', port: 80 }],
    [':80', { host: '', port: 80 }],
    ['host:0', undefined],
    ['host:65536', undefined],
    ['host', undefined],
    ['/dev/ttyUSB0', undefined],
    ['a:b:1', undefined],
  ])('%s', (text, expected) => {
    expect(parseHostPort(text)).toEqual(expected);
  });
  it('carries bytes both ways between a server and its clients', async () => {
    const server = tcpServer({ host: '127.0.0.1', port: 0 });
    let heard = '';
    await server.open({ data: (bytes) => (heard += toHex(bytes)), closed: () => {} });
    const client = tcpClient({ host: '127.0.0.1', port: server.port });
    const chunks = chunksOf(client);
    const first = chunks.next();
    while (server.peers === 0) await new Promise((r) => setImmediate(r));
    await server.write(Uint8Array.of(0x7e, 0xa0));
    expect(toHex((await first).value as Uint8Array)).toBe('7ea0');
    await client.write(Uint8Array.of(5));
    while (heard === '') await new Promise((r) => setImmediate(r));
    expect(heard).toBe('05');
    const closing = server.close();
    await expect(chunks.next()).rejects.toThrow('the other side closed the connection');
    await closing;
  });
  it('says that nobody listens', async () => {
    const server = tcpServer({ host: '127.0.0.1', port: 0 });
    await server.open({ data() {}, closed() {} });
    const { port } = server;
    await server.close();
    await expect(tcpClient({ host: '127.0.0.1', port }).open({ data() {}, closed() {} })).rejects.toMatchObject({
      name: 'LinkError',
      reason: 'refused',
    });
  });
  it('says that a port is taken', async () => {
    const server = tcpServer({ host: '127.0.0.1', port: 0 });
    await server.open({ data() {}, closed() {} });
    const second = tcpServer({ host: '127.0.0.1', port: server.port });
    await expect(second.open({ data() {}, closed() {} })).rejects.toThrow('already in use');
    await server.close();
  });
});

describe('damage', () => {
  const pieces = Array.from({ length: 500 }, (_, i) => Uint8Array.of(i & 0xff, i >> 8, 3, 4, 5, 6, 7, 8));
  const run = (seed: number, rates: object) => {
    const damage = createDamage(seed, rates);
    return {
      hex: [...pieces.flatMap((p) => damage.apply(p)), ...damage.end()].map((p) => toHex(p)).join(' '),
      counts: damage.counts,
    };
  };
  it('is repeatable by seed and does nothing at rate 0', () => {
    const rates = { drop: 0.1, flip: 0.1, duplicate: 0.1, cut: 0.1, join: 0.1 };
    expect(run(7, rates)).toEqual(run(7, rates));
    expect(run(7, rates).hex).not.toBe(run(8, rates).hex);
    expect(run(7, {}).hex).toBe(pieces.map((p) => toHex(p)).join(' '));
    for (const n of Object.values(run(7, rates).counts)) expect(n).toBeGreaterThan(20);
  });
  it('joins without losing a byte, and leaves its input alone', () => {
    expect(run(1, { join: 1 }).hex).toBe(pieces.map((p) => toHex(p)).join(''));
    expect(run(1, { drop: 1 }).hex).toBe('');
    expect(run(1, { flip: 1 }).hex.length).toBe(run(1, {}).hex.length);
    expect(toHex(pieces[1]!)).toBe('0100030405060708');
  });
  it('works on a link', async () => {
    const link = damaged(
      sourceLink('test', () => pieces),
      createDamage(1, { join: 1 }),
    );
    expect(await collect(chunksOf(link))).toBe(pieces.map((p) => toHex(p)).join(''));
  });
});

describe('replay', () => {
  const folder = mkdtempSync(join(tmpdir(), 'amiable-io-'));
  const file = (name: string, content: string | Uint8Array) => {
    const path = join(folder, name);
    writeFileSync(path, content);
    return path;
  };
  it('reads bytes, hex text and standard input, and keeps the beginning', async () => {
    const bytes = replayFile(file('a.dat', Uint8Array.of(0x7e, 0xa0, 1)));
    expect(await collect(bytes.chunks)).toBe('7ea001');
    expect(bytes).toMatchObject({ form: 'bytes', size: 3 });
    expect(toHex(bytes.head)).toBe('7ea001');
    const hex = replayFile(file('a.hex', '7E A0\n01\n'), { piece: 1 });
    expect(await collect(hex.chunks)).toBe('7ea001');
    expect(hex.form).toBe('hex');
    async function* stdin() {
      yield Buffer.from('7ea0');
      yield Buffer.from('02');
    }
    expect(await collect(replayFile('-', { stdin: stdin() }).chunks)).toBe('7ea002');
    expect(await collect(replayFile(file('empty', '')).chunks)).toBe('');
  });
  it('says what is wrong with a path', async () => {
    await expect(collect(replayFile(join(folder, 'none')).chunks)).rejects.toMatchObject({ reason: 'notFound' });
    await expect(collect(replayFile(folder).chunks)).rejects.toMatchObject({ reason: 'isDirectory' });
    rmSync(folder, { recursive: true });
  });
});

describe('words for faults', () => {
  it.each([
    ['ECONNREFUSED', 'refused'],
    ['EACCES', 'permission'],
    ['ENOTFOUND', 'unknownHost'],
    ['EAI_AGAIN', 'unknownHost'],
    ['ETIMEDOUT', 'timeout'],
    ['EHOSTUNREACH', 'unreachable'],
    ['ENOSPC', 'full'],
    ['DEPTH_ZERO_SELF_SIGNED_CERT', 'certificate'],
    ['ERR_TLS_CERT_ALTNAME_INVALID', 'certificate'],
    ['ERR_SSL_TLSV13_ALERT_CERTIFICATE_REQUIRED', 'certificate'],
    ['EXYZ', 'other'],
  ])('%s', (code, reason) => {
    const fault = portError('the thing', Object.assign(new Error('x'), { code }));
    expect(fault.reason).toBe(reason);
    expect(fault.message.startsWith('the thing: ')).toBe(true);
  });
  it('looks inside causes and lists of errors, and leaves its own alone', () => {
    const inner = Object.assign(new Error('a'), { code: 'ECONNREFUSED' });
    expect(portError('x', new Error('b', { cause: inner })).reason).toBe('refused');
    expect(portError('x', new AggregateError([inner])).reason).toBe('refused');
    const own = new PortError('busy', 'said');
    expect(portError('x', own)).toBe(own);
    expect(portError('x', 'text').message).toBe('x: text');
    expect(portError('/dev/x', new Error('Error Resource temporarily unavailable Cannot lock port')).reason).toBe(
      'busy',
    );
    expect(portError('/dev/x', new Error('Error: No such file or directory, cannot open /dev/x')).reason).toBe(
      'notFound',
    );
  });
});

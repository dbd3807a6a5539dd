import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { type IncomingConnection, type Listener, listenTcp, tcpClient } from '../src/index.ts';

const folder = mkdtempSync(join(tmpdir(), 'amiable-tls-link-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** An authority with a certificate of a server and one of a client; undefined where there is no openssl. */
const made = (() => {
  try {
    const ssl = (line: string) => execFileSync('openssl', line.split(' '), { stdio: 'ignore', cwd: folder });
    const key = '-newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes';
    ssl(`req -x509 ${key} -days 2 -subj /CN=Authority -keyout ca.key -out ca.pem`);
    for (const name of ['server', 'client']) {
      writeFileSync(join(folder, `${name}.ext`), 'subjectAltName=DNS:localhost,IP:127.0.0.1\n');
      ssl(`req ${key} -subj /CN=${name} -keyout ${name}.key -out ${name}.csr`);
      ssl(
        `x509 -req -in ${name}.csr -CA ca.pem -CAkey ca.key -CAcreateserial -days 2 -extfile ${name}.ext -out ${name}.pem`,
      );
    }
    return true;
  } catch {
    return false;
  }
})();
const file = (name: string) => readFileSync(join(folder, name));

const echo = (connection: IncomingConnection) => ({
  data: (bytes: Uint8Array) => connection.write(bytes),
  closed: () => {},
});

async function talk(listener: Listener, tls: Parameters<typeof tcpClient>[1]): Promise<string> {
  const link = tcpClient({ host: '127.0.0.1', port: listener.port }, tls);
  let got = '';
  const said = new Promise<string>((resolve, reject) => {
    link
      .open({
        data: (bytes) => {
          got += Buffer.from(bytes).toString();
          if (got.length >= 5) resolve(got);
        },
        closed: (error) => reject(error ?? new Error('closed')),
      })
      .then(() => link.write(Buffer.from('hello')))
      .catch(reject);
  });
  try {
    return await said;
  } finally {
    await link.close();
  }
}

if (!made && process.env.AMIABLE_REQUIRE_ALL) throw new Error('openssl is needed to make certificates');

describe.skipIf(!made)('links over TLS (needs openssl to make certificates)', () => {
  it('carry bytes both ways when the certificate is good, and nothing when it is not', async () => {
    const listener = await listenTcp({ host: '', port: 0 }, echo, {
      tls: { cert: file('server.pem'), key: file('server.key') },
    });
    expect(await talk(listener, { tls: { ca: file('ca.pem') } })).toBe('hello');
    await expect(talk(listener, { tls: {} })).rejects.toThrow(/certificate/);
    await expect(talk(listener, { tls: { ca: file('ca.pem'), servername: 'elsewhere.example' } })).rejects.toThrow(
      /name|certificate/i,
    );
    await listener.close();
  });

  it('let only clients in that prove themselves, where that is asked', async () => {
    const listener = await listenTcp({ host: '', port: 0 }, echo, {
      tls: { cert: file('server.pem'), key: file('server.key'), ca: file('ca.pem') },
    });
    const own = { ca: file('ca.pem'), cert: file('client.pem'), key: file('client.key') };
    expect(await talk(listener, { tls: own })).toBe('hello');
    await expect(talk(listener, { tls: { ca: file('ca.pem') } })).rejects.toThrow();
    await listener.close();
  });

  it('close who speaks no TLS, and go on', async () => {
    let accepted = 0;
    const listener = await listenTcp(
      { host: '', port: 0 },
      (connection) => {
        accepted++;
        return echo(connection);
      },
      { tls: { cert: file('server.pem'), key: file('server.key') } },
    );
    await new Promise<void>((resolve) => {
      const plain = connect(listener.port, '127.0.0.1', () => plain.write('\x00\x01\x00\x10 not a hello'));
      plain.on('error', () => {});
      plain.on('close', () => resolve());
    });
    expect(accepted).toBe(0);
    expect(await talk(listener, { tls: { ca: file('ca.pem') } })).toBe('hello');
    await listener.close();
  });
});

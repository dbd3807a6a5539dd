/** The server's own TLS listener, and how long it waits for requests. */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { get } from 'node:https';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { connect } from 'node:tls';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openTestApp, type TestApp } from './login.ts';

const folder = mkdtempSync(join(tmpdir(), 'amiable-tls-'));
const [keyFile, certFile] = [join(folder, 'key.pem'), join(folder, 'cert.pem')];

function hasOpenssl(): boolean {
  try {
    const subject = ['-subj', '/CN=localhost', '-addext', 'subjectAltName=DNS:localhost'];
    const key = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-keyout', keyFile];
    execFileSync('openssl', ['req', '-x509', ...key, '-out', certFile, '-days', '2', ...subject], { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
}

describe.skipIf(!hasOpenssl())('the TLS listener', () => {
  let test: TestApp;
  let cert: string;
  beforeAll(async () => {
    cert = readFileSync(certFile, 'utf8');
    const tls = { cert, key: readFileSync(keyFile, 'utf8') };
    test = await openTestApp(folder, { http: { host: '127.0.0.1', port: 0, tls } });
  });
  afterAll(async () => {
    await test?.close();
    rmSync(folder, { recursive: true, force: true });
  });

  it('answers over TLS 1.2 and newer, and says that it shall stay so', async () => {
    const answer = await new Promise<{ status: number | undefined; hsts: string | undefined }>((resolve, reject) => {
      const options = {
        host: '127.0.0.1',
        port: test.central.httpPort,
        path: '/health',
        servername: 'localhost',
        ca: cert,
      };
      get(options, (response) => {
        response.resume();
        const { 'strict-transport-security': hsts } = response.headers;
        response.on('end', () => resolve({ status: response.statusCode, hsts }));
      }).on('error', reject);
    });
    expect(answer).toEqual({ status: 200, hsts: 'max-age=31536000' });
  });

  it('refuses TLS 1.1', async () => {
    const failure = await new Promise<string>((resolve) => {
      const socket = connect({
        host: '127.0.0.1',
        port: test.central.httpPort,
        servername: 'localhost',
        ca: cert,
        minVersion: 'TLSv1.1',
        maxVersion: 'TLSv1.1',
        ciphers: 'DEFAULT@SECLEVEL=0',
      });
      socket.on('secureConnect', () => resolve('connected'));
      socket.on('error', (error: NodeJS.ErrnoException) => resolve(error.code ?? error.message));
      socket.on('close', () => resolve('closed'));
    });
    expect(failure).not.toBe('connected');
  });

  it('gives large files ten minutes, and headers one', () => {
    expect(test.app.server.requestTimeout).toBe(600_000);
    expect(test.app.server.headersTimeout).toBe(60_000);
  });
});

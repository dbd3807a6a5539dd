/** `amiable dlms` through TLS: what is checked, and what a person is told when it does not hold. */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { listenTcp } from '@amiable/io';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { runGet } from '../src/dlms/get.ts';
import { newMeter, serverOf } from './dlms-device.ts';
import { machine, type Ran, ran } from './dlms-terminal.ts';

const folder = mkdtempSync(join(tmpdir(), 'amiable-dlms-tls-'));
const file = (name: string) => join(folder, name);
const made = (() => {
  try {
    const line =
      'req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2 -subj /CN=meter -addext subjectAltName=IP:127.0.0.1 -keyout key.pem -out cert.pem';
    execFileSync('openssl', line.split(' '), { cwd: folder, stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
})();

if (!made && process.env.AMIABLE_REQUIRE_ALL) throw new Error('openssl is needed to make certificates');

describe.skipIf(!made)('tls:// (needs openssl to make certificates)', () => {
  let at = '';
  let close = async (): Promise<void> => {};
  const get = (address: string, given: Record<string, unknown> = {}): Promise<Ran> =>
    ran(machine(), (t) => runGet(t, address, ['clock:time'], given));

  beforeAll(async () => {
    const server = serverOf(newMeter());
    const tls = { cert: readFileSync(file('cert.pem')), key: readFileSync(file('key.pem')) };
    const listener = await listenTcp({ host: '', port: 0 }, (connection) => server.accept(connection), { tls });
    at = `tls://127.0.0.1:${listener.port}`;
    close = () => listener.close();
  });
  afterAll(async () => {
    await close();
    rmSync(folder, { recursive: true, force: true });
  });

  it('reads when the certificate is trusted, and says why when it is not', async () => {
    const good = await get(at, { ca: file('cert.pem') });
    expect([good.code, good.err]).toEqual([0, '']);
    expect(good.out).toContain('0-0:1.0.0');
    const untrusted = await get(at);
    expect(untrusted.code).toBe(1);
    expect(untrusted.err).toMatch(/certificate is self-signed.*\n.*--ca FILE/);
  });

  it('tells wrong options before the line is touched', async () => {
    const wrong: [string, Record<string, unknown>, RegExp][] = [
      [at.replace('tls', 'tcp'), { ca: file('cert.pem') }, /--ca is for TLS: write the address as tls:/],
      [at, { ca: file('nothing.pem') }, /--ca: .*nothing\.pem cannot be read/],
      [at, { ca: new URL(import.meta.url).pathname }, /is no file of PEM/],
      [at, { tlsCert: file('cert.pem') }, /--tls-cert and --tls-key belong together/],
    ];
    for (const [address, given, words] of wrong) {
      const { code, err } = await get(address, given);
      expect([code, err]).toEqual([2, expect.stringMatching(words)]);
    }
  });
});

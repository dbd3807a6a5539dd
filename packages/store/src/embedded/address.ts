/** Where the server listens, and how a program reaches it. */
import { createServer } from 'node:net';
import type { PidFile } from './postmaster.ts';

export interface Address {
  readonly runDir: string;
  readonly port: number;
  readonly socket: boolean;
}

export function connectionUrl(
  { runDir, port, socket }: Address,
  user: string,
  password: string,
  database: string,
): string {
  // Both pg and libpq let the parameter `host` win over the name before it.
  return socket
    ? `postgresql://${user}:${password}@localhost/${database}?host=${encodeURIComponent(runDir)}&port=${port}`
    : `postgresql://${user}:${password}@127.0.0.1:${port}/${database}`;
}

/** The port of a server that may be adopted, else a free one. */
export async function keepOrFindPort(running: PidFile | undefined): Promise<number> {
  if (running && running.listen === '127.0.0.1') return running.port;
  return new Promise((done, fail) => {
    const probe = createServer();
    probe.once('error', fail);
    probe.listen(0, '127.0.0.1', () => {
      const address = probe.address();
      probe.close(() => (address && typeof address === 'object' ? done(address.port) : fail(new Error('no port'))));
    });
  });
}

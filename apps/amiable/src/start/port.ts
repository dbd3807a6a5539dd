/** Ports to listen on: the one asked for, or the first free one from a usual number on. */
import { createServer } from 'node:net';

const TRIES = 20;

const isFree = (host: string, port: number): Promise<boolean> =>
  new Promise((resolve) => {
    const probe = createServer();
    probe.once('error', () => resolve(false));
    probe.listen(port, host, () => probe.close(() => resolve(true)));
  });

/** @throws Error when the port that was asked for is taken */
export async function choosePort(
  host: string,
  asked: number | undefined,
  usual: number,
  option: string,
): Promise<number> {
  if (asked !== undefined) {
    if (asked === 0 || (await isFree(host, asked))) return asked;
    throw new Error(`port ${asked} on ${host} is taken or not allowed; choose another with ${option}`);
  }
  for (let port = usual; port < usual + TRIES; port++) if (await isFree(host, port)) return port;
  throw new Error(`no free port from ${usual} to ${usual + TRIES - 1} on ${host}; name one with ${option}`);
}

/** A service with everything around it: ports that are TCP servers of the test, a spool in a temporary folder. */
import { mkdtempSync } from 'node:fs';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { type Clock, systemClock, tcpServer } from '@amiable/io';
import type { Message } from '@amiable/model';
import type { PortConfig, PostUplinkConfig, ReaderConfig } from '../../src/config/types.ts';
import { startReader } from '../../src/service/service.ts';
import type { ReaderMachine, ReaderService } from '../../src/service/types.ts';

export const portConfig = (device: string, name = 'han0', more: Partial<PortConfig> = {}): PortConfig => ({
  name,
  device,
  protocol: 'auto',
  patience: 20_000,
  signals: 'none',
  keys: [],
  zone: 'Europe/Oslo',
  maxClockError: 60 * 366 * 86_400_000,
  ...more,
});
export const postConfig = (url: string, more: Partial<PostUplinkConfig> = {}): PostUplinkConfig => ({
  type: 'post',
  name: 'post',
  url,
  tls: {},
  interval: 0,
  thin: false,
  ...more,
});

export const newFolder = (): string => mkdtempSync(join(tmpdir(), 'amiable-service-'));

export const configOf = (more: Partial<ReaderConfig> = {}): ReaderConfig => ({
  reader: 'attic',
  ports: [],
  uplinks: [],
  spool: { folder: newFolder(), maxBytes: 1 << 26 },
  page: { host: '127.0.0.1', port: 0, names: [], openStatus: false },
  gateways: {},
  ...more,
});

export interface ServiceBench {
  readonly service: ReaderService;
  readonly told: string[];
  /** After they were in the spool. */
  readonly seen: Message[];
}

export async function begin(
  config: ReaderConfig,
  ends: (() => unknown)[],
  more: Partial<ReaderMachine> & { clock?: Clock } = {},
): Promise<ServiceBench> {
  const told: string[] = [];
  const seen: Message[] = [];
  const service = await startReader(config, {
    clock: systemClock,
    random: () => 0,
    tell: (line) => told.push(line),
    ...more,
  });
  service.onMessage((m) => seen.push(m));
  ends.push(() => service.stop(0));
  return { service, told, seen };
}

/** A meter behind a serial server. */
export async function meter(ends: (() => unknown)[]): Promise<ReturnType<typeof tcpServer> & { device: string }> {
  const link = tcpServer({ host: '127.0.0.1', port: 0 });
  await link.open({ data() {}, closed() {} });
  ends.push(() => link.close());
  return Object.assign(link, { device: `127.0.0.1:${link.port}` });
}

/** Looks until it is so; the test's own time limit ends what never comes. */
export async function until(done: () => boolean): Promise<void> {
  while (!done()) await new Promise((resolve) => setTimeout(resolve, 2));
}

export interface Central {
  readonly url: string;
  readonly ids: string[];
  /** The next answers; 200 when none is given. */
  answer: (request: IncomingMessage, response: ServerResponse) => boolean;
}

export async function central(ends: (() => unknown)[]): Promise<Central> {
  const ids: string[] = [];
  const server = createServer((request, response) => {
    const parts: Buffer[] = [];
    request.on('data', (part: Buffer) => parts.push(part));
    request.on('end', () => {
      if (own.answer(request, response)) return;
      const raw = Buffer.concat(parts);
      const body = (request.headers['content-encoding'] === 'gzip' ? gunzipSync(raw) : raw).toString();
      const lines = body.split('\n').filter(Boolean);
      for (const line of lines) ids.push((JSON.parse(line) as { id: string }).id);
      response.end(JSON.stringify({ accepted: lines.length, duplicates: 0, rejected: [] }));
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  ends.push(() => {
    server.closeAllConnections();
    return new Promise((resolve) => server.close(resolve));
  });
  const own: Central = {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/api/v1/messages`,
    ids,
    answer: () => false,
  };
  return own;
}

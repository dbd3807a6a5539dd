/**
 * `GET /health` and `GET /metrics` of a process that has no page: a worker, told to watchdogs and Prometheus.
 *
 * Decides: nothing is told but whether it is well and what it counts; no names, no meters. Without `--health-port` there is none.
 */
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { EXPOSITION_TYPE, exposition, type MetricSource } from '@amiable/model';

export interface RoleServerOptions {
  readonly host: string;
  readonly port: number;
  /** What stands in the way, in words; empty: all is well. */
  readonly causes: () => Promise<readonly string[]> | readonly string[];
  readonly metrics: readonly MetricSource[];
}

const MAX_CONNECTIONS = 50;

export async function serveRole(options: RoleServerOptions): Promise<{ readonly port: number; stop(): Promise<void> }> {
  const server = createServer((request, response) => {
    void answer(request.url ?? '/', request.method ?? 'GET').then(({ status, type, body }) => {
      response.writeHead(status, {
        'content-type': type,
        'cache-control': 'no-store',
        'x-content-type-options': 'nosniff',
      });
      response.end(request.method === 'HEAD' ? undefined : body);
    });
  });
  server.maxConnections = MAX_CONNECTIONS;
  server.requestTimeout = 10_000;
  server.headersTimeout = 5000;

  async function answer(url: string, method: string): Promise<{ status: number; type: string; body: string }> {
    const path = url.split('?', 1)[0];
    const json = (status: number, value: unknown) => ({
      status,
      type: 'application/json; charset=utf-8',
      body: JSON.stringify(value),
    });
    if (method !== 'GET' && method !== 'HEAD') return json(405, { error: 'GET only' });
    if (path === '/metrics') return { status: 200, type: EXPOSITION_TYPE, body: exposition(options.metrics) };
    if (path !== '/health') return json(404, { error: 'there is /health and /metrics' });
    const causes = await Promise.resolve()
      .then(options.causes)
      .catch((error: Error) => [error.message]);
    return json(causes.length === 0 ? 200 : 503, { ok: causes.length === 0, causes });
  }

  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(options.port, options.host, resolve);
  });
  return {
    port: (server.address() as AddressInfo).port,
    stop: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

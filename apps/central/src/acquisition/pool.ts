/**
 * Connections to gateways: several meters behind one address share a few TCP connections, one meter at a time on each.
 *
 * Decides: who waits for which address, and how many connections an address may have; a connection whose reading went well is
 * handed to the next meter of its address without being opened anew. One on which something came unasked, or whose reading broke
 * off, is closed. Leaves out: calls and masters with meters behind them (channels/lines.ts).
 */
import { LinkError } from '@amiable/bytes';
import type { Link } from '@amiable/io';
import type { SessionLink } from '@amiable/meter';

export interface PooledLink extends SessionLink {
  /** The reading went well: the connection may serve the next meter. */
  keep(): void;
}

export interface PoolCounts {
  /** Connections that stand. */
  open: number;
  opened: number;
  /** Readings that found one standing. */
  reused: number;
  failed: number;
}

type Events = Parameters<SessionLink['open']>[0];

/** One connection, for one session after the other. */
class Line {
  readonly link: Link;
  state: 'closed' | 'open' | 'over' = 'closed';
  user: Events | undefined;
  readonly #counts: PoolCounts;

  constructor(link: Link, counts: PoolCounts) {
    this.link = link;
    this.#counts = counts;
  }

  async open(events: Events): Promise<void> {
    if (this.state === 'over') throw new LinkError(`${this.link.describe}: closed`);
    if (this.state === 'open') {
      this.user = events;
      this.#counts.reused++;
      return;
    }
    this.user = events;
    try {
      await this.link.open({
        data: (bytes) => {
          if (this.user) this.user.data(bytes);
          // Nobody asked: what comes belongs to a reading that is over.
          else void this.close();
        },
        closed: (error) => this.#ended(error),
      });
    } catch (error) {
      this.#counts.failed++;
      this.state = 'over';
      throw error;
    }
    this.state = 'open';
    this.#counts.opened++;
    this.#counts.open++;
  }

  #ended(error: Error | undefined): void {
    if (this.state === 'open') this.#counts.open--;
    this.state = 'over';
    const user = this.user;
    this.user = undefined;
    user?.closed(error);
  }

  async close(): Promise<void> {
    this.user = undefined;
    if (this.state === 'over') return;
    if (this.state === 'open') this.#counts.open--;
    this.state = 'over';
    await this.link.close();
  }
}

interface Gateway {
  active: number;
  readonly waiting: (() => void)[];
  readonly idle: Line[];
  cancel?: () => void;
}

export interface PoolOptions {
  readonly connect: (address: string) => Link;
  /** Connections to one address at once. */
  readonly perAddress: number;
  /** ms that an idle connection waits for another meter. */
  readonly linger: number;
  readonly after: (ms: number, fn: () => void) => () => void;
}

export interface Pool {
  /** Runs `use` with a link to the address, when one of its connections is free. */
  run<T>(address: string, use: (link: PooledLink) => Promise<T>): Promise<T>;
  readonly counts: Readonly<PoolCounts>;
  close(): Promise<void>;
}

export function createPool(options: PoolOptions): Pool {
  const { connect, perAddress, linger, after } = options;
  const gateways = new Map<string, Gateway>();
  const counts: PoolCounts = { open: 0, opened: 0, reused: 0, failed: 0 };

  function gatewayOf(address: string): Gateway {
    let gateway = gateways.get(address);
    if (!gateway) {
      gateway = { active: 0, waiting: [], idle: [] };
      gateways.set(address, gateway);
    }
    return gateway;
  }

  function linkOf(line: Line): PooledLink & { readonly kept: boolean } {
    let kept = false;
    let used = false;
    return {
      describe: line.link.describe,
      async open(events) {
        used = true;
        await line.open(events);
      },
      write: (bytes) => line.link.write(bytes),
      async close() {
        if (!used) return;
        if (kept && line.state === 'open') line.user = undefined;
        else await line.close();
      },
      keep() {
        kept = true;
      },
      get kept() {
        return kept && line.state === 'open';
      },
    };
  }

  function put(address: string, gateway: Gateway, line: Line, kept: boolean): void {
    gateway.active--;
    if (kept && line.state === 'open') {
      line.user = undefined;
      gateway.idle.push(line);
    } else void line.close().catch(() => {});
    const next = gateway.waiting.shift();
    if (next) next();
    else if (gateway.active === 0) {
      gateway.cancel?.();
      gateway.cancel = after(linger, () => drop(address, gateway));
    }
  }

  function drop(address: string, gateway: Gateway): void {
    if (gateway.active > 0 || gateway.waiting.length > 0) return;
    gateways.delete(address);
    for (const line of gateway.idle.splice(0)) void line.close().catch(() => {});
  }

  return {
    counts,
    async run(address, use) {
      const gateway = gatewayOf(address);
      if (gateway.active >= perAddress) await new Promise<void>((go) => gateway.waiting.push(go));
      gateway.active++;
      let line = gateway.idle.pop();
      while (line && line.state === 'over') line = gateway.idle.pop();
      line ??= new Line(connect(address), counts);
      const link = linkOf(line);
      try {
        return await use(link);
      } finally {
        put(address, gateway, line, link.kept);
      }
    },
    async close() {
      for (const [address, gateway] of gateways) {
        gateway.cancel?.();
        drop(address, gateway);
      }
    },
  };
}

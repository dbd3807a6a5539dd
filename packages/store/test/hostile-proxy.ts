/**
 * Stands between a program and its database and behaves as badly as a cluster may (rules of distributed tables): error
 * fields are missing, counts of changed rows are wrong, settings of the session do not reach those who do the work,
 * statements fail with codes of the cluster's inner life, connections break: before a statement, or after it was carried
 * out but before its answer came, so that nobody knows whether a commit took place.
 *
 * It works on the wire (PostgreSQL protocol 3.0), so that it needs to know nothing of the program. Faults come from a
 * seeded generator; each connection counts its statements on, so that a run can be repeated.
 */
import { connect, createServer, type Socket } from 'node:net';
import { join } from 'node:path';

export interface Faults {
  readonly seed: number;
  /** Probabilities per statement. */
  readonly cutBefore?: number;
  readonly cutAfter?: number;
  readonly fail?: number;
  /** Codes of injected failures. */
  readonly codes?: readonly string[];
  /** Wrong row counts and bare errors; on unless false. */
  readonly lie?: boolean;
  /** Statements that faults may meet; all of them by default. */
  readonly only?: RegExp;
}

export interface HostileProxy {
  readonly url: string;
  readonly counts: { statements: number; cutBefore: number; cutAfter: number; failed: number; lies: number };
  /** Change the faults while connections are open. */
  set(faults: Omit<Faults, 'seed'>): void;
  /** Refuse (or accept again) connections; those that are open break. */
  down(isDown: boolean): void;
  close(): Promise<void>;
}

/** Mulberry32. */
function generator(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = Math.imul(state ^ (state >>> 15), state | 1);
    t = (t + Math.imul(t ^ (t >>> 7), t | 61)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
}

const clusterCodes = ['08006', 'XX000', '40P01', '57P01'];

export async function startHostileProxy(target: string, faults: Faults): Promise<HostileProxy> {
  const random = generator(faults.seed);
  const counts = { statements: 0, cutBefore: 0, cutAfter: 0, failed: 0, lies: 0 };
  const open = new Set<Socket>();
  let now: Omit<Faults, 'seed'> = faults;
  let isDown = false;
  const server = createServer((client) => {
    client.on('error', () => {});
    if (isDown) return void client.destroy();
    const url = new URL(target);
    const folder = url.searchParams.get('host');
    const port = Number(url.searchParams.get('port') ?? (url.port || 5432));
    const upstream = folder?.startsWith('/')
      ? connect(join(folder, `.s.PGSQL.${port}`))
      : connect(port, url.hostname || '127.0.0.1');
    upstream.on('error', () => client.destroy());
    for (const socket of [client, upstream]) {
      socket.setNoDelay?.(true);
      open.add(socket);
      socket.on('close', () => {
        open.delete(socket);
        client.destroy();
        upstream.destroy();
      });
    }
    relay(client, upstream, random, () => now, counts);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as { port: number };
  const url = new URL(target);
  url.searchParams.delete('host');
  url.searchParams.delete('port');
  url.hostname = '127.0.0.1';
  url.port = String(port);
  return {
    url: url.href,
    counts,
    set(next) {
      now = next;
    },
    down(value) {
      isDown = value;
      if (value) for (const socket of open) socket.destroy();
    },
    async close() {
      for (const socket of open) socket.destroy();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

interface Message {
  /** Empty for the first of a client, which comes whole. */
  readonly type: string;
  readonly body: Buffer;
}

function frame({ type, body }: Message): Buffer {
  const head = Buffer.alloc(5);
  head.write(type, 0, 'latin1');
  head.writeUInt32BE(body.length + 4, 1);
  return Buffer.concat([head, body]);
}

/** Cuts a stream into messages; the first of a client has no type. */
function splitter(untyped: boolean, each: (message: Message) => void): (chunk: Buffer) => void {
  let held: Buffer = Buffer.alloc(0);
  let first = untyped;
  return (chunk) => {
    held = held.length === 0 ? chunk : Buffer.concat([held, chunk]);
    for (;;) {
      const at = first ? 0 : 1;
      if (held.length < at + 4) return;
      const size = at + held.readUInt32BE(at);
      if (held.length < size) return;
      const all = held.subarray(0, size);
      held = held.subarray(size);
      if (first) {
        first = false;
        each({ type: '', body: all });
      } else {
        each({ type: all.toString('latin1', 0, 1), body: all.subarray(5) });
      }
    }
  };
}

/** The workers of a cluster do not hear of it. */
const zoneOfSession = /\bset\s+(?:session\s+)?(?:time\s+zone|timezone)\b[^;]*/gi;

function relay(
  client: Socket,
  upstream: Socket,
  random: () => number,
  faults: () => Omit<Faults, 'seed'>,
  counts: HostileProxy['counts'],
): void {
  let ready = false;
  let swallow = false;
  let code: string | undefined;
  const prepared = new Map<string, string>();
  const chance = (p: number | undefined): boolean => p !== undefined && p > 0 && random() < p;
  const cut = (): void => {
    client.destroy();
    upstream.destroy();
  };

  /** The text that goes on to the server; undefined when the connection was cut instead. */
  const meet = (sent: string): string | undefined => {
    const text = sent.replace(zoneOfSession, 'select 1');
    const { cutBefore, cutAfter, fail, codes = clusterCodes, only } = faults();
    counts.statements++;
    if (only && !only.test(text)) return text;
    if (chance(cutBefore)) {
      counts.cutBefore++;
      cut();
      return undefined;
    }
    if (chance(cutAfter)) {
      counts.cutAfter++;
      swallow = true;
      return text;
    }
    if (chance(fail)) {
      counts.failed++;
      code = codes[Math.floor(random() * codes.length)] ?? 'XX000';
      return 'select amiable_injected_failure()';
    }
    return text;
  };

  client.on(
    'data',
    splitter(true, (message) => {
      if (message.type === '') return void upstream.write(message.body);
      let { body } = message;
      if (ready && message.type === 'Q') {
        const text = meet(body.toString('utf8', 0, body.length - 1));
        if (text === undefined) return;
        body = Buffer.from(`${text}\0`);
      } else if (ready && message.type === 'P') {
        const name = body.indexOf(0);
        const end = body.indexOf(0, name + 1);
        const wanted = body.toString('utf8', name + 1, end);
        const text = name > 0 ? wanted : meet(wanted);
        if (text === undefined) return;
        body = Buffer.concat([body.subarray(0, name + 1), Buffer.from(`${text}\0`), body.subarray(end + 1)]);
        if (name > 0) prepared.set(body.toString('utf8', 0, name), wanted);
      } else if (ready && message.type === 'B') {
        // A statement that is prepared already meets its faults here.
        const portal = body.indexOf(0);
        const end = body.indexOf(0, portal + 1);
        const known = prepared.get(body.toString('utf8', portal + 1, end));
        if (known !== undefined) {
          const text = meet(known);
          if (text === undefined) return;
          if (text !== known) {
            body = Buffer.concat([
              body.subarray(0, portal + 1),
              Buffer.from('no_such_statement\0'),
              body.subarray(end + 1),
            ]);
          }
        }
      }
      upstream.write(frame({ type: message.type, body }));
    }),
  );

  upstream.on(
    'data',
    splitter(false, (message) => {
      let { body } = message;
      if (message.type === 'Z') ready = true;
      if (swallow) {
        // The server is through with it: what it did is done, and nobody will hear of it. A COPY asks for more first.
        if (message.type === 'Z') return cut();
        if (message.type !== 'G' && message.type !== 'H' && message.type !== 'd') return;
      }
      if (ready && faults().lie !== false) {
        if (message.type === 'C') {
          const tag = body.toString('latin1', 0, body.length - 1);
          const lie = tag.replace(/ \d+$/, () => ` ${Math.floor(random() * 1000)}`);
          if (lie !== tag) counts.lies++;
          body = Buffer.from(`${lie}\0`, 'latin1');
        } else if (message.type === 'E') {
          body = bareError(body, code);
          code = undefined;
        }
      } else if (ready && message.type === 'E' && code !== undefined) {
        body = bareError(body, code);
        code = undefined;
      }
      client.write(frame({ type: message.type, body }));
    }),
  );
}

/** Severity, code and text only: constraint, table, column and detail do not come through a cluster. */
function bareError(body: Buffer, code: string | undefined): Buffer {
  const parts: Buffer[] = [];
  for (let at = 0; at < body.length && body[at] !== 0; ) {
    const end = body.indexOf(0, at + 1);
    const field = String.fromCharCode(body[at]!);
    let text = body.toString('utf8', at + 1, end);
    if (code !== undefined && field === 'C') text = code;
    if (code !== undefined && field === 'M') text = `injected failure ${code}`;
    if ('SVCM'.includes(field)) parts.push(Buffer.from(`${field}${text}\0`));
    at = end + 1;
  }
  return Buffer.concat([...parts, Buffer.from([0])]);
}

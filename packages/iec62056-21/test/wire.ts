/** A client and a server on a slow line in virtual time: what is sent at one rate and heard at another is nonsense. */
import {
  type ClientEvent,
  type ClientOptions,
  createOpticalClient,
  createOpticalServer,
  type OpticalClient,
  type OpticalServer,
  type Reply,
  type ServerOptions,
  type TariffDevice,
  visible,
} from '../src/index.ts';

export const LINES = [
  'F.F(00)',
  'C.1.0(12345678)',
  '1.8.0(000285.4*kWh)',
  '2.8.0(000120.1*kWh)',
  '1.6.0(18.014*kW)(10-02-01 00:15)',
];

/** A device with two registers that can be written, one that cannot, and the password 00000000. */
export function testDevice(
  more: Partial<TariffDevice> = {},
): TariffDevice & { readonly store: Map<string, string>; executed: number } {
  const store = new Map([
    ['C.50.0', 'first'],
    ['C.50.1', 'second'],
  ]);
  const device = {
    store,
    executed: 0,
    readout: (option: string) => (option === '0' ? LINES : option === '7' ? ['C.1.0(12345678)'] : undefined),
    operand: () => '00000001',
    command(
      { command, type, data }: { command: string; type: string; data: string },
      level: number,
      operand: string,
    ): Reply {
      if (command === 'P') {
        const right = type === '1' ? data === '(00000000)' : data === `(${[...operand].reverse().join('')})`;
        return right ? { type: 'ack', level: Number(type) } : { type: 'error', text: 'ER07' };
      }
      const found = /^([^()]+)\(([^()]*)\)$/.exec(data);
      if (!found) return { type: 'error', text: 'ER03' };
      const [, address = '', value = ''] = found;
      if (command === 'W') {
        if (level === 0) return { type: 'error', text: 'ER06' };
        if (!store.has(address)) return { type: 'error', text: 'ER04' };
        store.set(address, value);
        return { type: 'ack' };
      }
      if (command === 'E') {
        device.executed++;
        return { type: 'ack' };
      }
      if (type === '6') return { type: 'data', parts: [`${address}(1)(2)`, '(3)(4)', '(5)'] };
      const line = LINES.find((l) => l.startsWith(`${address}(`));
      const kept = store.get(address);
      if (line === undefined && kept === undefined) return { type: 'error', text: 'ER01' };
      return { type: 'data', parts: [line ?? `${address}(${kept})`] };
    },
    ...more,
  };
  return device;
}

interface Side {
  baud: number;
  /** When what it sends has left. */
  free: number;
}

type Event =
  | {
      readonly at: number;
      readonly order: number;
      readonly to: 'meter' | 'client';
      readonly octet: number;
      readonly baud: number;
    }
  | { readonly at: number; readonly order: number; readonly side: Side; readonly baud: number };

export interface WireOptions {
  readonly client?: ClientOptions;
  readonly server?: Partial<ServerOptions>;
  readonly device?: TariffDevice;
  /** What arrives for an octet, its number counted from 0: nothing, it, or another. */
  readonly damage?: (octet: number, n: number, to: 'meter' | 'client') => readonly number[];
  /** The head gives the client its own characters back. */
  readonly echo?: boolean;
}

export interface Wire {
  readonly client: OpticalClient;
  readonly server: OpticalServer;
  readonly events: ClientEvent[];
  /** `> …` from the client, `< …` from the meter, and changes of the line. */
  readonly log: string[];
  now: number;
  /** Runs until `done`, or nothing can happen any more, or the time is up. */
  run(done: () => boolean, limit?: number): void;
}

export function wire(options: WireOptions = {}): Wire {
  const log: string[] = [];
  const events: ClientEvent[] = [];
  const queue: Event[] = [];
  const sides = { client: { baud: 300, free: 0 } as Side, meter: { baud: 300, free: 0 } as Side };
  let order = 0;
  let octets = 0;
  const send = (from: 'client' | 'meter', bytes: Uint8Array): void => {
    log.push(`${from === 'client' ? '>' : '<'} ${visible(bytes)}`);
    const side = sides[from];
    for (const octet of bytes) {
      // The rate that holds when it leaves, which a change before it may have set.
      const change = queue.filter((e) => 'side' in e && e.side === side).at(-1);
      const baud = change ? change.baud : side.baud;
      side.free = Math.max(side.free, self.now) + 10_000 / baud;
      const goals =
        options.echo && from === 'client'
          ? (['client', 'meter'] as const)
          : ([from === 'client' ? 'meter' : 'client'] as const);
      for (const goal of goals) queue.push({ at: side.free, order: order++, to: goal, octet, baud });
    }
  };
  const line = (name: 'client' | 'meter', baud: number): void => {
    log.push(`${name} ${baud}`);
    const side = sides[name];
    queue.push({ at: Math.max(side.free, self.now), order: order++, side, baud });
  };
  const client = createOpticalClient(options.client ?? {}, {
    write: (bytes) => send('client', bytes),
    line: ({ baud }) => line('client', baud),
    event: (event) => void events.push(event),
  });
  const server = createOpticalServer(
    {
      maker: 'AMI',
      identification: 'VM3000',
      baud: 9600,
      reaction: 200,
      device: options.device ?? testDevice(),
      ...options.server,
    },
    {
      write: (bytes) => send('meter', bytes),
      line: ({ baud }) => line('meter', baud),
      hdlc: () => void log.push('meter HDLC'),
    },
  );
  if (options.server?.mode === 'D') sides.meter.baud = 2400;
  const self: Wire = {
    client,
    server,
    events,
    log,
    now: 0,
    run(done, limit = 3_600_000) {
      const until = self.now + limit;
      while (!done()) {
        let next = -1;
        for (let i = 0; i < queue.length; i++) {
          const a = queue[i] as Event;
          const b = queue[next];
          if (!b || a.at < b.at || (a.at === b.at && a.order < b.order)) next = i;
        }
        const at = Math.min(
          (queue[next] as Event | undefined)?.at ?? Number.POSITIVE_INFINITY,
          client.nextDeadline(),
          server.nextDeadline(),
        );
        if (at === Number.POSITIVE_INFINITY || at > until) {
          if (at !== Number.POSITIVE_INFINITY) self.now = until;
          return;
        }
        self.now = Math.max(self.now, at);
        const event = queue[next];
        if (event && event.at <= self.now) {
          queue.splice(next, 1);
          if ('side' in event) event.side.baud = event.baud;
          else {
            const heard = sides[event.to].baud === event.baud ? event.octet : (event.octet * 37 + 11) & 0x7f;
            const arriving = options.damage ? options.damage(heard, octets++, event.to) : [heard];
            if (arriving.length > 0)
              (event.to === 'meter' ? server : client).receive(Uint8Array.from(arriving), self.now);
          }
        }
        client.tick(self.now);
        server.tick(self.now);
      }
    },
  };
  return self;
}

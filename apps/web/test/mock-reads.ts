/** The stand-in server's reads on demand: each goes through its states by itself, one of them fails. */
import type { IncomingMessage, ServerResponse } from 'node:http';

interface Read {
  id: string;
  meter: string;
  what: string;
  state: string;
  sentence: string;
  ended: string | null;
  [name: string]: unknown;
}

/** The meter that can be reached. */
export const REACHED = '4';

const EVENTS = [
  ['power-down', 'Power failure', 'power', 1, 23],
  ['power-up-long', 'Power restored after a long power failure', 'power', 1, 25],
  ['undervoltage-l2', 'Undervoltage L2 begins', 'voltage', 2, 27],
  ['terminal-cover-opened', 'Terminal cover removed', 'tamper', 3, 90],
  ['clock-adjusted', 'Clock was adjusted (new time)', 'clock', 0, 12],
] as const;

/** What the type of the one that is reached delivers. */
export const READOUT_SETS = {
  sets: [
    {
      name: 'stand-in',
      set: {
        profiles: [{ name: 'load' }, { name: 'daily' }],
        registers: {
          billing: ['1-0:1.8.0'],
          outage: ['0-0:96.7.20'],
          quality: ['1-1:32.7.0'],
          maintenance: ['0-0:96.7.0'],
        },
      },
    },
  ],
};

/** What a meter tells in its logs, newest first. */
export const eventsOf = (now: number) =>
  Array.from({ length: 20 }, (_, i) => {
    const [event, text, category, severity, code] = EVENTS[i % EVENTS.length] as (typeof EVENTS)[number];
    const time = new Date(now - i * 7_500_000).toISOString();
    return { time, event, text, category, severity, code, source: 'amiable-virtual/standard', ordinal: 0 };
  });

export function createMockReads(now: () => number, beat: number) {
  const reads = new Map<string, Read>();
  const listeners = new Set<{ id: string; response: ServerResponse }>();
  let serial = 500;

  function change(read: Read, to: Partial<Read>): void {
    Object.assign(read, to);
    const over = read.state !== 'waiting' && read.state !== 'running';
    if (over) read.ended = new Date(now()).toISOString();
    for (const listener of listeners) {
      if (listener.id !== read.id) continue;
      listener.response.write(`event: read\ndata: ${JSON.stringify(read)}\n\n`);
      if (over) listener.response.end('event: end\ndata: {}\n\n');
    }
  }

  function resultOf(body: Record<string, unknown>, at: string) {
    const energy = { obis: '1-0:1.8.0', name: 'Active energy, import', unit: 'Wh' };
    if (body.what === 'registers')
      return {
        registers: [
          { ...energy, value: '12345678', time: at },
          { obis: '1-0:2.8.0', name: 'Active energy, export', unit: 'Wh', value: '0', time: at },
        ],
      };
    if (body.what === 'profile')
      return {
        profile: {
          name: 'load',
          columns: [energy],
          rows: [
            { time: at, values: ['12345678'] },
            { time: at, values: [null] },
          ],
          cut: false,
        },
      };
    return { events: [{ time: at, code: 23, event: 'power-down', log: 'standard' }] };
  }

  const made = (meter: string, body: Record<string, unknown>): Read => {
    const read: Read = {
      id: String(++serial),
      meter,
      serial: '7359992210055404',
      what: String(body.what),
      ...(body.set === undefined ? {} : { set: body.set }),
      state: 'waiting',
      sentence: 'The read waits for its turn',
      asked: new Date(now()).toISOString(),
      ended: null,
      by: 'anna',
      tries: 1,
      stored: 0,
      transaction: '1001',
      result: null,
    };
    reads.set(read.id, read);
    return read;
  };
  const first = made(REACHED, { what: 'registers', set: 'billing' });
  change(first, { state: 'done', sentence: 'Read at 14:03:12: 4 values' });

  return {
    /** Reads stay where they are, for a test that cancels. */
    hold: false,
    order(meter: string, body: Record<string, unknown>): Read {
      const read = made(meter, body);
      if (this.hold) return read;
      setTimeout(
        () => read.state === 'waiting' && change(read, { state: 'running', sentence: 'The meter is being called' }),
        beat,
      ).unref();
      setTimeout(() => {
        if (read.state !== 'running') return;
        if (body.set === 'outage')
          change(read, { state: 'failed', tries: 3, sentence: 'The meter does not answer: connection refused' });
        else
          change(read, {
            state: 'done',
            stored: 2,
            sentence: 'Read at 14:05:00: 2 values',
            result: resultOf(body, String(read.asked)),
          });
      }, beat * 3).unref();
      return read;
    },
    get: (id: string): Read | undefined => reads.get(id),
    cancel(id: string): Read | undefined {
      const read = reads.get(id);
      if (read) change(read, { state: 'cancelled', sentence: 'Cancelled' });
      return read;
    },
    last: (meter: string) => ({ reads: [...reads.values()].filter((read) => read.meter === meter).reverse() }),
    events(id: string, request: IncomingMessage, response: ServerResponse): void {
      const listener = { id, response };
      response.writeHead(200, { 'content-type': 'text/event-stream', 'cache-control': 'no-store' });
      listeners.add(listener);
      request.on('close', () => listeners.delete(listener));
      const read = reads.get(id);
      if (read) change(read, {});
    },
  };
}

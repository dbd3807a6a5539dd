import { DecodeError, LinkError, PeerError } from '@amiable/bytes';
import { loopback, seededRandom, virtualClock } from '@amiable/io';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  type Answer,
  askBus,
  type BusSlave,
  createExchange,
  createMbusMaster,
  createMbusSession,
  createMbusSlave,
  decodeRecords,
  encodeRecords,
  type MbusSession,
  type MbusSlaveOptions,
  moreFollows,
  type Question,
  type RecordToSend,
  runOperation,
  type SlaveIdentity,
  telegramsOf,
} from '../src/index.ts';

const volume = (value: number): RecordToSend => ({ vif: [0x13], data: { type: 'integer', octets: 4, value } });
const numbered = (identification: string, more: Partial<SlaveIdentity> = {}): SlaveIdentity => ({
  identification,
  manufacturer: 'KAM',
  version: 1,
  medium: 7,
  ...more,
});

let made = 0;

function slaveAt(
  primaryAddress: number,
  secondary: SlaveIdentity,
  options: Partial<MbusSlaveOptions> & { values?: number[] } = {},
): BusSlave {
  const answers: { bytes: Uint8Array; afterBits: number }[] = [];
  const { values = [primaryAddress], ...rest } = options;
  const slave = createMbusSlave(
    {
      primaryAddress,
      secondary,
      // No two slaves begin at the same moment.
      answerBits: 11 + (made++ % 50) * 3,
      respond: ({ kind, accessNumber }) =>
        kind === 'data'
          ? telegramsOf({ ...slave.secondary, accessNumber, status: 0, configuration: 0 }, values.map(volume), {
              maxOctets: 26,
            })
          : [],
      ...rest,
    },
    { send: (bytes, afterBits) => answers.push({ bytes, afterBits }) },
  );
  return { slave, take: () => answers.splice(0) };
}

/** A bus in virtual time; `spoil` does what a line does to octets. */
function bus(slaves: readonly BusSlave[], spoil: (bytes: Uint8Array) => Uint8Array = (b) => b) {
  const state = { now: 0, baud: 2400, questions: 0 };
  const answer = (question: Question): Answer => {
    if (question.baud !== undefined) {
      state.baud = question.baud;
      return { kind: 'silence' };
    }
    state.questions++;
    const exchange = createExchange(question.bytes, state.now, { baud: state.baud, latency: 20 }, question.answered);
    const heard = askBus(slaves, spoil(question.bytes), state.baud);
    const end = state.now + ((question.bytes.length * 11 + (heard?.bits ?? 0)) * 1000) / state.baud;
    if (heard && end < exchange.deadline + heard.bytes.length * 20) exchange.push(spoil(heard.bytes), end);
    while (exchange.answer === undefined) {
      state.now = exchange.deadline;
      exchange.wake(state.now);
    }
    return exchange.answer;
  };
  return { answer, state };
}

const values = (telegrams: readonly { data: Uint8Array }[]) =>
  telegrams.flatMap(({ data }) => decodeRecords(data, 12).records.map((r) => r.value));

describe('master', () => {
  const master = createMbusMaster();

  test('finds primary addresses, the shared ones as collisions', () => {
    const { answer } = bus([
      slaveAt(1, numbered('11111111')),
      slaveAt(5, numbered('55555555'), { respond: () => [] }),
      slaveAt(7, numbered('77777777')),
      slaveAt(7, numbered('88888888')),
    ]);
    const found = runOperation(master.scanPrimary(0, 20), answer);
    expect(found.map((f) => [f.primary, f.secondary?.identification, f.trouble])).toEqual([
      [1, '11111111', undefined],
      [5, undefined, 'noData'],
      [7, undefined, 'collision'],
    ]);
  });

  test('finds all secondary addresses by collision search with wildcards', () => {
    const { answer, state } = bus([
      slaveAt(0, numbered('12345678')),
      slaveAt(0, numbered('12345679')),
      slaveAt(0, numbered('12995678')),
      slaveAt(3, numbered('00000000', { manufacturer: 'ABB' })),
    ]);
    const found = runOperation(master.scanSecondary(), answer);
    expect(found.map((f) => f.secondary?.identification).sort()).toEqual([
      '00000000',
      '12345678',
      '12345679',
      '12995678',
    ]);
    // Ten digits at each of the places where slaves collide, not a hundred million.
    expect(state.questions).toBeLessThan(300);
  });

  test('tells slaves of one number apart by medium, version and manufacturer, and finds digits that are none', () => {
    const { answer } = bus([
      slaveAt(0, numbered('12345678', { medium: 3 })),
      slaveAt(0, numbered('12345678', { medium: 7, version: 1 })),
      slaveAt(0, numbered('12345678', { medium: 7, version: 9 })),
      slaveAt(0, numbered('12345678', { medium: 7, version: 9, manufacturer: 'ABB' })),
      slaveAt(0, numbered('0500A2E5')),
      slaveAt(0, numbered('0500B2E5')),
    ]);
    const found = runOperation(createMbusMaster({ repeats: 0 }).scanSecondary(), answer);
    expect(
      found
        .map(
          (f) =>
            `${f.secondary?.identification} ${f.secondary?.manufacturer} ${f.secondary?.version} ${f.secondary?.medium}`,
        )
        .sort(),
    ).toEqual([
      '0500A2E5 KAM 1 7',
      '0500B2E5 KAM 1 7',
      '12345678 ABB 9 7',
      '12345678 KAM 1 3',
      '12345678 KAM 1 7',
      '12345678 KAM 9 7',
    ]);
  });

  test('a search may be narrowed', () => {
    const { answer } = bus([slaveAt(0, numbered('12345678')), slaveAt(0, numbered('12345699', { medium: 3 }))]);
    const only = (pattern: object) =>
      runOperation(master.scanSecondary(pattern), answer).map((f) => f.secondary?.identification);
    expect(only({ identification: '123456FF', medium: 3 })).toEqual(['12345699']);
    expect(only({ identification: '12345678' })).toEqual(['12345678']);
    expect(only({ identification: '99FFFFFF' })).toEqual([]);
  });

  test('quirk 14: FCB toggles for multi-telegram answers, primary and secondary', () => {
    const { answer } = bus([slaveAt(5, numbered('12345678'), { values: [1, 2, 3, 4, 5] })]);
    const primary = runOperation(master.read(5), answer);
    expect(values(primary)).toEqual([1, 2, 3, 4, 5]);
    expect(primary.length).toBe(3);
    expect(primary.map(moreFollows)).toEqual([true, true, false]);
    expect(values(runOperation(master.read({ identification: '12345678' }), answer))).toEqual([1, 2, 3, 4, 5]);
  });

  test('writes, resets, gives addresses and rates; failures are told', () => {
    const written: number[][] = [];
    const slave = slaveAt(5, numbered('12345678'), {
      write: (records) => {
        written.push([...records]);
        return records[2] === 9 ? 3 : undefined;
      },
    });
    const { answer, state } = bus([slave]);
    runOperation(master.write(5, [volume(1)]), answer);
    expect(written).toEqual([[...encodeRecords([volume(1)])]]);
    expect(() => runOperation(master.write(5, [volume(9)]), answer)).toThrow(PeerError);
    runOperation(master.applicationReset(5, 0x10), answer);
    runOperation(master.setPrimary({ identification: '12345678' }, 33), answer);
    expect(slave.slave.primaryAddress).toBe(33);
    runOperation(master.setBaud(33, 9600, 2400), answer);
    expect([slave.slave.baud, state.baud]).toEqual([9600, 9600]);
    expect(values(runOperation(master.read(33), answer))).toEqual([5]);
    expect(runOperation(master.readAlarm(33), answer)).toBeUndefined();
    expect(() => runOperation(master.read(34), answer)).toThrow(/SND_NKE to 34: expected E5, nothing came/);
    expect(() => runOperation(master.read({ identification: '99999999' }), answer)).toThrow(LinkError);
  });

  test('with octets lost and damaged it finds no slave that is not there, and reads nothing that was not sent', () => {
    const slaves = [3, 4].map((n) => slaveAt(n, numbered(`1234567${n}`), { values: [n, 10 * n, 100 * n] }));
    fc.assert(
      fc.property(fc.integer(), (seed) => {
        const random = seededRandom(seed);
        const { answer } = bus(slaves, (bytes) => {
          if (random() < 0.1) return bytes.slice(1);
          if (random() > 0.1) return bytes;
          const out = bytes.slice();
          const at = Math.floor(random() * out.length);
          out[at] = (out[at] as number) ^ (1 << Math.floor(random() * 8));
          return out;
        });
        for (const n of [3, 4]) {
          try {
            const read = values(runOperation(createMbusMaster().read(n), answer));
            expect(read).toEqual([n, 10 * n, 100 * n].slice(0, read.length));
          } catch (e) {
            expect(e).toBeInstanceOf(LinkError);
          }
        }
        const found = runOperation(createMbusMaster().scanSecondary({ identification: '123456FF' }), answer);
        for (const f of found)
          if (f.secondary && !f.trouble) expect(['12345673', '12345674']).toContain(f.secondary.identification);
      }),
      { numRuns: 8 },
    );
  });

  test('any set of slaves is found, each once', () => {
    fc.assert(
      fc.property(
        fc.uniqueArray(fc.integer({ min: 0, max: 99_999_999 }), { maxLength: 5 }),
        fc.constantFrom(300, 2400, 9600),
        (numbers, baud) => {
          const slaves = numbers.map((n) => slaveAt(0, numbered(String(n).padStart(8, '0')), { baud }));
          const { answer, state } = bus(slaves);
          state.baud = baud;
          const found = runOperation(createMbusMaster().scanSecondary(), answer);
          expect(found.map((f) => Number(f.secondary?.identification)).sort((a, b) => a - b)).toEqual(
            [...numbers].sort((a, b) => a - b),
          );
        },
      ),
      { numRuns: 10 },
    );
  });
});

describe('exchange', () => {
  const options = { baud: 2400, latency: 0 };
  const request = Uint8Array.of(0x10, 0x5b, 1, 0x5c, 0x16);

  test('waits 330 bits and 50 ms for the first octet', () => {
    const exchange = createExchange(request, 1000, options);
    expect(exchange.deadline).toBeCloseTo(1000 + ((55 + 330) * 1000) / 2400 + 50, 6);
    exchange.wake(exchange.deadline - 1);
    expect(exchange.answer).toBeUndefined();
    exchange.wake(exchange.deadline);
    expect(exchange.answer).toEqual({ kind: 'silence' });
  });

  test('sees through an echo', () => {
    const exchange = createExchange(request, 0, options);
    exchange.push(request, 30);
    exchange.push(Uint8Array.of(0xe5), 60);
    exchange.wake(exchange.deadline);
    expect(exchange.answer).toEqual({ kind: 'acknowledge' });
  });

  test('a line that never falls silent is not listened to for ever', () => {
    const exchange = createExchange(request, 0, options);
    let now = 60;
    for (let i = 0; i < 2000 && exchange.answer === undefined; i++) {
      now += 4;
      exchange.push(Uint8Array.of(0x55), now);
      exchange.wake(now);
    }
    expect(exchange.answer).toMatchObject({ kind: 'garbage' });
    expect(now).toBeLessThan(5000);
  });

  test('E5 with more behind it is a collision', () => {
    const exchange = createExchange(request, 0, options);
    exchange.push(Uint8Array.of(0xe5), 60);
    exchange.push(Uint8Array.of(0xe5), 62);
    exchange.wake(exchange.deadline);
    expect(exchange.answer).toMatchObject({ kind: 'garbage' });
  });
});

describe('session', () => {
  /** Slaves behind a link, answering when a real line would. */
  async function lineWith(
    slaves: readonly BusSlave[],
    latency = 50,
  ): Promise<{ session: MbusSession; clock: ReturnType<typeof virtualClock>; cut: () => void }> {
    const clock = virtualClock(0);
    const [near, far] = loopback();
    await far.open({
      data(bytes) {
        const heard = askBus(slaves, bytes, 2400);
        if (heard)
          clock.after(((bytes.length * 11 + heard.bits) * 1000) / 2400, () => {
            void far.write(heard.bytes);
          });
      },
      closed() {},
    });
    const session = await createMbusSession({ link: near, clock, latency });
    return { session, clock, cut: () => void far.close() };
  }

  /** Lets virtual time run until the promise is settled. */
  async function settled<T>(clock: ReturnType<typeof virtualClock>, promise: Promise<T>): Promise<T> {
    const state = { done: false };
    const watched = promise.finally(() => {
      state.done = true;
    });
    watched.catch(() => {});
    for (let i = 0; i < 400 && !state.done; i++) await clock.advance(250);
    return watched;
  }

  test('reads and searches over a link, one operation after the other', async () => {
    const { session, clock } = await lineWith([
      slaveAt(5, numbered('12345678'), { values: [1, 2] }),
      slaveAt(6, numbered('12345679')),
    ]);
    const both = Promise.all([session.read(5), session.scanPrimary(4, 7)]);
    const [telegrams, found] = await settled(clock, both);
    expect(values(telegrams)).toEqual([1, 2]);
    expect(found.map((f) => f.primary)).toEqual([5, 6]);
    await session.close();
  });

  test('a device that never falls silent: reading and searching come to an end', async () => {
    const clock = virtualClock(0);
    const [near, far] = loopback();
    await far.open({ data() {}, closed() {} });
    const session = await createMbusSession({ link: near, clock, repeats: 0 });
    const noise = new Uint8Array(12).fill(0x55);
    const talk = (): void => {
      void far.write(noise).catch(() => {});
      clock.after(10, talk);
    };
    talk();
    await expect(settled(clock, session.read(5))).rejects.toThrow('no frame');
    await session.close();

    const master = createMbusMaster({ repeats: 0 });
    const search = () => runOperation(master.scanSecondary(), () => ({ kind: 'garbage', octets: noise }));
    expect(search).toThrow('answers under every address');
  });

  test('a line that is cut ends what is under way', async () => {
    const { session, clock, cut } = await lineWith([]);
    const reading = session.read(5);
    reading.catch(() => {});
    await clock.advance(10);
    cut();
    await expect(settled(clock, reading)).rejects.toThrow(LinkError);
    await expect(session.read(5)).rejects.not.toBeInstanceOf(DecodeError);
  });
});

/** The virtual P1 meters, read back by the decoder: every message is the one that was put in. */
import { spawnSync } from 'node:child_process';
import { nodeCrypto, serialLink, systemClock, virtualClock } from '@amiable/io';
import { type Message, messageToJson } from '@amiable/model';
import { createP1Decoder } from '@amiable/p1';
import { describe, expect, test, vi } from 'vitest';
import { P1_MODELS, type P1Model } from '../src/p1/models.ts';
import { p1Household, p1Keys, p1Options, virtualP1Meter } from '../src/p1/options.ts';
import { p1TruthLine, runP1 } from '../src/p1/run.ts';
import { machineOutput, type Output } from '../src/run.ts';

const SEED = 7;
// Years of a household are worked out, and a busy machine takes its time.
vi.setConfig({ testTimeout: 60_000 });
const hasSocat = spawnSync('socat', ['-V']).status === 0;

/** One household for all: its sums over past years are worked out once. */
const household = p1Household(SEED, 'Europe/Amsterdam');

function decoder() {
  const messages: Message[] = [];
  const drops: string[] = [];
  const keys = p1Keys(SEED);
  const reader = createP1Decoder(
    {
      reader: 'r',
      port: 'p',
      now: () => 0,
      zone: household.zone,
      keys: { candidates: () => [keys] },
      crypto: nodeCrypto,
    },
    { message: (m) => messages.push(m), drop: (d) => drops.push(d.reason) },
  );
  return { reader, messages, drops };
}

/** A message without what only its reader knows. */
function told(json: string): unknown {
  const { id: _id, reader: _reader, port: _port, receivedAt: _receivedAt, ...rest } = JSON.parse(json);
  return rest;
}

describe('virtual P1 meters', () => {
  for (const model of P1_MODELS)
    test(`${model.name}: what is read is what was put in, over the repeated hour`, () => {
      const meter = virtualP1Meter(model, household, {
        channels: model.channels.length > 0 ? ['gas', 'water', 'heat'] : [],
        message: 'Geen stroom op 3 juni é',
      });
      const { reader, messages, drops } = decoder();
      const want: unknown[] = [];
      // DSMR 2 marks no summer time, so its repeated hour is left out here.
      const starts =
        model.name === 'dsmr2'
          ? [Date.UTC(2026, 6, 1, 10)]
          : [Date.UTC(2026, 9, 25, 0, 59, 50), Date.UTC(2026, 9, 25, 1, 59, 50)];
      for (const from of starts)
        for (const emission of meter.telegrams(from, from + 31_000)) {
          want.push(told(p1TruthLine(meter, emission)));
          reader.push(emission.bytes);
        }
      reader.end();
      expect(drops).toEqual([]);
      expect(want.length).toBeGreaterThanOrEqual(starts.length * 3);
      expect(messages.map((m) => told(messageToJson(m)))).toEqual(want);
    });

  test('registers rise, both tariffs make the whole, a power failure is silent', () => {
    const meter = virtualP1Meter(P1_MODELS.find((m) => m.name === 'dsmr4') as P1Model, household);
    const value = (at: number, name: string): number => {
      const { truth } = meter.emission(at);
      return truth.values[truth.items.findIndex((item) => item.name === name)] as number;
    };
    let before = 0;
    for (let h = 0; h < 48; h++) {
      const at = Date.UTC(2026, 2, 28, h);
      const sum = value(at, 'activeEnergyImportRate1') + value(at, 'activeEnergyImportRate2');
      expect(sum).toBeGreaterThanOrEqual(before);
      before = sum;
    }
    const { truth } = meter.emission(Date.UTC(2026, 2, 28));
    const i = truth.items.findIndex((item) => item.name === 'powerFailureLog');
    const end = truth.times?.[i] as number;
    expect([...meter.telegrams(end - (truth.values[i] as number) * 1000, end)]).toEqual([]);
    expect([...meter.telegrams(end, end + 20_000)].length).toBeGreaterThan(0);
  });

  test('the line sets the pace: a telegram of 115200 baud takes its time', async () => {
    const options = p1Options({ model: 'dsmr5', from: '2026-03-01T12:00:00Z', duration: '3s', to: 'stdout' });
    const clock = virtualClock(0);
    const at: number[] = [];
    let bytes = 0;
    const output: Output = {
      clock,
      readWith: '-',
      say: () => {},
      close: async () => {},
      async write(part) {
        at.push(clock.now());
        bytes += part.length;
      },
    };
    const running = runP1(options, output, new AbortController().signal);
    const done = { yes: false };
    void running.then(() => {
      done.yes = true;
    });
    while (!done.yes) await clock.advance(10);
    const { sent } = await running;
    expect(sent).toBe(3);
    const first = at.filter((t) => t < 1000);
    // 10 bits a character.
    expect((first.at(-1) as number) - 0).toBeGreaterThanOrEqual(Math.floor(((bytes / 3) * 10_000) / 115_200) - 11);
    expect(first.at(-1)).toBeLessThan(1000);
  });

  test('refusals say what would do', () => {
    expect(() => p1Options({ model: 'dsmr9' })).toThrow(/the models are dsmr2, dsmr4/);
    expect(() => p1Options({ channels: 'beer' })).toThrow(/gas, water, heat/);
    expect(() => p1Options({ key: '00' })).toThrow(/luxembourg/);
    expect(() => p1Options({ model: 'luxembourg', key: '00'.repeat(16) })).toThrow(/go together/);
    expect(() => p1Options({ message: 'x'.repeat(3000) })).toThrow(/2048/);
    expect(() => p1Options({ tz: 'Mars' })).toThrow(/IANA/);
  });
});

describe.skipIf(!hasSocat)('over a pseudo-terminal', () => {
  test('a DSMR 5 meter at 115200, read through a serial port', async () => {
    const options = p1Options({ model: 'dsmr5', seed: SEED, from: '2026-03-01T12:00:00Z', duration: '1s', to: 'pty' });
    const stop = new AbortController();
    const output = await machineOutput(options, stop);
    const path = /-d (\S+) -P N --baud 115200$/.exec(output.readWith)?.[1] as string;
    const { reader, messages, drops } = decoder();
    let heard: () => void = () => {};
    const first = new Promise<void>((resolve) => {
      heard = resolve;
    });
    const link = serialLink({ path, baud: options.baud, parity: 'N' });
    await link.open({
      data(bytes) {
        reader.push(bytes);
        if (messages.length > 0) heard();
      },
      closed: () => heard(),
    });
    let release: () => void = () => {};
    // The meter stays until its telegram has been heard: a pseudo-terminal that closes takes with it what nobody has fetched.
    const held = new Promise<void>((resolve) => {
      release = resolve;
    });
    const running = runP1(
      options,
      { ...output, clock: systemClock, say: () => {}, close: () => held.then(() => output.close()) },
      stop.signal,
    );
    await first;
    await link.close();
    release();
    await running;
    expect(drops).toEqual([]);
    expect(messages.map((m) => told(messageToJson(m)))).toEqual([
      told(p1TruthLine(options.meter, options.meter.emission(Date.UTC(2026, 2, 1, 12)))),
    ]);
  });
});

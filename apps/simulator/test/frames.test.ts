/** What a virtual meter sends is what a reader reads: every model, plain and ciphered, over both changes of the clock. */
import { toHex } from '@amiable/bytes';
import { nodeCrypto } from '@amiable/io';
import { createHanReader } from '@amiable/meter';
import { type Message, messageToJson } from '@amiable/model';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Emission, HanMeter } from '../src/han/meter.ts';
import { findModel, MODELS, type Model } from '../src/han/models.ts';
import { createStreet, createVirtualMeter } from '../src/index.ts';

const HOUR = 3_600_000;
const modelNamed = (name: string): Model => findModel(name) as Model;

function meterOf(model: Model, seed = 1, more: { cipher?: 'own'; zone?: string; solar?: boolean } = {}): HanMeter {
  return createVirtualMeter({ seed, street: seed, zone: 'Europe/Oslo', model, ...more });
}

/** Reads emissions as they come and gives what the reader made of each. */
function read(meter: HanMeter, emissions: readonly Emission[]): Message[] {
  const messages: Message[] = [];
  let at = 0;
  const reader = createHanReader(
    {
      reader: 'test',
      port: 'p',
      zone: meter.zone,
      live: true,
      now: () => at,
      crypto: nodeCrypto,
      keys: { candidates: () => (meter.cipher ? [meter.cipher.keys] : []) },
    },
    {
      message: (m) => messages.push(m),
      drop: (d) => {
        throw new Error(`dropped: ${d.reason}`);
      },
    },
  );
  for (const emission of emissions) {
    at = emission.at;
    reader.push(emission.bytes);
  }
  reader.end();
  return messages;
}

/** The canonical JSON without what only the reader knows. */
const plain = (message: Message): string =>
  messageToJson(message).replace(/"(id|reader|port|receivedAt)":"[^"]*",/g, '');

function expectTruth(meter: HanMeter, emissions: readonly Emission[], readable = plain): void {
  const messages = read(meter, emissions);
  expect(messages.length).toBe(emissions.length);
  let told = false;
  emissions.forEach((emission, i) => {
    const truth = { ...emission.message(told), id: '0'.repeat(32), reader: 'x', port: 'x', receivedAt: 0 };
    expect(readable(messages[i] as Message)).toBe(readable(truth as Message));
    told ||= emission.names;
  });
}

describe('every frame decodes to exactly what was put in', () => {
  const start = Date.UTC(2018, 0, 15, 11, 59, 50);
  for (const model of MODELS) {
    test(model.name, () => {
      const meter = meterOf(model, 7, { solar: model.network === 'tn' });
      expectTruth(meter, [...meter.frames(start, start + 40_000)]);
    });
    test(`${model.name}, ciphered`, () => {
      const meter = meterOf(model, 8, { cipher: 'own' });
      expectTruth(meter, [...meter.frames(start, start + 25_000)]);
    });
  }

  test('any model, seed and time', () => {
    fc.assert(
      fc.property(
        fc.constantFrom(...MODELS),
        fc.nat(),
        fc.integer({ min: Date.UTC(2018, 0, 2), max: Date.UTC(2018, 2, 1) }),
        fc.boolean(),
        (model, seed, from, ciphered) => {
          const meter = meterOf(model, seed, { solar: true, ...(ciphered ? { cipher: 'own' } : {}) });
          expectTruth(meter, [...meter.frames(from, from + 21_000)]);
        },
      ),
      { numRuns: 60 },
    );
  });
});

describe('clock changes', () => {
  const names = ['MA304H3E', 'MA304H4-SE', 'Aidon-6525', 'Aidon-6534-SE', 'Kamstrup-6841'];
  const changes = [
    ['spring', Date.UTC(2018, 2, 25, 1)],
    ['autumn', Date.UTC(2018, 9, 28, 1)],
  ] as const;
  for (const name of names)
    for (const [season, change] of changes)
      test(`${name}, ${season}`, () => {
        const meter = meterOf(modelNamed(name), 3);
        // From before the hour that is repeated to after it, the short lists around the full hours included.
        const emissions = [...meter.frames(change - 1.01 * HOUR, change + 1.01 * HOUR)].filter(
          (e) => e.list !== 1 || Math.abs(((e.at + HOUR / 2) % HOUR) - HOUR / 2) < 60_000,
        );
        expectTruth(meter, emissions, plain);
        const times = read(meter, emissions).flatMap((m) => (m.time === undefined ? [] : [m.time]));
        for (let i = 1; i < times.length; i++) expect(times[i] as number).toBeGreaterThan(times[i - 1] as number);
      });

  test('a day has 23, 24 or 25 list 3', () => {
    const meter = meterOf(modelNamed('MA304H3E'));
    const hours = (day: number, length: number): number =>
      [...meter.frames(day, day + length * HOUR, { lists: new Set([3] as const) })].length;
    expect(hours(Date.UTC(2018, 2, 24, 23), 23)).toBe(23);
    expect(hours(Date.UTC(2018, 9, 27, 22), 25)).toBe(25);
    expect(hours(Date.UTC(2018, 5, 1, 22), 24)).toBe(24);
  });
});

describe('the clock of the guide', () => {
  const minute = (name: string): string => {
    const meter = meterOf(modelNamed(name));
    const at = Date.UTC(2018, 5, 1, 12, 59, 56);
    return [...meter.frames(at, at + 28_000)]
      .map((e) => `${new Date(e.at).toISOString().slice(17, 21)}:${e.list}`)
      .join(' ');
  };
  test('figure 7', () => {
    expect(minute('MA304H3E')).toBe(
      '56.0:1 58.0:1 00.0:2 02.0:1 04.0:1 06.0:1 08.0:1 10.0:3 12.0:1 14.0:1 16.0:1 18.0:1 20.0:2 22.0:1',
    );
  });
  test('Aidon and Kamstrup', () => {
    expect(minute('Aidon-6525')).toBe('57.5:1 00.0:2 02.5:1 05.0:1 07.5:1 10.0:3 12.5:1 15.0:1 17.5:1 20.0:2 22.5:1');
    expect(minute('Kamstrup-6841')).toBe('00.0:2 05.0:3 10.0:2 20.0:2');
  });
  test('list 3 carries the registers of the full hour', () => {
    const meter = meterOf(modelNamed('MA304H3E'));
    const hour = Date.UTC(2018, 5, 1, 13);
    const truth = meter.emission(hour + 10_000, 3).message(true);
    expect(truth.time).toBe(hour + 10_000);
    const at = truth.items.findIndex((item) => item.name === 'activeEnergyImport');
    expect(truth.times?.[at]).toBe(hour);
    expect(truth.values[at]).toBe(Math.floor(meter.house.registers(hour).import / 3600));
  });
});

describe('the street', () => {
  const options = { seed: 5, zone: 'Europe/Oslo', start: 0, houses: 12 };
  const from = Date.UTC(2018, 1, 20, 10, 59, 50);
  const bytes = (seed: number): string =>
    createStreet({ ...options, seed })
      .meters.flatMap((m) => [...m.frames(from, from + 30_000)].map((f) => toHex(f.bytes)))
      .join();

  test('is the same for the same seed and another for another', () => {
    expect(bytes(5)).toBe(bytes(5));
    expect(bytes(5)).not.toBe(bytes(6));
  });

  test('has all makers, both phase counts, one ciphered meter and one recording', () => {
    const { meters } = createStreet(options);
    expect(meters.length).toBe(13);
    expect(new Set(meters.map((m) => m.serial)).size).toBe(13);
    expect(new Set(meters.map((m) => m.maker))).toEqual(new Set(['Kaifa', 'Aidon', 'Kamstrup']));
    expect(new Set(meters.map((m) => m.phases))).toEqual(new Set([1, 3]));
    expect(meters.filter((m) => m.key).length).toBe(1);
    expect(meters.filter((m) => m.replay).length).toBe(1);
    for (const model of ['MA105H2E', 'MA304H3E', 'MA304H4', 'MA304T3', 'MA304T4'])
      expect(meters.some((m) => m.model === model)).toBe(true);
  });

  test('does not depend on how its time is cut', () => {
    const [a, b] = [createStreet(options), createStreet(options)];
    for (let i = 0; i < a.meters.length; i++) {
      const whole = [...(a.meters[i]?.frames(from, from + 30_000) ?? [])];
      const cut = [0, 7001, 13_333, 30_000].flatMap((end, n, all) =>
        n === 0 ? [] : [...(b.meters[i]?.frames(from + (all[n - 1] as number), from + end) ?? [])],
      );
      expect(cut.map((f) => toHex(f.bytes))).toEqual(whole.map((f) => toHex(f.bytes)));
    }
  });

  test('its recording is read as a live meter', () => {
    const replay = createStreet(options).meters.find((m) => m.replay);
    const messages: Message[] = [];
    let at = 0;
    const reader = createHanReader(
      { reader: 't', port: 'r', live: true, now: () => at },
      { message: (m) => messages.push(m), drop: (d) => expect.fail(d.reason) },
    );
    for (const frame of replay?.frames(from, from + 60_000) ?? []) {
      at = frame.at;
      reader.push(frame.bytes);
      expect(messages.at(-1)?.time).toBe(frame.at);
      expect(messages.at(-1)?.flags).not.toContain('clockWrong');
    }
    expect(messages.length).toBe(30);
    expect(new Set(messages.map((m) => m.id)).size).toBe(30);
    expect(new Set(messages.map((m) => m.meterId)).has(replay?.serial)).toBe(true);
  });

  test('ciphered frames never use a counter twice', () => {
    const meter = createStreet(options).meters.find((m) => m.key);
    const seen = new Set<string>();
    // LLC, tag and title are 13 octets; control and counter follow the length of the content.
    for (const { bytes: frame } of meter?.frames(from, from + 120_000) ?? []) {
      const title = toHex(meter?.key?.systemTitle ?? []);
      const at = toHex(frame).indexOf(title) / 2 + 8;
      const length = (frame[at] as number) < 0x80 ? 1 : 1 + ((frame[at] as number) & 0x7f);
      seen.add(toHex(frame.subarray(at + length + 1, at + length + 5)));
    }
    expect(seen.size).toBe([...(meter?.frames(from, from + 120_000) ?? [])].length);
    expect([...seen]).toEqual([...seen].sort());
  });
});

test('no two meters of a long street share a number', () => {
  const { meters } = createStreet({ seed: 1, zone: 'Europe/Oslo', houses: 3000 });
  expect(new Set(meters.map((m) => m.serial)).size).toBe(meters.length);
});

/** Firmware by image transfer: good and bad images, blocks in any order, power failures at any moment. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { buildImage, checkImage, createMeter, firmwareConfig, type Meter } from '../../src/electricity/index.ts';
import { events, FIRMWARE, forward, HOUR, hmac, meter, options, SECOND } from './helpers.ts';

const ok = { done: true };
const name = new TextEncoder().encode('T42.bin');
const payload = (length: number): Uint8Array => Uint8Array.from({ length }, (_, i) => (i * 7) & 0xff);
const image = buildImage(FIRMWARE, 'T42', payload(1000));

function send(m: Meter, bytes: Uint8Array): void {
  expect(m.imageInitiate(name, bytes.length)).toEqual(ok);
  const { blockSize, blocks } = m.image;
  for (let i = 0; i < blocks; i++)
    expect(m.imageBlock(i, bytes.subarray(i * blockSize, (i + 1) * blockSize))).toEqual(ok);
}

function verified(m: Meter, bytes: Uint8Array): number {
  send(m, bytes);
  expect(m.imageVerify()).toEqual(ok);
  expect(m.image.status).toBe(2);
  forward(m, FIRMWARE.verifyTime);
  return m.image.status;
}

describe('a good image', () => {
  it('is verified and activated, and its ID is the module’s then', () => {
    const m = meter();
    const seen: boolean[] = [];
    m.listener = { power: (up) => seen.push(up) };
    expect(m.identification('module-firmware')).toBe('T10');
    expect(verified(m, image)).toBe(3);
    expect(m.image.toActivate).toEqual({ size: image.length, identification: 'T42', signature: image.slice(-32) });
    expect(m.imageActivate()).toEqual(ok);
    forward(m, FIRMWARE.activateTime - 1);
    expect([m.image.status, m.identification('module-firmware')]).toEqual([5, 'T10']);
    forward(m, 1);
    expect([m.image.status, m.identification('module-firmware')]).toEqual([6, 'T42']);
    // It has started anew.
    expect(seen).toEqual([false, true]);
    expect(events(m)).toEqual(['firmwareTransfer', 'firmwareVerified', 'firmwareActivated']);
  });

  it('may come in any order and twice; the first missing block is known', () => {
    fc.assert(
      fc.property(fc.shuffledSubarray([0, 1, 2, 3, 4, 5], { minLength: 0, maxLength: 6 }), (order) => {
        const m = meter();
        m.imageInitiate(name, image.length);
        expect(m.image.blocks).toBe(6);
        const there = new Set<number>();
        for (const i of [...order, ...order.slice(0, 2)]) {
          expect(m.imageBlock(i, image.subarray(i * 200, (i + 1) * 200))).toEqual(ok);
          there.add(i);
        }
        const bits = [...there].reduce((byte, i) => byte | (0x80 >> i), 0);
        expect(m.image.transferred).toEqual(Uint8Array.of(bits));
        expect(m.image.firstNotTransferred).toBe([0, 1, 2, 3, 4, 5, 6].find((i) => !there.has(i)));
        expect(m.imageVerify().done).toBe(there.size === 6);
      }),
    );
  });

  it('by the older profile carries HMAC-SHA-1', () => {
    const sha1 = firmwareConfig(hmac, FIRMWARE.key, 'hmac-sha-1');
    const m = meter({ config: { firmware: sha1 } });
    const old = buildImage(sha1, 'T43', payload(10));
    expect(old.length).toBe(13 + 10 + 20);
    expect(verified(m, old)).toBe(3);
    // A meter asks for its own profile: neither is taken for the other.
    expect(verified(meter({ config: { firmware: sha1 } }), image)).toBe(4);
    expect(verified(meter(), old)).toBe(4);
  });
});

describe('a bad image', () => {
  it('with any bit changed is refused, and the old firmware goes on', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: image.length * 8 - 1 }), (bit) => {
        const m = meter();
        const bad = image.slice();
        bad[bit >> 3] = (bad[bit >> 3] as number) ^ (1 << (bit & 7));
        expect(verified(m, bad)).toBe(4);
        expect(m.image.toActivate).toBeUndefined();
        expect(m.imageActivate()).toMatchObject({ done: false, reason: 'state' });
        expect(m.identification('module-firmware')).toBe('T10');
        expect(events(m)).toEqual(['firmwareTransfer', 'firmwareRefused']);
        // The next one is welcome.
        expect(verified(m, image)).toBe(3);
      }),
      { numRuns: 40 },
    );
  });

  it('cut or lengthened, of another key, or no image at all, is none', () => {
    expect(checkImage(FIRMWARE, image)).toBeDefined();
    fc.assert(
      fc.property(fc.integer({ min: 0, max: image.length - 1 }), (length) => {
        expect(checkImage(FIRMWARE, image.subarray(0, length))).toBeUndefined();
      }),
    );
    expect(checkImage(FIRMWARE, Uint8Array.of(...image, 0))).toBeUndefined();
    expect(checkImage({ ...FIRMWARE, key: new Uint8Array(16) }, image)).toBeUndefined();
    expect(checkImage(FIRMWARE, buildImage(FIRMWARE, 'T 1', payload(1)))).toBeUndefined();
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
        expect(checkImage(FIRMWARE, bytes)).toBeUndefined();
      }),
    );
  });

  it('of the wrong size or in the wrong state is not begun', () => {
    const m = meter();
    const { maxImage } = FIRMWARE;
    for (const size of [0, -1, 1.5, maxImage + 1])
      expect(m.imageInitiate(name, size)).toMatchObject({ done: false, reason: 'range' });
    expect(m.imageInitiate(new Uint8Array(65), 10)).toMatchObject({ reason: 'range' });
    expect(m.imageBlock(0, payload(200))).toMatchObject({ reason: 'state' });
    expect(m.imageVerify()).toMatchObject({ reason: 'state' });
    expect(m.imageInitiate(name, maxImage)).toEqual(ok);
    expect(m.imageInitiate(name, 450)).toEqual(ok);
    expect(m.imageBlock(0, payload(199))).toMatchObject({ reason: 'range' });
    expect(m.imageBlock(2, payload(200))).toMatchObject({ reason: 'range' });
    expect(m.imageBlock(2, payload(50))).toEqual(ok);
    expect(m.imageBlock(3, payload(50))).toMatchObject({ reason: 'range' });
    expect(m.imageBlock(-1, payload(200))).toMatchObject({ reason: 'range' });
    expect(m.imageVerify()).toMatchObject({ reason: 'state' });
    m.imageEnable(false);
    expect(m.imageInitiate(name, 450)).toMatchObject({ reason: 'state' });
    expect(m.imageBlock(0, payload(200))).toMatchObject({ reason: 'state' });
  });
});

describe('power failures', () => {
  it('at any moment leave old or new firmware, never none, and the download can go on', () => {
    const whole = FIRMWARE.verifyTime + FIRMWARE.activateTime + 6 * SECOND;
    fc.assert(
      fc.property(
        fc.array(fc.tuple(fc.integer({ min: 0, max: whole }), fc.integer({ min: 201, max: HOUR })), { maxLength: 6 }),
        fc.boolean(),
        (failures, reload) => {
          let m = meter();
          const begin = m.now;
          const cuts = failures.map(([at, length]) => ({ at: begin + at, length })).sort((a, b) => a.at - b.at);
          // A central system that does, each second, what the state asks for.
          for (let i = 0; i < 400 && m.image.status !== 6; i++) {
            while (cuts[0] && cuts[0].at <= m.now) {
              m.setMains(false);
              forward(m, cuts.shift()?.length ?? 0);
              if (reload) m = createMeter({ ...options(), state: m.saveState() });
              m.setMains(true);
            }
            const { status, firstNotTransferred: first, blocks } = m.image;
            if (status === 0) m.imageInitiate(name, image.length);
            else if (status === 1 && first < blocks)
              m.imageBlock(first, image.subarray(first * 200, (first + 1) * 200));
            else if (status === 1) m.imageVerify();
            else if (status === 3) m.imageActivate();
            expect([0, 1, 2, 3, 5, 6]).toContain(m.image.status);
            expect(m.identification('module-firmware')).toBe(m.image.status === 6 ? 'T42' : 'T10');
            forward(m, SECOND);
          }
          expect(m.image.status).toBe(6);
          expect(m.identification('module-firmware')).toBe('T42');
          expect(events(m).filter((event) => event === 'firmwareActivated')).toHaveLength(1);
        },
      ),
      { numRuns: 60 },
    );
  });
});

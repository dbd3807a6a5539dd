import { type DecodeError, fromHex, MisuseError, toHex } from '@amiable/bytes';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  createWrapperReceiver,
  decodeWrapperDatagram,
  encodeWrapper,
  explainWrapper,
  type WrapperFrame,
} from '../src/index.ts';

const REQUEST = '0001 0010 0001 000D C001C100080000010000FF0200';

interface Told {
  readonly frames: WrapperFrame[];
  readonly errors: DecodeError[];
  readonly receiver: ReturnType<typeof createWrapperReceiver>;
}

function listen(maxLength?: number): Told {
  const frames: WrapperFrame[] = [];
  const errors: DecodeError[] = [];
  const receiver = createWrapperReceiver(maxLength === undefined ? {} : { maxLength }, {
    frame: (source, destination, apdu) => frames.push({ source, destination, apdu: apdu.slice() }),
    failed: (error) => errors.push(error),
  });
  return { frames, errors, receiver };
}

/** Pushes pieces of the given sizes; each in a buffer that is overwritten afterwards. */
function pushInPieces({ receiver }: Told, bytes: Uint8Array, sizes: readonly number[]): void {
  let at = 0;
  for (let i = 0; at < bytes.length; i++) {
    const piece = bytes.slice(at, at + (sizes[i % sizes.length] ?? 1));
    at += piece.length;
    receiver.push(piece);
    piece.fill(0xee);
  }
}

const frame: fc.Arbitrary<WrapperFrame> = fc.record({
  source: fc.nat(0xffff),
  destination: fc.nat(0xffff),
  apdu: fc.oneof(fc.uint8Array({ maxLength: 30 }), fc.uint8Array({ minLength: 60, maxLength: 700 })),
}) as fc.Arbitrary<WrapperFrame>;

const joined = (frames: readonly WrapperFrame[]): Uint8Array =>
  Uint8Array.from(frames.flatMap((f) => [...encodeWrapper(f.source, f.destination, f.apdu)]));

describe('stream', () => {
  it('both ways', () => {
    const bytes = fromHex(REQUEST);
    const told = listen();
    told.receiver.push(bytes);
    expect(told.frames).toEqual([{ source: 16, destination: 1, apdu: bytes.slice(8) }]);
    expect(toHex(encodeWrapper(16, 1, bytes.slice(8)))).toBe(toHex(bytes));
  });
  it('cut and joined in any way', () => {
    fc.assert(
      fc.property(
        fc.array(frame, { maxLength: 5 }),
        fc.array(fc.integer({ min: 1, max: 60 }), { minLength: 1, maxLength: 8 }),
        fc.nat(400),
        (frames, sizes, cut) => {
          const bytes = joined(frames);
          const told = listen();
          pushInPieces(told, bytes, cut < 50 ? [bytes.length] : sizes);
          expect(told.frames).toEqual(frames);
          expect(told.errors).toEqual([]);
          expect(told.receiver.waiting).toBe(0);
          // A last frame that does not come whole waits, and nothing more.
          if (bytes.length === 0) return;
          const partial = listen();
          pushInPieces(partial, bytes.slice(0, -1 - (cut % Math.min(8, bytes.length))), sizes);
          expect(partial.frames).toEqual(frames.slice(0, partial.frames.length));
          expect(partial.errors).toEqual([]);
        },
      ),
    );
  });
  it('byte by byte', () => {
    const told = listen();
    pushInPieces(told, fromHex(REQUEST + REQUEST), [1]);
    expect(told.frames).toHaveLength(2);
  });
  it('another version ends it at once, and the error shows the bytes', () => {
    for (const sizes of [[1], [100]]) {
      const told = listen();
      pushInPieces(told, fromHex(`${REQUEST} 7EA0080223219385 0001`), sizes);
      expect(told.frames).toHaveLength(1);
      expect(told.errors).toHaveLength(1);
      expect(told.errors[0]).toMatchObject({ reason: 'version', offset: 21 });
      expect(told.errors[0]?.message).toMatch(/version 1 was expected, here is 7E/);
      told.receiver.push(fromHex(REQUEST));
      expect(told.frames).toHaveLength(1);
      expect(told.errors).toHaveLength(1);
    }
  });
  it('version 2 is refused although its first byte is right', () => {
    for (const sizes of [[1], [2], [3], [100]]) {
      const told = listen();
      pushInPieces(told, fromHex('0002001000010000'), sizes);
      expect(told.errors[0]?.reason).toBe('version');
    }
  });
  it('more than the limit is refused before it is held', () => {
    for (const sizes of [[1], [100]]) {
      const told = listen(12);
      pushInPieces(told, fromHex(REQUEST), sizes);
      expect(told.frames).toEqual([]);
      expect(told.errors[0]?.message).toMatch(/13 bytes, 12 are allowed, here is 00 01 00 10/);
      expect(told.receiver.waiting).toBe(0);
    }
  });
  it('random bytes fail once or wait', () => {
    fc.assert(
      fc.property(fc.array(fc.uint8Array({ maxLength: 40 }), { maxLength: 10 }), (chunks) => {
        const told = listen(1000);
        for (const chunk of chunks) told.receiver.push(chunk);
        expect(told.errors.length).toBeLessThanOrEqual(1);
        expect(told.receiver.waiting).toBeLessThanOrEqual(1008);
      }),
    );
  });
  it('a sink that pushes again while it is told finds nothing overwritten', () => {
    const seen: string[] = [];
    const receiver = createWrapperReceiver(
      {},
      {
        frame: (_s, _d, apdu) => {
          if (seen.length === 0) {
            seen.push('');
            receiver.push(fromHex('0001001000010002 BBBB'));
          }
          seen.push(toHex(apdu));
        },
        failed: () => seen.push('failed'),
      },
    );
    for (const byte of fromHex('0001001000010002 AAAA')) receiver.push(Uint8Array.of(byte));
    expect(seen).toEqual(['', 'bbbb', 'aaaa']);
  });
  it('what does not fit the header is misuse', () => {
    expect(() => encodeWrapper(65_536, 1, new Uint8Array(0))).toThrow(MisuseError);
    expect(() => encodeWrapper(1, -1, new Uint8Array(0))).toThrow(MisuseError);
    expect(() => encodeWrapper(1, 1, new Uint8Array(65_536))).toThrow(MisuseError);
    expect(encodeWrapper(1, 1, new Uint8Array(65_535))).toHaveLength(65_543);
  });
});

describe('datagram', () => {
  it('both ways', () => {
    fc.assert(
      fc.property(frame, (value) => {
        expect(decodeWrapperDatagram(encodeWrapper(value.source, value.destination, value.apdu))).toEqual(value);
      }),
    );
  });
  it('holds one APDU and nothing else', () => {
    expect(() => decodeWrapperDatagram(fromHex('00010010'))).toThrow(/8 bytes, not 4/);
    expect(() => decodeWrapperDatagram(fromHex(`${REQUEST}00`))).toThrow(/13 bytes, 14 are here/);
    expect(() => decodeWrapperDatagram(fromHex('0001001000010001'))).toThrow(/1 bytes, 0 are here/);
    expect(() => decodeWrapperDatagram(fromHex('0002001000010000'))).toThrow(/version 1 was expected, here is 0002/);
  });
});

describe('explanation', () => {
  it('tells header and APDU of each', () => {
    const fields = explainWrapper(fromHex(REQUEST + REQUEST));
    expect(fields.slice(0, 5)).toEqual([
      { path: 'wrapper/version', offset: 0, length: 2, text: 'wrapper version 1' },
      { path: 'wrapper/source', offset: 2, length: 2, text: 'source wPort 16' },
      { path: 'wrapper/destination', offset: 4, length: 2, text: 'destination wPort 1' },
      { path: 'wrapper/length', offset: 6, length: 2, text: 'APDU of 13 bytes' },
      { path: 'get-request-normal/tag', offset: 8, length: 2, text: 'Get-Request-Normal' },
    ]);
    expect(fields.filter((f) => f.path === 'wrapper/version')).toHaveLength(2);
  });
  it('leaves no byte out and never raises', () => {
    fc.assert(
      fc.property(
        fc.array(frame, { maxLength: 3 }),
        fc.uint8Array({ maxLength: 12 }),
        fc.nat(2000),
        (frames, tail, cut) => {
          const whole = Uint8Array.from([...joined(frames), ...tail]);
          const bytes = whole.slice(0, whole.length - (cut % (whole.length + 1)));
          let at = 0;
          for (const field of explainWrapper(bytes)) {
            expect(field.offset).toBe(at);
            at += field.length;
          }
          expect(at).toBe(bytes.length);
        },
      ),
    );
  });
});

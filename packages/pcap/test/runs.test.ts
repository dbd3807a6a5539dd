import { describe, expect, it } from 'vitest';
import { type CollectedStream, isCapture, runsOf } from '../src/index.ts';

const time = (seconds: number) => ({ seconds, nanoseconds: 0 });
const stream = (pieces: CollectedStream['pieces']): CollectedStream => ({
  kind: 'tcp',
  client: 'c',
  server: 's',
  pieces,
});

describe('runs of one side', () => {
  it('joins packets until the other side speaks', () => {
    const runs = runsOf(
      stream([
        { from: 'client', time: time(1), octets: Uint8Array.of(1, 2) },
        { from: 'client', time: time(2), octets: Uint8Array.of(3) },
        { from: 'server', time: time(3), octets: Uint8Array.of(4) },
        { from: 'server', time: time(3), octets: new Uint8Array(0) },
        { from: 'client', time: time(4), octets: Uint8Array.of(5) },
      ]),
    );
    expect(runs).toEqual([
      {
        from: 'client',
        octets: Uint8Array.of(1, 2, 3),
        times: [
          { at: 0, time: time(1) },
          { at: 2, time: time(2) },
        ],
        missing: 0,
      },
      { from: 'server', octets: Uint8Array.of(4), times: [{ at: 0, time: time(3) }], missing: 0 },
      { from: 'client', octets: Uint8Array.of(5), times: [{ at: 0, time: time(4) }], missing: 0 },
    ]);
  });

  it('begins anew behind a hole, and says how large it is', () => {
    const runs = runsOf(
      stream([
        { from: 'client', time: time(1), octets: Uint8Array.of(1) },
        { from: 'client', time: time(2), octets: new Uint8Array(0), missing: 7 },
        { from: 'client', time: time(2), octets: Uint8Array.of(2) },
      ]),
    );
    expect(runs.map((run) => [[...run.octets], run.missing])).toEqual([
      [[1], 0],
      [[2], 7],
    ]);
  });

  it('knows captures by their first bytes', () => {
    expect(isCapture(Uint8Array.of(0xd4, 0xc3, 0xb2, 0xa1, 2, 0))).toBe(true);
    expect(isCapture(Uint8Array.of(0x0a, 0x0d, 0x0d, 0x0a))).toBe(true);
    expect(isCapture(Uint8Array.of(0x7e, 0xa0, 7, 3))).toBe(false);
    expect(isCapture(Uint8Array.of(0xd4, 0xc3))).toBe(false);
  });
});

/** Every octet explained, whatever it is. */
import type { Field } from '@amiable/bytes';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { bytesOf, encodeCommand, encodeReadout, evenParity, explainReadout } from '../src/index.ts';

const texts = (bytes: Uint8Array): string[] => explainReadout(bytes).map(({ path, text }) => `${path}: ${text}`);

function covers(fields: readonly Field[], length: number): void {
  let at = 0;
  for (const field of fields) {
    if (field.length === 0) continue;
    expect(field.offset).toBe(at);
    at += field.length;
  }
  expect(at).toBe(length);
}

describe('explainReadout', () => {
  test('an exchange', () => {
    const bytes = Uint8Array.from([
      ...bytesOf('/?4711!\r\n/LTT5\\297705377\r\n\x06050\r\n'),
      ...encodeReadout(['0.0.0(LTT97705377)', '1.6.0(18014*kW)(10-02-01 00:15)']),
    ]);
    const told = texts(bytes);
    expect(told).toContain('request/address: for the meter with address 4711');
    expect(told).toContain('identification/maker: maker Larsen & Toubro');
    expect(told).toContain('identification/rate: rate character 5: mode C or D, 9600 Bd');
    expect(told).toContain('identification/marks: binary mode (HDLC) is there: mode E');
    expect(told).toContain('select/mode: read-out');
    expect(told).toContain('block/1.6.0/address: 1.6.0: activePowerImportMaximum');
    expect(told).toContain('block/1.6.0/0: 18014 kW');
    expect(told).toContain('block/1.6.0/1: 10-02-01 00:15');
    expect(told.at(-1)).toMatch(/^block\/bcc: block check [0-9A-F]{2}, right$/);
    covers(explainReadout(bytes), bytes.length);
  });

  test('programming mode: commands, errors, a wrong check, parity', () => {
    const command = encodeCommand({ command: 'P', type: '1', data: '(00000000)', more: false });
    expect(texts(command)).toEqual([
      'command/start: SOH: command',
      'command/code: P1: password',
      'command/stx: STX: its data',
      'command//0: 00000000',
      'command/etx: ETX: end of the block',
      'command/bcc: block check 61, right',
    ]);
    expect(texts(bytesOf('\x02(ER07)\x03\x00')).slice(1)).toEqual([
      'block/error: error message ER07: access denied',
      'block/etx: ETX: end of the block',
      expect.stringMatching(/^block\/bcc: block check 00, wrong, the characters give/),
    ]);
    expect(texts(evenParity(command))[0]).toBe('parity: even parity in bit 7, all right');
  });

  test('whatever the bytes, all of them, in order, without an exception', () => {
    const piece = fc.oneof(
      fc.uint8Array({ maxLength: 30 }),
      fc
        .constantFrom(
          '/?!\r\n',
          '/AMI5X',
          '\x06',
          '050',
          '\x02',
          '1.8.0(1*kWh)',
          '(',
          ')',
          '!',
          '\r\n',
          '\x03',
          '\x01R1\x02',
          '\x7f',
        )
        .map(bytesOf),
    );
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 15 }), (pieces) => {
        const bytes = Uint8Array.from(pieces.flatMap((p) => [...p]));
        covers(explainReadout(bytes), bytes.length);
      }),
      { numRuns: 100 },
    );
  });
});

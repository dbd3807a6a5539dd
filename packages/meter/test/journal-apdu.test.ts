import { fromHex, toHex } from '@amiable/bytes';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { apduDetail } from '../src/journal-apdu.ts';

const SECRET = 'deadbeefcafef00ddeadbeefcafef00d';
const shown = (hex: string, ciphered?: string) =>
  apduDetail('sent', fromHex(hex), ciphered === undefined ? undefined : fromHex(ciphered));

describe('an APDU in the log', () => {
  it('shows what is asked and answered', () => {
    expect(shown('c001c100080000010000ff0200')).toMatchObject({
      apdu: 'get-request',
      bytes: 13,
      hex: 'c001c100080000010000ff0200',
    });
    expect(shown('c401c1000600000001')).toEqual({
      direction: 'sent',
      apdu: 'get-response',
      bytes: 9,
      hex: 'c401c1000600000001',
    });
    expect(shown('0502020008020010').hex).toBe('0502020008020010');
    // The clock is set in plain sight.
    expect(shown(`c101c100080000010000ff0200090c${'07ea0b1405132a00ff800000'}`).withheld).toBeUndefined();
  });

  it('masks the password of an AARQ, the challenge of an AARE and the user information', () => {
    const aarq =
      `602c a109060760857405080101 8a020780 8b0760857405080201 ac0a8008 3132333435363738 be04 02020101`.replaceAll(
        ' ',
        '',
      );
    const whole = `60${(aarq.length / 2 - 2).toString(16).padStart(2, '0')}${aarq.slice(4)}`;
    const { hex, apdu, withheld } = shown(whole);
    expect(apdu).toBe('aarq');
    expect(hex).not.toContain('3132333435363738');
    expect(hex).not.toContain('02020101');
    expect(hex).toContain('a109060760857405080101');
    expect(hex).toContain(`ac0a${'··'.repeat(10)}`);
    expect(withheld).toContain('masked');
    expect(shown(`60ff${SECRET}`).hex).not.toContain(SECRET);
  });

  it('leaves out what is written or invoked, in one piece, in lists, in blocks, and by short names', () => {
    for (const apdu of [
      `c301c1004000002b0000ff0201 0101 0202 1600 0910${SECRET}`,
      `c101c1000f0000280000ff0700 0910${SECRET}`,
      `c303c1010040 ${SECRET}`,
      `c104c101000f0000280000ff0700 ${SECRET}`,
      `c102c1000000000110${SECRET}`,
      `c304c10000000001 10${SECRET}`,
      `06010200400110 ${SECRET}`,
      `050104fa0000 0910${SECRET}`,
      `e0c0000100000910${SECRET}`,
      `0110${SECRET}`,
      `c701c1000100 0910${SECRET}`,
    ]) {
      const found = shown(apdu.replaceAll(' ', ''));
      expect(JSON.stringify(found), apdu).not.toContain(SECRET.slice(0, 8));
      expect(found.withheld, apdu).toBeDefined();
    }
  });

  it('shows cipher text as it is, and is bounded', () => {
    expect(shown(`c301c1004000002b0000ff0201010910${SECRET}`, 'cb112233')).toMatchObject({ ciphered: 'cb112233' });
    expect(shown(`cb2030000000010102030405060708`).hex).toBe('cb2030000000010102030405060708');
    expect(shown(`c401c1000a8207d0${'41'.repeat(2000)}`).hex.length).toBeLessThan(1100);
  });

  it('gives nothing away of random bytes that are written, and never fails', () => {
    fc.assert(
      fc.property(
        fc.uint8Array({ maxLength: 80 }),
        fc.constantFrom(0xc1, 0xc3, 0x06, 0x01, 0xe0, 0x60),
        (bytes, tag) => {
          const secret = fromHex(SECRET);
          const { hex } = apduDetail('sent', Uint8Array.of(tag, ...bytes.subarray(0, 1)));
          expect(hex.length).toBeGreaterThan(0);
          const found = apduDetail('received', Uint8Array.of(tag, 2, ...bytes, ...secret));
          if (tag !== 0x60) expect(found.hex).not.toContain(toHex(secret));
        },
      ),
    );
  });
});

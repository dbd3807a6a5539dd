import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fromHex, toHex } from '@amiable/bytes';
import { afterAll, describe, expect, it } from 'vitest';
import { openMeterKeys, titleSerial } from '../src/keys/meter-keys.ts';
import { openVault } from '../src/keys/vault.ts';

const folder = mkdtempSync(join(tmpdir(), 'amiable-vault-'));
afterAll(() => rmSync(folder, { recursive: true }));
const KEY = '00112233445566778899aabbccddeeff';

describe('the vault', () => {
  it('makes a master key once, for its owner alone, and opens with it again', () => {
    const file = join(folder, 'new', 'master-key');
    const sealed = openVault(file).seal(fromHex(KEY), 'meter 1');
    expect(statSync(file).mode & 0o777).toBe(0o600);
    expect(toHex(openVault(file).open(sealed, 'meter 1'))).toBe(KEY);
    expect(toHex(sealed)).not.toContain(KEY);
    expect(readFileSync(file, 'utf8')).not.toContain(KEY);
  });
  it('refuses a changed seal, another owner, another master key, a broken file', () => {
    const file = join(folder, 'a');
    const vault = openVault(file);
    const sealed = vault.seal(fromHex(KEY), 'meter 1');
    const changed = Uint8Array.from(sealed);
    changed[changed.length - 1] = (changed[changed.length - 1] as number) ^ 1;
    expect(() => vault.open(changed, 'meter 1')).toThrow(/cannot be opened/);
    expect(() => vault.open(sealed, 'meter 2')).toThrow(/cannot be opened/);
    expect(() => openVault(join(folder, 'b')).open(sealed, 'meter 1')).toThrow(/master key is another one/);
    expect(() => vault.open(new Uint8Array(3), 'meter 1')).toThrow(/unknown form/);
    writeFileSync(join(folder, 'c'), 'oops');
    expect(() => openVault(join(folder, 'c'))).toThrow(/does not hold a master key/);
  });
});

describe('the ring of keys', () => {
  it('tries the sender’s own key first and survives a restart', async () => {
    const rows: { meter: string; serial: string; ciphertext: Uint8Array }[] = [];
    const store = {
      keys: async () => rows,
      putKey: async (meter: string, ciphertext: Uint8Array) => {
        rows.push({ meter, serial: meter === '1' ? 'A' : titleSerial(fromHex('4b464d6750000009')), ciphertext });
      },
    };
    const vault = openVault(join(folder, 'ring'));
    const keys = await openMeterKeys(store, vault);
    await keys.put('1', 'A', { key: fromHex(KEY) });
    await keys.put('2', titleSerial(fromHex('4b464d6750000009')), {
      key: fromHex('ff'.repeat(16)),
      authKey: fromHex('ee'.repeat(16)),
    });
    for (const ring of [keys, await openMeterKeys(store, vault)]) {
      expect(ring.candidates(fromHex('4b464d6750000009')).map((p) => toHex(p.key))).toEqual(['ff'.repeat(16), KEY]);
      expect(ring.candidates(undefined, 'A').map((p) => toHex(p.key))[0]).toBe(KEY);
      expect(toHex(ring.candidates(fromHex('4b464d6750000009'))[0]?.authKey ?? [])).toBe('ee'.repeat(16));
      expect([ring.has('1'), ring.has('3'), ring.size]).toEqual([true, false, 2]);
    }
  });
});

/**
 * Keys of meters, encrypted at rest (AES-256-GCM) under a key that is not in the database: a file beside it, readable by
 * its owner alone. Nothing here prints, logs or returns a key; only the decoder is handed one.
 */
import { createCipheriv, createDecipheriv, randomBytes } from 'node:crypto';
import { chmodSync, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';

const VERSION = 1;

export interface Vault {
  seal(plain: Uint8Array, owner: string): Uint8Array;
  /** @throws Error when the sealed key was changed, belongs to another owner, or the master key is another one */
  open(sealed: Uint8Array, owner: string): Uint8Array;
}

/** Opens the master key in `file`, making one at the first start. */
export function openVault(file: string): Vault {
  if (!existsSync(file)) {
    mkdirSync(dirname(file), { recursive: true });
    writeFileSync(file, `${randomBytes(32).toString('hex')}\n`, { mode: 0o600, flag: 'wx' });
  }
  chmodSync(file, 0o600);
  const text = readFileSync(file, 'utf8').trim();
  if (!/^[0-9a-f]{64}$/.test(text))
    throw new Error(`${file} does not hold a master key (64 hexadecimal digits); put the right file back`);
  return vaultOf(Buffer.from(text, 'hex'));
}

export function vaultOf(master: Uint8Array): Vault {
  return {
    seal(plain, owner) {
      const nonce = randomBytes(12);
      const cipher = createCipheriv('aes-256-gcm', master, nonce);
      cipher.setAAD(Buffer.from(owner));
      const body = Buffer.concat([cipher.update(plain), cipher.final()]);
      return Buffer.concat([Buffer.of(VERSION), nonce, cipher.getAuthTag(), body]);
    },
    open(sealed, owner) {
      if (sealed.length < 29 || sealed[0] !== VERSION) throw new Error(`sealed key of ${owner}: unknown form`);
      const decipher = createDecipheriv('aes-256-gcm', master, sealed.subarray(1, 13));
      decipher.setAAD(Buffer.from(owner));
      decipher.setAuthTag(sealed.subarray(13, 29));
      try {
        return Buffer.concat([decipher.update(sealed.subarray(29)), decipher.final()]);
      } catch {
        throw new Error(`sealed key of ${owner} cannot be opened: it was changed, or the master key is another one`);
      }
    },
  };
}

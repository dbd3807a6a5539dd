/** The one-time code of the first administrator: told where the program starts, to whoever can see that. */
import { randomBytes } from 'node:crypto';
import type { AccessStore } from '@amiable/store';
import { digest } from './access.ts';

/** Neither 0 nor O, 1, I or L: it may be read off a console. */
const LETTERS = '23456789ABCDEFGHJKMNPQRSTUVWXYZ';
const LENGTH = 16;

/** `K7QX-M2PD-…`: 79 bits. */
export function oneTimeCode(bytes: (n: number) => Uint8Array = randomBytes): string {
  let out = '';
  while (out.length < LENGTH)
    for (const byte of bytes(32)) {
      // Bytes that would make some letters likelier are left out.
      if (byte < 248 && out.length < LENGTH) out += LETTERS[byte % 31];
    }
  return (out.match(/.{4}/g) as string[]).join('-');
}

/** Blanks, hyphens and case do not matter. */
export const codeHash = (code: string): Buffer => digest(`first ${code.toUpperCase().replace(/[^0-9A-Z]/g, '')}`);

/** A new code, which replaces the one of the last start. @returns undefined when there is an administrator */
export async function prepareFirst(access: AccessStore, now: number): Promise<string | undefined> {
  if (await access.hasAdministrator()) return undefined;
  const code = oneTimeCode();
  return (await access.setFirstCode(codeHash(code), now)) ? code : undefined;
}

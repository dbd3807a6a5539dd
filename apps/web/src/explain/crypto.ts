/**
 * What opening pasted APDUs takes of cryptography, in a browser, whose own is asynchronous and missing on plain HTTP.
 *
 * Decides: AES-GCM of package dlms, AES key wrap of key-unwrap.ts. Left out: hashes, signatures and key agreement; none of
 * the keys that they need can be given on the page, so that nothing calls them.
 */
import { MisuseError } from '@amiable/bytes';
import { type Crypto, softwareGcm } from '@amiable/dlms';
import { keyUnwrap } from './key-unwrap.ts';

function absent(): never {
  throw new MisuseError('the page opens what was ciphered and does nothing else with keys');
}

export const browserCrypto: Crypto = {
  ...softwareGcm,
  keyUnwrap,
  equal: (a, b) => a.length === b.length && a.every((byte, i) => byte === b[i]),
  aesEncryptBlock: absent,
  keyWrap: absent,
  md5: absent,
  sha1: absent,
  sha256: absent,
  sha384: absent,
  hmacSha1: absent,
  hmacSha256: absent,
  ecdsaSign: absent,
  ecdsaVerify: absent,
  ecdh: absent,
  generateKeyPair: absent,
  publicKeyOf: absent,
  randomBytes: absent,
};

/**
 * APDUs that come without a link, as some gateways give them: nothing but silence, or the end of the file, says where one
 * ends. Collects what came since, in bounded memory, and cuts it into APDUs.
 */
import { DecodeError } from '@amiable/bytes';
import { APDU, decodeApdu } from '@amiable/dlms';
import type { PushDecoder } from '@amiable/push';
import { isPushTag, joinParts, MAX_APDU } from './assembly.ts';

export class BareCollector {
  #parts: Uint8Array[] = [];
  #bytes = 0;

  /** @returns false when there is no room: what is here must be taken first */
  add(bytes: Uint8Array): boolean {
    if (this.#bytes + bytes.length > MAX_APDU) return false;
    this.#parts.push(bytes.slice());
    this.#bytes += bytes.length;
    return true;
  }

  /** Whether what is here can begin an APDU. */
  get plausible(): boolean {
    return this.#bytes === 0 || isPushTag(this.#parts[0]?.[0]);
  }

  take(): Uint8Array {
    const all = joinParts(this.#parts, this.#bytes);
    this.#parts = [];
    this.#bytes = 0;
    return all;
  }
}

/** Octets of the APDU that `bytes` begins with, 0 when it makes no sense. */
export function lengthOfApdu(bytes: Uint8Array, decoder: PushDecoder, at: number): number {
  try {
    if (bytes[0] === APDU.dataNotification) decoder.decode(bytes, at);
    else decodeApdu(bytes);
    return bytes.length;
  } catch (e) {
    if (!(e instanceof DecodeError)) throw e;
    return e.reason === 'trailing' ? e.offset : 0;
  }
}

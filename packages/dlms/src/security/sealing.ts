/**
 * One layer of AES-GCM protection (IEC 62056-5-3 clause 5.3.7.2.4): SC || IC || text || tag.
 *
 * Decides: the nonce (system title of the originator, invocation counter) and the additional data: SC || AK, then the
 * fields of a general-ciphering APDU with their lengths, then the text where it is not encrypted. Encryption alone has
 * neither additional data nor tag. Leaves out: which key, and whether the counter is fresh (context.ts).
 */
import { MisuseError } from '@amiable/bytes';
import { HEAD_LENGTH, SECURITY, TAG_LENGTH } from './control.ts';
import type { AesGcm } from './crypto.ts';

const EMPTY = new Uint8Array(0);

/** What stays the same for all messages under one authentication key; the additional data are joined once per byte SC. */
export class Sealer {
  readonly #crypto: AesGcm;
  readonly #authentication: Uint8Array;
  readonly #heads: (Uint8Array | undefined)[] = [];
  readonly #nonce = new Uint8Array(12);

  constructor(crypto: AesGcm, authentication: Uint8Array) {
    this.#crypto = crypto;
    this.#authentication = authentication;
  }

  /** Bytes that `plain` takes once sealed. */
  sealedLength(control: number, plain: Uint8Array): number {
    return HEAD_LENGTH + plain.length + ((control & SECURITY.authenticated) !== 0 ? TAG_LENGTH : 0);
  }

  /**
   * Writes SC || IC || text || tag.
   * @param fields the fields of general-ciphering as they stand in the APDU
   * @returns the position after what was written
   */
  seal(
    key: Uint8Array,
    title: Uint8Array,
    counter: number,
    control: number,
    plain: Uint8Array,
    fields: Uint8Array | undefined,
    out: Uint8Array,
    at: number,
  ): number {
    const authenticated = (control & SECURITY.authenticated) !== 0;
    out[at] = control;
    out[at + 1] = counter >>> 24;
    out[at + 2] = counter >>> 16;
    out[at + 3] = counter >>> 8;
    out[at + 4] = counter;
    const text = at + HEAD_LENGTH;
    const end = text + plain.length;
    const nonce = this.#nonceOf(title, counter);
    if ((control & SECURITY.encrypted) !== 0) {
      const aad = authenticated ? this.#additionalData(control, fields, undefined) : EMPTY;
      const sealed = this.#crypto.gcmEncrypt(key, nonce, aad, plain, authenticated ? TAG_LENGTH : 0);
      out.set(sealed.ciphertext, text);
      if (authenticated) out.set(sealed.tag, end);
    } else {
      out.set(plain, text);
      if (authenticated) out.set(this.tag(key, title, counter, control, plain, fields), end);
    }
    return authenticated ? end + TAG_LENGTH : end;
  }

  /** The tag of a text that stays plain (GMAC). */
  tag(
    key: Uint8Array,
    title: Uint8Array,
    counter: number,
    control: number,
    plain: Uint8Array,
    fields?: Uint8Array,
  ): Uint8Array {
    const aad = this.#additionalData(control, fields, plain);
    return this.#crypto.gcmEncrypt(key, this.#nonceOf(title, counter), aad, EMPTY, TAG_LENGTH).tag;
  }

  /**
   * Opens SC || IC || text || tag, which the caller knows to be long enough.
   * @returns undefined when the tag does not fit
   */
  open(
    key: Uint8Array,
    title: Uint8Array,
    content: Uint8Array,
    fields: Uint8Array | undefined,
  ): Uint8Array | undefined {
    const control = content[0] as number;
    const authenticated = (control & SECURITY.authenticated) !== 0;
    const end = content.length - (authenticated ? TAG_LENGTH : 0);
    const text = content.subarray(HEAD_LENGTH, end);
    const tag = authenticated ? content.subarray(end) : undefined;
    const nonce = this.#nonce;
    nonce.set(title);
    nonce.set(content.subarray(1, HEAD_LENGTH), 8);
    if ((control & SECURITY.encrypted) !== 0) {
      const aad = tag ? this.#additionalData(control, fields, undefined) : EMPTY;
      return this.#crypto.gcmDecrypt(key, nonce, aad, text, tag);
    }
    if (!tag) return text;
    const aad = this.#additionalData(control, fields, text);
    return this.#crypto.gcmDecrypt(key, nonce, aad, EMPTY, tag) && text;
  }

  #nonceOf(title: Uint8Array, counter: number): Uint8Array {
    if (title.length !== 8) throw new MisuseError(`a system title has 8 bytes, not ${title.length}`);
    const nonce = this.#nonce;
    nonce.set(title);
    nonce[8] = counter >>> 24;
    nonce[9] = counter >>> 16;
    nonce[10] = counter >>> 8;
    nonce[11] = counter;
    return nonce;
  }

  #additionalData(control: number, fields: Uint8Array | undefined, plain: Uint8Array | undefined): Uint8Array {
    let head = this.#heads[control];
    if (!head) {
      head = new Uint8Array(1 + this.#authentication.length);
      head[0] = control;
      head.set(this.#authentication, 1);
      this.#heads[control] = head;
    }
    if (!fields && !plain) return head;
    const middle = head.length + (fields?.length ?? 0);
    const aad = new Uint8Array(middle + (plain?.length ?? 0));
    aad.set(head);
    if (fields) aad.set(fields, head.length);
    if (plain) aad.set(plain, middle);
    return aad;
  }
}

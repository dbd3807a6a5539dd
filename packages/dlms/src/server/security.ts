/**
 * Security of a server association (IEC 62056-5-3 clause 5.3): the device's keys and policies, turned into contexts.
 *
 * Decides: an answer goes in the form in which its request came (service-specific or general, global or dedicated key),
 * and is protected at least as its request was; all forms share the counters. Leaves out: the ciphering itself
 * (../security/context.ts).
 */

import {
  type CipheringForm,
  createSecurityContext,
  type Protection,
  type SecurityContext,
  type Unprotected,
} from '../security/context.ts';
import { memoryCounter, memoryPeerCounter } from '../security/counters.ts';
import type { ServerSecurity } from './types.ts';

/** Bytes around a plain APDU: tag and length, system title, security control, counter, tag of GCM. */
const SERVICE_SPECIFIC = 4 + 5 + 12;
const GENERAL = SERVICE_SPECIFIC + 9;
/** Transaction id, two titles, date-time, other information, key information with its key. */
const GENERAL_CIPHERING = GENERAL + 160;
/** The envelope of general-signing, and a signature of P-384. */
const SIGNING = 40 + 4 + 99;

/** The form of a protected APDU by its tag, undefined for plain ones. */
export function formOf(tag: number): CipheringForm | undefined {
  if (tag === 0xdb) return 'general-global';
  if (tag === 0xdc) return 'general-dedicated';
  if (tag === 0xdd || tag === 0xdf) return 'general-ciphering';
  if ((tag >= 0xc8 && tag <= 0xcf) || (tag >= 0x21 && tag <= 0x38)) return 'service-specific-global';
  if ((tag >= 0xd0 && tag <= 0xd7) || (tag >= 0x41 && tag <= 0x58)) return 'service-specific-dedicated';
  return undefined;
}

export class AssociationSecurity {
  readonly #server: ServerSecurity;
  readonly #contexts = new Map<CipheringForm, SecurityContext>();
  readonly #dedicatedCounter = memoryCounter();
  readonly #dedicatedPeerCounter = memoryPeerCounter();
  #clientTitle: Uint8Array | undefined;
  #dedicatedKey: Uint8Array | undefined;
  /** How the last protected request came. */
  #form: CipheringForm = 'service-specific-global';

  constructor(server: ServerSecurity, clientTitle: Uint8Array | undefined) {
    this.#server = server;
    // Copied: the AARQ it came in will be overwritten.
    this.#clientTitle = clientTitle?.slice();
  }

  /** The most that protection adds to an APDU in any form that this association answers in. */
  get overhead(): number {
    const { send, require } = this.#server;
    const signed = send.signed || require.signed;
    const general = this.#form === 'general-ciphering' || signed;
    const base = general ? GENERAL_CIPHERING : this.#form.startsWith('general') ? GENERAL : SERVICE_SPECIFIC;
    return signed ? base + SIGNING : base;
  }

  get form(): CipheringForm {
    return this.#form;
  }

  /** Takes the key that the ciphered initiate brought. @returns false when its length does not fit the suite */
  takeDedicatedKey(key: Uint8Array): boolean {
    if (key.length !== (this.#server.suite === 2 ? 32 : 16)) return false;
    this.#dedicatedKey = key.slice();
    this.#contexts.clear();
    return true;
  }

  unprotect(apdu: Uint8Array, plainAllowed = false): Unprotected {
    const form = formOf(apdu[0] as number);
    const result = this.#context(form ?? this.#form).unprotect(apdu, plainAllowed ? { plainAllowed } : undefined);
    if (result.ok && result.wasProtected && form) this.#form = form;
    // Where no AARQ told it, the first envelope that opened says whom we speak with.
    if (result.ok && result.systemTitle && !this.#clientTitle) this.#name(result.systemTitle.slice());
    return result;
  }

  /** Protects an answer to a request that came with `request`, or a notification. */
  protect(plain: Uint8Array, request: Protection): Uint8Array {
    const { send } = this.#server;
    const authenticated = send.authenticated || request.authenticated;
    const encrypted = send.encrypted || request.encrypted;
    const signed = Boolean(send.signed || request.signed);
    if (!authenticated && !encrypted && !signed) return plain;
    return this.#context(this.#form).protect(plain, {
      protection: { authenticated, encrypted, ...(signed && { signed }) },
    });
  }

  #name(title: Uint8Array): void {
    this.#clientTitle = title;
    for (const context of this.#contexts.values()) context.setPeerSystemTitle(title);
  }

  #context(form: CipheringForm): SecurityContext {
    let context = this.#contexts.get(form);
    if (!context) {
      context = createSecurityContext({
        ...this.#server,
        role: 'server',
        form,
        // An InitiateResponse goes back in the form of its request.
        initiate: 'as-others',
        dedicatedCounter: this.#dedicatedCounter,
        dedicatedPeerCounter: this.#dedicatedPeerCounter,
        ...(this.#clientTitle && { peerSystemTitle: this.#clientTitle }),
        ...(this.#dedicatedKey && { dedicatedKey: this.#dedicatedKey }),
      });
      this.#contexts.set(form, context);
    }
    return context;
  }
}

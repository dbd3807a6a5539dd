/**
 * The server's end of an application association (IEC 62056-5-3 clauses 5 to 7): one APDU in, its answer out.
 *
 * Decides: what may be asked in which state; where protection and general blocks are taken off and put on; what becomes of
 * bytes that are no APDU. Synchronous and without I/O; nothing a client sends makes it throw or keep more than its
 * limits. Leaves out: the services (services.ts, names.ts, access.ts), opening and releasing (acse.ts).
 */
import { DecodeError } from '@amiable/bytes';
import { decodeApdu } from '../apdu/codec.ts';
import type { Apdu } from '../apdu/types.ts';
import { unconfirmedBlocks } from '../block-pieces.ts';
import { abortBlocks, createBlockTransfer } from '../general-block.ts';
import { serveAccess } from './access.ts';
import { associate, release, securityException } from './acse.ts';
import { CONF, exception, SERVICE, STATE } from './codes.ts';
import { isReplyToHls } from './hls.ts';
import { failed, READ, serveRead, serveUnconfirmedWrite, serveWrite, unsupported, WRITE } from './names.ts';
import { AssociationSecurity, formOf } from './security.ts';
import { notServed, serveAction, serveGet, serveSet, shortGet } from './services.ts';
import { AssociationState, PLAIN } from './state.ts';
import type { AssociationContext, AssociationStatus, ServerAssociation, ServerAssociationOptions } from './types.ts';

const TAG = {
  readRequest: 0x05,
  writeRequest: 0x06,
  unconfirmedWrite: 0x16,
  dataNotification: 0x0f,
  informationReport: 0x18,
  aarq: 0x60,
  rlrq: 0x62,
  get: 0xc0,
  eventNotification: 0xc2,
  exception: 0xd8,
  serviceError: 0x0e,
  generalBlocks: 0xe0,
} as const;

/** Service-class of Invoke-Id-And-Priority: the client wants an answer. */
const CONFIRMED = 0x40;

/** One client at one logical device. @see ServerAssociation */
export function createServerAssociation<M>(options: ServerAssociationOptions<M>): ServerAssociation<M> {
  return new Association(options);
}

class Association<M> implements ServerAssociation<M> {
  readonly #state: AssociationState<M>;
  readonly #fault: ((error: unknown) => void) | undefined;
  #closed = false;

  constructor(options: ServerAssociationOptions<M>) {
    if (options.fault) this.#fault = options.fault.bind(options);
    this.#state = new AssociationState(options);
    this.#preEstablish();
  }

  get context(): AssociationContext<M> {
    return this.#state;
  }

  get status(): AssociationStatus {
    return this.#state.status;
  }

  get held(): number {
    return this.#state.held;
  }

  #preEstablish(): void {
    const state = this.#state;
    const profile = state.device.profile(state.clientSap);
    if (!profile?.preEstablished) return;
    state.profile = profile;
    state.applicationContext = profile.applicationContexts[0] ?? 1;
    state.conformance = profile.conformance;
    state.maxReceivePduSize = state.maxSendPduSize = profile.maxReceivePduSize ?? 1024;
    if (state.applicationContext >= 3) {
      state.security = profile.security?.(state.meter);
      if (!state.security) return;
      state.guard = new AssociationSecurity(state.security, undefined);
    }
    state.measure();
    state.status = 2;
    state.device.associated?.(state);
  }

  receive(given: Uint8Array): Uint8Array | undefined {
    // The `slice` of a Buffer is a view: what devices keep of a request must be a copy when they take one.
    const apdu =
      given.constructor === Uint8Array ? given : new Uint8Array(given.buffer, given.byteOffset, given.byteLength);
    const state = this.#state;
    if (state.ready.length > 0) state.ready = [];
    const tag = apdu[0];
    if (tag === undefined) return undefined;
    if (this.#closed) {
      this.#closed = false;
      this.#preEstablish();
    }
    try {
      if (tag === TAG.generalBlocks) return this.#generalBlock(apdu);
      // A request of its own begins another exchange: blocks count from 1 again.
      if (state.general?.active) state.general.reset();
      state.inGeneralBlocks = false;
      return this.#take(apdu);
    } catch (error) {
      // Not the client's doing: a device that throws, a key that is missing.
      if (!this.#fault) throw error;
      this.#fault(error);
      return exception(STATE.notAllowed, SERVICE.otherReason);
    }
  }

  /** One whole APDU as it was before any general blocks. */
  #take(apdu: Uint8Array): Uint8Array | undefined {
    const state = this.#state;
    const tag = apdu[0] as number;
    if (tag === TAG.aarq) {
      if (state.profile.preEstablished && state.status !== 0) return associate(probe(state), apdu);
      this.#end();
      return associate(state, apdu);
    }
    if (tag === TAG.rlrq) return release(state, apdu);
    if (state.status === 0) return exception(STATE.notAllowed, SERVICE.operationNotPossible);
    if (apdu.length > state.maxReceivePduSize && state.maxReceivePduSize !== 0 && !state.inGeneralBlocks)
      return this.#tooLong();
    const { guard } = state;
    if (!guard) {
      if (tag === TAG.get && state.status === 2) {
        const answer = shortGet(state, apdu);
        if (answer) return answer.length <= state.room && !state.inGeneralBlocks ? answer : this.#fit(answer);
      }
      if (formOf(tag)) return this.#unknown(tag);
      const answer = this.#serve(apdu);
      return answer && this.#fit(answer);
    }
    const opened = guard.unprotect(apdu);
    if (!opened.ok) return securityException(opened.reason, opened.expectedCounter);
    state.request = state.answer = opened.protection;
    state.measure();
    const answer = this.#serve(opened.plain);
    if (!answer) return undefined;
    return this.#fit(isPlainAnswer(answer) ? answer : guard.protect(answer, state.answer));
  }

  #tooLong(): Uint8Array {
    return exception(STATE.notAllowed, SERVICE.pduTooLong);
  }

  #unknown(tag: number): Uint8Array {
    if (this.#state.shortNames) return unsupported(tag === TAG.writeRequest ? WRITE : READ);
    return exception(STATE.unknown, SERVICE.notSupported);
  }

  /** Serves a plain request. */
  #serve(plain: Uint8Array): Uint8Array | undefined {
    let request: Apdu;
    try {
      if (plain[0] === TAG.get && this.#state.status === 2) {
        const answer = shortGet(this.#state, plain);
        if (answer) return answer;
      }
      request = decodeApdu(plain);
    } catch (error) {
      if (!(error instanceof DecodeError)) throw error;
      return this.#notUnderstood(plain[0], error);
    }
    return this.#state.shortNames ? this.#serveShortNames(request) : this.#serveLogicalNames(request);
  }

  #notUnderstood(tag: number | undefined, error: DecodeError): Uint8Array | undefined {
    if (tag === TAG.unconfirmedWrite) return undefined;
    if (this.#state.shortNames && (tag === TAG.readRequest || tag === TAG.writeRequest)) return failed(tag);
    if (error.reason === 'apdu') return this.#unknown(tag ?? 0);
    return exception(STATE.notAllowed, SERVICE.otherReason);
  }

  #serveLogicalNames(request: Apdu): Uint8Array | undefined {
    const state = this.#state;
    const pending = state.status !== 2;
    switch (request.type) {
      case 'get-request-normal':
      case 'get-request-next':
      case 'get-request-with-list':
        // A get without an answer is senseless: some clients leave the bit out and wait.
        return pending ? notYet() : serveGet(state, request);
      case 'set-request-normal':
      case 'set-request-with-first-datablock':
      case 'set-request-with-datablock':
      case 'set-request-with-list':
      case 'set-request-with-list-and-first-datablock':
        if (pending) return notYet();
        return confirmed(request.invoke, serveSet(state, request));
      case 'action-request-normal':
        if (isReplyToHls(request.method)) return serveAction(state, request);
        return pending ? notYet() : confirmed(request.invoke, serveAction(state, request));
      case 'action-request-next-pblock':
        return pending ? notYet() : serveAction(state, request);
      case 'action-request-with-list':
      case 'action-request-with-first-pblock':
      case 'action-request-with-list-and-first-pblock':
      case 'action-request-with-pblock':
        return pending ? notYet() : confirmed(request.invoke, serveAction(state, request));
      case 'access-request':
        return pending ? notYet() : serveAccess(state, request);
      case 'data-notification-confirm':
        return undefined;
      default:
        return isRequest(request) ? notServed() : exception(STATE.unknown, SERVICE.notSupported);
    }
  }

  #serveShortNames(request: Apdu): Uint8Array | undefined {
    const state = this.#state;
    switch (request.type) {
      case 'read-request':
        return serveRead(state, request);
      case 'write-request':
        return serveWrite(state, request);
      case 'unconfirmed-write-request':
        serveUnconfirmedWrite(state, request);
        return undefined;
      case 'data-notification-confirm':
        return undefined;
      default:
        return unsupported(READ);
    }
  }

  /** An answer as the client can take it: whole, or in general blocks. */
  #fit(answer: Uint8Array): Uint8Array {
    const state = this.#state;
    const fits = state.maxSendPduSize === 0 || answer.length <= state.maxSendPduSize;
    // Without an association nothing says how long an answer may be, and it is short.
    if ((fits && !state.inGeneralBlocks) || state.status === 0) return answer;
    if (!state.may(CONF.generalBlockTransfer)) return this.#tooLong();
    try {
      const [first, ...rest] = this.#blocks().send(answer);
      state.ready.push(...rest);
      return first ?? abortBlocks();
    } catch {
      return this.#tooLong();
    }
  }

  #blocks() {
    const state = this.#state;
    state.general ??= createBlockTransfer({
      role: 'server',
      maxPduSize: state.maxSendPduSize,
      maxBytes: state.limits.request,
    });
    return state.general;
  }

  #generalBlock(apdu: Uint8Array): Uint8Array | undefined {
    const state = this.#state;
    // An AARQ can come in blocks only where the client knows that we take them; nothing says so before.
    if (state.status === 0) return exception(STATE.notAllowed, SERVICE.operationNotPossible);
    if (!state.may(CONF.generalBlockTransfer)) return exception(STATE.notAllowed, SERVICE.notSupported);
    try {
      const block = decodeApdu(apdu);
      if (block.type !== 'general-block-transfer') return exception(STATE.notAllowed, SERVICE.otherReason);
      const step = this.#blocks().receive(block);
      if (step.apdu) {
        if (step.apdu.length === 0 || step.apdu[0] === TAG.generalBlocks) {
          state.general?.reset();
          return abortBlocks();
        }
        state.inGeneralBlocks = true;
        return this.#take(step.apdu);
      }
      const [first, ...rest] = step.send;
      state.ready.push(...rest);
      return first;
    } catch (error) {
      if (!(error instanceof DecodeError)) throw error;
      state.general?.reset();
      return abortBlocks();
    }
  }

  next(): Uint8Array | undefined {
    const state = this.#state;
    const ready = state.ready.shift();
    if (ready) return ready;
    // A notification must not come between the blocks of an answer in general blocks.
    if (state.queue.length === 0 || state.status !== 2) return undefined;
    const plain = state.queue.shift() as Uint8Array;
    const apdu = state.guard ? state.guard.protect(plain, PLAIN) : plain;
    if (state.maxSendPduSize === 0 || apdu.length <= state.maxSendPduSize) return apdu;
    const [first, ...rest] = unconfirmedBlocks(apdu, state.maxSendPduSize);
    state.ready.push(...rest);
    return first;
  }

  notify(apdu: Uint8Array): boolean {
    const state = this.#state;
    const service = notificationService(apdu[0]);
    if (state.status !== 2 || service === 0 || !state.may(service)) return false;
    if (apdu.length > state.room && !state.may(CONF.generalBlockTransfer)) return false;
    if (apdu.length > state.limits.response) return false;
    if (state.queue.length >= state.limits.queue) state.queue.shift();
    state.queue.push(apdu);
    return true;
  }

  closed(): void {
    this.#end();
    // One that needs no AARQ is there again with the next word, not before: there may be none.
    this.#closed = true;
  }

  /** Frees the association, and tells the device. */
  #end(): void {
    const state = this.#state;
    if (state.status === 2) {
      state.status = 0;
      state.device.associated?.(state);
    }
    state.free();
  }
}

/** A state of its own for an AARQ that will be refused: it must not touch the pre-established association. */
function probe<M>(state: AssociationState<M>): AssociationState<M> {
  const { device, meter, clientSap, serverSap, random } = state;
  return new AssociationState({ device, meter, clientSap, serverSap, random });
}

/** While the client's proof is awaited nothing else is served. */
const notYet = (): Uint8Array => exception(STATE.notAllowed, SERVICE.operationNotPossible);

/** Unconfirmed requests are carried out, but not answered. */
const confirmed = (invoke: number, answer: Uint8Array): Uint8Array | undefined =>
  (invoke & CONFIRMED) !== 0 ? answer : undefined;

/** Exceptions are never protected. */
const isPlainAnswer = (answer: Uint8Array): boolean => answer[0] === TAG.exception;

const isRequest = ({ type }: Apdu): boolean =>
  type === 'read-request' || type === 'write-request' || type === 'unconfirmed-write-request';

function notificationService(tag: number | undefined): number {
  if (tag === TAG.dataNotification) return CONF.dataNotification;
  if (tag === TAG.eventNotification) return CONF.eventNotification;
  return tag === TAG.informationReport ? CONF.informationReport : 0;
}

/**
 * The client's half of an application association (IEC 62056-5-3 clauses 4 to 7), sans-I/O: see types.ts for its face.
 *
 * Decides: the states; that one operation is under way at a time; what layers an APDU passes on its way out (protection,
 * general block transfer) and in (the reverse); that what was negotiated is obeyed. An answer out of order, of another
 * type or with another invoke id ends its operation and breaks the association, for nobody knows what comes next; an
 * exception, a confirmed-service-error, or the right answer with contents that cannot be read, ends the operation only. What comes while nothing is asked is let pass.
 */
import { DecodeError, MisuseError, PeerError } from '@amiable/bytes';
import { encodeApdu } from '../apdu/codec.ts';
import { APDU } from '../apdu/tags.ts';
import type {
  AccessSpecification,
  Apdu,
  AttributeDescriptor,
  DataNotification,
  EncodedData,
  MethodDescriptor,
  VariableAccess,
} from '../apdu/types.ts';
import type { ConformanceBit } from '../conformance.ts';
import { AccessOperation, LONG_INVOKE } from './access.ts';
import { buildAarq, buildRlrq, readAare } from './acse.ts';
import { ActionListOperation, ActionOperation } from './action.ts';
import { type Challenges, challengeOf, checkAnswer, replyOperation } from './authenticate.ts';
import { DlmsPeerError, exceptionWords, serviceErrorWords } from './failure.ts';
import { GetListOperation, GetOperation } from './get.ts';
import { Layers } from './layers.ts';
import type { Operation } from './operation.ts';
import { SetListOperation, SetOperation } from './set.ts';
import { ReadOperation, WriteOperation } from './short-names.ts';
import {
  CLIENT_LIMITS,
  type ClientAssociation,
  type ClientAssociationOptions,
  type ClientLimits,
  type ClientState,
  type Indication,
  type Negotiated,
  type OperationName,
  type Step,
} from './types.ts';

const NOTHING: readonly Uint8Array[] = [];
const NO_STEP: Step = { send: NOTHING };
const NO_BYTES = new Uint8Array(0);

/** @throws MisuseError when the options cannot go together */
export function createClientAssociation(options: ClientAssociationOptions): ClientAssociation {
  return new Association(options);
}

class Association implements ClientAssociation {
  state: ClientState = 'idle';
  negotiated: Negotiated | undefined;
  readonly #options: ClientAssociationOptions;
  readonly #limits: ClientLimits;
  readonly #layers: Layers;
  /** While authenticating, pass 3. */
  #operation: Operation | undefined;
  #invokeId = 0;
  #longInvokeId = 0;
  #challenge: Uint8Array | undefined;
  #challenges: Challenges | undefined;
  #indications = 0;
  #dedicatedKeyUsed = false;

  constructor(options: ClientAssociationOptions) {
    this.#options = options;
    this.#limits = { ...CLIENT_LIMITS, ...options.limits };
    this.#layers = new Layers(options, this.#limits);
    const { preEstablished, serverSystemTitle } = options;
    if (serverSystemTitle) options.security?.setPeerSystemTitle(serverSystemTitle);
    if (!preEstablished) return;
    this.state = 'associated';
    const vaaName = options.referencing === 'SN' ? 0xfa00 : 0x0007;
    this.#establish({ ...preEstablished, vaaName, ...(serverSystemTitle && { serverSystemTitle }) });
  }

  get busy(): boolean {
    return this.#operation !== undefined || this.state === 'associating' || this.state === 'releasing';
  }

  get doing(): string {
    return this.#where()?.state ?? '';
  }

  get expecting(): string {
    if (this.state === 'associating') return 'AARE';
    if (this.state === 'releasing') return 'RLRE';
    return this.#operation?.expecting() ?? '';
  }

  #establish(negotiated: Negotiated | undefined): void {
    this.negotiated = negotiated;
    this.#layers.establish(negotiated);
  }

  // ------------------------------------------------------------ starting

  associate(): Step {
    if (this.#options.preEstablished) throw new MisuseError('a pre-established association is not opened');
    if (this.state === 'associated' || this.busy) throw new MisuseError(`an association is ${this.state}`);
    const { security, dedicatedKey } = this.#options;
    // Its counters begin at 0 with each association: a second one would use the same numbers with the same key.
    if (dedicatedKey && this.#dedicatedKeyUsed) throw new MisuseError('a dedicated key serves one association only');
    this.#establish(undefined);
    this.#challenge = challengeOf(this.#options);
    if (security && dedicatedKey) security.setDedicatedKey(dedicatedKey);
    const aarq = buildAarq(this.#options, this.#challenge);
    this.state = 'associating';
    this.#indications = 0;
    return { send: this.#layers.bare(aarq) };
  }

  release(): Step {
    this.#idleAssociated();
    if (this.#options.preEstablished) {
      this.state = 'released';
      return { send: NOTHING, done: { ok: true, operation: 'release' } };
    }
    const rlrq = buildRlrq(this.#options);
    this.state = 'releasing';
    return { send: this.#layers.bare(rlrq) };
  }

  get(attribute: AttributeDescriptor): Step {
    this.#need('get', attribute.access && 'selective-access');
    return this.#start(new GetOperation(attribute, this.#nextInvoke(), this.#limits));
  }

  getList(attributes: readonly AttributeDescriptor[]): Step {
    this.#need('get', 'multiple-references', attributes.some((a) => a.access) && 'selective-access');
    this.#list(attributes);
    return this.#start(new GetListOperation(attributes, this.#nextInvoke(), this.#limits));
  }

  set(attribute: AttributeDescriptor, value: EncodedData): Step {
    this.#need('set', attribute.access && 'selective-access');
    return this.#start(new SetOperation(attribute, value, this.#nextInvoke()));
  }

  setList(attributes: readonly AttributeDescriptor[], values: readonly EncodedData[]): Step {
    this.#need('set', 'multiple-references', attributes.some((a) => a.access) && 'selective-access');
    this.#list(attributes, values);
    return this.#start(new SetListOperation(attributes, values, this.#nextInvoke()));
  }

  action(method: MethodDescriptor, parameters?: EncodedData): Step {
    this.#need('action');
    return this.#start(new ActionOperation(method, parameters, this.#nextInvoke(), this.#limits));
  }

  actionList(methods: readonly MethodDescriptor[], parameters: readonly EncodedData[]): Step {
    this.#need('action', 'multiple-references');
    this.#list(methods, parameters);
    return this.#start(new ActionListOperation(methods, parameters, this.#nextInvoke(), this.#limits));
  }

  access(
    specifications: readonly AccessSpecification[],
    data: readonly EncodedData[],
    options: {
      readonly dateTime?: Uint8Array;
      readonly selfDescriptive?: boolean;
      readonly breakOnError?: boolean;
    } = {},
  ): Step {
    this.#need('access');
    this.#list(specifications, data);
    const { highPriority = true } = this.#options;
    this.#longInvokeId = (this.#longInvokeId + 1) & LONG_INVOKE.id;
    const bits =
      LONG_INVOKE.confirmed +
      (highPriority ? LONG_INVOKE.highPriority : 0) +
      (options.selfDescriptive ? LONG_INVOKE.selfDescriptive : 0) +
      (options.breakOnError ? LONG_INVOKE.breakOnError : 0);
    return this.#start(
      new AccessOperation(specifications, data, bits + this.#longInvokeId, options.dateTime ?? NO_BYTES),
    );
  }

  read(variables: readonly VariableAccess[]): Step {
    this.#needVariables('read', variables);
    return this.#start(new ReadOperation(variables, this.#limits));
  }

  write(variables: readonly VariableAccess[], values: readonly EncodedData[]): Step {
    this.#needVariables('write', variables, values);
    return this.#start(new WriteOperation(variables, values));
  }

  unconfirmedWrite(variables: readonly VariableAccess[], values: readonly EncodedData[]): Step {
    this.#needVariables('unconfirmed-write', variables, values);
    return this.#unconfirmed({ type: 'unconfirmed-write-request', variables, values });
  }

  unconfirmedSet(attribute: AttributeDescriptor, value: EncodedData): Step {
    this.#need('set', attribute.access && 'selective-access');
    return this.#unconfirmed({ type: 'set-request-normal', invoke: this.#nextInvoke() & ~0x40, attribute, value });
  }

  unconfirmedAction(method: MethodDescriptor, parameters?: EncodedData): Step {
    this.#need('action');
    const invoke = this.#nextInvoke() & ~0x40;
    return this.#unconfirmed({ type: 'action-request-normal', invoke, method, ...(parameters && { parameters }) });
  }

  #unconfirmed(apdu: Apdu): Step {
    return { send: this.#layers.pack(apdu), done: { ok: true, operation: 'unconfirmed' } };
  }

  #start(operation: Operation): Step {
    const send = this.#layers.pack(operation.first(this.#layers.room(operation.name)));
    this.#operation = operation;
    this.#indications = 0;
    return { send };
  }

  #idleAssociated(): void {
    if (this.state !== 'associated') throw new MisuseError(`no association: it is ${this.state}`);
    if (this.#operation) throw new MisuseError(`${this.#operation.title()} is still under way`);
  }

  /** The services must have been negotiated; `false` and undefined among them are passed over. */
  #need(...bits: readonly (ConformanceBit | false | undefined)[]): void {
    this.#idleAssociated();
    for (const bit of bits)
      if (bit && !this.#layers.has(bit))
        throw new MisuseError(`the server did not agree to ${bit} in this association`);
  }

  #needVariables(
    service: 'read' | 'write' | 'unconfirmed-write',
    variables: readonly VariableAccess[],
    values: readonly EncodedData[] = [],
  ): void {
    const parameterised = variables.some((v) => v.kind === 'parameterised-access') && 'parameterized-access';
    this.#need(service, variables.length > 1 && 'multiple-references', parameterised);
    this.#list(variables, service === 'read' ? undefined : values);
  }

  #list(items: readonly unknown[], values?: readonly unknown[]): void {
    if (items.length === 0) throw new MisuseError('an empty list');
    if (items.length > this.#limits.maxList)
      throw new MisuseError(`a list of ${items.length}, at most ${this.#limits.maxList} are allowed`);
    if (values && values.length !== items.length)
      throw new MisuseError(`${items.length} targets and ${values.length} values`);
  }

  #nextInvoke(): number {
    this.#invokeId = (this.#invokeId + 1) & 0x0f;
    return (this.#options.highPriority === false ? 0x40 : 0xc0) | this.#invokeId;
  }

  repeat(): readonly Uint8Array[] {
    return this.#layers.repeat();
  }

  // ------------------------------------------------------------ receiving

  receive(bytes: Uint8Array): Step {
    try {
      // Many servers write wrong lengths into their RLRE, and plain, ciphered or any other user-information: nothing
      // depends on it, so that it is one is all that counts.
      if (this.state === 'releasing' && bytes[0] === APDU.rlre) return this.#releasedBy(bytes);
      const unpacked = this.#layers.unpack(bytes, this.#operation !== undefined);
      if (unpacked.kind === 'part') return { send: unpacked.send };
      if (unpacked.kind === 'refused') return this.#wrong(unpacked.text, unpacked.apdu, 'security');
      if (unpacked.kind === 'unreadable') return this.#unreadable(unpacked.plain, unpacked.error);
      return this.#receive(unpacked.apdu, unpacked.plain);
    } catch (error) {
      if (error instanceof DecodeError) return this.#unreadable(bytes, error);
      // A challenge that is worthless, for one.
      if (error instanceof PeerError && !(error instanceof DlmsPeerError))
        return this.#wrong(error.message, bytes, 'security', error);
      return this.fail(error as Error);
    }
  }

  /** Where it is the answer that was due, both ends are still in step: the operation ends, and no more. */
  #unreadable(bytes: Uint8Array, error: DecodeError): Step {
    const what = `what came cannot be read: ${error.message}`;
    if (this.state !== 'associated' || !this.#operation?.owns(bytes)) return this.#wrong(what, bytes, 'answer', error);
    const refusal = { kind: 'answer', state: this.doing, expected: this.expecting, bytes } as const;
    return this.#end(new DlmsPeerError(what, refusal, error));
  }

  #receive(apdu: Apdu, plain: Uint8Array): Step {
    switch (apdu.type) {
      case 'event-notification-request':
      case 'information-report-request':
        return this.#indicate(apdu, NOTHING);
      case 'data-notification':
        return this.#indicate(apdu, this.#confirm(apdu));
    }
    if (!this.busy) return NO_STEP;
    if (apdu.type === 'exception-response')
      return this.#refused(exceptionWords(apdu), 'exception', apdu.serviceError, plain, apdu.invocationCounter);
    if (apdu.type === 'confirmed-service-error')
      return this.#refused(serviceErrorWords(apdu), 'service-error', apdu.error.value, plain);
    if (this.state === 'associating') return this.#takeAare(apdu, plain);
    if (this.state === 'releasing') return this.#wrong(`it is ${apdu.type}`, plain);
    return this.#take(this.#operation as Operation, apdu, plain);
  }

  #releasedBy(bytes: Uint8Array): Step {
    this.#layers.seen(bytes);
    this.state = 'released';
    return { send: NOTHING, done: { ok: true, operation: 'release' } };
  }

  #take(operation: Operation, apdu: Apdu, plain: Uint8Array): Step {
    const turn = operation.take(apdu);
    if ('next' in turn) return { send: this.#layers.pack(turn.next) };
    if ('wrong' in turn) return this.#wrong(turn.wrong, plain);
    if (this.state === 'authenticating') {
      const wrong = checkAnswer(this.#options, this.#challenges as Challenges, turn.done);
      if (wrong) return this.#wrong(wrong, plain, 'security');
      return this.#associated();
    }
    this.#operation = undefined;
    return { send: NOTHING, done: turn.done };
  }

  #takeAare(apdu: Apdu, bytes: Uint8Array): Step {
    if (apdu.type !== 'aare') return this.#wrong(`it is ${apdu.type}`, bytes);
    const { negotiated, serverChallenge } = readAare(apdu, this.#options, bytes);
    this.#establish(negotiated);
    this.#dedicatedKeyUsed = true;
    if (!serverChallenge) return this.#associated();
    const { serverSystemTitle } = negotiated;
    this.#challenges = { client: this.#challenge as Uint8Array, server: serverChallenge, serverSystemTitle };
    const reply = replyOperation(this.#options, this.#challenges, this.#nextInvoke(), this.#limits);
    this.state = 'authenticating';
    return this.#start(reply);
  }

  #associated(): Step {
    this.state = 'associated';
    this.#operation = undefined;
    return { send: NOTHING, done: { ok: true, operation: 'associate', negotiated: this.negotiated as Negotiated } };
  }

  #indicate(indication: Indication, send: readonly Uint8Array[]): Step {
    if (this.busy && ++this.#indications > this.#limits.maxIndications)
      return this.#wrong(`more than ${this.#limits.maxIndications} notifications came instead of an answer`, NO_BYTES);
    return { send, indication };
  }

  #confirm({ invokeId }: DataNotification): readonly Uint8Array[] {
    if (this.state !== 'associated' || (invokeId & LONG_INVOKE.confirmed) === 0) return NOTHING;
    if (!this.#layers.has('data-notification')) return NOTHING;
    const plain = encodeApdu({ type: 'data-notification-confirm', longInvoke: invokeId, dateTime: NO_BYTES });
    return this.#layers.aside(plain);
  }

  // ------------------------------------------------------------ failing

  #where(): { readonly name: OperationName; readonly state: string; readonly expected: string } | undefined {
    const expected = this.expecting;
    switch (this.state) {
      case 'associating':
        return { name: 'associate', state: 'association', expected };
      case 'authenticating':
        return { name: 'associate', state: 'association, pass 3 of the authentication', expected };
      case 'releasing':
        return { name: 'release', state: 'release', expected };
    }
    return this.#operation && { name: this.#operation.name, state: this.#operation.title(), expected };
  }

  /** An answer that cannot be: the operation ends, and the association with it. */
  #wrong(what: string, bytes: Uint8Array, kind: 'answer' | 'security' = 'answer', cause?: Error): Step {
    const where = this.#where();
    if (!where) return NO_STEP;
    const { state, expected } = where;
    return this.fail(new DlmsPeerError(what, { kind, state, expected, bytes }, cause));
  }

  /** The server said no: the operation ends. Without an association we are idle again. */
  #refused(
    what: string,
    kind: 'exception' | 'service-error',
    code: number,
    bytes: Uint8Array,
    expectedCounter?: number,
  ): Step {
    const { state = '', expected = '' } = this.#where() ?? {};
    const counter = expectedCounter === undefined ? {} : { expectedCounter };
    const step = this.#end(new DlmsPeerError(what, { kind, code, state, expected, bytes, ...counter }));
    if (this.state === 'releasing') this.state = 'released';
    else if (this.state !== 'associated') this.state = 'idle';
    return step;
  }

  #end(error: Error): Step {
    const where = this.#where();
    const partial = this.#operation?.partial?.();
    this.#operation = undefined;
    this.#layers.reset();
    if (!where) return NO_STEP;
    return { send: NOTHING, done: { ok: false, operation: where.name, error, ...(partial && { partial }) } };
  }

  fail(error: Error): Step {
    const step = this.#end(error);
    if (this.state !== 'released') this.state = 'broken';
    return step;
  }
}

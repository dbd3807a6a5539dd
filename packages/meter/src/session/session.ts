/**
 * The methods of a session: services of the association as promises, the object list, profiles, and the same calls over
 * short names.
 *
 * Decides: what is done where a server did not agree to a service: lists are read one by one. Leaves out: time and lines
 * (exchange.ts), values (they stay encoded).
 */
import { MisuseError } from '@amiable/bytes';
import {
  type AccessResponse,
  type AccessSpecification,
  type ActionResult,
  type AttributeDescriptor,
  actionWords,
  attributeName,
  type ClientAssociation,
  CONFORMANCE,
  type ConformanceBit,
  type DataResult,
  DlmsPeerError,
  dataAccessWords,
  type EncodedData,
  type Indication,
  type MethodDescriptor,
  methodName,
  type Negotiated,
  type Outcome,
  type Referencing,
  type Step,
  type VariableAccess,
  type VariableResult,
} from '@amiable/dlms';
import type { Exchange } from './exchange.ts';
import { chunksThatFit } from './lists.ts';
import { readCaptureObjects, readObjectList, readShortNameList } from './object-list.ts';
import { partialRows, profileAccess, wholeRows } from './profile.ts';
import { readProfileOf } from './read-profile.ts';
import { methodVariable, ShortNames, variableOf } from './short-names.ts';
import type {
  CaptureObjectDefinition,
  ObjectListEntry,
  ProfileReading,
  ProfileRows,
  ProfileSelection,
  ReadProfileOptions,
  Session,
  SessionOptions,
} from './types.ts';

type Ended<N extends Outcome['operation']> = Extract<Outcome, { ok: true; operation: N }>;

const CURRENT_ASSOCIATION = Uint8Array.of(0, 0, 40, 0, 0, 255);
const OBJECT_LIST_LN: AttributeDescriptor = { classId: 15, instanceId: CURRENT_ASSOCIATION, attributeId: 2 };
/** Association SN at FA00, its attribute 2. */
const OBJECT_LIST_SN = 0xfa08;
const NULL_DATA = Uint8Array.of(0);
const PROFILE_GENERIC = 7;
/** Data-Access-Result. */
const OBJECT_UNDEFINED = 4;

export class SessionOf implements Session {
  readonly referencing: Referencing;
  readonly negotiated: Negotiated;
  readonly #exchange: Exchange;
  readonly #options: SessionOptions;
  #released = false;
  #objects: Promise<readonly ObjectListEntry[]> | undefined;
  #names: Promise<ShortNames> | undefined;

  constructor(exchange: Exchange, negotiated: Negotiated, options: SessionOptions) {
    this.#exchange = exchange;
    this.#options = options;
    this.negotiated = negotiated;
    this.referencing = options.referencing ?? 'LN';
  }

  get describe(): string {
    return this.#exchange.describe;
  }

  get state(): Session['state'] {
    if (this.#released) return 'released';
    return this.#exchange.over ? 'closed' : 'associated';
  }

  has(bit: ConformanceBit): boolean {
    return (this.negotiated.conformance & CONFORMANCE[bit]) !== 0;
  }

  #run<N extends Outcome['operation'], T>(
    start: (association: ClientAssociation) => Step,
    finish: (outcome: Ended<N>) => T,
  ): Promise<T> {
    return this.#exchange.run(start, (outcome) => {
      if (!outcome.ok) throw outcome.error;
      return finish(outcome as Ended<N>);
    });
  }

  async get(attribute: AttributeDescriptor): Promise<EncodedData> {
    return dataOf(await this.#get(attribute), attribute);
  }

  #get(attribute: AttributeDescriptor): Promise<DataResult> {
    if (this.referencing === 'LN')
      return this.#run<'get', DataResult>(
        (a) => a.get(attribute),
        (done) => done.result,
      );
    return this.#withNames(attribute, async (base) => only(await this.read([variableOf(base, attribute)])));
  }

  async getList(attributes: readonly AttributeDescriptor[]): Promise<readonly DataResult[]> {
    const several = this.has('multiple-references');
    if (this.referencing === 'SN') return this.#readList(attributes, several);
    const results: DataResult[] = [];
    const most = this.negotiated.maxPduSize;
    for (const chunk of several ? chunksThatFit(attributes, most, this.#options) : attributes.map((a) => [a])) {
      if (chunk.length === 1) results.push(await this.#get(chunk[0] as AttributeDescriptor));
      else
        results.push(
          ...(await this.#run<'get-list', readonly DataResult[]>(
            (a) => a.getList(chunk),
            (done) => done.results,
          )),
        );
    }
    return results;
  }

  async #readList(attributes: readonly AttributeDescriptor[], several: boolean): Promise<readonly DataResult[]> {
    const names = await this.#shortNames();
    // What is not in the list is answered as a server under logical names would.
    const results: DataResult[] = attributes.map(() => ({ error: OBJECT_UNDEFINED }));
    const there = attributes.flatMap((a, i) => {
      const base = names.find(a);
      return base === undefined ? [] : [{ i, variable: variableOf(base, a) }];
    });
    if (there.length === 0) return results;
    const all = several ? await this.read(there.map(({ variable }) => variable)) : undefined;
    for (const [k, { i, variable }] of there.entries())
      results[i] = all ? (all[k] as DataResult) : only(await this.read([variable]));
    return results;
  }

  async set(attribute: AttributeDescriptor, value: EncodedData): Promise<void> {
    const result = await this.#set(attribute, value);
    if (result !== 0) throw refusedAccess(`SET ${attributeName(attribute)}`, result);
  }

  #set(attribute: AttributeDescriptor, value: EncodedData): Promise<number> {
    if (this.referencing === 'LN')
      return this.#run<'set', number>(
        (a) => a.set(attribute, value),
        (done) => done.result,
      );
    return this.#withNames(attribute, async (base) => {
      const result = only(await this.write([variableOf(base, attribute)], [value]));
      return 'error' in result ? result.error : 0;
    });
  }

  async setList(
    attributes: readonly AttributeDescriptor[],
    values: readonly EncodedData[],
  ): Promise<readonly number[]> {
    if (this.referencing === 'LN' && this.has('multiple-references') && attributes.length > 1)
      return this.#run<'set-list', readonly number[]>(
        (a) => a.setList(attributes, values),
        (done) => done.results,
      );
    if (attributes.length !== values.length)
      throw new MisuseError(`${attributes.length} targets and ${values.length} values`);
    const results: number[] = [];
    for (const [i, attribute] of attributes.entries())
      results.push(await this.#set(attribute, values[i] as EncodedData));
    return results;
  }

  async action(method: MethodDescriptor, parameters?: EncodedData): Promise<EncodedData | undefined> {
    const { result, returned } = await this.#action(method, parameters);
    const state = `ACTION ${methodName(method)}`;
    if (result !== 0) throw new DlmsPeerError(actionWords(result), refusal('action', result, state, 'success'));
    if (returned && 'error' in returned) throw refusedAccess(state, returned.error);
    return returned?.data;
  }

  #action(method: MethodDescriptor, parameters?: EncodedData): Promise<ActionResult> {
    if (this.referencing === 'LN')
      return this.#run<'action', ActionResult>(
        (a) => a.action(method, parameters),
        (done) => done.result,
      );
    return this.#invokeByName(method, parameters);
  }

  /** Reading the name of a method invokes it; without parameterised access, writing its parameter does. */
  async #invokeByName(method: MethodDescriptor, parameters?: EncodedData): Promise<ActionResult> {
    const entry = (await this.#shortNames()).entryOf(method);
    const variable = methodVariable(entry, method);
    if (parameters && !this.has('parameterized-access')) {
      const result = only(await this.write([variable], [parameters]));
      return { result: 'error' in result ? result.error : 0 };
    }
    const { name } = variable;
    const result = only(
      await this.read([parameters ? { kind: 'parameterised-access', name, selector: 1, parameters } : variable]),
    );
    if ('error' in result) return { result: result.error };
    // Null-data is how a method says that it returns nothing.
    return result.data[0] === 0 ? { result: 0 } : { result: 0, returned: result };
  }

  async actionList(
    methods: readonly MethodDescriptor[],
    parameters: readonly EncodedData[],
  ): Promise<readonly ActionResult[]> {
    if (this.referencing === 'LN' && this.has('multiple-references') && methods.length > 1)
      return this.#run<'action-list', readonly ActionResult[]>(
        (a) => a.actionList(methods, parameters),
        (done) => done.results,
      );
    if (methods.length !== parameters.length)
      throw new MisuseError(`${methods.length} targets and ${parameters.length} values`);
    const results: ActionResult[] = [];
    for (const [i, method] of methods.entries()) results.push(await this.#action(method, parameters[i]));
    return results;
  }

  access(
    specifications: readonly AccessSpecification[],
    data: readonly EncodedData[] = specifications.map(() => NULL_DATA),
    options?: Parameters<ClientAssociation['access']>[2],
  ): Promise<AccessResponse> {
    return this.#run<'access', AccessResponse>(
      (a) => a.access(specifications, data, options),
      (done) => done.response,
    );
  }

  read(variables: readonly VariableAccess[]): Promise<readonly DataResult[]> {
    return this.#run<'read', readonly DataResult[]>(
      (a) => a.read(variables),
      (done) => done.results,
    );
  }

  write(variables: readonly VariableAccess[], values: readonly EncodedData[]): Promise<readonly VariableResult[]> {
    return this.#run<'write', readonly VariableResult[]>(
      (a) => a.write(variables, values),
      (done) => done.results,
    );
  }

  unconfirmedWrite(variables: readonly VariableAccess[], values: readonly EncodedData[]): Promise<void> {
    return this.#run<'unconfirmed', void>(
      (a) => a.unconfirmedWrite(variables, values),
      () => {},
    );
  }

  unconfirmedSet(attribute: AttributeDescriptor, value: EncodedData): Promise<void> {
    return this.#run<'unconfirmed', void>(
      (a) => a.unconfirmedSet(attribute, value),
      () => {},
    );
  }

  unconfirmedAction(method: MethodDescriptor, parameters?: EncodedData): Promise<void> {
    return this.#run<'unconfirmed', void>(
      (a) => a.unconfirmedAction(method, parameters),
      () => {},
    );
  }

  objects(): Promise<readonly ObjectListEntry[]> {
    if (!this.#objects) {
      this.#objects = this.referencing === 'LN' ? this.#objectList() : this.#shortNameList();
      // A list that could not be read is asked for again.
      this.#objects.catch(() => {
        this.#objects = undefined;
      });
    }
    return this.#objects;
  }

  async #objectList(): Promise<readonly ObjectListEntry[]> {
    const whole = await this.#get(OBJECT_LIST_LN);
    if ('data' in whole) return readObjectList(whole.data);
    if (!this.has('selective-access')) throw refusedAccess('GET of the object list', whole.error);
    // A server that cannot give it with all rights may give it without them.
    const short = await this.#get({ ...OBJECT_LIST_LN, access: { selector: 1, parameters: NULL_DATA } });
    if ('data' in short) return readObjectList(short.data);
    throw refusedAccess('GET of the object list', whole.error);
  }

  async #shortNameList(): Promise<readonly ObjectListEntry[]> {
    const result = only(await this.read([{ kind: 'variable-name', name: OBJECT_LIST_SN }]));
    if ('error' in result) throw refusedAccess('Read of the object list, FA08', result.error);
    return readShortNameList(result.data);
  }

  #shortNames(): Promise<ShortNames> {
    if (!this.#names) {
      this.#names = this.objects().then((entries) => new ShortNames(entries));
      this.#names.catch(() => {
        this.#names = undefined;
      });
    }
    return this.#names;
  }

  async #withNames<T>(target: AttributeDescriptor, use: (base: number) => Promise<T>): Promise<T> {
    return use((await this.#shortNames()).baseOf(target));
  }

  async captureObjects(profile: Uint8Array): Promise<readonly CaptureObjectDefinition[]> {
    return readCaptureObjects(await this.get({ classId: PROFILE_GENERIC, instanceId: profile, attributeId: 3 }));
  }

  getProfile(profile: Uint8Array, selection: ProfileSelection = { kind: 'all' }): Promise<ProfileRows> {
    return this.#buffer(profile, selection, wholeRows);
  }

  getBuffer(profile: Uint8Array, selection: ProfileSelection = { kind: 'all' }): Promise<Omit<ProfileRows, 'rows'>> {
    return this.#buffer(profile, selection, asItCame);
  }

  async #buffer<T>(
    profile: Uint8Array,
    selection: ProfileSelection,
    whole: (buffer: EncodedData) => T,
  ): Promise<T | ProfileRows> {
    const access = profileAccess(selection);
    const attribute = { classId: PROFILE_GENERIC, instanceId: profile, attributeId: 2, ...(access && { access }) };
    const variable =
      this.referencing === 'SN' ? variableOf((await this.#shortNames()).baseOf(attribute), attribute) : undefined;
    return this.#exchange.run(
      (a) => (variable ? a.read([variable]) : a.get(attribute)),
      (outcome) => {
        if (!outcome.ok) {
          if (outcome.partial || this.#exchange.over) return partialRows(outcome.partial, outcome.error);
          throw outcome.error;
        }
        const result = outcome.operation === 'read' ? only(outcome.results) : (outcome as Ended<'get'>).result;
        return whole(dataOf(result, attribute));
      },
    );
  }

  readProfile(
    profile: Uint8Array,
    selection: ProfileSelection = { kind: 'all' },
    options: ReadProfileOptions = {},
  ): Promise<ProfileReading> {
    return readProfileOf(this, profile, selection, options);
  }

  onNotification(listener: (indication: Indication) => void): () => void {
    return this.#exchange.listen(listener);
  }

  async release(): Promise<void> {
    if (this.state === 'associated') {
      this.#exchange.leaving = true;
      const { release } = { release: 3000, ...this.#options.timeouts };
      // Refused or not answered: the line is closed all the same, and with it the association is gone.
      await this.#exchange
        .run(
          (a) => a.release(),
          () => {},
          release,
        )
        .catch(() => {});
    }
    this.#released = true;
    await this.#exchange.close('the session was released');
  }

  close(): Promise<void> {
    return this.#exchange.close('the session was closed by its user');
  }
}

const asItCame = (buffer: EncodedData) => ({ buffer, complete: true });

function only<T>(results: readonly T[]): T {
  return results[0] as T;
}

function refusal(kind: 'data-access' | 'action', code: number, state: string, expected: string) {
  return { kind, code, state, expected, bytes: Uint8Array.of(code) } as const;
}

function refusedAccess(state: string, code: number): DlmsPeerError {
  return new DlmsPeerError(dataAccessWords(code), refusal('data-access', code, state, 'success'));
}

function dataOf(result: DataResult, attribute: AttributeDescriptor): EncodedData {
  if ('data' in result) return result.data;
  throw refusedAccess(`GET ${attributeName(attribute)}`, result.error);
}

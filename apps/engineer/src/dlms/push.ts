/**
 * `amiable dlms push`: receives what meters send unasked (DataNotification, EventNotification, InformationReport) over
 * TCP, UDP, HDLC or a serial line, and prints it.
 *
 * Decides: what is ciphered is opened with the given keys, each system title with counters of its own; with keys, what
 * comes plain is refused, unless --policy none; who asks for a confirmation gets it. The body of a notification names
 * no objects: --objects names them, or the body does (a push_object_list in front, logical names before values); everything else
 * is printed as it stands. Lists of makers are
 * what `amiable read` knows.
 */
import { DecodeError, MisuseError, toHex } from '@amiable/bytes';
import {
  dateTimeText,
  encodedData,
  type JsonValue,
  jsonValue,
  obisFromBytes,
  obisToBytes,
  plainValue,
  printPlain,
} from '@amiable/cosem';
import {
  type Apdu,
  createBlockJoiner,
  createSecurityContext,
  createWrapperReceiver,
  type Data,
  type DataNotification,
  decodeApdu,
  decodeWrapperDatagram,
  encodeApdu,
  encodeWrapper,
  LONG_INVOKE,
  memoryPeerCounter,
  NO_PROTECTION,
  type SecurityContext,
} from '@amiable/dlms';
import { createHdlcReceiver } from '@amiable/hdlc';
import { listenTcp, listenUdp, nodeCrypto, serialLink } from '@amiable/io';
import { harmless, type Terminal, table } from '@amiable/io/terminal';
import { bareObject, type CatalogObject, nameOf } from './catalog.ts';
import { defaultStateFile, fingerprintOf, openCounter, type StoredCounter } from './counters.ts';
import { type Given, numberOption, type SecuritySettings, type Settings, settingsOf } from './settings.ts';
import { attributeFor, classNumber, likelyClass, parseReference, printTarget } from './target.ts';
import { createTrace } from './trace.ts';
import { UsageError } from './usage.ts';
import { jsonRead, printRead } from './values.ts';

/** A whole APDU, from whom, and how an answer goes back; absent where none can. */
type Take = (apdu: Uint8Array, from: string, reply?: (apdu: Uint8Array) => void) => void;

const MAX_TITLES = 10_000;
const MAX_SEGMENTS = 1 << 20;

export async function runPush(terminal: Terminal, given: Given): Promise<void> {
  const text = given.listen === undefined ? ':4059' : String(given.listen);
  const settings = await settingsOf(
    text === 'tcp' || text === 'udp' ? `${text}://:4059` : text === 'hdlc' ? 'hdlc+tcp://:4059' : text,
    given,
  );
  const most = numberOption('--count', given.count, 1, 1_000_000_000);
  let came = 0;
  let finish = () => {};
  const ended = new Promise<void>((resolve) => {
    finish = resolve;
  });
  terminal.signal.addEventListener('abort', finish, { once: true });
  const receiver = new PushReceiver(terminal, settings, given, () => {
    came++;
    if (most !== undefined && came >= most) finish();
  });
  let close: () => Promise<void>;
  try {
    close = await listen(settings, terminal, receiver.take);
    if (!terminal.signal.aborted) await ended;
    await receiver.settled();
    await close();
  } finally {
    terminal.signal.removeEventListener('abort', finish);
  }
}

async function listen(settings: Settings, terminal: Terminal, take: Take): Promise<() => Promise<void>> {
  const { address, transport } = settings;
  if (address.kind === 'serial') {
    const link = serialLink({ path: address.path, baud: settings.baud ?? 9600, parity: settings.parity ?? 'N' });
    const data =
      transport === 'hdlc'
        ? hdlcSink((apdu) => take(apdu, address.path))
        : wrapperSink(
            take,
            address.path,
            (bytes) => void link.write(bytes).catch(() => {}),
            () => {},
            terminal,
          );
    await link.open({ data, closed: (error) => error && terminal.err(`amiable: ${error.message}\n`) });
    terminal.err(`amiable: listening on ${link.describe}.\n`);
    return () => link.close();
  }
  if (address.kind === 'udp') {
    const listener = await listenUdp(address, (bytes, peer, reply) => {
      try {
        const { source, destination, apdu } = decodeWrapperDatagram(bytes);
        take(apdu.slice(), `udp ${peer}`, (answer) => reply(encodeWrapper(destination, source, answer)));
      } catch (error) {
        if (!(error instanceof DecodeError)) throw error;
        terminal.err(`amiable: udp ${peer}: a datagram that is no APDU in a wrapper: ${error.message}\n`);
      }
    });
    terminal.err(`amiable: listening on udp ${address.host}:${listener.port}.\n`);
    return () => listener.close();
  }
  const listener = await listenTcp(address, (connection) => {
    const data =
      transport === 'hdlc'
        ? hdlcSink((apdu) => take(apdu, connection.describe))
        : wrapperSink(
            take,
            connection.describe,
            (bytes) => connection.write(bytes),
            () => connection.close(),
            terminal,
          );
    return { data, closed() {} };
  });
  terminal.err(`amiable: listening on ${address.host}:${listener.port}${transport === 'hdlc' ? ', HDLC' : ''}.\n`);
  return () => listener.close();
}

function wrapperSink(
  take: Take,
  from: string,
  write: (bytes: Uint8Array) => void,
  close: () => void,
  terminal: Terminal,
): (bytes: Uint8Array) => void {
  const receiver = createWrapperReceiver(
    {},
    {
      frame: (source, destination, apdu) =>
        take(apdu.slice(), from, (answer) => write(encodeWrapper(destination, source, answer))),
      failed(error) {
        terminal.err(`amiable: ${from}: ${error.message}; the connection is closed.\n`);
        close();
      },
    },
  );
  return (bytes) => receiver.push(bytes);
}

/** Information of UI and I frames, segments joined, LLC octets taken off. */
function hdlcSink(apdu: (bytes: Uint8Array) => void): (bytes: Uint8Array) => void {
  let parts: Uint8Array[] = [];
  let size = 0;
  const scanner = createHdlcReceiver({
    frame(frame) {
      if (frame.info.length === 0) return;
      parts.push(frame.info.slice());
      size += frame.info.length;
      if (size > MAX_SEGMENTS) parts = [];
      else if (frame.segmented) return;
      const whole = new Uint8Array(Buffer.concat(parts));
      parts = [];
      size = 0;
      const llc = whole[0] === 0xe6 && (whole[1] === 0xe6 || whole[1] === 0xe7) && whole[2] === 0 ? 3 : 0;
      if (whole.length > llc) apdu(whole.subarray(llc));
    },
    drop() {},
  });
  return (bytes) => scanner.push(bytes);
}

class PushReceiver {
  readonly #terminal: Terminal;
  readonly #settings: Settings;
  readonly #given: Given;
  /** Held while a confirmation is made, so that other commands may use the same key meanwhile. */
  #counter: StoredCounter | undefined;
  #confirming: Promise<void> = Promise.resolve();
  readonly #came: () => void;
  readonly #objects: readonly Named[] | undefined;
  readonly #contexts = new Map<string, SecurityContext>();
  readonly #blocks = new Map<string, ReturnType<typeof createBlockJoiner>>();
  readonly #trace: ReturnType<typeof createTrace> | undefined;

  constructor(terminal: Terminal, settings: Settings, given: Given, came: () => void) {
    this.#terminal = terminal;
    this.#settings = settings;
    this.#given = given;
    this.#came = came;
    this.#objects = objectsOption(given.objects);
    this.#trace = settings.trace && createTrace(settings.trace, settings.security, (text) => terminal.err(text));
  }

  readonly take: Take = (bytes, from, reply) => {
    try {
      this.#take(bytes, from, reply);
    } catch (error) {
      if (!(error instanceof DecodeError)) throw error;
      this.#terminal.err(`amiable: ${from}: cannot be read: ${error.message}: ${toHex(bytes.subarray(0, 64))}\n`);
    }
  };

  #take(bytes: Uint8Array, from: string, reply?: (apdu: Uint8Array) => void): void {
    const now = this.#terminal.clock.now();
    this.#trace?.({ direction: 'in', time: now, apdu: bytes });
    let wire = bytes;
    const outer = decodeApdu(bytes);
    if (outer.type === 'general-block-transfer') {
      if (this.#blocks.size > MAX_TITLES) this.#blocks.clear();
      const joiner = this.#blocks.get(from) ?? createBlockJoiner();
      this.#blocks.set(from, joiner);
      const whole = joiner.push(outer);
      if (!whole) return;
      wire = whole;
    }
    const opened = this.#open(wire, from);
    if (!opened) return;
    const apdu = decodeApdu(opened.plain);
    this.#print(apdu, from, opened.title);
    if (apdu.type === 'data-notification' && (apdu.invokeId & LONG_INVOKE.confirmed) !== 0 && reply) {
      const confirm = encodeApdu({
        type: 'data-notification-confirm',
        longInvoke: apdu.invokeId,
        dateTime: new Uint8Array(0),
      });
      const { context } = opened;
      this.#confirming = this.#confirming.then(() => this.#confirm(confirm, context, from, reply));
    }
  }

  /** Confirmations of ciphered notifications use up our numbers too. */
  async #confirm(
    confirm: Uint8Array,
    context: SecurityContext | undefined,
    from: string,
    reply: (apdu: Uint8Array) => void,
  ): Promise<void> {
    const { security, state } = this.#settings;
    let answer = confirm;
    if (context && security?.protection) {
      const fingerprint = fingerprintOf(security.title, security.keys.unicast);
      try {
        const counter = await openCounter(state ?? defaultStateFile(fingerprint), fingerprint, this.#terminal.clock);
        this.#counter = counter;
        try {
          answer = context.protect(confirm);
        } finally {
          this.#counter = undefined;
          counter.release();
        }
      } catch (error) {
        this.#terminal.err(`amiable: ${from}: not confirmed: ${(error as Error).message}\n`);
        return;
      }
    }
    this.#trace?.({ direction: 'out', time: this.#terminal.clock.now(), apdu: answer, plain: confirm });
    reply(answer);
  }

  /** Resolves when every confirmation is on its way. */
  settled(): Promise<void> {
    return this.#confirming;
  }

  /** The plain APDU; nothing, and told, when it cannot be had. */
  #open(
    bytes: Uint8Array,
    from: string,
  ): { plain: Uint8Array; title?: Uint8Array; context?: SecurityContext } | undefined {
    const { security } = this.#settings;
    const envelope = decodeApdu(bytes);
    const title =
      'systemTitle' in envelope && envelope.systemTitle.length === 8
        ? envelope.systemTitle
        : 'originator' in envelope && envelope.originator.length === 8
          ? envelope.originator
          : security?.meterTitle;
    const ciphered = envelope.type === 'ciphered' || envelope.type.startsWith('general-');
    if (!ciphered) {
      if (!security?.protection) return { plain: bytes };
      this.#terminal.err(
        `amiable: ${from}: a message that is not ciphered is refused, since keys are given; --policy none takes it.\n`,
      );
      return undefined;
    }
    if (!security) {
      this.#terminal.err(
        `amiable: ${from}: a ciphered message${title ? ` of the meter ${toHex(title).toUpperCase()}` : ''}. Give --key and --auth-key.\n`,
      );
      return undefined;
    }
    const context = this.#contextOf(security, title);
    const opened = context.unprotect(bytes);
    if (opened.ok) return { plain: opened.plain, context, ...(title && { title }) };
    this.#terminal.err(`amiable: ${from}: a ciphered message is refused: ${opened.text}.\n`);
    return undefined;
  }

  #contextOf(security: SecuritySettings, title: Uint8Array | undefined): SecurityContext {
    const key = title ? toHex(title) : '';
    const known = this.#contexts.get(key);
    if (known) return known;
    if (this.#contexts.size > MAX_TITLES) this.#contexts.clear();
    const { suite, keys, protection = NO_PROTECTION, form } = security;
    const context = createSecurityContext({
      suite,

      role: 'client',
      ownSystemTitle: security.title,
      ...(title && { peerSystemTitle: title }),
      keys,
      send: protection,
      require: protection,
      form: form ?? 'general-global',
      counter: { next: () => this.#nextNumber() },
      peerCounter: memoryPeerCounter(),
      ...(security.gurux && { dialect: 'gurux' as const }),
      crypto: nodeCrypto,
    });
    this.#contexts.set(key, context);
    return context;
  }

  #nextNumber(): number {
    if (!this.#counter) throw new MisuseError('no invocation counter is held');
    return this.#counter.next();
  }

  #print(apdu: Apdu, from: string, title: Uint8Array | undefined): void {
    const { terminal, given } = { terminal: this.#terminal, given: this.#given };
    const received = new Date(terminal.clock.now()).toISOString();
    const sender = { from, ...(title && { title: toHex(title).toUpperCase() }) };
    const head = `${received}  ${from}${title ? `  ${toHex(title).toUpperCase()}` : ''}`;
    if (apdu.type === 'data-notification') {
      this.#came();
      const when = apdu.dateTime ? dateTimeText(apdu.dateTime) : undefined;
      const items = itemsOf(apdu.body, this.#objects);
      if (given.json)
        terminal.out(
          `${JSON.stringify({ received, ...sender, type: apdu.type, invokeId: apdu.invokeId & LONG_INVOKE.id, ...(when && { time: when }), values: items.map(jsonItem) })}\n`,
        );
      else terminal.out(`${head}  notification${when ? ` of ${when}` : ''}\n${table(items.map(itemRow))}`);
    } else if (apdu.type === 'event-notification-request') {
      this.#came();
      const object = bareObject(apdu.attribute.classId, apdu.attribute.instanceId);
      const value = { object, attribute: apdu.attribute.attributeId, result: { data: apdu.value } };
      if (given.json)
        terminal.out(
          `${JSON.stringify({ received, ...sender, type: apdu.type, ...jsonRead(value, given.raw === true) })}\n`,
        );
      else
        terminal.out(
          `${head}  event\n  ${printTarget(object, apdu.attribute.attributeId)}  ${nameOf(object)}  ${printRead(value)}\n`,
        );
    } else if (apdu.type === 'information-report-request') {
      this.#came();
      const values = apdu.values.map((value, i) => {
        const variable = apdu.variables[i];
        return {
          name: variable && 'name' in variable ? variable.name.toString(16).toUpperCase().padStart(4, '0') : '',
          value: plainValue(value),
        };
      });
      if (given.json)
        terminal.out(
          `${JSON.stringify({ received, ...sender, type: apdu.type, values: values.map(({ name, value }) => ({ name, value: jsonValue(value) })) })}\n`,
        );
      else
        terminal.out(
          `${head}  report\n${values.map(({ name, value }) => `  ${name}  ${harmless(printPlain(value))}\n`).join('')}`,
        );
    } else terminal.err(`amiable: ${from}: ${apdu.type} is nothing that is pushed.\n`);
  }
}

/** An attribute that an element of a body is the value of. */
export interface Named {
  readonly object: CatalogObject;
  readonly attribute: number;
}

export interface Item {
  readonly named?: Named;
  readonly data: Data;
}

/** `8:0-0:1.0.0:2,1-0:1.8.0`: what the elements of a body are, in order. @throws UsageError */
export function objectsOption(value: unknown): readonly Named[] | undefined {
  if (value === undefined) return undefined;
  return String(value)
    .split(',')
    .map((word) => {
      const { obis, classWord, member } = parseReference(word);
      if (!obis) throw new UsageError(`--objects ${word}: write logical names, as in 8:0-0:1.0.0:2,1-0:1.8.0.`);
      const classId = classWord === undefined ? likelyClass(obis) : classNumber(classWord);
      const object = bareObject(classId, obisToBytes(obis));
      return { object, attribute: attributeFor(object, member) };
    });
}

/** The push_object_list, where a body begins with its own description (Push setup, class 40). */
function described(elements: readonly Data[]): Named[] | undefined {
  const [list] = elements;
  if (list?.type !== 'array' || list.value.length !== elements.length) return undefined;
  const names: Named[] = [];
  for (const entry of list.value) {
    const [classId, name, attribute] = entry.type === 'structure' ? entry.value : [];
    if (classId?.type !== 'long-unsigned' || name?.type !== 'octet-string' || attribute?.type !== 'integer')
      return undefined;
    if (name.value.length !== 6) return undefined;
    names.push({ object: bareObject(classId.value, name.value), attribute: attribute.value });
  }
  return names;
}

/** Elements of the body: named as was told, as the body itself says, or by a logical name that stands before its value. */
export function itemsOf(body: DataNotification['body'], told?: readonly Named[]): Item[] {
  const elements: readonly Data[] = body.type === 'structure' || body.type === 'array' ? body.value : [body];
  const names = told ?? described(elements);
  if (names) return elements.map((data, i) => ({ data, ...(names[i] && { named: names[i] }) }));
  const items: Item[] = [];
  for (let i = 0; i < elements.length; i++) {
    const data = elements[i] as Data;
    const next = elements[i + 1];
    if (data.type === 'octet-string' && data.value.length === 6 && next && data.value[5] === 0xff) {
      const object = bareObject(likelyClass(obisFromBytes(data.value)), data.value);
      items.push({ named: { object, attribute: 2 }, data: next });
      i++;
    } else items.push({ data });
  }
  return items;
}

const readOf = ({ named, data }: Item) => named && { ...named, result: { data: encodedData(data) } };

function itemRow(item: Item, i: number): string[] {
  const value = readOf(item);
  if (!value) return [`  ${i + 1}`, '', harmless(printPlain(plainValue(item.data)))];
  return [`  ${printTarget(value.object, value.attribute)}`, nameOf(value.object), printRead(value)];
}

function jsonItem(item: Item): JsonValue {
  const value = readOf(item);
  return value ? jsonRead(value, false) : { value: jsonValue(plainValue(item.data)) };
}

/**
 * APDUs over HDLC in connection mode (IEC 62056-46): SNRM before the first, DISC after the last, LLC octets round each.
 *
 * Decides: how a server is addressed from its logical and physical address, and who wakes the link. Retransmission,
 * windows and segments are the link's own (package hdlc). UI frames from the server are handed on like answers: they are
 * notifications.
 */
import { LinkError } from '@amiable/bytes';
import { createHdlcClient, type HdlcAddress, type HdlcClient, type HdlcLimits, MAX_INFO } from '@amiable/hdlc';
import { type Alarm, createAlarm } from './alarm.ts';
import { TransportLink } from './transport-link.ts';
import type { ApduTransport, ApduTransportEvents, SessionClock, SessionLink } from './types.ts';

export interface HdlcTransportOptions {
  /** 16 (public) unless said. */
  readonly client?: number;
  /** Logical device: the upper address; 1 unless said. */
  readonly server?: number;
  /** Physical device: the lower address; none unless said. */
  readonly physical?: number;
  /** Octets of the server's address; the shortest that fits unless said. */
  readonly addressLength?: 1 | 2 | 4;
  /** Offered in SNRM; 2030 octets and window 7 unless said. The server's own limits are obeyed whatever is offered. */
  readonly limits?: HdlcLimits;
  /** False: SNRM without an information field, for meters that answer only so. */
  readonly negotiate?: boolean;
  /** Time for an answer to a poll, and attempts; 5000 ms and 3 unless said. */
  readonly responseTimeout?: number;
  readonly retries?: number;
  /** For the end of the link, ms; 3000 unless said. */
  readonly disconnectTimeout?: number;
  /** Polls an idle link this often, so that the meter does not take it for dead, ms; never unless said. */
  readonly keepAlive?: number;
}

/** One octet where both fit into seven bits and no physical address is given, two, or four. */
export function hdlcServerAddress(server: number, physical?: number, length?: 1 | 2 | 4): HdlcAddress {
  const lower = physical ?? 0;
  const shortest = physical === undefined && server < 0x80 ? 1 : server < 0x80 && lower < 0x80 ? 2 : 4;
  const octets = length ?? shortest;
  if (octets === 1) return { value: server, length: 1 };
  return { value: octets === 2 ? server * 0x80 + lower : server * 0x4000 + lower, length: octets };
}

const OFFER: HdlcLimits = { maxInfoTransmit: MAX_INFO, maxInfoReceive: MAX_INFO, windowTransmit: 7, windowReceive: 7 };

export function hdlcTransport(
  link: SessionLink,
  clock: SessionClock,
  options: HdlcTransportOptions = {},
): ApduTransport {
  return new HdlcTransport(link, clock, options);
}

class HdlcTransport implements ApduTransport {
  readonly #inner: TransportLink;
  readonly #clock: SessionClock;
  readonly #client: HdlcClient;
  readonly #alarm: Alarm;
  readonly #disconnectTimeout: number;
  readonly patience: number;
  #settle: ((error?: Error) => void) | undefined;
  #closing: Promise<void> | undefined;

  constructor(link: SessionLink, clock: SessionClock, options: HdlcTransportOptions) {
    this.#inner = new TransportLink(link);
    this.#clock = clock;
    this.#disconnectTimeout = options.disconnectTimeout ?? 3000;
    const { client = 16, server = 1, physical, addressLength, limits = OFFER } = options;
    const { negotiate, responseTimeout = 5000, retries = 3, keepAlive } = options;
    this.patience = responseTimeout * (retries + 1) + 1000;
    this.#alarm = createAlarm(clock, () => this.#awake());
    const station = hdlcServerAddress(server, physical, addressLength);
    this.#client = createHdlcClient(
      {
        client: { value: client, length: 1 },
        server: station,
        limits,
        ...(negotiate !== undefined && { negotiate }),
        responseTimeout,
        retries,
        ...(keepAlive !== undefined && { keepAlive }),
      },
      {
        write: (bytes) => this.#inner.write(bytes),
        connected: () => this.#settled(),
        information: (bytes) => this.#inner.apdu(bytes),
        disconnected: (reason) => this.#ended(new LinkError(`${this.describe}: the HDLC link ended (${reason})`)),
        failed: (error) => this.#ended(error),
        // Others on the line may send such frames too; theirs are not from our meter.
        unnumbered: (bytes, { source }) => {
          if (source.value === station.value && source.length === station.length) this.#inner.apdu(bytes);
        },
      },
    );
  }

  get describe(): string {
    return this.#inner.describe;
  }

  async open(events: ApduTransportEvents): Promise<void> {
    const closed = (error: Error): void => {
      this.#client.reset();
      this.#alarm.stop();
      // While connecting, the failure is that of `open`.
      if (this.#settle) this.#settled(error);
      else events.closed(error);
    };
    await this.#inner.start({ ...events, closed }, (bytes) => {
      this.#client.receive(bytes, this.#clock.now());
      this.#wake();
    });
    const connected = new Promise<void>((resolve, reject) => {
      this.#settle = (error) => (error ? reject(error) : resolve());
    });
    this.#client.connect(this.#clock.now());
    this.#wake();
    await connected;
  }

  #settled(error?: Error): void {
    const settle = this.#settle;
    this.#settle = undefined;
    settle?.(error);
  }

  #ended(error: Error): void {
    this.#alarm.stop();
    if (this.#settle) this.#settled(error);
    else this.#inner.fail(error);
  }

  #awake(): void {
    this.#client.tick(this.#clock.now());
    this.#wake();
  }

  #wake(): void {
    if (this.#inner.open) this.#alarm.set(this.#client.nextDeadline());
  }

  send(apdu: Uint8Array, answered: boolean): void {
    if (this.#client.state !== 'connected') return;
    this.#client.send(apdu, this.#clock.now(), answered);
    this.#wake();
  }

  more(): void {
    if (this.#client.state !== 'connected') return;
    this.#client.poll(this.#clock.now());
    this.#wake();
  }

  trouble(): string {
    const { repeated, timeouts, dropped } = this.#client.counters;
    const words = [];
    if (timeouts > 0) words.push(`${timeouts} polls were not answered`);
    if (repeated > 0) words.push(`${repeated} frames were sent again`);
    if (dropped > 0) words.push(`${dropped} frames or runs of noise were dropped`);
    return words.join(', ');
  }

  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  async #close(): Promise<void> {
    if (this.#inner.open && this.#client.state === 'connected') {
      let late: (() => void) | undefined;
      await new Promise<void>((resolve) => {
        this.#settle = () => resolve();
        late = this.#clock.after(this.#disconnectTimeout, resolve);
        this.#client.disconnect(this.#clock.now());
        this.#wake();
      });
      late?.();
      this.#settle = undefined;
    }
    this.#client.reset();
    this.#alarm.stop();
    await this.#inner.close();
  }
}

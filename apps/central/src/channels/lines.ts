/**
 * Lines to meters: what an address means, and who may use the line when.
 *
 * A line is one TCP connection or one call. A meter, the external meters behind it and all meters behind one phone number share theirs: they are read
 * one after the other, the master first, and the line stays up in between. Meters with addresses of their own do not wait for
 * each other.
 *
 * Decides: whose turn it is; when a line is opened, kept and closed; that a line on which nothing was heard is not handed on. A failed
 * call is told to all who wait for it: nobody dials a busy number six times. Leaves out: time windows, limits and retries (the lease).
 */
import { LinkError, MisuseError } from '@amiable/bytes';
import { type Clock, type Link, modemLink, parseHostPort, tcpClient } from '@amiable/io';
import type { SessionLink } from '@amiable/meter';
import { type ChannelDevice, type ModemPort, type OpenPort, portOf } from './device.ts';
import { createPool, type HeldModem, type ModemPool } from './pool.ts';

export interface LineTarget {
  /** `tcp://host:port`, `tls://host:port` or `modem:NUMBER`. */
  readonly address: string;
  readonly channel?: string | undefined;
  /** Who has the same shares a line: the id of the master, or of the meter itself. Calls are shared by their number. */
  readonly share: string;
  /** 0 for the master, 1 and more for what hangs behind it: the lower goes first. */
  readonly order?: number | undefined;
}

export interface LinesOptions {
  readonly clock: Clock;
  /** What a channel opens; undefined where it has no modems. */
  readonly channel?: (name: string) => Promise<ChannelDevice | undefined>;
  /** TCP and TLS; the machine's own unless given. */
  readonly connect?: (address: string) => Link;
  /** Ports of modems; the machine's own unless given. */
  readonly port?: (modem: ModemPort) => OpenPort;
  /** ms that one waits for a free modem; 10 minutes unless said. */
  readonly patience?: number;
}

export interface LineCounts {
  /** Lines that are up. */
  open: number;
  /** Who waits for a turn. */
  waiting: number;
  /** Calls and connections made so far, and how many of them failed. */
  made: number;
  failed: number;
  /** Turns on a line that was up already. */
  shared: number;
}

export interface Lines {
  /** A link that is opened when its turn comes. @throws MisuseError for an address that is none */
  link(target: LineTarget): SessionLink;
  readonly counts: Readonly<LineCounts>;
  /** Hangs up everything. */
  close(): Promise<void>;
}

const PATIENCE = 600_000;
const HOLD = 2000;

/** `tcp://host:port` or `tls://host:port`. @throws MisuseError */
export function connectTo(address: string): Link {
  const tls = address.startsWith('tls://');
  const where = parseHostPort(tls ? `tcp://${address.slice(6)}` : address);
  if (!where || !/^t(cp|ls):\/\//.test(address))
    throw new MisuseError(
      `${address.slice(0, 100)} is no address; write tcp://host:port, tls://host:port, modem:NUMBER or via:METER`,
    );
  return tcpClient(where, tls ? { tls: {} } : {});
}

type Opened = Pick<Link, 'describe' | 'open' | 'write' | 'close'>;
type Events = Parameters<SessionLink['open']>[0];

interface Turn {
  readonly order: number;
  readonly number: number;
  readonly events: Events;
  readonly resolve: () => void;
  readonly reject: (error: Error) => void;
  state: 'waiting' | 'granted' | 'over';
}

export function createLines(options: LinesOptions): Lines {
  const { clock, connect = connectTo, port = portOf, patience = PATIENCE } = options;
  const lines = new Map<string, Line>();
  const pools = new Map<string, ModemPool>();
  const counts: LineCounts = { open: 0, waiting: 0, made: 0, failed: 0, shared: 0 };
  let closed = false;

  async function poolOf(name: string | undefined): Promise<{ pool: ModemPool; device: ChannelDevice; name: string }> {
    const device = name === undefined ? undefined : await options.channel?.(name);
    if (name === undefined || !device)
      throw new LinkError(
        name === undefined
          ? 'a call needs a channel with modems, and the connection names none'
          : `channel ${name}: it has no modems`,
      );
    let pool = pools.get(name);
    if (!pool) {
      // Who waits for a modem ends calls that are only held for somebody who may come.
      const wanted = (): void => {
        for (const line of lines.values()) if (line.channel === name) line.letGo();
      };
      pool = createPool({ name, clock, wanted }, device);
      pools.set(name, pool);
    } else pool.configure(device);
    return { pool, device, name };
  }

  class Line {
    readonly key: string;
    readonly target: LineTarget;
    readonly #turns: Turn[] = [];
    #up: Opened | undefined;
    #modem: HeldModem | undefined;
    #user: Turn | undefined;
    #state: 'down' | 'opening' | 'up' | 'closing' = 'down';
    #heard = false;
    #hold = 0;
    #cancelHold = (): void => {};
    #numbers = 0;
    /** Counts openings: what an earlier link says late is not heard. */
    #opened = 0;

    constructor(key: string, target: LineTarget) {
      this.key = key;
      this.target = target;
    }

    get channel(): string | undefined {
      return this.target.address.startsWith('modem:') ? this.target.channel : undefined;
    }

    enqueue(events: Events, order: number): { readonly turn: Turn; readonly granted: Promise<void> } {
      let turn: Turn | undefined;
      const granted = new Promise<void>((resolve, reject) => {
        turn = { order, number: this.#numbers++, events, resolve, reject, state: 'waiting' };
        this.#turns.push(turn);
        this.#turns.sort((a, b) => a.order - b.order || a.number - b.number);
        counts.waiting++;
      });
      // Those who come in the same moment are put in order before the first is served.
      void Promise.resolve().then(() => this.#next());
      return { turn: turn as Turn, granted };
    }

    #next(): void {
      if (this.#user || this.#state === 'opening' || this.#state === 'closing') return;
      if (this.#turns.length === 0) {
        this.#idle();
        return;
      }
      if (this.#state === 'down') {
        void this.#open();
        return;
      }
      this.#cancelHold();
      this.#grant();
      counts.shared++;
    }

    #grant(): void {
      const turn = this.#turns.shift();
      if (!turn) return;
      counts.waiting--;
      turn.state = 'granted';
      this.#user = turn;
      this.#heard = false;
      turn.resolve();
    }

    async #open(): Promise<void> {
      this.#state = 'opening';
      const own = ++this.#opened;
      counts.made++;
      let wanted = true;
      try {
        const link = await this.#make();
        await link.open({
          data: (bytes) => {
            if (own !== this.#opened) return;
            this.#heard = true;
            this.#user?.events.data(bytes);
          },
          closed: (error) => {
            if (own === this.#opened && this.#state === 'up') this.#lost(error);
          },
        });
        this.#up = link;
        this.#state = 'up';
        counts.open++;
        wanted = this.#turns.length > 0;
        if (closed) throw new LinkError(`${link.describe}: closed`);
        if (wanted) this.#grant();
        else this.#idle();
      } catch (error) {
        if (this.#state === 'up') counts.open--;
        counts.failed++;
        this.#up = undefined;
        this.#state = 'down';
        this.#modem?.release(true);
        this.#modem = undefined;
        const told =
          error instanceof LinkError || error instanceof MisuseError ? error : new LinkError((error as Error).message);
        for (const turn of this.#turns.splice(0)) {
          counts.waiting--;
          turn.state = 'over';
          turn.reject(told);
        }
        this.#forget();
      }
    }

    async #make(): Promise<Opened> {
      const { address, channel } = this.target;
      if (!address.startsWith('modem:')) return connect(address);
      const { pool, device, name } = await poolOf(channel);
      this.#hold = device.hold ?? HOLD;
      this.#modem = await pool.take(patience);
      const { modem } = this.#modem;
      const { link, lines: control } = port(modem);
      const { init, bearer, dialling } = modem;
      return modemLink({
        link,
        clock,
        number: address.slice('modem:'.length),
        ...(control && { lines: control }),
        ...(init && { init }),
        ...(bearer && { bearer }),
        ...(dialling && { dialling }),
        ...(device.dialTimeout !== undefined && { dialTimeout: device.dialTimeout }),
        name: `channel ${name}, ${link.describe}`,
      });
    }

    write(turn: Turn, bytes: Uint8Array): Promise<void> {
      if (this.#user !== turn || !this.#up)
        return Promise.reject(new LinkError(`${this.target.address}: the line is not open`));
      return this.#up.write(bytes);
    }

    /** The line gave out under its user. */
    #lost(error: Error | undefined): void {
      const user = this.#user;
      this.#user = undefined;
      this.#cancelHold();
      this.#ended();
      if (user) {
        user.state = 'over';
        user.events.closed(error ?? new LinkError(`${this.target.address}: the line ended`));
      }
      this.#next();
    }

    #ended(): void {
      counts.open--;
      this.#opened++;
      this.#up = undefined;
      this.#state = 'down';
      this.#modem?.release(false);
      this.#modem = undefined;
    }

    async giveBack(turn: Turn): Promise<void> {
      if (turn.state === 'waiting') {
        turn.state = 'over';
        counts.waiting--;
        this.#turns.splice(this.#turns.indexOf(turn), 1);
        turn.reject(new LinkError(`${this.target.address}: given up while waiting for the line`));
        if (this.#state === 'down') this.#forget();
        return;
      }
      if (turn.state === 'over') return;
      turn.state = 'over';
      if (this.#user !== turn) return;
      this.#user = undefined;
      // A line on which nothing was heard may be dead: the next gets a new one.
      if (!this.#heard) await this.hangUp();
      this.#next();
      turn.events.closed();
    }

    /** Nobody wants it now. */
    #idle(): void {
      if (this.#state === 'down') this.#forget();
      if (this.#state !== 'up') return;
      this.#cancelHold();
      if (this.#hold === 0) void this.hangUp().then(() => this.#next());
      else this.#cancelHold = clock.after(this.#hold, () => void this.hangUp().then(() => this.#next()));
    }

    /** Held for nobody in particular: another call needs the modem. */
    letGo(): void {
      if (this.#state === 'up' && !this.#user && this.#turns.length === 0) void this.hangUp().then(() => this.#next());
    }

    async hangUp(): Promise<void> {
      this.#cancelHold();
      if (this.#state !== 'up') return;
      this.#state = 'closing';
      await this.#up?.close().catch(() => {});
      this.#ended();
    }

    #forget(): void {
      if (this.#turns.length === 0 && !this.#user && this.#state === 'down' && lines.get(this.key) === this)
        lines.delete(this.key);
    }

    async shut(): Promise<void> {
      for (const turn of [...this.#turns]) await this.giveBack(turn);
      const user = this.#user;
      this.#user = undefined;
      if (user) {
        user.state = 'over';
        user.events.closed(new LinkError(`${this.target.address}: the program ends`));
      }
      await this.hangUp();
      this.#forget();
    }
  }

  return {
    counts,
    link(target) {
      const call = target.address.startsWith('modem:');
      // Refused now rather than when its turn comes.
      if (!call) connect(target.address);
      const key = call
        ? `${target.channel ?? ''} ${target.address.replace(/[\s()./-]/g, '')}`
        : `${target.address} ${target.share}`;
      let line: Line | undefined;
      let turn: Turn | undefined;
      return {
        describe: target.address,
        async open(events) {
          if (closed) throw new LinkError(`${target.address}: the program ends`);
          line = lines.get(key) ?? new Line(key, target);
          lines.set(key, line);
          const asked = line.enqueue(events, target.order ?? 0);
          turn = asked.turn;
          await asked.granted;
        },
        write: (bytes) =>
          line && turn ? line.write(turn, bytes) : Promise.reject(new LinkError(`${target.address}: not open`)),
        async close() {
          if (line && turn) await line.giveBack(turn);
        },
      };
    },
    async close() {
      closed = true;
      for (const pool of pools.values()) pool.close();
      for (const line of [...lines.values()]) await line.shut();
    },
  };
}

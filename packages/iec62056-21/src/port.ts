/**
 * A tariff device served on a link: the server machine (server.ts) with a timer, parity and the changes of rate; HDLC bytes
 * handed to whoever speaks it.
 *
 * Decides: a client that begins with HDLC at once is served as well; a new sign-on begins whenever one comes, also where the
 * HDLC link before it has not ended. Leaves out: HDLC itself.
 */
import { createLineDriver, type LineDriver, type OpticalClock, type OpticalLink } from './line.ts';
import { createOpticalServer, type OpticalServer, type ServerOptions } from './server.ts';

export interface OpticalPortOptions extends ServerOptions {
  readonly link: OpticalLink;
  readonly clock: OpticalClock;
  /** Rate at which the link is opened, Bd; 300 unless said, 2400 in mode D. */
  readonly openBaud?: number | undefined;
  /** Takes bytes of HDLC, where `hdlc` is on; it writes to the link itself. */
  readonly onHdlc?: { data(bytes: Uint8Array): void; closed(): void } | undefined;
  /** Told of characters both ways, parity bits taken off. */
  readonly trace?: ((direction: 'in' | 'out', bytes: Uint8Array) => void) | undefined;
  /** Told of a link that failed or ended; the port is over then. */
  readonly closed?: ((error?: Error) => void) | undefined;
}

export interface OpticalPort {
  readonly server: OpticalServer;
  /** Mode D: sends once. */
  trigger(): void;
  close(): Promise<void>;
}

const FLAG = 0x7e;
const SLASH = 0x2f;
const QUESTION = 0x3f;

/** `/?` begins a sign-on, with or without parity bits. A frame has no slash behind its last flag. */
const signsOn = (bytes: Uint8Array, idle: boolean): boolean =>
  ((bytes[0] as number) & 0x7f) === SLASH && (bytes.length > 1 ? ((bytes[1] as number) & 0x7f) === QUESTION : idle);

/** Opens the link and serves. @throws LinkError */
export async function serveOpticalPort(options: OpticalPortOptions): Promise<OpticalPort> {
  const port = new Port(options);
  await port.open();
  return port;
}

class Port implements OpticalPort {
  readonly #options: OpticalPortOptions;
  readonly server: OpticalServer;
  readonly #driver: LineDriver;
  #cancel = (): void => {};
  #timerAt = Number.POSITIVE_INFINITY;
  /** A client began with HDLC. */
  #direct = false;
  /** Between HDLC frames. */
  #idle = true;
  #over = false;

  constructor(options: OpticalPortOptions) {
    this.#options = options;
    const { link, clock, openBaud = options.mode === 'D' ? 2400 : 300 } = options;
    this.#driver = createLineDriver(link, clock, { baud: openBaud, failed: (error) => this.#ended(error) });
    this.server = createOpticalServer(options, {
      write: (bytes) => {
        options.trace?.('out', bytes);
        this.#driver.write(bytes);
      },
      line: (settings) => this.#driver.line(settings),
      hdlc: (rest) => {
        this.#idle = true;
        if (rest.length > 0) this.#hdlc(rest);
      },
    });
  }

  open(): Promise<void> {
    return this.#options.link.open({
      data: (bytes) => this.#data(bytes),
      closed: (error) => this.#ended(error),
    });
  }

  #data(bytes: Uint8Array): void {
    if (bytes.length === 0) return;
    const { clock, onHdlc, trace } = this.#options;
    const { server } = this;
    if (server.state === 'waiting' && onHdlc && bytes[0] === FLAG) this.#direct = true;
    if ((this.#direct || server.state === 'hdlc') && signsOn(bytes, this.#idle)) {
      this.#direct = false;
      server.reset();
    }
    if (this.#direct || server.state === 'hdlc') this.#hdlc(bytes);
    else {
      trace?.(
        'in',
        bytes.map((octet) => octet & 0x7f),
      );
      server.receive(bytes, clock.now());
      this.#wake();
    }
  }

  #hdlc(bytes: Uint8Array): void {
    this.#idle = bytes[bytes.length - 1] === FLAG;
    this.#options.onHdlc?.data(bytes);
  }

  #wake(): void {
    const { clock } = this.#options;
    const at = this.server.nextDeadline();
    if (at >= this.#timerAt || at === Number.POSITIVE_INFINITY || this.#over) return;
    this.#cancel();
    this.#timerAt = at;
    this.#cancel = clock.after(Math.max(0, at - clock.now()), () => {
      this.#timerAt = Number.POSITIVE_INFINITY;
      this.server.tick(clock.now());
      this.#wake();
    });
  }

  #ended(error?: Error): void {
    if (this.#over) return;
    this.#over = true;
    this.#cancel();
    this.#driver.stop();
    this.#options.onHdlc?.closed();
    this.#options.closed?.(error);
  }

  trigger(): void {
    this.server.trigger(this.#options.clock.now());
    this.#wake();
  }

  async close(): Promise<void> {
    const { link } = this.#options;
    this.#over = true;
    this.#cancel();
    this.#driver.stop();
    await link.close();
  }
}

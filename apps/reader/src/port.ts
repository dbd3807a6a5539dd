/**
 * One port for as long as it lasts: bytes of a link in, canonical messages out, holding the link back while the receiver
 * of the messages is busy. Used by `amiable read -d` and by `amiable start`.
 */

import type { Drop } from '@amiable/bytes';
import type { Crypto, KeyRing } from '@amiable/dlms';
import { type Clock, chunksOf, type Link, nodeCrypto, systemClock } from '@amiable/io';
import { createAnyReader, type PortProtocol } from '@amiable/meter';
import type { Message, PortCounters } from '@amiable/model';

/** Frames end with their last byte; a line silent for so long sends no more of one that was begun. */
const SILENCE = 1500;

export interface PortReaderOptions {
  readonly reader: string;
  readonly port: string;
  readonly link: Link;
  readonly keys: KeyRing;
  /** Id that a message on this port showed last, kept over a restart. */
  readonly knownMeter?: string;
  /** Time zone of the meter's clock where the message and its market do not tell. */
  readonly zone?: string;
  readonly crypto?: Crypto;
  /** Found out unless said. */
  readonly protocol?: PortProtocol;
  readonly clock?: Clock;
  /** The meter's clock is compared with ours: true unless old data are replayed. */
  readonly live?: boolean;
  /** Also give refused frames, as messages with an error. */
  readonly bad?: boolean;
  /** Largest believable error of a live meter's clock, ms; an hour unless said. */
  readonly maxClockError?: number;
  /** Called in the order of the messages. No more bytes are asked for until all that was returned has resolved. */
  message(m: Message): void | Promise<void>;
  drop?(d: Drop): void;
  /** Every byte as it came. */
  bytes?(chunk: Uint8Array): void;
  /** Bytes left out because the line did not wait. */
  lost?(bytes: number): void;
}

export interface PortReader {
  /**
   * Opens the link and reads until it ends, `signal` is aborted or `stop` is called.
   * @throws PortError when the link cannot be opened or is lost; what `message` throws
   */
  run(signal?: AbortSignal): Promise<void>;
  stop(): void;
  /** The line is another one from here on (speed, parity): what was found about its protocol is forgotten. */
  turned(): void;
  /** Undefined until it is known. */
  readonly protocol: PortProtocol | undefined;
  readonly counters: PortCounters;
}

export function createPortReader(options: PortReaderOptions): PortReader {
  const {
    reader,
    port,
    link,
    keys,
    zone,
    knownMeter,
    crypto = nodeCrypto,
    clock = systemClock,
    live = true,
    bad = false,
    maxClockError,
    protocol,
  } = options;
  let pending: Promise<void>[] = [];
  const decoder = createAnyReader(
    {
      reader,
      port,
      keys,
      crypto,
      now: () => clock.now(),
      live,
      bad,
      maxClockError,
      zone,
      knownMeter,
      protocol,
      ...(live ? { portMeter: `${reader}/${port}` } : {}),
    },
    {
      message(m) {
        const taken = options.message(m);
        if (taken) pending.push(taken);
      },
      drop: (d) => options.drop?.(d),
    },
  );
  const settled = async () => {
    while (pending.length > 0) {
      const all = pending;
      pending = [];
      await Promise.all(all);
    }
  };
  const stopping = new AbortController();
  return {
    get counters() {
      return decoder.counters;
    },
    get protocol() {
      return decoder.protocol;
    },
    turned: () => decoder.reset(),
    stop: () => stopping.abort(),
    async run(signal) {
      const either = signal ? AbortSignal.any([signal, stopping.signal]) : stopping.signal;
      let cancel = () => {};
      try {
        for await (const chunk of chunksOf(link, { signal: either, ...(options.lost ? { lost: options.lost } : {}) })) {
          cancel();
          options.bytes?.(chunk);
          decoder.push(chunk);
          await settled();
          cancel = clock.after(SILENCE, () => decoder.idle());
        }
      } finally {
        cancel();
        decoder.end();
        await settled();
      }
    },
  };
}

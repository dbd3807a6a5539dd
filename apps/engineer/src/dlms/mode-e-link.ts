/**
 * A link that signs on in mode E (IEC 62056-21) before HDLC flows: for optical heads and current loops.
 *
 * Decides: the even parity of the seven-bit characters of the sign-on is made here, since the port stays at eight bits; the
 * rate of the port is changed when what was written has had time to leave it. Behind TCP (a serial server) the rate cannot
 * be changed from here: such a server must do it itself or the meter stay at one rate.
 */
import { LinkError } from '@amiable/bytes';
import { type Clock, type Link, type SerialLink, sleep } from '@amiable/io';
import { createModeEClient, type LineSettings, type ModeEIdentification } from '@amiable/meter';

export interface ModeELinkOptions {
  readonly clock: Clock;
  readonly address?: string;
  readonly maxBaud?: number;
  /** Told who answered. */
  readonly identified?: (meter: ModeEIdentification) => void;
}

/** Seven bits and even parity in eight. */
export function evenParity(bytes: Uint8Array): Uint8Array {
  return bytes.map((byte) => {
    let ones = 0;
    for (let bit = 0; bit < 7; bit++) ones += (byte >> bit) & 1;
    return (byte & 0x7f) | ((ones & 1) << 7);
  });
}

/** Time for the last characters to leave the adapter after the port says they are written, ms. */
const SETTLE = 100;

export function modeELink(line: Link | SerialLink, options: ModeELinkOptions): Link {
  const { clock } = options;
  let cancel = () => {};
  return {
    get describe() {
      return `${line.describe}, mode E`;
    },
    open(events) {
      return new Promise<void>((resolve, reject) => {
        let baud = 300;
        let open = false;
        let over = false;
        /** Writing and changing the rate, one after the other. */
        let doing: Promise<void> = Promise.resolve();
        const fail = (error: Error) => {
          if (over) return;
          over = true;
          cancel();
          void line.close();
          reject(error);
        };
        const then = (step: () => Promise<void>) => {
          doing = doing.then(step).catch(fail);
        };
        const change = ({ baud: rate }: LineSettings) =>
          then(async () => {
            if (rate === baud) return;
            await sleep(clock, SETTLE);
            baud = rate;
            if ('setBaud' in line) await line.setBaud(rate);
          });
        const client = createModeEClient(
          {
            ...(options.address !== undefined && { address: options.address }),
            ...(options.maxBaud && { maxBaud: options.maxBaud }),
          },
          {
            write: (bytes) => then(() => line.write(evenParity(bytes))),
            line: change,
            hdlc(meter, rest) {
              options.identified?.(meter);
              then(async () => {
                open = true;
                cancel();
                resolve();
                if (rest.length > 0) events.data(rest);
              });
            },
            failed: fail,
          },
        );
        const wake = () => {
          cancel();
          const at = client.nextDeadline();
          if (at === Number.POSITIVE_INFINITY || over) return;
          cancel = clock.after(Math.max(0, at - clock.now()), () => {
            client.tick(clock.now());
            wake();
          });
        };
        line
          .open({
            data(bytes) {
              if (open) events.data(bytes);
              else {
                client.receive(bytes, clock.now());
                wake();
              }
            },
            closed(error) {
              if (open) events.closed(error);
              else fail(error ?? new LinkError(`${line.describe}: the line ended while signing on in mode E`));
            },
          })
          .then(() => {
            client.start(clock.now());
            wake();
          }, fail);
      });
    },
    write: (bytes) => line.write(bytes),
    pause: () => line.pause(),
    resume: () => line.resume(),
    close() {
      cancel();
      return line.close();
    },
  };
}

/**
 * A link that signs on in mode E before HDLC flows (IEC 62056-21 annex E; IEC 62056-42): for optical heads and current loops.
 *
 * Decides: the sign-on goes at 300 Bd with parity, HDLC at the agreed rate with eight bits. Leaves out: HDLC.
 */
import { LinkError } from '@amiable/bytes';
import type { SignedOn } from './client/types.ts';
import { createOpticalClient } from './client.ts';
import { createLineDriver, type OpticalClock, type OpticalLink } from './line.ts';

export interface ModeEOptions {
  readonly clock: OpticalClock;
  /** The meter's address on a line of several. */
  readonly address?: string | undefined;
  readonly maxBaud?: number | undefined;
  /** Told who answered. */
  readonly identified?: ((meter: SignedOn) => void) | undefined;
}

/** Opens when the meter has been signed on. The line has to be opened at 300 Bd. */
export function modeELink(line: OpticalLink, { clock, address, maxBaud, identified }: ModeEOptions): OpticalLink {
  let cancel = (): void => {};
  return {
    get describe() {
      return `${line.describe}, mode E`;
    },
    open(events) {
      return new Promise<void>((resolve, reject) => {
        let open = false;
        let over = false;
        const fail = (error: Error): void => {
          if (over) return;
          over = true;
          cancel();
          driver.stop();
          void line.close();
          reject(error);
        };
        const driver = createLineDriver(line, clock, { failed: fail });
        const client = createOpticalClient(
          { address, maxBaud },
          {
            write: (bytes) => driver.write(bytes),
            line: (settings) => driver.line(settings),
            event(event) {
              if (event.type === 'identified') identified?.(event.meter);
              else if (event.type === 'failed') fail(event.error);
              else if (event.type === 'hdlc') {
                cancel();
                void driver.settled().then(() => {
                  if (over) return;
                  open = true;
                  resolve();
                  if (event.rest.length > 0) events.data(event.rest);
                });
              }
            },
          },
        );
        const wake = (): void => {
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
            client.start('hdlc', clock.now());
            wake();
          }, fail);
      });
    },
    write: (bytes) => line.write(bytes),
    close() {
      cancel();
      return line.close();
    },
  };
}

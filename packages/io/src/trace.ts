/** A tracer round any link: tells what went over it, both ways, and changes nothing. */
import type { Link } from './link.ts';

export interface Trace {
  readonly direction: 'in' | 'out';
  readonly bytes: Uint8Array;
}

export function traced(link: Link, tell: (trace: Trace) => void): Link {
  return {
    get describe() {
      return link.describe;
    },
    open: (events) =>
      link.open({
        data(bytes) {
          tell({ direction: 'in', bytes });
          events.data(bytes);
        },
        closed: (error) => events.closed(error),
      }),
    write(bytes) {
      tell({ direction: 'out', bytes });
      return link.write(bytes);
    },
    pause: () => link.pause(),
    resume: () => link.resume(),
    close: () => link.close(),
  };
}

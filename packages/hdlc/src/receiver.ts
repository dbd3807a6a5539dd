/**
 * The scanner with frames as objects, for programs that are not in a hurry: tracing, tests, links.
 */

import type { Drop } from '@amiable/bytes';
import { addressLength } from './address.ts';
import { frameAt, type HdlcFrame } from './frame.ts';
import { createHdlcScanner, type HdlcScanner, type ScanOptions } from './scanner.ts';

export interface ReceiverSink {
  /** A good frame. Its `info` and `raw` are views that are valid only during the call. */
  frame(f: HdlcFrame, offset: number): void;
  drop(d: Drop): void;
}

export function createHdlcReceiver(sink: ReceiverSink, options: ScanOptions = {}): HdlcScanner {
  return createHdlcScanner(
    {
      frame(buf, start, infoStart, infoEnd, offset) {
        const end = infoEnd + 2;
        const source = start + 2 + addressLength(buf, start + 2, end);
        const control = source + addressLength(buf, source, end);
        sink.frame(frameAt(buf, { start, source, control, headerEnd: control + 1, infoStart, infoEnd, end }), offset);
      },
      drop: (d) => sink.drop(d),
    },
    options,
  );
}

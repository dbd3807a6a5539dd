/** Wired frames to messages, until the decoder of package mbus is there. */
import { DecodeError } from '@amiable/bytes';
import { decodeLongFrame, decodeLongHeader, decodeRecords, messageOfRecords } from '@amiable/mbus';
import type { PortOptions, PortSink } from '@amiable/model';

export function createMbusDecoder(options: PortOptions, sink: PortSink) {
  return {
    push(bytes: Uint8Array) {
      try {
        const frame = decodeLongFrame(bytes);
        const at = bytes.length - 2 - frame.data.length;
        const header = decodeLongHeader(bytes, at);
        sink.message(
          messageOfRecords(header, decodeRecords(bytes, at + 12, bytes.length - 2), {
            reader: options.reader,
            port: options.port,
            protocol: 'mbus',
            receivedAt: options.now(),
            raw: bytes,
            zone: options.zone,
          }),
        );
      } catch (e) {
        if (!(e instanceof DecodeError)) throw e;
        sink.drop({ reason: e.reason, offset: 0, length: bytes.length, excerpt: bytes });
      }
    },
    idle() {},
    end() {},
  };
}

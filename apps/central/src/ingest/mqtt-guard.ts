/**
 * Bounds what an MQTT client may announce. The broker's parser would collect up to 256 MB for one packet; this looks at
 * each packet's fixed header (MQTT 3.1.1, 2.2) on its way in and ends the connection when the announced length is more
 * than a message can have.
 */
import { Duplex } from 'node:stream';

/** Octets of one connection that may wait to be read. */
const READ_AHEAD = 1024 * 1024;

export interface PacketGuard {
  /** False when the bytes announce a packet that is too long or a length that is malformed. */
  check(chunk: Uint8Array): boolean;
}

export function createPacketGuard(maxPacket: number): PacketGuard {
  // Bytes of the current packet still to pass; while 0 a fixed header is being read.
  let left = 0;
  let headerAt = 0;
  let length = 0;
  return {
    check(chunk) {
      for (let i = 0; i < chunk.length; ) {
        if (left > 0) {
          const step = Math.min(left, chunk.length - i);
          left -= step;
          i += step;
          continue;
        }
        const byte = chunk[i++] as number;
        if (headerAt === 0) {
          headerAt = 1;
          length = 0;
          continue;
        }
        if (headerAt > 4) return false;
        length += (byte & 0x7f) * 128 ** (headerAt - 1);
        if (length > maxPacket) return false;
        if (byte & 0x80) headerAt++;
        else {
          left = length;
          headerAt = 0;
        }
      }
      return true;
    },
  };
}

/** A duplex that passes a socket through, ending it when the guard objects. */
export function guarded(socket: Duplex, maxPacket: number, objected: () => void): Duplex {
  const guard = createPacketGuard(maxPacket);
  let gathering = false;
  /** A commit acknowledges hundreds of messages at once, each with four octets: they leave together. */
  const gather = () => {
    if (gathering) return;
    gathering = true;
    socket.cork();
    setImmediate(() => {
      gathering = false;
      socket.uncork();
    });
  };
  const outer = new Duplex({
    // Writes are bounded by whoever writes; waiting for the other side would hold up everybody else.
    writableHighWaterMark: 2 * 1024 * 1024,
    // The broker takes what is here at once and no more until all of it is acknowledged, that is, committed: the more is here, the
    // fewer commits a reader waits for that has hours to tell.
    readableHighWaterMark: READ_AHEAD,
    read() {
      socket.resume();
    },
    write(chunk, encoding, done) {
      gather();
      if (socket.write(chunk, encoding)) done();
      else socket.once('drain', () => done());
    },
    final(done) {
      socket.end(() => done());
    },
    destroy(error, done) {
      socket.destroy();
      done(error);
    },
  });
  socket.on('data', (chunk: Buffer) => {
    if (!guard.check(chunk)) {
      objected();
      outer.destroy();
      return;
    }
    if (!outer.push(chunk)) socket.pause();
  });
  socket.on('end', () => outer.push(null));
  socket.on('error', (error) => outer.destroy(error));
  socket.on('close', () => outer.destroy());
  return outer;
}

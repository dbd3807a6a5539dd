/**
 * `--pcap`: everything that goes over the link, written as Wireshark reads it, packet by packet so that a session that
 * breaks off is there as well.
 *
 * Decides: TCP and UDP become packets between two addresses (the meter's own where it was given as IPv4, else of the
 * documentation range 192.0.2.0/24); serial octets are RTAC serial. Retransmissions and real ports are not in it: the
 * file shows what was said, not how the network carried it.
 */
import { closeSync, openSync, writeSync } from 'node:fs';
import type { Link } from '@amiable/io';
import { createPcapWriter, createTcpConversation, LINKTYPE, packetTime, serialPacket, udpPacket } from '@amiable/pcap';
import type { Address } from './address.ts';
import { UsageError } from './usage.ts';

export interface CaptureFile {
  /** The same link, watched. */
  watch(link: Link, address: Address): Link;
  close(): void;
}

const OURS = '192.0.2.100';
const THEIRS = '192.0.2.1';
const FIRST_PORT = 50_000;

/** @throws UsageError when the file cannot be written */
export function openCapture(path: string, serial: boolean, now: () => number): CaptureFile {
  let file: number | undefined;
  try {
    file = openSync(path, 'w');
  } catch (error) {
    throw new UsageError(`--pcap ${path} cannot be written: ${(error as Error).message}`);
  }
  const writer = createPcapWriter(serial ? LINKTYPE.rtacSerial : LINKTYPE.ethernet);
  const write = (bytes: Uint8Array) => {
    if (file !== undefined) writeSync(file, bytes);
  };
  const packet = (data: Uint8Array) => write(writer.packet({ data, time: packetTime(now()) }));
  write(writer.header());
  let links = 0;
  return {
    watch(link, address) {
      const client = { address: OURS, port: FIRST_PORT + links++ };
      const server =
        address.kind === 'serial'
          ? { address: THEIRS, port: 4059 }
          : { address: /^\d+\.\d+\.\d+\.\d+$/.test(address.host) ? address.host : THEIRS, port: address.port };
      const tcp = address.kind === 'tcp' ? createTcpConversation({ client, server }) : undefined;
      const said = (from: 'client' | 'server', bytes: Uint8Array) => {
        if (bytes.length === 0) return;
        if (tcp) for (const data of tcp.data(from, bytes)) packet(data);
        else if (address.kind === 'udp')
          packet(from === 'client' ? udpPacket(client, server, bytes) : udpPacket(server, client, bytes));
        else packet(serialPacket(from === 'client' ? 'transmitted' : 'received', bytes, packetTime(now())));
      };
      let open = false;
      const ended = () => {
        if (open && tcp) for (const data of tcp.close()) packet(data);
        open = false;
      };
      const watched: Link = {
        get describe() {
          return link.describe;
        },
        async open(events) {
          await link.open({
            data(bytes) {
              said('server', bytes);
              events.data(bytes);
            },
            closed(error) {
              ended();
              events.closed(error);
            },
          });
          open = true;
          if (tcp) for (const data of tcp.open()) packet(data);
        },
        write(bytes) {
          said('client', bytes);
          return link.write(bytes);
        },
        pause: () => link.pause(),
        resume: () => link.resume(),
        async close() {
          await link.close();
          ended();
        },
      };
      return 'datagrams' in link
        ? Object.assign(watched, { datagrams: true })
        : 'setBaud' in link
          ? Object.assign(watched, { setBaud: link.setBaud })
          : watched;
    },
    close() {
      if (file !== undefined) closeSync(file);
      file = undefined;
    },
  };
}

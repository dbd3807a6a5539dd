/**
 * Modbus TCP server (MODBUS Messaging on TCP/IP Implementation Guide V1.0b; Application Protocol V1.1b3): function codes 3 and 4
 * read the same registers, everything else is refused. Unit n is the n-th configured port; 0 and 255 mean the first. Nothing can
 * be written.
 *
 * Every client is bounded: one buffer of one frame, no more requests taken while answers wait, closed after five silent minutes.
 */
import { createServer, type Server, type Socket } from 'node:net';
import { type Clock, portError } from '@amiable/io';
import type { ModbusConfig } from '../config/types.ts';
import { BASE, REGISTERS, registersOf } from './sunspec.ts';
import type { Gateway } from './types.ts';
import type { LiveDevice, LiveValues } from './values.ts';

const IDLE = 300_000;
const LARGEST_FRAME = 260;
const MOST_WAITING = 64 * 1024;
export const ILLEGAL_FUNCTION = 1;
export const ILLEGAL_ADDRESS = 2;
export const ILLEGAL_VALUE = 3;
export const NO_PATH = 0x0a;

/** The registers of a unit from BASE on; undefined: there is no such unit. */
export type UnitRegisters = (unit: number) => Uint16Array | undefined;

/** Answer to one PDU (function code and data). Never throws. */
export function answerPdu(unit: number, pdu: Uint8Array, registers: UnitRegisters): Uint8Array {
  const code = pdu[0] ?? 0;
  const exception = (reason: number) => Uint8Array.of((code | 0x80) & 0xff, reason);
  if (code !== 3 && code !== 4) return exception(ILLEGAL_FUNCTION);
  if (pdu.length !== 5) return exception(ILLEGAL_VALUE);
  const view = new DataView(pdu.buffer, pdu.byteOffset, pdu.length);
  const start = view.getUint16(1) - BASE;
  const count = view.getUint16(3);
  if (count < 1 || count > 125) return exception(ILLEGAL_VALUE);
  if (start < 0 || start + count > REGISTERS) return exception(ILLEGAL_ADDRESS);
  const from = registers(unit);
  if (!from) return exception(NO_PATH);
  const out = new DataView(new ArrayBuffer(2 + 2 * count));
  out.setUint8(0, code);
  out.setUint8(1, 2 * count);
  for (let i = 0; i < count; i++) out.setUint16(2 + 2 * i, from[start + i] as number);
  return new Uint8Array(out.buffer);
}

/**
 * Takes whole frames off the front of `bytes`, giving each answer to `answer`. @returns the bytes that are left, or undefined when
 * what came is no Modbus TCP
 */
export function takeFrames(
  bytes: Buffer,
  registers: UnitRegisters,
  answer: (frame: Buffer) => void,
): Buffer | undefined {
  let at = 0;
  while (bytes.length - at >= 8) {
    const length = bytes.readUInt16BE(at + 4);
    // Protocol 0; unit and at least a function code, at most what a frame may hold.
    if (bytes.readUInt16BE(at + 2) !== 0 || length < 2 || length + 6 > LARGEST_FRAME) return undefined;
    if (bytes.length - at < 6 + length) break;
    const unit = bytes[at + 6] as number;
    const pdu = answerPdu(unit, bytes.subarray(at + 7, at + 6 + length), registers);
    const frame = Buffer.alloc(7 + pdu.length);
    bytes.copy(frame, 0, at, at + 4);
    frame.writeUInt16BE(1 + pdu.length, 4);
    frame[6] = unit;
    frame.set(pdu, 7);
    answer(frame);
    at += 6 + length;
  }
  return bytes.subarray(at);
}

export interface ModbusOptions {
  readonly config: ModbusConfig;
  readonly reader: string;
  readonly version: string;
  readonly values: LiveValues;
  /** Names of the ports in the order of the configuration. */
  readonly ports: () => readonly string[];
  readonly clock: Clock;
  readonly tell: (line: string) => void;
}

/** The devices of a port: its electricity meter, and what hangs beside it. */
export function devicesOfPort(values: LiveValues, port: string): { meter?: LiveDevice; others: LiveDevice[] } {
  const own = [...values.devices.values()].filter((device) => device.port === port);
  const meter = own.filter((device) => device.medium === 'electricity' && device.parent === undefined).sort(byId)[0];
  // Serial numbers do not change their order when meters are heard in another one.
  const others = own.filter((device) => device !== meter && device.medium !== 'other').sort(byId);
  return { others, ...(meter ? { meter } : {}) };
}

const byId = (a: LiveDevice, b: LiveDevice): number => (a.id < b.id ? -1 : a.id > b.id ? 1 : 0);

export async function startModbus(options: ModbusOptions): Promise<Gateway & { readonly port: number }> {
  const { config, values, clock } = options;
  const clients = new Set<Socket>();
  let answered = 0;
  let refusedAt = Number.NEGATIVE_INFINITY;
  const registers: UnitRegisters = (unit) => {
    const ports = options.ports();
    const index = unit === 0 || unit === 255 ? 0 : unit - 1;
    const port = ports[index];
    if (port === undefined) return undefined;
    return registersOf({
      ...devicesOfPort(values, port),
      reader: options.reader,
      version: options.version,
      unit: index + 1,
      now: clock.now(),
    });
  };
  const server: Server = createServer((socket) => {
    socket.on('error', () => socket.destroy());
    if (clients.size >= config.maxClients) {
      if (clock.now() - refusedAt > 60_000)
        options.tell(`Modbus: a client is refused, ${config.maxClients} are connected already`);
      refusedAt = clock.now();
      socket.destroy();
      return;
    }
    clients.add(socket);
    socket.on('close', () => clients.delete(socket));
    socket.setTimeout(IDLE, () => socket.destroy());
    socket.setNoDelay(true);
    let rest: Buffer = Buffer.alloc(0);
    socket.on('data', (chunk: Buffer) => {
      // Thousands of requests fit into one piece: the registers of a unit are made once for all of them.
      const made = new Map<number, Uint16Array | undefined>();
      const once: UnitRegisters = (unit) => {
        if (!made.has(unit)) made.set(unit, registers(unit));
        return made.get(unit);
      };
      const left = takeFrames(rest.length === 0 ? chunk : Buffer.concat([rest, chunk]), once, (frame) => {
        answered++;
        socket.write(frame);
      });
      if (left === undefined) return void socket.destroy();
      rest = Buffer.from(left);
      if (socket.writableLength > MOST_WAITING) {
        socket.pause();
        socket.once('drain', () => socket.resume());
      }
    });
  });
  const where = `Modbus TCP ${config.host}:${config.port}`;
  await new Promise<void>((resolve, reject) => {
    server.once('error', (error) => reject(portError(where, error)));
    server.listen(config.port, config.host, resolve);
  });
  server.on('error', () => {});
  const bound = server.address();
  const port = typeof bound === 'object' && bound ? bound.port : config.port;
  const name = `Modbus TCP ${config.host}:${port}`;
  return {
    name,
    port,
    status: () => ({ name, state: 'up', count: answered, clients: clients.size }),
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        for (const socket of clients) socket.destroy();
      }),
  };
}

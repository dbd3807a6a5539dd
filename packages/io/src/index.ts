export { type CaptureForm, type CaptureStage, captureStage, formOf } from './capture.ts';
export { type Clock, sleep, systemClock, type VirtualClock, virtualClock } from './clock.ts';
export { nodeCrypto, quickCrypto } from './crypto.ts';
export { createDamage, type Damage, type DamageRates, damaged, seededRandom } from './damage.ts';
export { PortError, type PortReason, portError } from './faults.ts';
export { chunksOf, type Link, type LinkEvents, loopback } from './link.ts';
export {
  type IncomingConnection,
  type IncomingEvents,
  type Listener,
  type ListenTls,
  listenTcp,
  listenUdp,
} from './listen.ts';
export { createLog, type Fields, type Level, type Log, type LogForm, type LogOptions } from './log.ts';
export {
  dialString,
  type ModemLines,
  type ModemLink,
  type ModemOptions,
  type ModemSettings,
  modemLink,
} from './modem.ts';
export { parseResult, type Result, type ResultCode } from './modem-results.ts';
export { type Called, type SimulatedModem, type SimulatedModemOptions, simulateModem } from './modem-simulated.ts';
export {
  DEFAULT_GROUP,
  isMulticast,
  LARGEST_DATAGRAM,
  type MulticastOptions,
  type MulticastReceiver,
  type MulticastSender,
  multicastReceiver,
  multicastSender,
} from './multicast.ts';
export { characterBits, createPacer, lineTime, type Pacer, paced } from './pace.ts';
export { type PtyLink, ptyLink } from './pty.ts';
export {
  type BackOff,
  backOff,
  type LinkStatus,
  type PersistentLink,
  type PersistentOptions,
  persistentLink,
} from './reconnect.ts';
export { type Replay, type ReplayOptions, replayFile, sourceLink } from './replay.ts';
export {
  listSerialPorts,
  type Parity,
  type SerialLink,
  type SerialOptions,
  type Signals,
  serialLink,
} from './serial.ts';
export {
  type HostPort,
  parseHostPort,
  type TcpClientOptions,
  type TcpServerLink,
  type TlsOptions,
  tcpClient,
  tcpServer,
} from './tcp.ts';
export { type Trace, traced } from './trace.ts';
export { type UdpLink, udpClient } from './udp.ts';

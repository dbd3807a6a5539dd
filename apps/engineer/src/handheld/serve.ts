/**
 * `amiable handheld serve` (SERVER_MODE of the CMRI): the hand-held unit is a DLMS server, each visited meter a logical device of it.
 *
 * Decides: SAP 1 is the unit itself, whose SAP assignment lists the meters; client 16 reads without a log-in on this machine and
 * on serial lines, on other addresses a password is needed (client 2, LLS). What is visited while it serves is presented with the next
 * association.
 */

import { readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { createLogicalDevice } from '@amiable/cosem';
import { LN_CONFORMANCE, type LogicalDevice } from '@amiable/dlms';
import { listenTcp, nodeCrypto, parseHostPort, serialLink } from '@amiable/io';
import type { Terminal } from '@amiable/io/terminal';
import { createMeterServer, type MeterServer } from '@amiable/meter';
import { passwordOption } from '../dlms/secrets.ts';
import { UsageError } from '../dlms/usage.ts';
import type { Given } from './list.ts';
import { type Presented, present } from './present.ts';
import { readVisits } from './store.ts';
import { storeOf } from './visit.ts';

const MANAGEMENT = 1;
const PORT = 4059;
const NAME = 'AMIHANDHELD00001';

type Device = LogicalDevice<undefined>;

export interface ServeOptions {
  readonly folder: string;
  readonly password?: Uint8Array | undefined;
  readonly clock: Terminal['clock'];
  fault(error: unknown): void;
}

/** The server, and what it presents now. */
export function handheldServer(options: ServeOptions): { server: MeterServer; meters(): readonly Presented[] } {
  const { folder, password } = options;
  let known = '';
  let meters: readonly Presented[] = [];
  let devices = new Map<number, Device>();
  const associations = password
    ? [
        {
          name: 'reader',
          clientSap: 2,
          applicationContexts: [1],
          mechanism: 1,
          conformance: LN_CONFORMANCE,
          secret: () => password,
        } as const,
      ]
    : [16, 2, 1].map(
        (clientSap) =>
          ({
            name: `client ${clientSap}`,
            clientSap,
            applicationContexts: [1],
            mechanism: 0,
            conformance: LN_CONFORMANCE,
          }) as const,
      );
  const refresh = (): void => {
    const now = stateOf(folder);
    if (now === known) return;
    known = now;
    meters = present(readVisits(folder));
    const list = [{ sap: MANAGEMENT, name: NAME }, ...meters.map(({ sap, name }) => ({ sap, name }))];
    devices = new Map([
      [MANAGEMENT, createLogicalDevice({ objects: [], associations, name: () => NAME, sapList: () => list })],
      ...meters.map(
        ({ sap, name, objects }) => [sap, createLogicalDevice({ objects, associations, name: () => name })] as const,
      ),
    ]);
  };
  refresh();
  const server = createMeterServer({
    clock: options.clock,
    random: (n) => nodeCrypto.randomBytes(n),
    crypto: nodeCrypto,
    fault: options.fault,
    find({ logical }) {
      if (logical === MANAGEMENT) refresh();
      const device = devices.get(logical);
      return device && { device, meter: undefined };
    },
  });
  return { server, meters: () => meters };
}

/** Changes when a visit was added or went on. */
function stateOf(folder: string): string {
  try {
    return readdirSync(folder)
      .filter((name) => name.endsWith('.visit'))
      .sort()
      .map((name) => `${name} ${statSync(join(folder, name)).size}`)
      .join('\n');
  } catch {
    return 'none';
  }
}

const isSerial = (text: string): boolean => text.startsWith('/') || text.startsWith('./') || /^COM\d+$/i.test(text);

/** Until the user ends it. @throws UsageError, PortError */
export async function runServe(terminal: Terminal, given: Given): Promise<void> {
  const where = String(given.listen ?? `127.0.0.1:${PORT}`);
  const password = await passwordOption('--password', given.password);
  const { server, meters } = handheldServer({
    folder: storeOf(given),
    password,
    clock: terminal.clock,
    fault: (error) => terminal.err(`amiable handheld: a fault of this program: ${(error as Error).message}\n`),
  });
  let close: () => Promise<void>;
  let told: string;
  if (isSerial(where)) {
    const link = serialLink({ path: where, baud: Number(given.baud ?? 9600), parity: 'N' });
    const events = server.accept(
      { describe: where, lasting: true, write: (bytes) => void link.write(bytes).catch(() => {}), close: () => {} },
      'hdlc',
    );
    await link.open({ data: (bytes) => events?.data(bytes), closed: () => events?.closed() });
    close = () => link.close();
    told = `${where}, HDLC`;
  } else {
    const at = /^\d+$/.test(where) ? { host: '', port: Number(where) } : parseHostPort(where);
    if (!at) throw new UsageError(`--listen ${where}: write host:port, :port, or a serial port.`);
    const host = at.host === '' ? '127.0.0.1' : at.host;
    if (!password && !/^(127\.|localhost$|::1$)/.test(host))
      throw new UsageError(
        `--listen ${where} is open to others: say --password, with which clients log in (client 2).`,
      );
    const listener = await listenTcp({ host, port: at.port }, (connection) =>
      server.accept(connection, given.hdlc === true ? 'hdlc' : 'wrapper'),
    );
    close = () => listener.close();
    told = `${host}:${listener.port}, ${given.hdlc === true ? 'HDLC' : 'wrapper'}`;
  }
  terminal.err(`Serving on ${told}; server 1 is this unit, and lists the meters:\n`);
  for (const { sap, meter, name, objects, visited } of meters())
    terminal.err(
      `  server ${sap}  ${meter} (${name}), ${objects.length} objects, visited ${new Date(visited).toISOString().slice(0, 16).replace('T', ' ')}Z\n`,
    );
  if (meters().length === 0) terminal.err('  none: nothing was visited yet.\n');
  await new Promise<void>((resolve) => {
    if (terminal.signal.aborted) resolve();
    terminal.signal.addEventListener('abort', () => resolve(), { once: true });
  });
  server.close();
  await close();
}

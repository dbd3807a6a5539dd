/**
 * The gateways of a reader, begun and changed by its configuration. One that cannot start (a port that is taken) hinders neither the
 * reader nor the others: it is told, shown as down and tried again.
 */
import { type Clock, portError } from '@amiable/io';
import type { GatewaysConfig, ReaderConfig } from '../config/types.ts';
import type { ReaderService } from '../service/types.ts';
import { andThen } from '../words.ts';
import type { Gateway, GatewayStatus } from './types.ts';
import { createLiveValues, type LiveValues } from './values.ts';

const RETRY = 15_000;

export interface Gateways {
  readonly values: LiveValues;
  status(): GatewayStatus[];
  /** Gateways whose settings differ are ended and begun anew. */
  apply(config: ReaderConfig): Promise<void>;
  close(): Promise<void>;
}

export interface GatewaysOptions {
  readonly service: Pick<ReaderService, 'latest' | 'onMessage' | 'status'>;
  readonly clock: Clock;
  readonly tell: (line: string) => void;
  readonly version: string;
}

interface Slot {
  /** JSON of what it was begun with. */
  readonly settings: string;
  gateway?: Gateway;
  fault?: string;
  cancel(): void;
}

type Kind = keyof GatewaysConfig;
const NAMES: Readonly<Record<Kind, string>> = {
  homeAssistant: 'Home Assistant',
  modbus: 'Modbus TCP',
  multicast: 'Multicast',
};

export function createGateways({ service, clock, tell, version }: GatewaysOptions): Gateways {
  const values = createLiveValues(service);
  const slots = new Map<Kind, Slot>();
  let turn: Promise<void> = Promise.resolve();
  let closed = false;

  const begin = async (kind: Kind, config: ReaderConfig): Promise<Gateway | undefined> => {
    const { gateways, reader } = config;
    if (kind === 'homeAssistant' && gateways.homeAssistant) {
      const { startHomeAssistant } = await import('./home-assistant.ts');
      return startHomeAssistant({ config: gateways.homeAssistant, reader, values, clock, tell });
    }
    if (kind === 'modbus' && gateways.modbus) {
      const { startModbus } = await import('./modbus.ts');
      const ports = () => service.status().ports.map((port) => port.name);
      return startModbus({ config: gateways.modbus, reader, version, values, ports, clock, tell });
    }
    if (kind === 'multicast' && gateways.multicast) {
      const { startMulticast } = await import('./multicast.ts');
      return startMulticast(gateways.multicast, service, tell);
    }
    return undefined;
  };

  const fill = async (kind: Kind, slot: Slot, config: ReaderConfig): Promise<void> => {
    try {
      const gateway = await begin(kind, config);
      if (!gateway) return;
      if (closed || slots.get(kind) !== slot) return void (await gateway.close());
      slot.gateway = gateway;
      if (slot.fault !== undefined) tell(`${gateway.name}: it works now`);
      delete slot.fault;
    } catch (error) {
      const words = portError(NAMES[kind], error).message;
      if (slot.fault !== words) tell(andThen(words, 'Trying again'));
      slot.fault = words;
      slot.cancel = clock.after(RETRY, () => {
        turn = turn.then(() => (slots.get(kind) === slot && !closed ? fill(kind, slot, config) : undefined));
      });
    }
  };

  const end = async (kind: Kind, gone: boolean): Promise<void> => {
    const slot = slots.get(kind);
    if (!slot) return;
    slots.delete(kind);
    slot.cancel();
    await slot.gateway?.close(gone);
  };

  return {
    values,
    status: () =>
      [...slots].map(
        ([kind, { gateway, fault }]) =>
          gateway?.status() ?? {
            name: NAMES[kind],
            state: 'down',
            count: 0,
            ...(fault === undefined ? {} : { fault }),
          },
      ),
    apply(config) {
      turn = turn.then(async () => {
        if (closed) return;
        for (const kind of Object.keys(NAMES) as Kind[]) {
          const wanted = config.gateways[kind];
          const settings = JSON.stringify([config.reader, wanted ?? null]);
          if (slots.get(kind)?.settings === settings) continue;
          await end(kind, wanted === undefined);
          if (!wanted) continue;
          const slot: Slot = { settings, cancel: () => {} };
          slots.set(kind, slot);
          await fill(kind, slot, config);
        }
      });
      return turn;
    },
    close() {
      turn = turn.then(async () => {
        closed = true;
        for (const kind of [...slots.keys()]) await end(kind, false);
        values.close();
      });
      return turn;
    },
  };
}

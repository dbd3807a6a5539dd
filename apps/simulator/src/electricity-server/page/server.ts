/**
 * The page's server: the document, the meter's state as JSON, and what a hand at the meter can do.
 *
 * Decides: it answers only to its own address (a page of a stranger cannot reach it through a name that points here), takes
 * commands only as JSON, and gives nothing that a client could not read at the meter itself. Leaves out: the look (html.ts).
 */
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { type Listener, portError } from '@amiable/io';
import {
  EVENT_TEXTS,
  type LogId,
  lights,
  type Meter,
  type Outcome,
  patternText,
  type Triple,
} from '../../electricity/index.ts';
import { localText } from '../objects/clock.ts';
import type { ServedMeter } from '../served.ts';
import { CONTENT_SECURITY_POLICY, HTML } from './html.ts';
import { REGISTER_NAMES, TEXTS } from './texts.ts';

export interface PageOptions {
  readonly host: string;
  readonly port: number;
  readonly meter: ServedMeter;
  readonly speed: number;
}

const LARGEST_COMMAND = 1024;
const DAY = 86_400_000;
const EVENTS_SHOWN = 50;

const HEADERS = {
  'cache-control': 'no-store',
  'x-content-type-options': 'nosniff',
  'referrer-policy': 'no-referrer',
} as const;

/** Phases that a hand has switched off. */
class Hand {
  readonly on = [true, true, true];
  apply(engine: Meter): void {
    const count = phasesOf(engine);
    const present = this.on.slice(0, count);
    engine.setMains(present.some(Boolean));
    const nominal = engine.config.nominalVoltage;
    const voltages = this.on.map((on, i) => (on && i < count ? nominal : 0)) as unknown as Triple;
    engine.setVoltages(present.every(Boolean) ? undefined : voltages);
  }
}

const phasesOf = (engine: Meter): number => (engine.config.type === 'polyphase' ? 3 : 1);

function logOf(engine: Meter, id: LogId): { time: string; text: string }[] {
  const view = engine.log(id);
  const shown = Math.min(EVENTS_SHOWN, view.length);
  return Array.from({ length: shown }, (_, i) => {
    const { at, event } = view.entry(view.length - 1 - i);
    return { time: localText(engine.config.zone, at).replace('T', ' '), text: EVENT_TEXTS[event] };
  });
}

/** Mean import of each period of the last day, out of the periodic profile. */
function curveOf(engine: Meter): { label: string; watts: number }[] {
  const view = engine.profile('periodic');
  const column = view.columns.indexOf('1-0:1.8.0');
  if (column < 0) return [];
  const from = engine.clock.utc - DAY;
  const curve: { label: string; watts: number }[] = [];
  for (let row = Math.max(1, view.length - 97); row < view.length; row++) {
    const at = view.timeOf(row);
    const before = view.timeOf(row - 1);
    if (before < from || at <= before) continue;
    const energy = view.value(row, column) - view.value(row - 1, column);
    curve.push({
      label: localText(engine.config.zone, before).slice(11, 16),
      watts: Math.max(0, Math.round((energy * 3_600_000) / (at - before))),
    });
  }
  return curve;
}

function slavesOf(engine: Meter): { medium: string; code: string; value: string }[] {
  return engine.parameters.slaves.flatMap((settings, channel) => {
    if (!settings) return [];
    const reading = engine.slaveValue(channel);
    const { unit, medium, obis } = settings;
    // Heat in kWh, as on its own display.
    const scaler = settings.scaler - (unit === 'Wh' ? 3 : 0);
    const shown = unit === 'Wh' ? 'kWh' : unit === 'm3' ? 'm³' : unit;
    const value = reading ? `${(reading.value * 10 ** scaler).toFixed(Math.max(0, -scaler))} ${shown}` : '–';
    return [{ medium, code: obis, value }];
  });
}

function stateOf(meter: ServedMeter, hand: Hand, speed: number) {
  const engine = meter.live();
  const { clock, config } = engine;
  const quality = engine.powerQuality;
  const phases = phasesOf(engine);
  // Lights flash by the eye's time, however fast the meter lives.
  const shift = speed === 1 ? 0 : Date.now() - engine.now;
  return {
    now: engine.now + shift,
    serial: engine.identification('meter-serial'),
    module: config.module === 'plc' ? 'PLC' : 'GPRS/GSM',
    powered: engine.powered,
    clock: `${localText(config.zone, clock.utc).replace('T', ' ')}${clock.dst ? ' DST' : ''}`,
    synchronised: clock.synchronised,
    display: engine.displayLines(),
    lights: lights(engine).map(({ name, colour, pattern, meaning }) => ({
      name,
      colour,
      pattern: pattern.kind === 'until' ? { kind: 'until', end: pattern.end + shift } : pattern,
      text: patternText(pattern),
      meaning,
    })),
    disconnecter: engine.disconnecter,
    phases: hand.on.slice(0, phases),
    alertInput: engine.alertInput,
    rateInput: engine.rateInput,
    power: engine.powers.slice(0, phases).reduce((sum, p) => sum + p, 0),
    voltages: quality.voltages.slice(0, phases),
    failures: [quality.totalPowerFailures, quality.longPowerFailures],
    rate: engine.rate,
    registers: Object.entries(REGISTER_NAMES).map(([code, name]) => ({
      code,
      name,
      value: engine.registerText(code as never),
      rate: Number(code.at(-1)),
    })),
    curve: curveOf(engine),
    events: logOf(engine, 'standard'),
    switching: logOf(engine, 'disconnecter'),
    slaves: slavesOf(engine),
    message: engine.display.message,
  };
}

interface Command {
  readonly action?: unknown;
  readonly on?: unknown;
  readonly phase?: unknown;
}

/** @returns what to tell; undefined for a command that there is not */
function execute(meter: ServedMeter, hand: Hand, command: Command): string | undefined {
  const engine = meter.live();
  const on = command.on === true;
  meter.changed();
  switch (command.action) {
    case 'press':
      return told(engine.pressButton());
    case 'phase': {
      const phase = Number(command.phase);
      if (!Number.isInteger(phase) || phase < 0 || phase >= phasesOf(engine)) return undefined;
      hand.on[phase] = on;
      hand.apply(engine);
      return '';
    }
    case 'mains':
      hand.on.fill(on);
      hand.apply(engine);
      return '';
    case 'alert':
      engine.setAlertInput(on);
      return '';
    case 'rate':
      engine.setRateInput(on);
      return '';
    default:
      return undefined;
  }
}

const told = (outcome: Outcome): string => (outcome.done ? TEXTS.pressed : `${TEXTS.refused}: ${outcome.text}.`);

async function body(request: IncomingMessage): Promise<string | undefined> {
  let text = '';
  for await (const piece of request) {
    text += String(piece);
    if (text.length > LARGEST_COMMAND) return undefined;
  }
  return text;
}

/** @throws PortError */
export function servePage({ host, port, meter, speed }: PageOptions): Promise<Listener> {
  const hand = new Hand();
  // A meter that comes back from its state may have been left without mains.
  hand.apply(meter.live());
  const loopback = host === '127.0.0.1' || host === '::1' || host === 'localhost';
  const strange = (request: IncomingMessage): boolean => {
    if (!loopback) return false;
    const name = (request.headers.host ?? '').replace(/:\d+$/, '');
    return name !== '127.0.0.1' && name !== 'localhost' && name !== '[::1]';
  };
  const json = (response: ServerResponse, status: number, value: unknown): void => {
    response.writeHead(status, { ...HEADERS, 'content-type': 'application/json' }).end(JSON.stringify(value));
  };
  const act = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    if (!request.headers['content-type']?.startsWith('application/json')) return json(response, 415, {});
    const text = await body(request);
    let command: Command | null;
    try {
      command = JSON.parse(text ?? '');
    } catch {
      return json(response, 400, {});
    }
    const answer = execute(meter, hand, command ?? {});
    json(response, answer === undefined ? 400 : 200, { text: answer ?? '' });
  };
  const server = createServer((request, response) => {
    const path = (request.url ?? '/').split('?')[0];
    if (strange(request)) return json(response, 403, {});
    if (request.method === 'POST' && path === '/act') {
      // A client that goes away in the middle is no fault.
      act(request, response).catch(() => response.destroy());
      return;
    }
    if (request.method !== 'GET') return json(response, 405, {});
    if (path === '/state') return json(response, 200, stateOf(meter, hand, speed));
    if (path !== '/') return json(response, 404, {});
    response
      .writeHead(200, {
        ...HEADERS,
        'content-type': 'text/html; charset=utf-8',
        'content-security-policy': CONTENT_SECURITY_POLICY,
      })
      .end(HTML);
  });
  return new Promise((resolve, reject) => {
    server.once('error', (error) => reject(portError(`${host}:${port}`, error)));
    server.listen(port, host, () => {
      const address = server.address();
      resolve({
        port: typeof address === 'object' && address ? address.port : port,
        close: () =>
          new Promise((done) => {
            server.close(() => done());
            server.closeAllConnections();
          }),
      });
    });
  });
}

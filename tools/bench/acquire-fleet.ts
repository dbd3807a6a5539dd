/**
 * The meters that tools/bench/acquire.ts reads: a fleet behind one port, in a process of its own. Each has lived three days,
 * keeps four registers every quarter of an hour, and has had two power failures. Says where it is and, when asked, what
 * every meter has lived.
 *
 * Words: how many, the present (epoch ms). Virtual time runs on from there.
 */
import { createInterface } from 'node:readline';
import { toHex } from '@amiable/bytes';
import { systemClock } from '@amiable/io';
import { virtualMeter } from '../../apps/simulator/src/electricity-server/factory.ts';
import { createServer, fleetDirectory, serveTcp } from '../../apps/simulator/src/electricity-server/listen.ts';
import { COLUMNS, columnNumber, type FleetReady, Summer, type Truth } from './acquire-truth.ts';

const [count, present, load, daily] = process.argv.slice(2).map(Number) as [number, number, number, number];
const DAY = 86_400_000;
const MINUTE = 60_000;

let frozen: number | undefined = present - 40 * MINUTE;
let begun = 0;
const now = (): number => frozen ?? present + (systemClock.now() - begun);
const options = {
  seed: 1,
  zone: 'Europe/Oslo',
  suite: 0 as const,
  history: 3 * DAY,
  shared: true,
  config: { module: 'gprs' as const },
  parameters: { capturePeriod: 15 as const, periodic: [...COLUMNS] },
  now,
};
const meters = Array.from({ length: count }, (_, i) => virtualMeter(options, { number: i + 1 }));
for (const meter of meters) {
  const { engine } = meter;
  for (const minutes of [38, 34, 30, 21]) {
    engine.advance(present - minutes * MINUTE);
    engine.setMains(minutes === 34 || minutes === 21);
  }
  engine.advance(present);
}
begun = systemClock.now();
frozen = undefined;
const server = createServer(
  fleetDirectory((number) => meters[number - 1]),
  systemClock,
  { fault: (error) => process.stderr.write(`fault: ${String(error)}\n`) },
);
const listener = await serveTcp(server, 'wrapper', { host: '0.0.0.0', port: 0 });
const ready: FleetReady = {
  port: listener.port,
  meters: meters.map(({ engine, credentials: { stored } }) => ({
    serial: engine.identification('meter-serial'),
    password: toHex(stored.password),
    unicast: toHex(stored.management.unicast),
    authentication: toHex(stored.management.authentication),
  })),
};
process.stdout.write(`${JSON.stringify(ready)}\n`);

function truths(): Truth[] {
  return meters.map(({ engine }) => {
    const sum = (id: 'periodic' | 'daily', from: number, to: number) => {
      const summer = new Summer();
      const view = engine.profile(id);
      for (let row = 0; row < view.length; row++) {
        const time = view.timeOf(row);
        if (time < from || time >= to) continue;
        for (const [c, name] of view.columns.entries()) summer.add(time, view.value(row, c), columnNumber(name));
      }
      return summer.digest;
    };
    const events = new Summer();
    for (const id of ['standard', 'disconnecter'] as const) {
      const log = engine.log(id);
      for (let i = 0; i < log.length; i++) events.add(log.entry(i).at, log.entry(i).event, log.entry(i).status);
    }
    return {
      serial: engine.identification('meter-serial'),
      load: sum('periodic', load, daily),
      daily: sum('daily', load, daily + 1),
      events: events.digest,
    };
  });
}

createInterface(process.stdin)
  .on('line', (line) => {
    if (line === 'cpu') {
      const { user, system } = process.cpuUsage();
      process.stdout.write(`${JSON.stringify({ cpu: (user + system) / 1e6 })}\n`);
    } else process.stdout.write(`${JSON.stringify(truths())}\n`);
  })
  .on('close', () => process.exit(0));

/** A virtual meter in virtual time: what it sends around the full hour, read back by the reader. */
import { createHanReader } from '@amiable/meter';
import { isoTime } from '@amiable/model';
import { createVirtualMeter, findModel, MODELS } from '@amiable/simulator';

const model = findModel('MA304H3E') ?? (MODELS[0] as (typeof MODELS)[number]);
const meter = createVirtualMeter({ seed: 7, street: 1, zone: 'Europe/Oslo', model });

const from = Date.parse('2026-01-15T13:59:56Z');
let at = from;
const reader = createHanReader(
  { reader: 'example', port: 'virtual', now: () => at, live: true },
  {
    message: (m) => {
      const power = m.items.findIndex((item) => item.name === 'activePowerImport');
      console.log(`${isoTime(at)}  ${String(m.items.length).padStart(2)} values, ${m.values[power]} W`);
    },
    drop: (drop) => console.log(`dropped ${drop.length} bytes: ${drop.reason}`),
  },
);
for (const frame of meter.frames(from, from + 26_000)) {
  at = frame.at;
  reader.push(frame.bytes);
}

/** Plays one virtual P1 meter onto a line: at its own pace and the line's, or as fast as the other side takes it. */
import { toHex } from '@amiable/bytes';
import { createDamage, createPacer, sleep } from '@amiable/io';
import { messageId, messageToJson } from '@amiable/model';
import { LATEST, type Output } from '../run.ts';
import type { P1Emission, P1Meter } from './meter.ts';
import type { P1Options } from './options.ts';

/** Pieces in which a paced line hands bytes over: about 10 ms, as a UART's FIFO does. */
const PIECES_PER_SECOND = 100;
const BURST = 65_536;
const CHARACTER_BITS = 10;

export interface P1RunCounters {
  sent: number;
  bytes: number;
  /** Not sent because the line was busy too long. */
  overloaded: number;
}

export async function runP1(options: P1Options, output: Output, signal: AbortSignal): Promise<P1RunCounters> {
  const { meter, fast, baud, parity } = options;
  const { clock } = output;
  introduce(options, output);
  await output.ready?.();
  const counters: P1RunCounters = { sent: 0, bytes: 0, overloaded: 0 };
  const damage = options.noise ? createDamage(options.noise.seed, options.noise.rates) : undefined;
  const pacer = createPacer({ baud, parity, clock });
  const piece = Math.max(1, Math.floor(baud / CHARACTER_BITS / PIECES_PER_SECOND));
  const begun = clock.now();
  const from = options.from ?? begun;
  let burst = 0;

  const send = async (bytes: Uint8Array): Promise<void> => {
    counters.bytes += bytes.length;
    if (options.hex) return output.write(new TextEncoder().encode(`${toHex(bytes)}\n`));
    if (fast) {
      await output.write(bytes);
      burst += bytes.length;
      if (burst <= BURST) return;
      burst = 0;
      await new Promise((resolve) => setImmediate(resolve));
      return;
    }
    for (let at = 0; at < bytes.length && !signal.aborted; at += piece) {
      const part = bytes.subarray(at, at + piece);
      await pacer.take(part.length, signal);
      await output.write(part);
    }
  };

  const to = options.duration === undefined ? Number.MAX_SAFE_INTEGER : from + options.duration;
  try {
    for (const emission of meter.telegrams(from, to)) {
      if (signal.aborted) break;
      if (!fast) {
        const wait = begun + (emission.at - from) - clock.now();
        if (wait < -LATEST) {
          counters.overloaded++;
          continue;
        }
        if (wait > 0) await sleep(clock, wait, signal);
        if (signal.aborted) break;
      }
      counters.sent++;
      if (output.truth) await output.truth(p1TruthLine(meter, emission));
      for (const part of damage ? damage.apply(emission.bytes) : [emission.bytes]) await send(part);
    }
    for (const part of damage?.end() ?? []) await send(part);
  } finally {
    await output.close();
  }
  const slow = counters.overloaded > 0 ? `; ${counters.overloaded} not sent because ${baud} baud is too slow` : '';
  output.say(`${counters.sent} telegrams sent, ${counters.bytes} bytes${slow}`);
  return counters;
}

/** The canonical message as `amiable read --json` gives it, but for what only the reader knows. */
export function p1TruthLine(meter: P1Meter, { at, bytes, truth }: P1Emission): string {
  const port = meter.serial || 'p1';
  return messageToJson({
    ...truth,
    id: messageId(port, truth.meterTime ?? String(at), bytes),
    reader: 'simulator',
    port,
    receivedAt: at,
  });
}

function introduce({ meter, fast, baud, from, keys }: P1Options, output: Output): void {
  const { model, serial, zone } = meter;
  const pace = fast ? 'as fast as possible' : `at ${baud} baud ${model.seven ? '7E1' : '8N1'}`;
  output.say(
    `${model.title}${serial ? `, meter ${serial}` : ''}, ${pace}, from ${from === undefined ? 'now' : new Date(from).toISOString()}`,
  );
  const key = keys
    ? ` -k ${toHex(keys.key)} --auth-key ${toHex(keys.authKey)}`
    : model.ciphered
      ? ' -k KEY --auth-key KEY'
      : '';
  const elsewhere = zone === model.zone ? '' : ` --tz ${zone}`;
  output.say(`read it with: amiable read ${output.readWith}${key}${elsewhere} --json`);
}

/**
 * Uplink into another part of this process (the central system of `amiable start`): batches in order, each gone from the outbox
 * when the other part has it for good. What it does not take now (the database is away) is tried again for ever, told once.
 */
import { backOff, sleep } from '@amiable/io';
import type { Message } from '@amiable/model';
import { MessageFormatError, messageFromJson } from '@amiable/model/schemas';
import type { InProcess } from '../service/types.ts';
import { andThen } from '../words.ts';
import { createBell, type Uplink, type UplinkCommon, type UplinkReport, waitUntil } from './uplink.ts';

const BATCH_FIRST = 64;
const BATCH_ITEMS = 4000;
const BATCH_BYTES = 2 << 20;

export interface InProcessOptions extends UplinkCommon {
  readonly to: InProcess;
}

export function inProcessUplink({ outbox, to, clock, random, tell }: InProcessOptions): Uplink {
  const name = to.target;
  const bell = createBell();
  const closing = new AbortController();
  let delivered = 0;
  let refused = 0;
  let refusal: string | undefined;
  let fault: string | undefined;
  let isUp = false;
  let ended = false;
  let lastDelivery: number | undefined;
  outbox.onPut = () => bell.ring();

  const parse = (lines: readonly string[]): Message[] => {
    const out: Message[] = [];
    for (const line of lines)
      try {
        out.push(messageFromJson(JSON.parse(line)));
      } catch (error) {
        // Coming again would not mend it.
        refused++;
        refusal = error instanceof MessageFormatError ? error.message : 'it is no message';
        tell(`${name}: a message is left out: ${refusal}`);
      }
    return out;
  };
  const work = async () => {
    let failures = 0;
    let most = BATCH_FIRST;
    while (!ended) {
      const lines = outbox.look(0, most, BATCH_BYTES);
      if (lines.length === 0) {
        await bell.next();
        continue;
      }
      const bad = refused;
      const messages = parse(lines);
      try {
        if (messages.length > 0) await to.take(messages);
      } catch (error) {
        refused = bad;
        if (ended) return;
        const words = `${name}: ${(error as Error).message}`;
        if (fault === undefined) tell(andThen(words, 'Trying again; messages wait'));
        fault = words;
        isUp = false;
        failures++;
        // A try costs little, however much waits.
        most = BATCH_FIRST;
        // The next try begins with what is newest then.
        outbox.again();
        bell.ring();
        await sleep(clock, backOff({ first: 250, longest: 10_000 }, failures, random), closing.signal);
        continue;
      }
      if (fault !== undefined) tell(`${name}: takes messages again`);
      fault = undefined;
      isUp = true;
      failures = 0;
      most = Math.min(BATCH_ITEMS, most * 4);
      delivered += messages.length;
      lastDelivery = clock.now();
      outbox.drop(lines.length);
      bell.ring();
    }
  };
  const working = work();

  const report = (): UplinkReport => ({
    name,
    delivered,
    refused,
    lost: outbox.lost,
    gaveUp: false,
    waiting: outbox.length,
    state: isUp ? 'up' : fault === undefined ? 'connecting' : 'down',
    ...(refusal === undefined ? {} : { refusal }),
    ...(fault === undefined ? {} : { fault }),
    ...(lastDelivery === undefined ? {} : { lastDelivery }),
  });
  return {
    name,
    hopeless: new Promise(() => {}),
    report,
    async finish(ms, cut) {
      outbox.hurry();
      await waitUntil(() => outbox.length === 0, bell.next, clock, ms, cut);
      const result = report();
      ended = true;
      closing.abort();
      bell.ring();
      outbox.close();
      await working;
      return result;
    },
  };
}

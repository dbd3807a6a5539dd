/** `-d` and `-l`: messages as they come, until the user ends it. */
import { multicastReceiver, nodeCrypto } from '@amiable/io';
import { createAnyReader } from '@amiable/meter';
import type { Message } from '@amiable/model';
import { MessageFormatError, messageFromJson } from '@amiable/model/schemas';
import type { Run } from './delivery.ts';
import type { Device } from './options.ts';
import { createLiveReader } from './polled/index.ts';

export async function readDevice(run: Run, device: Device): Promise<void> {
  const { options, io } = run;
  let turn = Promise.resolve();
  const reader = createLiveReader({
    device,
    reader: options.reader,
    port: options.port,
    keys: run.keys,
    clock: io.clock,
    random: io.random,
    bad: options.bad,
    maxClockError: options.maxClockError,
    mustOpen: true,
    ...(options.protocol === undefined ? {} : { protocol: options.protocol }),
    ...(options.poll === undefined ? {} : { poll: options.poll }),
    ...(options.signals === undefined ? {} : { signals: options.signals }),
    ...(options.zone === undefined ? {} : { zone: options.zone }),
    ...(io.serialBinding === undefined ? {} : { serialBinding: io.serialBinding }),
    tell: run.tell,
    bytes(chunk) {
      run.bytes(chunk.length);
      run.log?.write(chunk);
    },
    message(m) {
      turn = turn.then(async () => {
        await run.deliver(m, false);
        await run.flush();
      });
      return turn;
    },
    drop: (d) => run.drop(d),
    lost: (n) => run.drop({ reason: 'overrun', offset: 0, length: n, excerpt: new Uint8Array(0) }),
  });
  await reader.run(run.signal);
}

/** `-l`: messages of other readers, until the user ends it. */
export async function listen(run: Run): Promise<void> {
  const { options, io, signal } = run;
  let turn = Promise.resolve();
  const take = (m: Message) => {
    turn = turn.then(async () => {
      await run.deliver(m, false);
      await run.flush();
    });
  };
  const strangers = new Set<string>();
  const receiver = await multicastReceiver(options.multicast, (bytes, from) => {
    run.bytes(bytes.length);
    try {
      if (bytes[0] === 0x7b) {
        take(messageFromJson(JSON.parse(Buffer.from(bytes).toString('utf8'))));
        return;
      }
      // Other programs multicast the frames themselves; each datagram stands alone.
      const decoder = createAnyReader(
        {
          reader: options.reader,
          port: options.port,
          keys: run.keys,
          crypto: nodeCrypto,
          now: () => io.clock.now(),
          live: true,
          bad: options.bad,
          maxClockError: options.maxClockError,
          protocol: options.protocol,
          ...(options.zone === undefined ? {} : { zone: options.zone }),
        },
        { message: take, drop: (d) => run.drop(d) },
      );
      decoder.push(bytes);
      decoder.end();
    } catch (error) {
      run.drop({ reason: 'message', offset: 0, length: bytes.length, excerpt: bytes.slice(0, 64) });
      const why = error instanceof MessageFormatError ? error.message : 'it is no message';
      if (strangers.size < 100 && !strangers.has(from)) run.tell(`a datagram of ${from} is left out: ${why}`);
      strangers.add(from);
    }
  });
  run.tell(`listening to ${receiver.describe}; Ctrl-C ends`);
  await new Promise<void>((resolve) => {
    if (signal.aborted) resolve();
    else signal.addEventListener('abort', () => resolve(), { once: true });
  });
  await receiver.close();
  await turn;
}

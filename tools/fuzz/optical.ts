/** IEC 62056-21: read-outs and exchanges, changed at random, through the decoder, the explanation and both ends of the protocol. */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import {
  createOpticalClient,
  createOpticalServer,
  createReadoutDecoder,
  encodeCommand,
  encodeData,
  evenParity,
  explainReadout,
} from '@amiable/iec62056-21';
import { type Message, messageToJson, type PortDecoder } from '@amiable/model';
import { messageFromJson } from '@amiable/model/schemas';
import { type Dice, mutate, root } from './inputs.ts';
import type { Target } from './target.ts';

function corpus(): Uint8Array[] {
  const out: Uint8Array[] = [
    encodeData('1.8.0(000285.4*kWh)'),
    encodeData('(ER07)'),
    encodeCommand({ command: 'R', type: '5', data: 'P.01(;)', more: true }),
    encodeCommand({ command: 'P', type: '1', data: '(00000000)', more: false }),
    new TextEncoder().encode('/?!\r\n/AMI5\\2X\r\n\x06251\r\n\x06051\r\n'),
    new TextEncoder().encode(
      '/AMI5X\r\nP.01(0261120080000)(00)(15)(1)(1.5)(kW)(0.5)\r\n(0.6)\r\n0.9.1(1023000)0.9.2(251026)!\r\n',
    ),
  ];
  for (const folder of ['vectors/iec62056-21', '../shared/data/iec62056-21']
    .map((f) => join(root, f))
    .filter(existsSync))
    for (const name of readdirSync(folder).filter((n) => n.endsWith('.txt')))
      out.push(new Uint8Array(readFileSync(join(folder, name))));
  return [...out, ...out.map(evenParity)];
}

export function opticalTarget(roll: Dice): Target {
  const seeds = corpus();
  const tally: Record<string, number> = {};
  const count = (what: string): void => {
    tally[what] = (tally[what] ?? 0) + 1;
  };
  let clock = Date.UTC(2026, 0, 1);
  let decoder: PortDecoder | undefined;
  let inputs = 0;
  const check = (m: Message): void => {
    count(m.error ? `message: ${m.error.reason}` : 'messages');
    if (m.items.length !== m.values.length) throw new Error(`${m.items.length} items, ${m.values.length} values`);
    if (roll(16) === 0) messageFromJson(JSON.parse(messageToJson(m, { raw: true })));
  };
  const client = createOpticalClient(
    {},
    { write: () => count('client writes'), line() {}, event: (e) => count(`client ${e.type}`) },
  );
  const server = createOpticalServer(
    {
      maker: 'AMI',
      identification: 'X',
      hdlc: true,
      device: {
        readout: () => ['1.8.0(1*kWh)'],
        operand: () => '1',
        command: () => ({ type: 'data', parts: ['(1)', '(2)'] }),
      },
    },
    { write: () => count('meter writes'), line() {}, hdlc: () => server.reset() },
  );
  return {
    tally,
    next: () => mutate(seeds[roll(seeds.length)] as Uint8Array, roll, seeds),
    run(input) {
      if (!decoder || inputs++ % 500 === 0) {
        decoder?.end();
        decoder = createReadoutDecoder(
          {
            reader: 'fuzz',
            port: 'd0',
            now: () => clock,
            zone: 'Europe/Berlin',
            live: roll(2) === 0,
            bad: roll(2) === 0,
          },
          { message: check, drop: (d) => count(`drop: ${d.reason}`) },
        );
      }
      clock += 500;
      const cut = roll(input.length + 1);
      decoder.push(input.subarray(0, cut));
      decoder.push(input.subarray(cut));
      if (roll(3) === 0) decoder.idle();
      if (roll(8) === 0) {
        const told = explainReadout(input).reduce((n, field) => n + field.length, 0);
        if (told !== input.length) throw new Error(`${told} of ${input.length} bytes are explained`);
      }
      if (client.state === 'idle' || client.state === 'failed' || client.state === 'over' || client.state === 'hdlc')
        client.start((['readout', 'programming', 'hdlc'] as const)[roll(3)] ?? 'readout', clock);
      if (client.state === 'programming')
        client.command({ command: 'R', type: '6', data: '1.8.0()', more: false }, clock);
      client.receive(input, clock);
      client.tick(clock);
      server.receive(input, clock);
      server.tick(clock);
    },
  };
}

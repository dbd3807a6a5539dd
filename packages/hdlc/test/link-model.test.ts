/** Each end against a model of its modes that was written without looking at its tables. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  createHdlcClient,
  createHdlcServer,
  decodeControl,
  decodeFrame,
  encodeControl,
  encodeFrame,
  encodeParameters,
  type HdlcServerLink,
} from '../src/index.ts';
import { CLIENT, SERVER } from './line.ts';

const RETRIES = 2;
const kindOf = (bytes: Uint8Array) => decodeControl(decodeFrame(bytes).control).kind;

describe('client', () => {
  const operations = ['connect', 'disconnect', 'ua', 'dm', 'frmr', 'ui', 'send', 'answer', 'timeout', 'noise'] as const;

  test('goes through its modes as the model does', () => {
    fc.assert(
      fc.property(fc.array(fc.constantFrom(...operations), { maxLength: 60 }), (list) => {
        const seen: string[] = [];
        let now = 0;
        const client = createHdlcClient(
          { client: CLIENT, server: SERVER, retries: RETRIES, responseTimeout: 10, pollInterval: 0 },
          {
            write: (b) => seen.push(kindOf(b)),
            connected: () => seen.push('connected'),
            information: () => seen.push('information'),
            disconnected: (r) => seen.push(r),
            failed: () => seen.push('failed'),
            unnumbered: () => seen.push('unnumbered'),
          },
        );
        const receive = (control: number) =>
          client.receive(encodeFrame({ destination: CLIENT, source: SERVER, control }), now);
        // The model: mode, asked how often, a poll under way, DISC to follow, I frames sent and acknowledged.
        let mode = 'disconnected';
        let asked = 0;
        let polling = false;
        let closing = false;
        let sent = 0;
        const want: string[] = [];
        const end = (how: string) => {
          mode = 'disconnected';
          polling = closing = false;
          want.push(how);
        };
        const bye = () => {
          mode = 'disconnecting';
          asked = 1;
          polling = closing = false;
          want.push('DISC');
        };
        for (const op of list) {
          seen.length = want.length = 0;
          switch (op) {
            case 'connect':
              if (mode === 'disconnected') {
                client.connect(now);
                mode = 'connecting';
                asked = 1;
                want.push('SNRM');
              } else expect(() => client.connect(now)).toThrow(/connect in state/);
              break;
            case 'disconnect':
              client.disconnect(now);
              if (mode === 'connected' && polling) closing = true;
              else if (mode === 'connecting' || mode === 'connected') bye();
              break;
            case 'ua':
              receive(encodeControl('UA', true));
              if (mode === 'connecting') {
                mode = 'connected';
                asked = sent = 0;
                want.push('connected');
              } else if (mode === 'disconnecting') end('requested');
              break;
            case 'dm':
              receive(encodeControl('DM', true));
              if (mode === 'connecting') end('failed');
              else if (mode === 'connected') end('peer');
              else if (mode === 'disconnecting') end('requested');
              break;
            case 'frmr':
              receive(encodeControl('FRMR', true));
              if (mode === 'connecting' || mode === 'connected') end('failed');
              break;
            case 'ui':
              receive(encodeControl('UI', false));
              want.push('unnumbered');
              break;
            case 'send':
              if (mode === 'connected' && !closing && !polling) {
                client.send(Uint8Array.of(1), now);
                polling = true;
                asked = 0;
                sent++;
                want.push('I');
              } else if (mode !== 'connected')
                expect(() => client.send(Uint8Array.of(1), now)).toThrow(/send in state/);
              break;
            case 'answer':
              receive(encodeControl('RR', true, 0, sent & 7));
              if (mode === 'connected' && polling) {
                polling = false;
                if (closing) bye();
              }
              break;
            case 'timeout': {
              const deadline = client.nextDeadline();
              const waits = mode === 'connecting' || mode === 'disconnecting' || polling;
              expect(deadline < Number.POSITIVE_INFINITY).toBe(waits);
              if (!waits) break;
              client.tick(deadline - 1);
              expect(seen).toEqual([]);
              now = deadline;
              client.tick(now);
              if (closing) bye();
              else if (mode === 'connected') {
                if (asked++ < RETRIES) want.push('I');
                else end('failed');
              } else if (asked > RETRIES) end('failed');
              else {
                asked++;
                want.push(mode === 'connecting' ? 'SNRM' : 'DISC');
              }
              break;
            }
            case 'noise':
              client.receive(Uint8Array.of(0x7e, 0xa0, 0x11, 0x7e, 0x7e), now);
          }
          expect(seen).toEqual(want);
          expect(client.state).toBe(mode);
        }
      }),
      { numRuns: 500 },
    );
  });
});

describe('server', () => {
  const small = encodeParameters({ maxInfoTransmit: 64, maxInfoReceive: 64, windowTransmit: 1, windowReceive: 1 });
  const operations = [
    'snrm',
    'snrm64',
    'disc',
    'poll',
    'i',
    'repeat',
    'badNr',
    'unknown',
    'inactive',
    'close',
  ] as const;

  test('goes through its modes as the model does', () => {
    fc.assert(
      fc.property(fc.array(fc.constantFrom(...operations), { maxLength: 60 }), (list) => {
        const seen: string[] = [];
        let now = 0;
        let link: HdlcServerLink | undefined;
        const server = createHdlcServer(
          { accepts: () => true, inactivityTimeout: 100 },
          {
            write: (b) => seen.push(kindOf(b)),
            connected(l) {
              link = l;
              seen.push('connected');
            },
            information: () => seen.push('information'),
            disconnected(l, r) {
              expect(l.open).toBe(false);
              expect(server.links.has(l)).toBe(false);
              seen.push(r);
            },
            failed: () => seen.push('failed'),
          },
        );
        const receive = (control: number, info?: Uint8Array) =>
          server.receive(
            encodeFrame({ destination: SERVER, source: CLIENT, control, info: info ?? new Uint8Array(0) }),
            now,
          );
        let mode: 'off' | 'on' | 'reject' = 'off';
        let fresh = '';
        let heard = 0;
        let vr = 0;
        let want: string[] = [];
        for (const op of list) {
          seen.length = 0;
          want = [];
          if (op !== 'inactive' && op !== 'close') heard = now;
          switch (op) {
            case 'snrm':
            case 'snrm64':
              receive(encodeControl('SNRM', true), op === 'snrm' ? undefined : small);
              if (mode === 'on' && fresh === op) want = ['UA'];
              else want = [...(mode === 'on' ? ['reconnected'] : []), 'connected', 'UA'];
              if (want.length > 1) vr = 0;
              mode = 'on';
              fresh = op;
              break;
            case 'disc':
              receive(encodeControl('DISC', true));
              want = mode === 'off' ? ['DM'] : mode === 'on' ? ['peer', 'UA'] : ['UA'];
              mode = 'off';
              break;
            case 'poll':
              receive(encodeControl('RR', true));
              want = [{ off: 'DM', on: 'RR', reject: 'FRMR' }[mode]];
              fresh = '';
              break;
            case 'i':
            case 'repeat': {
              // The next I frame, or the one before once more: taken in, or only answered.
              const ns = op === 'i' ? vr : (vr + 7) & 7;
              receive(encodeControl('I', true, ns, 0), Uint8Array.of(0xe6, 0xe6, 0, 1));
              want = [{ off: 'DM', on: 'RR', reject: 'FRMR' }[mode]];
              if (op === 'i' && mode === 'on') {
                want.unshift('information');
                vr = (vr + 1) & 7;
              }
              fresh = '';
              break;
            }
            case 'badNr':
            case 'unknown':
              receive(op === 'badNr' ? encodeControl('RR', true, 0, 3) : 0xff);
              want = { off: ['DM'], on: ['failed', 'FRMR'], reject: ['FRMR'] }[mode];
              if (mode === 'on') mode = 'reject';
              break;
            case 'inactive':
              expect(server.nextDeadline() < Number.POSITIVE_INFINITY).toBe(mode !== 'off');
              server.tick(heard + 99);
              expect(seen).toEqual([]);
              now = heard + 100;
              server.tick(now);
              heard = now;
              if (mode === 'on') want = ['inactivity'];
              mode = 'off';
              break;
            case 'close':
              link?.close();
              if (mode === 'on') want = ['requested'];
              mode = 'off';
          }
          expect(seen).toEqual(want);
          expect(server.links.size).toBe(mode === 'off' ? 0 : 1);
        }
      }),
      { numRuns: 500 },
    );
  });
});

/** What foreign clients have sent, as recorded in vectors/dlms, to our server: each request gets the answer of its service. */
import { toHex } from '@amiable/bytes';
import { describe, expect, test } from 'vitest';
import { type Apdu, type ClientProfile, createServerAssociation, decodeApdu } from '../src/index.ts';
import { apdusOf, recordings } from './recorded.ts';
import { ALL, fakeDevice } from './server-device.ts';

const ascii = (text: string): Uint8Array => Uint8Array.from(text, (c) => c.charCodeAt(0));

/** The answer that a request is due, by the beginning of its type; undefined where it depends on what came before. */
const DUE: Partial<Record<Apdu['type'], string>> = {
  aarq: 'aare',
  rlrq: 'rlre',
  'get-request-normal': 'get-response-normal',
  'get-request-with-list': 'get-response-with-list',
  'get-request-next': 'get-response-with-datablock',
  'set-request-normal': 'set-response-normal',
  'set-request-with-list': 'set-response-with-list',
  'set-request-with-first-datablock': 'set-response-datablock',
  'action-request-normal': 'action-response-normal',
  'access-request': 'access-response',
  'read-request': 'read-response',
  'write-request': 'write-response',
};

const plain = recordings().filter((r) => !r.security && /^(none|low)/.test(r.authentication));

describe('clients of others', () => {
  test('there are recordings', () => {
    expect(plain.length).toBeGreaterThan(10);
  });

  test.each(plain.map((r) => [r.name, r] as const))('%s', (_, recording) => {
    const low = recording.authentication.startsWith('low');
    const password = recording.password;
    const profile: ClientProfile = {
      name: 'client',
      clientSap: recording.clientAddress,
      applicationContexts: [recording.referencing === 'ln' ? 1 : 2],
      mechanism: low ? 1 : 0,
      conformance: ALL,
      maxReceivePduSize: 0xffff,
      ...(password !== undefined && { secret: () => ascii(password) }),
    };
    const device = fakeDevice([profile]);
    const value = Uint8Array.of(0x11, 5);
    const server = createServerAssociation({
      device: {
        ...device,
        get: () => ({ data: value }),
        set: () => 0,
        readName: () => ({ data: value }),
        writeName: () => 0,
      },
      meter: undefined,
      clientSap: recording.clientAddress,
      serverSap: recording.serverAddress,
      random: (length) => new Uint8Array(length),
    });
    let connection = 0;
    let answered = 0;
    for (const apdu of apdusOf(recording)) {
      if (apdu.connection !== connection) server.closed();
      connection = apdu.connection;
      if (!apdu.fromClient) continue;
      const request = decodeApdu(apdu.bytes);
      const answer = server.receive(apdu.bytes);
      // ACCESS is no service of short names, and Gurux' long Write names no variables: its own server refuses it.
      if (recording.referencing === 'sn' && request.type === 'access-request') continue;
      if (request.type === 'write-request' && request.variables[0]?.kind === 'write-data-block-access') continue;
      const due = DUE[request.type];
      if (!due) continue;
      const said = answer && decodeApdu(answer);
      expect([toHex(apdu.bytes), said?.type]).toEqual([toHex(apdu.bytes), due]);
      if (said?.type === 'aare') expect([said.result, said.resultSourceDiagnostic.code]).toEqual([0, 0]);
      answered++;
    }
    expect(answered).toBeGreaterThan(0);
  });
});

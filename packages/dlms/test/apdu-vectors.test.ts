/**
 * APDUs with their bytes, both ways: the examples of the standard (IEC 62056-5-3 annexes with encoding examples, as the
 * Green Book prints them), and of every other APDU one written out by hand from annex A.
 */
import { DecodeError, fromHex, MisuseError, toHex } from '@amiable/bytes';
import { describe, expect, it } from 'vitest';
import { type Apdu, apduFromText, apduText, decodeApdu, encodeApdu } from '../src/index.ts';

const b = (hex: string): Uint8Array => fromHex(hex);
const upper = (bytes: Uint8Array): string => toHex(bytes).toUpperCase();
const clock = { classId: 8, instanceId: b('0000010000FF'), attributeId: 2 };
const byRange = b('0204 0204 120008 09060000010000FF 0F02 120000 0600000001 0600000002 0100');
const method = { classId: 15, instanceId: b('0000280000FF'), methodId: 1 };
const title = b('4D4D4D0000BC614E');

const VECTORS: readonly [what: string, hex: string, apdu: Apdu][] = [
  [
    'AARQ, no security',
    '601DA109060760857405080101BE10040E01000000065F1F0400007E1F04B0',
    { type: 'aarq', applicationContext: 1, userInformation: b('01000000065F1F0400007E1F04B0') },
  ],
  [
    'AARQ, low level security',
    '6036A1090607608574050801018A0207808B0760857405080201AC0A80083132333435363738BE10040E01000000065F1F0400007E1F04B0',
    {
      type: 'aarq',
      applicationContext: 1,
      senderAcseRequirements: true,
      mechanism: 1,
      callingAuthenticationValue: b('3132333435363738'),
      userInformation: b('01000000065F1F0400007E1F04B0'),
    },
  ],
  [
    'AARQ, high level security, ciphered initiate, system title',
    '6066A109060760857405080103A60A04084D4D4D0000BC614E8A0207808B0760857405080205AC0A80084B35366956616759BE34043221303001234567801302FF8A7874133D414CED25B42534D28DB0047720606B175BD52211BE6841DB204D39EE6FDB8E356855',
    {
      type: 'aarq',
      applicationContext: 3,
      callingApTitle: title,
      senderAcseRequirements: true,
      mechanism: 5,
      callingAuthenticationValue: b('4B35366956616759'),
      userInformation: b(
        '21303001234567801302FF8A7874133D414CED25B42534D28DB0047720606B175BD52211BE6841DB204D39EE6FDB8E356855',
      ),
    },
  ],
  [
    'AARQ with everything',
    '6054 800202 84 A109060760857405080104 A203040141 A303040142 A403020105 A504020200C8 A603040143 A703040144 A803020101 A903020107 8A020700 8B0760857405080207 AC05A303040145 9D0146 BE03040147',
    {
      type: 'aarq',
      protocolVersion: '100001',
      applicationContext: 4,
      calledApTitle: b('41'),
      calledAeQualifier: b('42'),
      calledApInvocationId: 5,
      calledAeInvocationId: 200,
      callingApTitle: b('43'),
      callingAeQualifier: b('44'),
      callingApInvocationId: 1,
      callingAeInvocationId: 7,
      senderAcseRequirements: false,
      mechanism: 7,
      callingAuthenticationValue: b('040145'),
      callingAuthenticationForm: 'other',
      implementationInformation: b('46'),
      userInformation: b('47'),
    },
  ],
  [
    'AARE, accepted',
    '6129A109060760857405080101A203020100A305A103020100BE10040E0800065F1F040000501F01F40007',
    {
      type: 'aare',
      applicationContext: 1,
      result: 0,
      resultSourceDiagnostic: { source: 'user', code: 0 },
      userInformation: b('0800065F1F040000501F01F40007'),
    },
  ],
  [
    'AARE, context not supported',
    '6129A109060760857405080101A203020101A305A103020102BE10040E0800065F1F040000501F01F40007',
    {
      type: 'aare',
      applicationContext: 1,
      result: 1,
      resultSourceDiagnostic: { source: 'user', code: 2 },
      userInformation: b('0800065F1F040000501F01F40007'),
    },
  ],
  [
    'AARE, version too low',
    '611FA109060760857405080101A203020101A305A103020101BE0604040E010601',
    {
      type: 'aare',
      applicationContext: 1,
      result: 1,
      resultSourceDiagnostic: { source: 'user', code: 1 },
      userInformation: b('0E010601'),
    },
  ],
  [
    'AARE, authentication required',
    '6142A109060760857405080101A203020100A305A10302010E88020780890760857405080205AA0A8008503677524A323146BE10040E0800065F1F040000501F01F40007',
    {
      type: 'aare',
      applicationContext: 1,
      result: 0,
      resultSourceDiagnostic: { source: 'user', code: 14 },
      responderAcseRequirements: true,
      mechanism: 5,
      respondingAuthenticationValue: b('503677524A323146'),
      userInformation: b('0800065F1F040000501F01F40007'),
    },
  ],
  [
    'AARE without user-information, of the provider',
    '6117A109060760857405080102A203020102A305A203020102',
    { type: 'aare', applicationContext: 2, result: 2, resultSourceDiagnostic: { source: 'provider', code: 2 } },
  ],
  ['RLRQ without anything', '6200', { type: 'rlrq' }],
  [
    'RLRQ, ciphered',
    '6239800100BE34043221303001234567801302FF8A7874133D414CED25B42534D28DB0047720606B175BD52211BE6841DB204D39EE6FDB8E356855',
    {
      type: 'rlrq',
      reason: 0,
      userInformation: b(
        '21303001234567801302FF8A7874133D414CED25B42534D28DB0047720606B175BD52211BE6841DB204D39EE6FDB8E356855',
      ),
    },
  ],
  ['RLRE', '6303800100', { type: 'rlre', reason: 0 }],
  [
    'RLRE, plain',
    '6316800100BE11040F080100065F1F0400001E1D04C80007',
    { type: 'rlre', reason: 0, userInformation: b('080100065F1F0400001E1D04C80007') },
  ],
  [
    'RLRE, ciphered',
    '6328800100BE230421281F3001234567891214A0845E475714383F65BC19745CA235906525E4F3E1C893',
    {
      type: 'rlre',
      reason: 0,
      userInformation: b('281F3001234567891214A0845E475714383F65BC19745CA235906525E4F3E1C893'),
    },
  ],
  [
    'InitiateRequest',
    '01000000065F1F0400007E1F04B0',
    { type: 'initiate-request', responseAllowed: true, version: 6, conformance: 0x007e1f, maxPduSize: 1200 },
  ],
  [
    'InitiateRequest with a dedicated key',
    '01011000112233445566778899AABBCCDDEEFF0000065F1F0400007E1F04B0',
    {
      type: 'initiate-request',
      dedicatedKey: b('00112233445566778899AABBCCDDEEFF'),
      responseAllowed: true,
      version: 6,
      conformance: 0x007e1f,
      maxPduSize: 1200,
    },
  ],
  [
    'InitiateRequest that wants no answer',
    '01 00 0100 01FF 06 5F1F04001C0320 0000',
    {
      type: 'initiate-request',
      responseAllowed: false,
      qualityOfService: -1,
      version: 6,
      conformance: 0x1c0320,
      maxPduSize: 0,
    },
  ],
  [
    'InitiateResponse, short names',
    '0800065F1F04001C032001F4FA00',
    { type: 'initiate-response', version: 6, conformance: 0x1c0320, maxPduSize: 500, vaaName: 0xfa00 },
  ],
  [
    'InitiateResponse with quality of service',
    '080100065F1F0400001E1D04C80007',
    {
      type: 'initiate-response',
      qualityOfService: 0,
      version: 6,
      conformance: 0x001e1d,
      maxPduSize: 1224,
      vaaName: 7,
    },
  ],
  ['get', 'C001C100080000010000FF0200', { type: 'get-request-normal', invoke: 0xc1, attribute: clock }],
  [
    'get by range',
    `C001C100080000010000FF0201 01 ${upper(byRange)}`,
    {
      type: 'get-request-normal',
      invoke: 0xc1,
      attribute: { ...clock, access: { selector: 1, parameters: byRange } },
    },
  ],
  [
    'a maker attribute',
    'C001C100080000010000FFFE00',
    { type: 'get-request-normal', invoke: 0xc1, attribute: { ...clock, attributeId: -2 } },
  ],
  ['get next', 'C002C100000001', { type: 'get-request-next', invoke: 0xc1, blockNumber: 1 }],
  [
    'get list',
    'C003C1020008 0000010000FF0200 00080000010000FF0200',
    { type: 'get-request-with-list', invoke: 0xc1, attributes: [clock, clock] },
  ],
  ['value', 'C401C1000600002611', { type: 'get-response-normal', invoke: 0xc1, result: { data: b('0600002611') } }],
  ['refused', 'C401C10104', { type: 'get-response-normal', invoke: 0xc1, result: { error: 4 } }],
  [
    'block',
    'C402C1000000000100020102',
    {
      type: 'get-response-with-datablock',
      invoke: 0xc1,
      lastBlock: false,
      blockNumber: 1,
      result: { raw: b('0102') },
    },
  ],
  [
    'refused block',
    'C402C10100000002010F',
    { type: 'get-response-with-datablock', invoke: 0xc1, lastBlock: true, blockNumber: 2, result: { error: 15 } },
  ],
  [
    'values',
    'C403C102001105010B',
    { type: 'get-response-with-list', invoke: 0xc1, results: [{ data: b('1105') }, { error: 11 }] },
  ],
  [
    'set',
    'C101C100080000010000FF02001105',
    { type: 'set-request-normal', invoke: 0xc1, attribute: clock, value: b('1105') },
  ],
  [
    'set, first block',
    'C102C100080000010000FF0200000000000103090541',
    {
      type: 'set-request-with-first-datablock',
      invoke: 0xc1,
      attribute: clock,
      lastBlock: false,
      blockNumber: 1,
      raw: b('090541'),
    },
  ],
  [
    'set, block',
    'C103C101000000020142',
    { type: 'set-request-with-datablock', invoke: 0xc1, lastBlock: true, blockNumber: 2, raw: b('42') },
  ],
  [
    'set list',
    'C104C10100080000010000FF0200011105',
    { type: 'set-request-with-list', invoke: 0xc1, attributes: [clock], values: [b('1105')] },
  ],
  [
    'set list, first block',
    'C105C10100080000010000FF02000000000001020111',
    {
      type: 'set-request-with-list-and-first-datablock',
      invoke: 0xc1,
      attributes: [clock],
      lastBlock: false,
      blockNumber: 1,
      raw: b('0111'),
    },
  ],
  ['set done', 'C501C100', { type: 'set-response-normal', invoke: 0xc1, result: 0 }],
  ['set on', 'C502C100000001', { type: 'set-response-datablock', invoke: 0xc1, blockNumber: 1 }],
  ['set last', 'C503C10300000002', { type: 'set-response-last-datablock', invoke: 0xc1, result: 3, blockNumber: 2 }],
  [
    'set last list',
    'C504C102000300000002',
    { type: 'set-response-last-datablock-with-list', invoke: 0xc1, results: [0, 3], blockNumber: 2 },
  ],
  ['set list done', 'C505C1020003', { type: 'set-response-with-list', invoke: 0xc1, results: [0, 3] }],
  [
    'action, f(StoC)',
    'C301C0000F0000280000FF010109111000001A90E6D2221FA2FD85EED61ACC22',
    {
      type: 'action-request-normal',
      invoke: 0xc0,
      method,
      parameters: b('09111000001A90E6D2221FA2FD85EED61ACC22'),
    },
  ],
  ['action', 'C301C0000F0000280000FF0100', { type: 'action-request-normal', invoke: 0xc0, method }],
  ['action next', 'C302C000000003', { type: 'action-request-next-pblock', invoke: 0xc0, blockNumber: 3 }],
  [
    'action list',
    'C303C001000F0000280000FF010100',
    { type: 'action-request-with-list', invoke: 0xc0, methods: [method], parameters: [b('00')] },
  ],
  [
    'action, first block',
    'C304C0000F0000280000FF010000000001020911',
    {
      type: 'action-request-with-first-pblock',
      invoke: 0xc0,
      method,
      lastBlock: false,
      blockNumber: 1,
      raw: b('0911'),
    },
  ],
  [
    'action list, first block',
    'C305C001000F0000280000FF010000000001020111',
    {
      type: 'action-request-with-list-and-first-pblock',
      invoke: 0xc0,
      methods: [method],
      lastBlock: false,
      blockNumber: 1,
      raw: b('0111'),
    },
  ],
  [
    'action, block',
    'C306C001000000020142',
    { type: 'action-request-with-pblock', invoke: 0xc0, lastBlock: true, blockNumber: 2, raw: b('42') },
  ],
  [
    'action, f(CtoS)',
    'C701C000010009111000001AFDE8857B728A3499106AA665D1',
    {
      type: 'action-response-normal',
      invoke: 0xc0,
      result: { result: 0, returned: { data: b('09111000001AFDE8857B728A3499106AA665D1') } },
    },
  ],
  ['action done', 'C701C00000', { type: 'action-response-normal', invoke: 0xc0, result: { result: 0 } }],
  [
    'action, no answer',
    'C701C0000101FA',
    { type: 'action-response-normal', invoke: 0xc0, result: { result: 0, returned: { error: 250 } } },
  ],
  [
    'action answer, block',
    'C702C001000000010142',
    { type: 'action-response-with-pblock', invoke: 0xc0, lastBlock: true, blockNumber: 1, raw: b('42') },
  ],
  [
    'action list done',
    'C703C0020000030101 01',
    {
      type: 'action-response-with-list',
      invoke: 0xc0,
      results: [{ result: 0 }, { result: 3, returned: { error: 1 } }],
    },
  ],
  ['action on', 'C704C000000001', { type: 'action-response-next-pblock', invoke: 0xc0, blockNumber: 1 }],
  [
    'access',
    'D9 40000001 00 05 01 00080000010000FF02 02 00080000010000FF02 03 000F0000280000FF01 04 00080000010000FF02 01 1105 05 00080000010000FF02 02 00 05 00 1101 00 00 1102',
    {
      type: 'access-request',
      longInvoke: 0x40000001,
      dateTime: b(''),
      specifications: [
        { kind: 'get', ...clock },
        { kind: 'set', ...clock },
        { kind: 'action', ...method },
        { kind: 'get-with-selection', ...clock, access: { selector: 1, parameters: b('1105') } },
        { kind: 'set-with-selection', ...clock, access: { selector: 2, parameters: b('00') } },
      ],
      data: [b('00'), b('1101'), b('00'), b('00'), b('1102')],
    },
  ],
  [
    'access answer',
    'DA 40000001 0C07EA0B14050D000000800000 00 03 1105 00 00 03 0100 0203 03FA',
    {
      type: 'access-response',
      longInvoke: 0x40000001,
      dateTime: b('07EA0B14050D000000800000'),
      data: [b('1105'), b('00'), b('00')],
      results: [
        { kind: 'get', result: 0 },
        { kind: 'set', result: 3 },
        { kind: 'action', result: 250 },
      ],
    },
  ],
  [
    'access answer that repeats the request',
    'DA 00000001 00 01 01 01 00080000010000FF02 01 1105 01 0100',
    {
      type: 'access-response',
      longInvoke: 1,
      dateTime: b(''),
      specifications: [{ kind: 'get', ...clock }],
      data: [b('1105')],
      results: [{ kind: 'get', result: 0 }],
    },
  ],
  [
    'read',
    '05 05 02 FA08 04 0108 01 1105 05 0002 06 01 0001 02 4142 07 01 0003',
    {
      type: 'read-request',
      variables: [
        { kind: 'variable-name', name: 0xfa08 },
        { kind: 'parameterised-access', name: 0x108, selector: 1, parameters: b('1105') },
        { kind: 'block-number-access', blockNumber: 2 },
        { kind: 'read-data-block-access', lastBlock: true, blockNumber: 1, raw: b('4142') },
        { kind: 'write-data-block-access', lastBlock: true, blockNumber: 3 },
      ],
    },
  ],
  [
    'read answer',
    '0C 04 00 1105 01 04 02 01 0001 02 4142 03 0002',
    {
      type: 'read-response',
      results: [
        { data: b('1105') },
        { error: 4 },
        { block: { lastBlock: true, blockNumber: 1, raw: b('4142') } },
        { blockNumber: 2 },
      ],
    },
  ],
  [
    'write',
    '06 01 02 FA08 01 1105',
    { type: 'write-request', variables: [{ kind: 'variable-name', name: 0xfa08 }], values: [b('1105')] },
  ],
  [
    'write answer',
    '0D 03 00 01 03 02 0001',
    { type: 'write-response', results: [{ success: true }, { error: 3 }, { blockNumber: 1 }] },
  ],
  [
    'write without answer',
    '16 01 02 FA08 01 1105',
    { type: 'unconfirmed-write-request', variables: [{ kind: 'variable-name', name: 0xfa08 }], values: [b('1105')] },
  ],
  [
    'information report',
    '18 01 0F 32303236313132303133303030305A 01 02 FA08 01 1105',
    {
      type: 'information-report-request',
      currentTime: b('32303236313132303133303030305A'),
      variables: [{ kind: 'variable-name', name: 0xfa08 }],
      values: [b('1105')],
    },
  ],
  [
    'event',
    'C2 01 0C 07EA0B14050D000000800000 0008 0000010000FF 02 1105',
    {
      type: 'event-notification-request',
      time: b('07EA0B14050D000000800000'),
      attribute: clock,
      value: b('1105'),
    },
  ],
  [
    'event without time',
    'C2 00 0008 0000010000FF 02 1105',
    { type: 'event-notification-request', attribute: clock, value: b('1105') },
  ],
  ['confirm', '10 80000001 00', { type: 'data-notification-confirm', longInvoke: 0x80000001, dateTime: b('') }],
  ['exception', 'D80102', { type: 'exception-response', stateError: 1, serviceError: 2 }],
  [
    'exception that names the counter',
    'D8010600000123',
    { type: 'exception-response', stateError: 1, serviceError: 6, invocationCounter: 0x123 },
  ],
  ['exception that does not', 'D80106', { type: 'exception-response', stateError: 1, serviceError: 6 }],
  ['service error', '0E050501', { type: 'confirmed-service-error', service: 5, error: { choice: 5, value: 1 } }],
  [
    'glo-get-request',
    'C81E300123456741 1312FF935A475668 27C467BC7D825C3B E4A77C3FCC056B6B',
    { type: 'ciphered', tag: 0xc8, content: b('3001234567411312FF935A47566827C467BC7D825C3BE4A77C3FCC056B6B') },
  ],
  ['ded-get-response', 'D4053000000001', { type: 'ciphered', tag: 0xd4, content: b('3000000001') }],
  [
    'general-ciphering, identified key',
    'DD 0101 084D4D4D0000BC614E 00 00 00 01 00 00 05 3000000001',
    {
      type: 'general-ciphering',
      transactionId: b('01'),
      originator: title,
      recipient: b(''),
      dateTime: b(''),
      other: b(''),
      keyInfo: { kind: 'identified-key', keyId: 0 },
      content: b('3000000001'),
    },
  ],
  [
    'general-ciphering, wrapped key',
    'DD 0101 00 00 00 00 01 01 00 02 4142 05 3000000001',
    {
      type: 'general-ciphering',
      transactionId: b('01'),
      originator: b(''),
      recipient: b(''),
      dateTime: b(''),
      other: b(''),
      keyInfo: { kind: 'wrapped-key', kekId: 0, keyCipheredData: b('4142') },
      content: b('3000000001'),
    },
  ],
  [
    'general-ciphering, no key',
    'DD 00 00 00 00 00 00 05 3000000001',
    {
      type: 'general-ciphering',
      transactionId: b(''),
      originator: b(''),
      recipient: b(''),
      dateTime: b(''),
      other: b(''),
      content: b('3000000001'),
    },
  ],
  [
    'general-signing',
    'DF 0101 084D4D4D0000BC614E 00 00 00 0D C001C100080000010000FF0200 02 4142',
    {
      type: 'general-signing',
      transactionId: b('01'),
      originator: title,
      recipient: b(''),
      dateTime: b(''),
      other: b(''),
      content: b('C001C100080000010000FF0200'),
      signature: b('4142'),
    },
  ],
  [
    'general block transfer',
    'E0 81 0002 0001 02 4142',
    {
      type: 'general-block-transfer',
      lastBlock: true,
      streaming: false,
      window: 1,
      blockNumber: 2,
      blockNumberAcknowledged: 1,
      block: b('4142'),
    },
  ],
];

describe('both ways', () => {
  for (const [what, hex, apdu] of VECTORS)
    it(what, () => {
      const bytes = fromHex(hex);
      expect(decodeApdu(bytes)).toEqual(apdu);
      expect(upper(encodeApdu(apdu))).toBe(upper(bytes));
      expect(upper(apduFromText(apduText(bytes)))).toBe(upper(bytes));
    });
  it('byte by byte: no beginning of an APDU is an APDU, but for what may end early', () => {
    for (const [what, hex] of VECTORS) {
      const bytes = fromHex(hex);
      for (let n = 0; n < bytes.length; n++) {
        if (what === 'exception that names the counter' && n === 3) continue;
        expect(() => decodeApdu(bytes.subarray(0, n)), `${what}, ${n} bytes`).toThrow(DecodeError);
      }
    }
  });
});

describe('ACSE takes what peers send', () => {
  it('long lengths, any order, unknown fields', () => {
    const apdu = decodeApdu(b('608121 8A820002 0780 A109 0607 60857405080101 9E0141 8B07 60857405080201 85024142'));
    expect(apdu).toEqual({ type: 'aarq', applicationContext: 1, senderAcseRequirements: true, mechanism: 1 });
  });
  it('names that are not of DLMS', () => {
    const bytes = b('600B A1 05 06 03 2A0304 8B 02 2A03');
    const apdu = decodeApdu(bytes);
    expect(apdu).toEqual({
      type: 'aarq',
      applicationContext: 0,
      applicationContextName: b('2A0304'),
      mechanismName: b('2A03'),
    });
    expect(encodeApdu(apdu)).toEqual(bytes);
  });
  it('a user id of one byte above 127', () => {
    expect(decodeApdu(b('6010A109060760857405080101A9030201C8'))).toMatchObject({ callingAeInvocationId: 200 });
  });
  it('releases whose lengths are counted too short', () => {
    expect(decodeApdu(b('6311800100BE0F040E0800065F1F040000021C04000007'))).toEqual({
      type: 'rlre',
      reason: 0,
      userInformation: b('0800065F1F040000021C04000007'),
    });
    expect(decodeApdu(b('62010203800100'))).toEqual({ type: 'rlrq', reason: 0 });
  });
  it('but not twice the same, nothing without a context, nothing behind the end', () => {
    expect(() => decodeApdu(b('6016A109060760857405080101A109060760857405080101'))).toThrow(/twice/);
    expect(() => decodeApdu(b('60048A020780'))).toThrow(/ApplicationContextName is missing/);
    expect(() => decodeApdu(b('600CA10A06076085740508010100'))).toThrow(/follow the end/);
    expect(() => decodeApdu(b('600BA109060760857405080101FF'))).toThrow(/follow the end/);
    expect(() => decodeApdu(b('6080A1090607608574050801010000'))).toThrow(/length of 0 bytes/);
  });
  it('and sends only what is right', () => {
    expect(() => encodeApdu({ type: 'aarq', applicationContext: 0 })).toThrow(MisuseError);
    expect(() => encodeApdu({ type: 'aarq', applicationContext: 1, mechanism: 200 })).toThrow(MisuseError);
    expect(() => encodeApdu({ type: 'aarq', applicationContext: 1, callingAeInvocationId: -1 })).toThrow(MisuseError);
  });
});

it('the older envelope of the conformance block is read', () => {
  expect(decodeApdu(b('01000000065F0400007E1F04B0'))).toMatchObject({ conformance: 0x007e1f, maxPduSize: 1200 });
});

describe('bounds', () => {
  it('a count that cannot be costs nothing', () => {
    for (const hex of ['C003C184FFFFFFFF', '0584FFFFFFFF', 'C403C184FFFFFFFF00', 'D9000000000084FFFFFFFF01'])
      expect(() => decodeApdu(b(hex))).toThrow(DecodeError);
  });
  it('lists and depth are bounded', () => {
    const many = new Uint8Array(4 + 3 * 30_000);
    many.set([0x05, 0x82, 30_000 >> 8, 30_000 & 0xff]);
    for (let i = 0; i < 30_000; i++) many[4 + 3 * i] = 2;
    expect(() => decodeApdu(many)).toThrow(/too many values/);
    const deep = new Uint8Array(4 + 2 * 40).fill(1);
    deep.set([0xc4, 1, 0xc1, 0]);
    expect(() => decodeApdu(deep)).toThrow(/nest too deep/);
    expect(decodeApdu(b('C401C100 0101 0100'), { depth: 2, values: 10 })).toBeDefined();
    expect(() => decodeApdu(b('C401C100 0101 0100'), { depth: 1, values: 10 })).toThrow(/nest too deep/);
  });
  it('fields that do not fit are misuse', () => {
    expect(() => encodeApdu({ type: 'set-response-normal', invoke: 1, result: 256 })).toThrow(MisuseError);
    expect(() => encodeApdu({ type: 'ciphered', tag: 0xc0, content: b('00') })).toThrow(MisuseError);
    expect(() =>
      encodeApdu({ type: 'exception-response', stateError: 1, serviceError: 1, invocationCounter: 1 }),
    ).toThrow(MisuseError);
  });
});

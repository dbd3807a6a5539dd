/** What people read: explanations, the text form, and the tables of the standard. */
import { DecodeError, fromHex, toHex } from '@amiable/bytes';
import { describe, expect, it } from 'vitest';
import {
  ACTION_RESULT,
  apduFromText,
  apduText,
  CIPHERED_TAGS,
  CONFORMANCE,
  type ConformanceBit,
  cipheredTag,
  conformance,
  conformanceNames,
  DATA_ACCESS_RESULT,
  encodeApdu,
  explainApdu,
  intersectConformance,
  LN_CONFORMANCE,
  SN_CONFORMANCE,
  serviceOfCiphered,
} from '../src/index.ts';

const told = (hex: string): string[] =>
  explainApdu(fromHex(hex)).map((f) => `${f.offset}+${f.length} ${f.path}: ${f.text}`);

describe('explanations', () => {
  it('reach into user-information', () => {
    const fields = told('6129A109060760857405080101A203020100A305A10302010EBE10040E0800065F1F040000501F01F40007');
    expect(fields).toContain('6+7 aare/application-context-name: application context name 2.16.756.5.8.1.1, LN');
    expect(fields).toContain('24+1 aare/result-source-diagnostic/acse-service-user: authentication-required (14)');
    expect(fields).toContain('41+2 aare/user-information/initiate-response/vaa-name: logical names (0007)');
  });
  it('reach into a first block, and say where the value goes on', () => {
    const fields = told('C402C10000000001000602021105 0904');
    expect(fields).toContain('12+1 get-response-with-datablock/result/raw-data/0: unsigned');
    expect(fields.at(-1)).toBe('14+2 get-response-with-datablock/result/raw-data: the value goes on in the next block');
    expect(told('C402C10000000002000202 02').at(-1)).toMatch(/piece of an encoded value$/);
  });
  it('reach into a lone block of general block transfer and into what is authenticated only', () => {
    expect(told('E0C00001000003D80102').at(-1)).toBe(
      '9+1 block/data/exception-response/service-error: service-not-supported (2)',
    );
    const fields = told('C81410000000 01 D80102 000102030405060708090A0B');
    expect(fields).toContain('7+1 ciphered/text/exception-response/tag: Exception-Response');
    expect(fields.at(-1)).toBe('10+12 ciphered/tag-bytes: authentication tag');
  });
  it('tell a list with its elements', () => {
    expect(told('C403C1020011050104')).toEqual([
      '0+2 get-response-with-list/tag: Get-Response-With-List',
      '2+1 get-response-with-list/invoke-id-and-priority: invoke id 1, confirmed, high priority',
      '3+1 get-response-with-list/result-list: list of 2',
      '4+1 get-response-with-list/result-list/0/choice: data',
      '5+1 get-response-with-list/result-list/0/data: unsigned',
      '6+1 get-response-with-list/result-list/0/data/value: 5',
      '7+1 get-response-with-list/result-list/1/choice: data access result',
      '8+1 get-response-with-list/result-list/1/data-access-result: object-undefined (4)',
    ]);
  });
  it('tell a compact-array element by element', () => {
    expect(told('C401C100130202121106000101000202').slice(3)).toEqual([
      '4+1 get-response-normal/result/data: compact-array',
      '5+4 get-response-normal/result/data/description: elements are structure of (long-unsigned, unsigned)',
      '9+1 get-response-normal/result/data/length: 6 bytes of contents',
      '10+2 get-response-normal/result/data/0/0: long-unsigned 1',
      '12+1 get-response-normal/result/data/0/1: unsigned 1',
      '13+2 get-response-normal/result/data/1/0: long-unsigned 2',
      '15+1 get-response-normal/result/data/1/1: unsigned 2',
    ]);
  });
  it('of what is broken tell what was understood, then the fault', () => {
    expect(told('C001C10008').slice(-1)[0]).toMatch(/^5\+0 fault: .*6 bytes, 0 left/);
    expect(told('FF')).toEqual(['0+1 fault: no APDU has the tag FF (at byte 0)']);
    // APDUs inside APDUs without end.
    let block = fromHex('D80102');
    for (let i = 0; i < 20; i++)
      block = encodeApdu({
        type: 'general-block-transfer',
        lastBlock: true,
        streaming: false,
        window: 0,
        blockNumber: 1,
        blockNumberAcknowledged: 0,
        block,
      });
    expect(explainApdu(block).at(-1)?.text).toBe('APDUs nest too deep to explain');
  });
});

describe('text', () => {
  it('is as the translators write it', () => {
    expect(apduText(fromHex('C001C1000100002B0100FF0200'))).toBe(
      [
        '<GetRequest>',
        '  <GetRequestNormal>',
        '    <InvokeIdAndPriority Value="C1" />',
        '    <AttributeDescriptor>',
        '      <ClassId Value="0001" />',
        '      <InstanceId Value="00002B0100FF" />',
        '      <AttributeId Value="02" />',
        '    </AttributeDescriptor>',
        '  </GetRequestNormal>',
        '</GetRequest>',
      ].join('\n'),
    );
  });
  it('shows values, words, and APDUs in APDUs', () => {
    expect(apduText(fromHex('C401C1000202060000261100'))).toContain('<DoubleLongUnsigned Value="9745" />');
    expect(apduText(fromHex('C401C1010B'))).toContain('<DataAccessResult Value="object-unavailable" />');
    expect(apduText(fromHex('630B800100BE0604040E010601'))).toContain('<ConfirmedServiceError>');
    expect(apduText(fromHex('C8053000000001'))).toBe('<glo_GetRequest Value="3000000001" />');
  });
  it('comes back, also by hand: comments, blanks, no values where the standard has defaults', () => {
    const bytes = apduFromText(`<?xml version="1.0"?>
      <!-- a register -->
      <GetRequest><GetRequestNormal>
        <InvokeIdAndPriority Value="c1"/><AttributeDescriptor>
        <ClassId   Value="3" /><InstanceId Value="01 00 01 08 00 FF"></InstanceId><AttributeId Value="02" />
      </AttributeDescriptor></GetRequestNormal></GetRequest>
    `);
    expect(toHex(bytes)).toBe('c001c100030100010800ff0200');
    expect(
      toHex(
        apduFromText(
          '<InitiateRequest><ResponseAllowed Value="01" /><ProposedDlmsVersionNumber Value="06" />' +
            '<ProposedConformance><ConformanceBit Name="get" /><ConformanceBit Name="action" /></ProposedConformance>' +
            '<ClientMaxReceivePduSize Value="FFFF" /></InitiateRequest>',
        ),
      ),
    ).toBe('01000000065f1f0400000011ffff');
  });
  it('says what is wrong', () => {
    const wrong: [text: string, message: RegExp][] = [
      ['', /ends within/],
      ['<GetRequest>', /ends within/],
      ['<A></B>', /closes nothing/],
      ['<Nothing />', /<Nothing> is no APDU/],
      ['<SetRequest><GetRequestNormal /></SetRequest>', /is no APDU/],
      ['<GetRequestNormal />', /has no <InvokeIdAndPriority>/],
      ['<GetRequestNext><InvokeIdAndPriority Value="1C1" /><BlockNumber Value="1" /></GetRequestNext>', /does not fit/],
      ['<GetRequestNext><InvokeIdAndPriority /><BlockNumber Value="1" /></GetRequestNext>', /has no Value/],
      ['<glo_GetRequest Value="3" />', /odd number/],
      ['<ConfirmedServiceError><Service Value="maybe" /></ConfirmedServiceError>', /not a word/],
      ['<A /><B />', /one element/],
      [`${'<A>'.repeat(100)}`, /too much/],
    ];
    for (const [text, message] of wrong) {
      expect(() => apduFromText(text), text).toThrow(DecodeError);
      expect(() => apduFromText(text), text).toThrow(message);
    }
  });
  it('is read in a time that follows its length', () => {
    const before = process.cpuUsage();
    expect(() => apduFromText(`<A ${'B="1" '.repeat(20_000)}`)).toThrow(DecodeError);
    expect(() => apduFromText(`<A${' '.repeat(50_000)}`)).toThrow(DecodeError);
    expect(() => apduFromText(`<A x="${'<'.repeat(50_000)}`)).toThrow(DecodeError);
    expect(() => apduFromText('<!--'.repeat(20_000))).toThrow(DecodeError);
    expect(process.cpuUsage(before).user / 1000).toBeLessThan(1500);
  });
});

describe('tables', () => {
  it('conformance bits are the 22 of the standard, the first the most significant', () => {
    const bits = Object.values(CONFORMANCE);
    expect(bits).toHaveLength(22);
    expect(new Set(bits).size).toBe(22);
    expect(conformance('action')).toBe(1);
    expect(conformance('general-protection')).toBe(1 << 22);
    // The proposals of the standard's examples.
    expect(conformanceNames(0x007e1f)).toEqual([
      'priority-mgmt-supported',
      'attribute0-supported-with-get',
      'block-transfer-with-get-or-read',
      'block-transfer-with-set-or-write',
      'block-transfer-with-action',
      'multiple-references',
      'get',
      'set',
      'selective-access',
      'event-notification',
      'action',
    ] satisfies ConformanceBit[]);
    expect(conformanceNames(0x1c0320)).toEqual([
      'read',
      'write',
      'unconfirmed-write',
      'multiple-references',
      'information-report',
      'parameterized-access',
    ] satisfies ConformanceBit[]);
    expect(intersectConformance(0x007e1f, 0x00501f)).toBe(0x00501f);
    expect(LN_CONFORMANCE & conformance('read', 'write', 'unconfirmed-write', 'parameterized-access')).toBe(0);
    expect(SN_CONFORMANCE & conformance('get', 'set', 'action', 'access', 'event-notification')).toBe(0);
    expect(() => conformance('fly' as ConformanceBit)).toThrow(/no bit/);
  });
  it('ciphered tags are the plain ones moved', () => {
    for (const { plain, glo, ded } of CIPHERED_TAGS) {
      expect(glo - plain).toBe(plain < 0x80 ? 0x20 : 8);
      expect(ded - plain).toBe(plain < 0x80 ? 0x40 : 16);
      expect(cipheredTag(plain, 'glo')).toBe(glo);
      expect(serviceOfCiphered(ded)).toMatchObject({ plain, key: 'ded' });
    }
    expect(cipheredTag(0xd8, 'glo')).toBeUndefined();
    expect(serviceOfCiphered(0xc0)).toBeUndefined();
  });
  it('results', () => {
    expect(DATA_ACCESS_RESULT[19]).toBe('data-block-number-invalid');
    expect(ACTION_RESULT[15]).toBe('long-action-aborted');
    expect(ACTION_RESULT[17]).toBeUndefined();
    expect(encodeApdu({ type: 'set-response-normal', invoke: 1, result: 250 })).toEqual(fromHex('C50101FA'));
  });
});

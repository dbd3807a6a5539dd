/**
 * The envelopes around APDUs (IEC 62056-5-3 clauses 5.7.2, 6.13 and annex A): service-specific and general ciphering,
 * general signing, general block transfer. Leaves out: what security makes of them.
 */
import { DecodeError, MisuseError, toHex } from '@amiable/bytes';
import { decodeLength } from '../data-types.ts';
import { type Explainer, printable, upperHex } from './explainer.ts';
import { leaf, type Node, named, nestedApdu, octetString, uint } from './node.ts';
import { dateTimeOrNone } from './parts.ts';
import { service } from './registry.ts';
import { kinds, mapped, optional, sequence } from './schema.ts';
import { APDU } from './tags.ts';
import type { GeneralBlockTransfer } from './types.ts';

const AUTHENTICATED = 0x10;
const ENCRYPTED = 0x20;
const TAG_LENGTH = 12;

/** Security header, text and tag; a text that is not encrypted is an APDU. */
function explainCiphered(out: Explainer, path: string, length: number): void {
  out.within(path, length, () => {
    const { reader } = out;
    const at = reader.pos;
    const control = reader.u8('security control');
    const words = [
      `suite ${control & 0x0f}`,
      control & AUTHENTICATED ? 'authenticated' : '',
      control & ENCRYPTED ? 'encrypted' : '',
      control & 0x40 ? 'broadcast key' : '',
      control & 0x80 ? 'compressed' : '',
    ];
    out.add(`${path}/security-control`, at, words.filter(Boolean).join(', '));
    const counterAt = reader.pos;
    const counter = reader.u32('invocation counter');
    out.add(`${path}/invocation-counter`, counterAt, `invocation counter ${counter}`);
    const tag = control & AUTHENTICATED ? TAG_LENGTH : 0;
    const body = reader.remaining - tag;
    if (body < 0) throw new DecodeError('truncated', 'no room for the tag', reader.pos);
    if (body > 0 && (control & (ENCRYPTED | 0x80)) === 0) out.apdu(`${path}/text`, body);
    else if (body > 0) out.take(`${path}/text`, body, control & ENCRYPTED ? 'cipher text' : 'compressed text');
    if (tag > 0) out.take(`${path}/tag-bytes`, tag, 'authentication tag');
  });
}

const titleText = (title: Uint8Array): string => {
  const maker = printable(title.subarray(0, 3));
  return `system title ${upperHex(title)}${maker ? `, maker ${maker}` : ''}`;
};
const titleNode = (lengths?: readonly number[]): Node<Uint8Array> =>
  octetString({
    ...(lengths ? { lengths } : {}),
    explain(out, path, length) {
      const at = out.reader.pos;
      out.take(path, length, titleText(out.reader.buf.subarray(at, at + length)));
    },
  });
const cipheredContent = octetString({ explain: explainCiphered });

/** What is behind the tag of a glo- or ded- APDU of one service. */
export const cipheredService: Node<{ readonly content: Uint8Array }> = mapped(
  {
    ...cipheredContent,
    explain(out, path) {
      const start = out.reader.pos;
      const length = decodeLength(out.reader);
      out.add(`${path}/length`, start, `${length} bytes`);
      explainCiphered(out, path, length);
    },
  },
  (content) => ({ content }),
  ({ content }) => content,
);

// The standard says 8; an empty title is met where the association has told it before.
const gloDed = sequence({
  systemTitle: titleNode([8, 0]),
  content: named('CipheredService', cipheredContent),
});

const header = {
  transactionId: octetString(),
  originator: named('OriginatorSystemTitle', titleNode()),
  recipient: named('RecipientSystemTitle', titleNode()),
  dateTime: dateTimeOrNone,
  other: named('OtherInformation', octetString()),
};

const keyInfo = kinds({
  0: [
    'identified-key',
    { keyId: uint(1, (v) => (v === 0 ? 'global unicast key' : v === 1 ? 'global broadcast key' : `key ${v}`)) },
  ],
  1: [
    'wrapped-key',
    {
      kekId: uint(1, (v) => (v === 0 ? 'wrapped with the master key' : `wrapped with key ${v}`)),
      keyCipheredData: octetString(),
    },
  ],
  2: ['agreed-key', { keyParameters: octetString(), keyCipheredData: octetString() }],
});

/** last-block, streaming and window in one byte. */
const blockControl = leaf<number>({
  decode: (reader) => reader.u8('block control'),
  encode(writer, value) {
    if (!Number.isInteger(value) || value < 0 || value > 0xff) throw new MisuseError('a window is 0 to 63');
    writer.u8(value);
  },
  text: (value) => toHex([value]).toUpperCase(),
  parse: (text) => Number.parseInt(text, 16),
  describe: (value) =>
    [value & 0x80 ? 'last block' : 'more follow', value & 0x40 ? 'streaming' : '', `window ${value & 0x3f}`]
      .filter(Boolean)
      .join(', '),
});

const blockHead = {
  control: blockControl,
  blockNumber: named(
    'Number',
    uint(2, (v) => `block ${v}`),
  ),
  blockNumberAcknowledged: named(
    'Acknowledged',
    uint(2, (v) => `block ${v} acknowledged`),
  ),
};
const headNode = sequence(blockHead);
const blockNode = sequence({ ...blockHead, block: named('Data', octetString()) });

const blockTransfer = mapped<ReturnType<typeof blockNode.decode>, Omit<GeneralBlockTransfer, 'type'>>(
  {
    ...blockNode,
    explain(out, path, budget) {
      const { reader } = out;
      const control = reader.peek();
      headNode.explain(out, path, budget);
      const number = ((reader.buf[reader.pos - 4] as number) << 8) | (reader.buf[reader.pos - 3] as number);
      const at = reader.pos;
      const length = decodeLength(reader);
      out.add(`${path}/data/length`, at, `${length} bytes`);
      // A block that is first and last holds a whole APDU.
      if (length > 0 && number === 1 && control & 0x80) out.apdu(`${path}/data`, length);
      else if (length > 0) out.take(`${path}/data`, length, 'piece of an APDU');
    },
  },
  ({ control, ...rest }) => ({
    lastBlock: (control & 0x80) !== 0,
    streaming: (control & 0x40) !== 0,
    window: control & 0x3f,
    ...rest,
  }),
  ({ lastBlock, streaming, window, ...rest }) => {
    if (!Number.isInteger(window) || window < 0 || window > 63) throw new MisuseError(`${window}: a window is 0 to 63`);
    return { control: (lastBlock ? 0x80 : 0) | (streaming ? 0x40 : 0) | window, ...rest };
  },
);

export const GENERAL = [
  service('general-glo-ciphering', APDU.generalGloCiphering, undefined, gloDed, { path: 'ciphering' }),
  service('general-ded-ciphering', APDU.generalDedCiphering, undefined, gloDed, { path: 'ciphering' }),
  service(
    'general-ciphering',
    APDU.generalCiphering,
    undefined,
    sequence({ ...header, keyInfo: optional(keyInfo), content: named('CipheredContent', cipheredContent) }),
  ),
  service(
    'general-signing',
    APDU.generalSigning,
    undefined,
    sequence({ ...header, content: nestedApdu(), signature: octetString() }),
  ),
  service('general-block-transfer', APDU.generalBlockTransfer, undefined, blockTransfer, { path: 'block' }),
];

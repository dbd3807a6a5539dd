/**
 * Says of every octet of one HDLC frame what it is (IEC 62056-46 clause 6.4). A frame that is cut or damaged is
 * explained as far as it makes sense, with what is wrong; nothing here throws.
 */
import { crc16X25, DecodeError, type Field } from '@amiable/bytes';
import { type HdlcAddress, lowerAddress, readAddress, upperAddress } from './address.ts';
import { FLAG, layoutFrame } from './frame.ts';

export function explainFrame(bytes: Uint8Array, from = 0): Field[] {
  const fields: Field[] = [];
  const add = (path: string, offset: number, length: number, text: string) =>
    fields.push({ path: `hdlc/${path}`, offset, length, text });
  let start = from;
  while (start < bytes.length && bytes[start] === FLAG) add('flag', start++, 1, 'opening flag');
  try {
    const at = layoutFrame(bytes, start, bytes.length);
    const segmented = ((bytes[start] as number) & 0x08) !== 0;
    add(
      'format',
      start,
      2,
      `frame format type 3, ${segmented ? 'segmented: more follows' : 'last or only segment'}, length ${at.end - start}`,
    );
    address('destination', start + 2, at.source);
    address('source', at.source, at.control);
    add('control', at.control, 1, controlText(bytes[at.control] as number));
    if (at.infoEnd > at.infoStart) {
      check('hcs', 'header check sequence', at.headerEnd);
      add('information', at.infoStart, at.infoEnd - at.infoStart, `information, ${at.infoEnd - at.infoStart} octets`);
    }
    check('fcs', 'frame check sequence', at.infoEnd);
    if (bytes[at.end] === FLAG) add('flag', at.end, 1, 'closing flag');
  } catch (e) {
    if (!(e instanceof DecodeError)) throw e;
    add('error', Math.min(start, bytes.length), Math.max(0, bytes.length - start), `no frame: ${e.message}`);
  }
  return fields;

  function address(path: string, offset: number, end: number): void {
    const a = readAddress(bytes, offset, (end - offset) as 1 | 2 | 4);
    add(path, offset, end - offset, `${path} address ${addressText(a)}`);
  }

  function check(path: string, name: string, offset: number): void {
    const got = (bytes[offset] as number) | ((bytes[offset + 1] as number) << 8);
    const want = crc16X25(bytes, start, offset);
    const verdict = got === want ? 'right' : `wrong, the octets give ${hex4(want)}`;
    add(path, offset, 2, `${name} ${hex4(got)}, ${verdict}`);
  }
}

function addressText(a: HdlcAddress): string {
  const lower = lowerAddress(a);
  return lower === undefined ? `${a.value}` : `${a.value} (upper ${upperAddress(a)}, lower ${lower})`;
}

const hex4 = (v: number) => v.toString(16).toUpperCase().padStart(4, '0');

const UNNUMBERED: Record<number, string> = {
  3: 'UI, unnumbered information',
  15: 'DM, disconnected mode',
  67: 'DISC, disconnect',
  99: 'UA, unnumbered acknowledge',
  131: 'SNRM, set normal response mode',
  135: 'FRMR, frame reject',
};

/** Control field (IEC 62056-46 clause 6.4.4.3), the poll/final bit apart. */
function controlText(control: number): string {
  const poll = control & 0x10 ? ', poll/final' : '';
  if ((control & 1) === 0) return `control: I, send ${(control >> 1) & 7}, receive ${control >> 5}${poll}`;
  if ((control & 0x0f) === 0x01) return `control: RR, receive ${control >> 5}${poll}`;
  if ((control & 0x0f) === 0x05) return `control: RNR, receive ${control >> 5}${poll}`;
  const name = UNNUMBERED[control & 0xef];
  return `control: ${name ?? 'unknown'} (${control.toString(16).padStart(2, '0').toUpperCase()})${poll}`;
}

/** Data as the bytes in which it travels (A-XDR, with its tag). */
import { Writer } from '@amiable/bytes';
import { type Data, type EncodedData, encodeData } from '@amiable/dlms';

export function encodedData(data: Data): EncodedData {
  const writer = new Writer(64);
  encodeData(writer, data);
  return writer.finish();
}

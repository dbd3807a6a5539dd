/**
 * Everything that a meter lets this client read, as lines of text: the object list, every attribute, several in a list,
 * profiles whole, by entry and by range. Runs against live peers and against their recordings, byte for byte the same.
 */
import { DecodeError, fromHex, LinkError, MisuseError, PeerError, toHex } from '@amiable/bytes';
import { interfaceClass, obisFromBytes } from '@amiable/cosem';
import type { AttributeDescriptor, Crypto, EncodedData } from '@amiable/dlms';
import { nodeCrypto } from '@amiable/io';
import type { ObjectListEntry, Session } from '@amiable/meter';

/** Random bytes that are the same each time: challenges must be those of the recording. */
export function repeatableCrypto(seed = 1): Crypto {
  let at = seed;
  return {
    ...nodeCrypto,
    randomBytes(length) {
      const bytes = new Uint8Array(length);
      for (let i = 0; i < length; i++) {
        at = (at * 75 + 74) % 65_537;
        bytes[i] = at & 0xff;
      }
      return bytes;
    },
  };
}

const RANGE = { from: fromHex('090c07ea0b12ff00000000800000'), to: fromHex('090c07ea0b13ff00000000800000') };
const LIST = 5;
/** Longer values are printed as their length and beginning. */
const SHOWN = 40;

/** @param buffers whether profiles are also read whole; some peers keep thousands of rows */
export async function readEverything(session: Session, buffers = true): Promise<string[]> {
  const lines: string[] = [];
  const objects = await session.objects();
  lines.push(`${objects.length} objects`);
  const listed: AttributeDescriptor[] = [];
  for (const object of objects)
    for (const attributeId of attributesOf(object)) {
      const attribute = { classId: object.classId, instanceId: object.instanceId, attributeId };
      if (object.classId === 7 && attributeId === 2 && !buffers) continue;
      if (object.classId === 3 && attributeId === 2 && listed.length < LIST) listed.push(attribute);
      lines.push(await attempt(nameOf(attribute), async () => shown(await session.get(attribute))));
    }
  if (listed.length > 1)
    lines.push(
      await attempt('list', async () =>
        (await session.getList(listed)).map((r) => ('data' in r ? toHex(r.data) : `error ${r.error}`)).join(' '),
      ),
    );
  for (const { classId, instanceId } of objects.filter((object) => object.classId === 7)) {
    const name = `${classId} ${obisFromBytes(instanceId)}`;
    for (const selection of [
      { kind: 'entry', from: 2, to: 4 },
      { kind: 'range', ...RANGE },
    ] as const)
      lines.push(
        await attempt(`${name} by ${selection.kind}`, async () => {
          const { rows, complete, error } = await session.getProfile(instanceId, selection);
          return `${rows.length} rows${complete ? '' : `, broken off: ${error?.message}`}`;
        }),
      );
  }
  return lines;
}

/** Those that the list gives a right to read; with short names those of the class. */
function attributesOf({ attributes, classId, version }: ObjectListEntry): readonly number[] {
  // In access modes of all versions bit 0 means reading, but for 4 (authenticated read of version 1) and 6.
  if (attributes)
    return attributes.filter(({ access }) => (access & 1) === 1 || access === 4 || access === 6).map(({ id }) => id);
  const table = interfaceClass(classId, version);
  return table ? [1, ...table.attributes.map(({ index }) => index).filter((index) => index > 1)] : [1];
}

const nameOf = ({ classId, instanceId, attributeId }: AttributeDescriptor): string =>
  `${classId} ${obisFromBytes(instanceId)} ${attributeId}`;

const shown = (data: EncodedData): string =>
  data.length <= SHOWN ? toHex(data) : `${data.length} bytes ${toHex(data.subarray(0, 12))}`;

async function attempt(name: string, work: () => Promise<string>): Promise<string> {
  try {
    return `${name} = ${await work()}`;
  } catch (error) {
    // Misuse is to ask for what was not negotiated.
    if ([PeerError, LinkError, DecodeError, MisuseError].some((kind) => error instanceof kind))
      return `${name} : ${(error as Error).name}: ${(error as Error).message}`;
    throw error;
  }
}

/** The whole meter, read by every association over every way. */
import { obisFromBytes } from '@amiable/cosem';
import type { Session } from '@amiable/meter';
import { describe, expect, test } from 'vitest';
import { ASSOCIATIONS, type AssociationName } from '../../src/electricity-server/define.ts';
import { attribute, open, read, stand } from './helpers.ts';

async function readAll(session: Session): Promise<{ objects: number; values: number; failed: string[] }> {
  const objects = await session.objects();
  const failed: string[] = [];
  let values = 0;
  for (const { classId, instanceId, attributes } of objects) {
    for (const { id, access } of attributes ?? []) {
      if ((access & 1) === 0 || id <= 0) continue;
      try {
        await session.get({ classId, instanceId, attributeId: id });
        values++;
      } catch (error) {
        failed.push(`${classId}/${obisFromBytes(instanceId)}/${id}: ${(error as Error).message}`);
      }
    }
  }
  return { objects: objects.length, values, failed };
}

const CASES = ASSOCIATIONS.flatMap((as) =>
  (['LN', 'SN'] as const).flatMap((referencing) =>
    (['wrapper', 'hdlc'] as const).map((transport) => ({ as, referencing, transport })),
  ),
);

describe('every association reads all that it lists', () => {
  test.each(CASES)('$as $referencing $transport', async ({ as, referencing, transport }) => {
    const at = stand({ slaves: ['gas', 'water-cold'] });
    const session = await open(at, { as: as as AssociationName, referencing, transport });
    const { objects, failed } = await readAll(session);
    expect(failed).toEqual([]);
    expect(objects).toBeGreaterThan(as === 'management' ? 100 : as === 'reader' ? 70 : 8);
    expect(await read(session, 1, '0-0:42.0.0')).toBe('AMI99000001');
    await session.release();
  });
});

test('first look', async () => {
  const at = stand();
  const session = await open(at, { as: 'reader' });
  expect(await session.get(attribute(3, '1-0:1.8.0'))).toHaveLength(5);
});

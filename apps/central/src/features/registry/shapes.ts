/** What the registry's routes take and give: shapes with bounds, and how things of the store look as JSON. Times are ISO 8601. */
import type { Caller, ObjectType, Privilege } from '@amiable/model';
import { isoTime, may } from '@amiable/model';
import type {
  MeterEntry,
  MeterSelection,
  NodeKind,
  NodeRow,
  Ratio,
  RegistryChange,
  RegistryLink,
} from '@amiable/store';
import { z } from 'zod';

const EARLIEST = Date.UTC(1900, 0, 1);
const LATEST = Date.UTC(2200, 0, 1);
const inYears = (at: number): boolean => at >= EARLIEST && at < LATEST;
/** ISO 8601 with zone, or epoch milliseconds; out come epoch milliseconds. */
export const when = z
  .union(
    [z.iso.datetime({ offset: true }), z.number().int(), z.string().regex(/^\d{1,15}$/)],
    'ISO 8601 with zone, or epoch milliseconds',
  )
  .transform((at) => (typeof at === 'number' ? at : /^\d+$/.test(at) ? Number(at) : Date.parse(at)))
  .refine(inYears, 'a time from 1900 to 2199');

const LAST = 2n ** 63n;
export const id = z
  .string()
  .regex(/^\d{1,19}$/, 'an id has digits only')
  .refine((text) => !/^\d{1,19}$/.test(text) || BigInt(text) < LAST, 'an id has 63 bits');
export const byId = z.object({ id });
export const page = z.object({
  after: id.optional().describe('The last id of the page before'),
  limit: z.coerce.number().int().min(1).max(1000).default(100),
});
export const text = (most: number): z.ZodString => z.string().max(most);
export const optional = (most: number): z.ZodOptional<z.ZodNullable<z.ZodString>> => text(most).nullable().optional();

export const kinds = z.enum([
  'region',
  'substation',
  'transformer',
  'feeder',
  'premises',
  'metering-point',
  'concentrator',
]);
export const attributeValues = z.record(
  z.string().max(60),
  z.union([z.string().max(1000), z.number(), z.boolean(), z.null()]),
);
const attributesShape = z
  .record(z.string(), z.union([z.string(), z.number(), z.boolean()]))
  .describe('User-defined attributes by name');

export const condition = z.object({
  attribute: text(80).describe(
    'serial, maker, meterType, region …, or x.NAME for a user-defined one; see docs/registry.md',
  ),
  is: z.enum(['=', '!=', '<', '<=', '>', '>=', 'contains', 'begins', 'in', 'exists', 'missing']),
  value: z
    .union([
      z.string().max(200),
      z.number(),
      z.boolean(),
      z.array(z.union([z.string().max(200), z.number()])).max(1000),
    ])
    .optional(),
});
export const selection = z.object({
  q: text(200)
    .optional()
    .describe('Words of serial numbers, name or place; or the code of a metering point or another node'),
  where: z.array(condition).max(50, 'at most 50 conditions at once').optional().describe('All of them hold'),
  under: id.optional().describe('Those under this node'),
  group: text(100).optional().describe('Those of this group of meters'),
  meters: z.array(id).max(10_000).optional(),
  at: when.optional().describe('Where meters stood at this time; now unless said'),
});
/** Without the keys that are undefined. */
export const selectionOf = (given: z.output<typeof selection>): MeterSelection =>
  Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined)) as MeterSelection;

export const nodeShape = z
  .object({
    id: z.string(),
    kind: kinds,
    code: z.string(),
    name: z.string().nullable(),
    parent: z.string().nullable(),
    path: z.array(z.string()).describe('Ids from the top down to this one'),
    segment: z.number(),
    latitude: z.number().nullable(),
    longitude: z.number().nullable(),
    attributes: attributesShape,
  })
  .meta({ id: 'Node' });
export const treeShape = nodeShape
  .extend({
    nodes: z.number().describe('Nodes directly below; 10,001 stands for more'),
    meters: z.number().describe('Meters anywhere below; 10,001 stands for more'),
  })
  .meta({ id: 'TreeNode' });
export const linkShape = z
  .object({
    id: z.string(),
    kind: z.enum(['under', 'installed', 'behind', 'served']),
    child: z.string(),
    parent: z.string(),
    channel: z.number().nullable(),
    from: z.string(),
    to: z.string().nullable().describe('null: still there'),
    recordedAt: z.string(),
    recordedBy: z.string().nullable(),
    replacedAt: z.string().nullable().describe('When it was corrected or ended by another row; null: it holds'),
    replacedBy: z.string().nullable(),
    reason: z.string().nullable(),
  })
  .meta({ id: 'Stay' });
export const changeShape = z
  .object({
    field: z.string(),
    was: z.string().nullable(),
    became: z.string().nullable(),
    who: z.string().nullable(),
    at: z.string(),
  })
  .meta({ id: 'RegistryChange' });
const placeShape = z.object({ id: z.string(), kind: kinds, code: z.string(), name: z.string().nullable() });
const endShape = z.object({ id: z.string(), serial: z.string(), channel: z.number() });
export const entryShape = z
  .object({
    id: z.string(),
    serial: z.string().describe('The manufacturer’s serial number'),
    utilitySerial: z.string().nullable(),
    name: z.string().nullable(),
    place: z.string().nullable(),
    maker: z.string().nullable(),
    type: z.string().nullable().describe('As its messages tell'),
    state: z.enum(['new', 'named']),
    life: z.enum(['planned', 'new', 'installed', 'removed']),
    segment: z.number(),
    meterType: z.string().nullable(),
    paramId: z.string().nullable(),
    configId: z.string().nullable(),
    attributes: attributesShape,
    firstSeen: z.string().nullable(),
    places: z
      .array(placeShape)
      .describe('From the top down to its metering point, then its concentrator; what the caller may see of it'),
    master: endShape.nullable(),
    slaves: z.array(endShape),
  })
  .meta({ id: 'MeterEntry' });
export const ratioShape = z
  .object({
    id: z.string(),
    kind: z.enum(['current', 'voltage']),
    primary: z.number(),
    secondary: z.number(),
    from: z.string(),
    to: z.string().nullable(),
    recordedAt: z.string(),
    recordedBy: z.string().nullable(),
    replacedAt: z.string().nullable(),
    replacedBy: z.string().nullable(),
    reason: z.string().nullable(),
  })
  .meta({ id: 'TransformerRatio' });
export const historyShape = z.object({ links: z.array(linkShape), changes: z.array(changeShape) });

const time = (ms: number | null): string | null => (ms === null ? null : isoTime(ms));
const times = (x: { from: number; to: number | null; recordedAt: number; replacedAt: number | null }) => ({
  from: isoTime(x.from),
  to: time(x.to),
  recordedAt: isoTime(x.recordedAt),
  replacedAt: time(x.replacedAt),
});
export const linkJson = (link: RegistryLink): z.output<typeof linkShape> => ({ ...link, ...times(link) });
export const changeJson = (change: RegistryChange): z.output<typeof changeShape> => ({
  ...change,
  at: isoTime(change.at),
});
export const nodeJson = (node: NodeRow): z.output<typeof nodeShape> => ({
  ...node,
  path: [...node.path],
  attributes: { ...node.attributes },
});
export const ratioJson = ({ meteringPoint: _, ...ratio }: Ratio): z.output<typeof ratioShape> => ({
  ...ratio,
  ...times(ratio),
  primary: Number(ratio.primary),
  secondary: Number(ratio.secondary),
});

/** The object type whose rights a kind of node is under. */
export const objectOf = (kind: NodeKind): ObjectType & ('premises' | 'metering-point' | 'network') =>
  kind === 'premises' || kind === 'metering-point' ? kind : 'network';
export const maySee = (caller: Caller, kind: NodeKind): boolean =>
  may(caller, `${objectOf(kind)}:view` satisfies Privilege);
export const entryJson = (entry: MeterEntry, caller: Caller): z.output<typeof entryShape> => ({
  ...entry,
  attributes: { ...entry.attributes },
  firstSeen: time(entry.firstSeen),
  places: entry.places.filter((p) => maySee(caller, p.kind)),
  slaves: [...entry.slaves],
});

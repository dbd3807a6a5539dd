/** What destinations and deliveries look like: shapes with bounds, shared by routes, tasks and the sending itself. */
import { parsePeriod } from '@amiable/calendar';
import { isoTime } from '@amiable/model';
import { DELIVERY_STATES, DESTINATION_SECRETS, type Delivery, type Destination } from '@amiable/store';
import { spanMs, targetSchema } from '@amiable/tasks/schemas';
import { z } from 'zod';

const DAY = 86_400_000;
export const nameShape = z
  .string()
  .min(1)
  .max(60)
  .regex(/^[\p{L}\p{N}][\p{L}\p{N}_.-]*$/u, 'letters, digits, points, dashes; no blanks or slashes');
export const named = z.object({ name: nameShape });
const identification = z
  .string()
  .min(1)
  .max(35)
  .regex(/^[\x20-\x7e]+$/, 'printable ASCII');

/** Below a root, forward slashes; where it leads is checked when it is opened. */
const folder = z
  .string()
  .min(1)
  .max(500)
  .refine((text) => !text.includes('\0') && !text.split(/[\\/]/).includes('..'), 'no .. in a folder');

const HEADER = /^[A-Za-z][A-Za-z0-9-]{0,59}$/;
/** What the sending sets itself, or what would carry a secret in the open. */
const OWN_HEADERS =
  /^(host|content-length|content-type|content-encoding|transfer-encoding|connection|expect|authorization|cookie|proxy-.*|idempotency-key|content-digest)$/i;

export const whereShape = z.discriminatedUnion('kind', [
  z.strictObject({ kind: z.literal('folder'), folder: folder.describe('below the outbox of the server') }),
  z.strictObject({
    kind: z.literal('sftp'),
    host: z.string().regex(/^(\[[0-9a-fA-F:.]{2,45}\]|[A-Za-z0-9._-]{1,253})$/, 'a host name or address'),
    port: z.number().int().min(1).max(65_535).default(22),
    user: z.string().min(1).max(100),
    folder: folder.default('.'),
    hostKey: z
      .string()
      .regex(/^SHA256:[A-Za-z0-9+/]{43}=?$/, 'as `ssh-keygen -l` prints it: SHA256:…')
      .describe('fingerprint of the server’s key: no other server is given a password'),
  }),
  z.strictObject({
    kind: z.literal('http'),
    url: z
      .url({ protocol: /^https?$/ })
      .max(2000)
      .refine((text) => !/^https?:\/\/[^/]*@/.test(text), 'no password in the address'),
    method: z.enum(['POST', 'PUT']).default('POST'),
    user: z.string().max(100).optional().describe('goes with the secret password'),
    headers: z
      .record(
        z.string(),
        z
          .string()
          .max(500)
          .regex(/^[\x20-\x7e]*$/, 'printable ASCII'),
      )
      .refine((all) => Object.keys(all).length <= 20, 'at most 20 headers')
      .refine((all) => Object.keys(all).every((one) => HEADER.test(one) && !OWN_HEADERS.test(one)), {
        error: 'a header that is no name, or that is set by the sending itself (secrets are set apart)',
      })
      .default({}),
  }),
]);
export type Where = z.output<typeof whereShape>;

export const formatShape = z.discriminatedUnion('kind', [
  z.strictObject({ kind: z.literal('flat'), name: nameShape.describe('name of a designed format') }),
  z.strictObject({ kind: z.literal('cim') }),
  z.strictObject({ kind: z.literal('espi') }),
  z.strictObject({
    kind: z.literal('mscons'),
    agency: z.enum(['gs1', 'bdew', 'dvgw']).default('gs1'),
    release: z
      .string()
      .regex(/^[A-Za-z0-9.]{1,6}$/)
      .default('2.4c'),
    test: z.boolean().default(false),
  }),
  z.strictObject({ kind: z.literal('parquet') }),
]);
export type FormatChoice = z.output<typeof formatShape>;

export const periodText = z
  .string()
  .max(20)
  .refine((text) => parsePeriod(text) !== undefined, 'a period such as day -1, week -1 or month -1');

export const content = z.strictObject({
  of: z
    .enum(['meters', 'points'])
    .default('meters')
    .describe('points: what metering points took, over meter exchanges and with transformer ratios'),
  target: targetSchema.default({}).describe('which meters; all in your segments unless said'),
  quantities: z.array(z.string().min(1).max(60)).max(20).default(['energyImport']),
  period: z.number().int().min(60).max(86_400).optional().describe('seconds; the finest that there is unless said'),
  registers: z
    .array(z.string().regex(/^[0-9.:*-]{3,20}$/, 'a code such as 1.8.0'))
    .max(20)
    .default([])
    .describe('showings of registers at local midnight, of meters'),
});

export const destinationBody = z
  .strictObject({
    enabled: z.boolean().default(true),
    where: whereShape,
    format: formatShape,
    content: content.prefault({}),
    period: periodText.default('day -1').describe('span of the values, relative to when it is due'),
    timeZone: z.string().max(60).optional(),
    file: z
      .string()
      .max(150)
      .regex(
        /^([A-Za-z0-9_.-]|\{(destination|id|from|to|created)\})+$/,
        'letters, digits, _ . - and {destination} {id} {from} {to} {created}',
      )
      .refine((text) => !text.startsWith('.'), 'no point at the beginning')
      .optional()
      .describe('name of the file; {destination}-{from}-{id} with the ending of the format unless said'),
    sender: identification.default('amiable'),
    receiver: identification.optional(),
    empty: z.enum(['skip', 'send']).default('skip').describe('a file without values'),
    corrections: z
      .number()
      .int()
      .min(0)
      .max(1100)
      .default(62)
      .describe('days back: delivered values that changed since go with the next file; 0: never'),
    acknowledge: z
      .strictObject({
        by: z.enum(['none', 'answer', 'route', 'file']),
        within: spanMs(366 * DAY).default(DAY),
      })
      .optional()
      .describe('answer: the HTTP answer is enough; route: somebody says so; file: NAME.ack or NAME.nak beside it'),
    retry: z
      .strictObject({
        tries: z.number().int().min(1).max(1000).default(20),
        pause: spanMs(7 * DAY).default(60_000),
        factor: z.number().min(1).max(10).default(2),
        longest: spanMs(30 * DAY).default(3_600_000),
        giveUpAfter: spanMs(366 * DAY).default(7 * DAY),
      })
      .prefault({}),
  })
  .superRefine((body, context) => {
    if (body.acknowledge?.by === 'answer' && body.where.kind !== 'http')
      context.addIssue({
        code: 'custom',
        path: ['acknowledge', 'by'],
        message: 'only HTTP answers; choose file or route',
      });
    if (body.acknowledge?.by === 'file' && body.where.kind === 'http')
      context.addIssue({
        code: 'custom',
        path: ['acknowledge', 'by'],
        message: 'HTTP has no files; choose answer or route',
      });
    if (body.content.quantities.length + body.content.registers.length === 0)
      context.addIssue({
        code: 'custom',
        path: ['content'],
        message: 'neither quantities nor registers: nothing would be sent',
      });
    if (body.content.of === 'points' && body.content.registers.length > 0)
      context.addIssue({
        code: 'custom',
        path: ['content', 'registers'],
        message: 'registers are of meters; deliver of: meters',
      });
  });
export type DestinationDefinition = z.output<typeof destinationBody>;

export const secretsBody = z
  .strictObject({
    password: z.string().min(1).max(500).nullish(),
    'private-key': z.string().min(1).max(20_000).nullish(),
    passphrase: z.string().min(1).max(500).nullish(),
    token: z
      .string()
      .min(1)
      .max(4000)
      .regex(/^[\x21-\x7e]+$/, 'printable ASCII without blanks')
      .nullish(),
  })
  .refine((s) => Object.keys(s).length > 0, 'name at least one secret');

const iso = z.string().describe('ISO 8601, UTC');
export const destinationShape = z.object({
  name: z.string(),
  version: z.number(),
  enabled: z.boolean(),
  definition: z.record(z.string(), z.unknown()).describe('as it was put'),
  secrets: z.array(z.enum(DESTINATION_SECRETS)).describe('which are set; what they are is never told'),
  changed: iso,
  by: z.string(),
});
export const destinationJson = (d: Destination): z.infer<typeof destinationShape> => ({
  name: d.name,
  version: d.version,
  enabled: d.enabled,
  definition: { ...d.definition },
  secrets: [...d.secrets],
  changed: isoTime(d.changed),
  by: d.by,
});

export const deliveryShape = z.object({
  id: z.string(),
  destination: z.string(),
  run: z.string().nullable(),
  resendOf: z.string().nullable(),
  format: z.string(),
  formatVersion: z.number().nullable(),
  file: z.string(),
  from: iso,
  to: iso,
  asOf: iso,
  meters: z.number(),
  rows: z.number(),
  corrected: z.number().describe('meters whose earlier values are in it again because they changed'),
  bytes: z.number(),
  digest: z.string().describe('SHA-256 of the file'),
  state: z.enum(DELIVERY_STATES),
  tries: z.number(),
  nextTry: iso.nullable(),
  reason: z.string().nullable(),
  answer: z.string().nullable(),
  created: iso,
  by: z.string(),
  sent: iso.nullable(),
  acknowledged: iso.nullable(),
  acknowledgedBy: z.string().nullable(),
});
const orNull = (ms: number | null): string | null => (ms === null ? null : isoTime(ms));
export const deliveryJson = (d: Delivery): z.infer<typeof deliveryShape> => ({
  id: d.id,
  destination: d.destination,
  run: d.run,
  resendOf: d.resendOf,
  format: d.format,
  formatVersion: d.formatVersion,
  file: d.file,
  from: isoTime(d.from),
  to: isoTime(d.to),
  asOf: isoTime(d.asOf),
  meters: d.meters,
  rows: d.rows,
  corrected: d.corrected,
  bytes: d.bytes,
  digest: d.digest,
  state: d.state,
  tries: d.tries,
  nextTry: orNull(d.nextTry),
  reason: d.reason,
  answer: d.answer,
  created: isoTime(d.created),
  by: d.by,
  sent: orNull(d.sent),
  acknowledged: orNull(d.acknowledged),
  acknowledgedBy: d.acknowledgedBy,
});

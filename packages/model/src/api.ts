/**
 * The HTTP API between server and page, as schemas: the server checks what it is sent, the page what it gets.
 * Times are ISO 8601 UTC text unless said; series carry epoch milliseconds because there are many.
 */
import { z } from 'zod';

const id = z.string().regex(/^[0-9]{1,19}$/);
const time = z.string();

/** The latest values of one meter, by OBIS short form C.D.E; numbers in base units. */
export const live = z.object({
  meter: id,
  time: time,
  /** Active power import minus export, W; null when the meter sends none. */
  power: z.number().nullable(),
  values: z.record(
    z.string(),
    z.object({ value: z.union([z.number(), z.string()]), unit: z.string().optional(), name: z.string(), time: time }),
  ),
});
export type Live = z.infer<typeof live>;

export const meter = z.object({
  id,
  serial: z.string(),
  /** `new` until somebody names it. */
  state: z.enum(['new', 'named']),
  name: z.string().nullable(),
  place: z.string().nullable(),
  utilitySerial: z.string().nullable(),
  maker: z.string().nullable(),
  type: z.string().nullable(),
  list: z.string().nullable(),
  /** 1 or 3; null while unknown. */
  phases: z.number().int().nullable(),
  /** 3-wire meters give line voltages. */
  lineVoltage: z.boolean(),
  timeZone: z.string(),
  firstSeen: time.nullable(),
  lastSeen: time.nullable(),
  reader: z.string().nullable(),
  port: z.string().nullable(),
  hasKey: z.boolean(),
  /** Its frames are kept but cannot be read until somebody gives its key; `serial` is then its system title. */
  needsKey: z.boolean().optional(),
  /** It is known how the meter is reached, so it can be read on demand. Told of one meter, not in lists. */
  hasConnection: z.boolean().optional(),
  live: live.nullable(),
});
export type Meter = z.infer<typeof meter>;

/** GET /api/v1/meters?q=&state=new|named&limit=100&after=ID — ordered by id. */
export const meterList = z.object({ meters: z.array(meter), total: z.number().int(), next: id.nullable() });
export type MeterList = z.infer<typeof meterList>;

/** PATCH /api/v1/meters/:id */
export const meterPatch = z
  .object({
    name: z.string().trim().max(200).nullable(),
    place: z.string().trim().max(500).nullable(),
    utilitySerial: z.string().trim().max(64).nullable(),
    timeZone: z.string().max(64),
  })
  .partial()
  .strict();
export type MeterPatch = z.infer<typeof meterPatch>;

const hexKey = z.string().regex(/^[0-9a-fA-F]{32}$/, '32 hexadecimal digits');
/** PUT /api/v1/meters/:id/key — write-only; the answer of a later GET says only `hasKey`. */
export const keyPut = z.object({ key: hexKey, authKey: hexKey.nullable().optional() }).strict();
export const keyAnswer = z.object({
  /** Kept frames that were read, and those that still wait. */
  reprocessed: z.number().int(),
  left: z.number().int(),
  /** The meter to go to: another one where a system title has become the meter that it belongs to. */
  meter: id,
});
export type KeyAnswer = z.infer<typeof keyAnswer>;

/**
 * GET /api/v1/meters/:id/series?obis=1.7.0,32.7.0&from=&to=&points=2000
 * The finest stored period that fits `points`; `values` null where nothing was measured.
 */
export const series = z.object({
  meter: id,
  from: z.number(),
  to: z.number(),
  /** Seconds between points, the same for all curves; 0 when points stand where the meter sent them. */
  period: z.number(),
  /** Epoch milliseconds, start of each point's period. */
  time: z.array(z.number()),
  curves: z.array(
    z.object({
      obis: z.string(),
      name: z.string(),
      unit: z.string(),
      values: z.array(z.number().nullable()),
      /** Extremes inside each point where it is a mean of more. */
      min: z.array(z.number().nullable()).optional(),
      max: z.array(z.number().nullable()).optional(),
    }),
  ),
});
export type Series = z.infer<typeof series>;

export const qualityName = z.enum(['measured', 'calculated', 'edited', 'estimated', 'missing']);

/** GET /api/v1/meters/:id/energy?bucket=hour|day|month&from=&to= — Wh by local bucket, import and export. */
export const energy = z.object({
  meter: id,
  bucket: z.enum(['hour', 'day', 'month']),
  timeZone: z.string(),
  buckets: z.array(
    z.object({
      start: z.number(),
      end: z.number(),
      import: z.number().nullable(),
      export: z.number().nullable(),
      quality: qualityName,
    }),
  ),
  /** Totals of what is there, Wh. */
  import: z.number().nullable(),
  export: z.number().nullable(),
});
export type Energy = z.infer<typeof energy>;

/** One counter of gas, water or heat; `value` is what it showed last, at `time`. */
export const medium = z.object({
  obis: z.string().optional(),
  name: z.string(),
  unit: z.string(),
  channel: z.number().int().optional(),
  value: z.number(),
  time: time,
  buckets: z.array(
    z.object({ start: z.number(), end: z.number(), value: z.number().nullable(), quality: qualityName }),
  ),
  total: z.number().nullable(),
});
export type Medium = z.infer<typeof medium>;

/** GET /api/v1/meters/:id/media?bucket=hour|day|month&from=&to= — gas, water and heat by local bucket, in their units. */
export const media = z.object({
  meter: id,
  bucket: z.enum(['hour', 'day', 'month']),
  timeZone: z.string(),
  media: z.array(medium),
});
export type Media = z.infer<typeof media>;

/** A byte range of a message and what it means; `reading` points into the decoded readings. */
export const field = z.object({
  path: z.string(),
  offset: z.number().int(),
  length: z.number().int(),
  text: z.string(),
  reading: z.number().int().optional(),
});

export const storedMessage = z.object({
  id: z.string(),
  meter: id.nullable(),
  receivedAt: time,
  time: time.nullable(),
  protocol: z.string(),
  list: z.string().nullable(),
  flags: z.array(z.string()),
  /** Bytes on the wire, hex. */
  raw: z.string(),
  error: z.object({ reason: z.string(), offset: z.number().optional() }).nullable(),
  readings: z.array(
    z.object({
      obis: z.string().optional(),
      address: z.string().optional(),
      name: z.string(),
      value: z.union([z.number(), z.string()]),
      unit: z.string().optional(),
      between: z.string().optional(),
      time: time.optional(),
    }),
  ),
});
export type StoredMessage = z.infer<typeof storedMessage>;

/** GET /api/v1/meters/:id/messages?limit=20 — newest first. */
export const messageList = z.object({ messages: z.array(storedMessage) });

/**
 * GET /api/v1/meters/:id/messages/:messageId — with the explanation of every byte. The first layer is what was on the
 * wire; a ciphered message has a second one with the plain text (its key must be known).
 */
export const explainedMessage = storedMessage.extend({
  layers: z.array(z.object({ name: z.string(), bytes: z.string(), fields: z.array(field) })),
});
export type ExplainedMessage = z.infer<typeof explainedMessage>;

/** GET /api/v1/status */
export const status = z.object({
  version: z.string(),
  /** The server's clock, which may be simulated. */
  now: time,
  /** Simulated seconds per second; 1 is real time. */
  speed: z.number(),
  simulated: z.boolean(),
  timeZone: z.string(),
  meters: z.number().int(),
  newMeters: z.number().int(),
  messages: z.object({ accepted: z.number(), duplicates: z.number(), rejected: z.number(), unplaced: z.number() }),
  /** Empty when all is well. */
  causes: z.array(z.string()),
});
export type Status = z.infer<typeof status>;

/** GET /api/v1/total: what all meters that speak now draw and feed, W, and the last minutes of it. */
export const total = z.object({
  time: time,
  import: z.number(),
  export: z.number(),
  /** How many are counted: those heard in the last five minutes. */
  meters: z.number().int(),
  /** Epoch ms and import less export, oldest first. */
  recent: z.object({ time: z.array(z.number()), values: z.array(z.number()) }),
});
export type Total = z.infer<typeof total>;

/** GET /api/v1/live?meters=1,2 (all without it): server-sent events, each `data:` one array of Live. */
export const liveEvent = z.array(live);

/** Every error answer. */
export const problem = z.object({ error: z.string() });

/** POST /api/v1/messages */
export const ingestAnswer = z.object({
  accepted: z.number().int(),
  duplicates: z.number().int(),
  rejected: z.array(z.object({ line: z.number().int(), reason: z.string() })),
});
export type IngestAnswer = z.infer<typeof ingestAnswer>;

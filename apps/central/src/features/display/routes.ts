/**
 * Displays that are no browsers: GET /display.png (and .raw, .json, .csv) of a meter over a period. A display asks seldom and sleeps in
 * between, so an answer says how long it will stay good (Cache-Control), and an ETag over the pixels spares sending, and drawing on
 * slow paper, what is on the screen already. Faults are pictures too, with the status that they have.
 */
import { createHash } from 'node:crypto';
import { type Period, parsePeriod } from '@amiable/calendar';
import type { Meter, Scope } from '@amiable/model';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { z } from 'zod';
import type { Context } from '../../context.ts';
import { HttpError } from '../../http/error.ts';
import { meterParams } from '../../http/forms.ts';
import type { Router } from '../../http/router.ts';
import { isTitleSerial } from '../../keys/placeholders.ts';
import { type Asked, type Display, displayOf, plainDisplay } from './content.ts';
import { createKept } from './kept.ts';
import { drawDisplay } from './picture.ts';
import { bitsOf, encodePng, packLevels } from './png.ts';
import { recentPowers, SELECTORS } from './recent.ts';
import { LANGUAGES, speechOf } from './words.ts';

/** Pictures and contents kept; a thousand displays of one house share them. */
const MAX_KEPT = 256;
/** Octets that the pictures may take together. */
const MAX_PICTURES = 16 << 20;
/** A wrong guess at the clocks of display and server costs a second fetch, not an old picture. */
const SPARE = 1;

const whole = (low: number, high: number) => z.coerce.number().int().min(low).max(high);

const what = z.object({
  meter: meterParams.shape.id.optional(),
  /** `week`, `week,-2`; `raw` asks for plain bits. */
  format: z.string().max(40).default('day'),
  period: z.string().max(40).optional(),
  offset: whole(-99_999, 99_999).optional(),
  lang: z.enum(LANGUAGES).default('en'),
  every: whole(60, 86_400).default(300),
});
const look = z.object({
  w: whole(96, 1600).default(480),
  h: whole(64, 1600).default(280),
  greys: whole(2, 256).default(4),
  rotate: z.enum(['0', '90', '180', '270']).default('0'),
  invert: z.enum(['0', '1']).default('0'),
});

const pictureQuery = what.extend(look.shape);
const csvQuery = what.extend({ selector: z.enum(['0', '1', '2', '3']).optional() });

interface Answer {
  readonly body: Buffer | string;
  readonly tag: string;
  readonly headers: Readonly<Record<string, string>>;
}

function remember<T>(kept: Map<string, T>, key: string, value: T): T {
  if (kept.size >= MAX_KEPT) kept.delete(kept.keys().next().value as string);
  kept.set(key, value);
  return value;
}

const tagOf = (body: Uint8Array | string): string => createHash('sha256').update(body).digest('base64url').slice(0, 22);

export function displayRoutes(router: Router, context: Context): void {
  const { store, live, keys } = context;
  const contents = new Map<string, { slot: number; display: Promise<Display> }>();
  const pictures = createKept<Answer>(MAX_KEPT, MAX_PICTURES);

  async function meterOf(id: string | undefined, scope: Scope): Promise<Meter | undefined> {
    const chosen =
      id === undefined ? (await store.meters({ limit: 1, scope })).meters[0] : await store.meter(id, scope);
    if (!chosen) return undefined;
    return {
      ...chosen,
      live: live.get(chosen.id) ?? chosen.live,
      ...(isTitleSerial(chosen) && !keys.has(chosen.id) && chosen.live === null ? { needsKey: true } : {}),
    };
  }

  function askedOf(query: z.infer<typeof what>): Asked {
    const text = query.format === 'raw' ? (query.period ?? 'day') : (query.period ?? query.format);
    const period = parsePeriod(text);
    if (!period)
      throw new HttpError(422, `format: ${JSON.stringify(text)} is no period such as day, week, month,-1 or year`);
    const offset = query.offset ?? period.offset;
    return { period: { ...period, offset } satisfies Period, speech: speechOf(query.lang), every: query.every * 1000 };
  }

  /** The content of a slot, made once; a content that is a fault is not kept. */
  async function contentOf(
    query: z.infer<typeof what>,
    asked: Asked,
    scope: Scope,
  ): Promise<{ display: Display; status: number }> {
    const now = context.now();
    const slot = Math.floor(now / asked.every);
    const key = JSON.stringify([scope, query.meter ?? '', asked.period, query.lang, asked.every]);
    const kept = contents.get(key);
    if (kept?.slot === slot) return { display: await kept.display, status: 200 };
    const instead = (state: 'none' | 'fault', note: string) => plainDisplay(asked, state, note, context.timeZone, now);
    try {
      const meter = await meterOf(query.meter, scope);
      if (!meter && query.meter === undefined)
        return { display: instead('none', asked.speech.say('noMeterYet')), status: 200 };
      if (!meter)
        return { display: instead('none', asked.speech.say('noMeter', { id: query.meter as string })), status: 404 };
      const display = displayOf(meter, asked, store, now);
      remember(contents, key, { slot, display });
      display.catch(() => contents.delete(key));
      return { display: await display, status: 200 };
    } catch (error) {
      if (!context.isUnavailable(error)) throw error;
      return { display: instead('fault', asked.speech.say('database')), status: 503 };
    }
  }

  function draw(display: Display, asked: Asked, size: z.infer<typeof look>, raw: boolean): Answer {
    // When it is asked for next is no part of the picture.
    const key = tagOf(JSON.stringify([{ ...display, next: '' }, size, raw]));
    const kept = pictures.get(key);
    if (kept) return kept;
    const turned = size.rotate === '90' || size.rotate === '270';
    const { canvas } = drawDisplay(display, asked.speech, {
      width: turned ? size.h : size.w,
      height: turned ? size.w : size.h,
      greys: size.greys,
    });
    const levels = turn(canvas.levels(), canvas.width, canvas.height, Number(size.rotate));
    if (size.invert === '1') for (let i = 0; i < levels.length; i++) levels[i] = size.greys - 1 - (levels[i] as number);
    const bits = bitsOf(size.greys);
    const body = raw ? packLevels(levels, size.w, size.h, bits) : encodePng(levels, size.w, size.h, size.greys);
    return pictures.put(key, {
      body,
      tag: tagOf(levels),
      headers: {
        'content-type': raw ? 'application/octet-stream' : 'image/png',
        ...(raw ? { 'x-width': String(size.w), 'x-height': String(size.h), 'x-bits': String(bits) } : {}),
      },
    });
  }

  function send(
    request: FastifyRequest,
    reply: FastifyReply,
    answer: Answer,
    display: Display,
    status: number,
  ): FastifyReply {
    const seconds = Math.ceil(Math.max(0, Date.parse(display.next) - context.now()) / 1000 / context.speed) + SPARE;
    if (status === 503) reply.header('retry-after', '30');
    reply.headers(answer.headers);
    if (status !== 200) return reply.code(status).header('cache-control', 'no-store').send(answer.body);
    reply.header('etag', `"${answer.tag}"`).header('cache-control', `private, max-age=${seconds}`);
    const known = (request.headers['if-none-match'] ?? '').split(',').map((tag) => tag.trim().replace(/^W\//, ''));
    if (known.includes(`"${answer.tag}"`) || known.includes('*')) return reply.code(304).send();
    return reply.send(answer.body);
  }

  const common = { method: 'GET', needs: 'execute:display', tag: 'display', scoped: true } as const;

  for (const plain of [false, true])
    router.add({
      ...common,
      path: plain ? '/display.raw' : '/display.png',
      summary: plain
        ? 'What a wall display shows, as plain bits row by row'
        : 'What a wall display shows, as a picture in a few greys',
      query: pictureQuery,
      answer: plain ? 'application/octet-stream' : 'image/png',
      handler: async ({ caller: { scope }, query, request, reply }) => {
        if (query.w * query.h > 1_920_000) throw new HttpError(422, 'w, h: at most 1,920,000 pixels');
        const asked = askedOf(query);
        const { display, status } = await contentOf(query, asked, scope);
        const { w, h, greys, rotate, invert } = query;
        const answer = draw(display, asked, { w, h, greys, rotate, invert }, plain || query.format === 'raw');
        return send(request, reply, answer, display, status);
      },
    });

  router.add({
    ...common,
    path: '/display.json',
    summary: 'What a wall display shows, as numbers and words',
    query: what,
    answer: 'application/json',
    handler: async ({ caller: { scope }, query, request, reply }) => {
      const { display, status } = await contentOf(query, askedOf(query), scope);
      const headers = { 'content-type': 'application/json; charset=utf-8' };
      const answer = { body: JSON.stringify(display), tag: tagOf(JSON.stringify({ ...display, next: '' })), headers };
      return send(request, reply, answer, display, status);
    },
  });

  router.add({
    ...common,
    path: '/display.csv',
    summary: 'The bars of a wall display, or the power of the last time in 288 steps, for microcontrollers',
    query: csvQuery,
    answer: 'text/plain',
    handler: async ({ caller: { scope }, query, request, reply }) => {
      const { selector } = query;
      const headers = { 'content-type': 'text/plain; charset=utf-8' };
      const { display, status } = await contentOf(query, askedOf(query), scope);
      const empty = (value: number | null): string => (value === null ? '' : String(value));
      let body: string;
      if (selector !== undefined) {
        const span = SELECTORS[Number(selector)] as number;
        body = display.meter
          ? `${(await recentPowers(store, display.meter.id, context.now(), span)).map(empty).join(',')}\n`
          : '\n';
      } else {
        const names = display.media.map((m) => `${m.kind}_${m.unit}`);
        body = `${['start', 'label', 'import_Wh', 'export_Wh', ...names].join(',')}\n${display.bars
          .map((bar, i) =>
            [
              bar.start,
              bar.label,
              empty(bar.import),
              empty(bar.export),
              ...display.media.map((m) => empty(m.bars[i] ?? null)),
            ].join(','),
          )
          .join('\n')}\n`;
      }
      return send(request, reply, { body, tag: tagOf(body), headers }, display, status);
    },
  });
}

/** Turns a picture clockwise by 0, 90, 180 or 270 degrees. */
function turn(levels: Uint8Array, width: number, height: number, by: number): Uint8Array {
  if (by === 0) return levels;
  const out = new Uint8Array(levels.length);
  for (let y = 0; y < height; y++)
    for (let x = 0; x < width; x++) {
      const value = levels[y * width + x] as number;
      if (by === 180) out[(height - 1 - y) * width + (width - 1 - x)] = value;
      else if (by === 90) out[x * height + (height - 1 - y)] = value;
      else out[(width - 1 - x) * height + y] = value;
    }
  return out;
}

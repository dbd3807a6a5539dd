/**
 * Tasks as people write them on a command line: `--every weekday --at 00:30`, `--on last`, `--window "mon-fri 22:00-06:00"`.
 *
 * Decides: the words. Leaves out: bounds and meaning, which the server checks too.
 */
import { PRESETS, parseWindow, type Recurrence, TASK_KINDS, type TaskKind } from '@amiable/tasks';
import { UsageError } from '../action.ts';

const DAYS = ['mon', 'tue', 'wed', 'thu', 'fri', 'sat', 'sun'];

export interface ScheduleWords {
  readonly every?: string;
  readonly at?: readonly string[];
  readonly on?: readonly string[];
  readonly cron?: string;
  readonly once?: string;
  readonly order?: boolean;
  readonly spontaneous?: boolean;
  readonly shift?: string;
  readonly special?: readonly string[];
  readonly each?: boolean;
  readonly from?: string;
  readonly until?: string;
}

const minutes = (text: string): number => {
  const found = /^([01]?\d|2[0-3]):([0-5]\d)$/.exec(text.trim());
  if (!found) throw new UsageError(`${text} is no time of the day; write 00:30`);
  return Number(found[1]) * 60 + Number(found[2]);
};

const pieces = (list: readonly string[]): string[] =>
  list.flatMap((text) => text.split(',').map((piece) => piece.trim())).filter((piece) => piece !== '');

const weekday = (text: string): number | undefined => {
  const at = DAYS.indexOf(text.slice(0, 3).toLowerCase());
  return at >= 0 && /^(mon|tues?|wed(nes)?|thu(rs)?|fri|sat(ur)?|sun)(day)?$/i.test(text) ? at + 1 : undefined;
};

/** `1`, `last`, `-2`, `2nd tue`, `last fri`, `workday 1`, `last workday`. */
function monthDay(text: string): { day: number } | { nth: number; weekday: number } | { workday: number } {
  const words = text.toLowerCase().split(/\s+/);
  if (words[0] === 'workday' && /^-?\d{1,2}$/.test(words[1] ?? '')) return { workday: Number(words[1]) };
  if (text.toLowerCase() === 'last workday') return { workday: -1 };
  if (words.length === 1 && /^-?\d{1,2}$/.test(text)) return { day: Number(text) };
  if (text.toLowerCase() === 'last') return { day: -1 };
  const nth = words[0] === 'last' ? -1 : Number(/^([1-5])(st|nd|rd|th)$/.exec(words[0] ?? '')?.[1]);
  const day = weekday(words[1] ?? '');
  if (words.length === 2 && day !== undefined && !Number.isNaN(nth)) return { nth, weekday: day };
  throw new UsageError(`--on ${text}: for a month write 1, last, "2nd tue", "last fri" or "workday 1"`);
}

/** What the words say of times; undefined when they say nothing. @throws UsageError */
export function recurrenceOf(words: ScheduleWords): Recurrence | undefined {
  const kinds = [words.every, words.cron, words.once, words.order, words.spontaneous].filter((w) => w !== undefined);
  if (kinds.length > 1) throw new UsageError('--every, --cron, --once, --order and --spontaneous exclude one another');
  if (words.cron !== undefined) return { type: 'cron', expression: words.cron };
  if (words.once !== undefined) return { type: 'once', at: words.once.trim().replace(' ', 'T') };
  if (words.order) return { type: 'order' };
  if (words.spontaneous) return { type: 'spontaneous' };
  const { every } = words;
  if (every === undefined) {
    if (words.at || words.on) throw new UsageError('--at and --on need --every day, week or month');
    return undefined;
  }
  const span = /^(\d{1,2})\s*(m|min|minutes?|h|hours?)$/.exec(every);
  if (span || every === 'hour') {
    if (words.on) throw new UsageError('--on goes with weeks and months');
    const count = span ? Number(span[1]) : 1;
    const hours = span === null || (span[2] as string).startsWith('h');
    const most = hours ? 24 : 60;
    if (count < 1 || most % count !== 0) throw new UsageError(`--every ${every}: ${most} is no whole number of these`);
    const minute = words.at ? minutes(`00:${words.at[0]?.replace(/^\d*:/, '')}`) : 0;
    if (hours) return { type: 'cron', expression: `${minute} ${count === 1 ? '*' : `*/${count}`} * * *` };
    return { type: 'cron', expression: `*/${count} * * * *` };
  }
  const at = pieces(words.at ?? ['00:30']).map(minutes);
  const on = pieces(words.on ?? []);
  if (every === 'day' || every === 'daily') {
    if (on.length > 0) throw new UsageError('--on goes with weeks and months');
    return { type: 'daily', at };
  }
  if (every === 'weekday') return { type: 'weekly', days: [1, 2, 3, 4, 5], at };
  if (every === 'week' || weekday(every) !== undefined) {
    const days = (every === 'week' ? (on.length > 0 ? on : ['mon']) : [every]).map((text) => {
      const day = weekday(text);
      if (day === undefined) throw new UsageError(`--on ${text} is no day of the week`);
      return day;
    });
    return { type: 'weekly', days, at };
  }
  if (every === 'month') return { type: 'monthly', on: (on.length > 0 ? on : ['1']).map(monthDay), at };
  throw new UsageError(`--every ${every}: write day, weekday, week, month, hour, 15m or 6h`);
}

export interface TaskWords extends ScheduleWords {
  readonly group?: string;
  readonly type?: readonly string[];
  readonly q?: string;
  readonly where?: readonly string[];
  readonly under?: string;
  readonly meter?: readonly string[];
  readonly priority?: string;
  readonly window?: readonly string[];
  readonly tries?: string;
  readonly pause?: string;
  readonly factor?: string;
  readonly decay?: string;
  readonly giveUpAfter?: string;
  readonly lifetime?: string;
  readonly missed?: string;
  readonly enough?: string;
  readonly zone?: string;
  readonly param?: readonly string[];
}

const number = (name: string, text: string): number => {
  const value = Number(text);
  if (text.trim() === '' || Number.isNaN(value)) throw new UsageError(`--${name} ${text}: a number is meant`);
  return value;
};

const COMPARISON = /^([\w.-]+)\s*(!=|<=|>=|=|<|>|~|\^)\s*(.*)$/;
const WORDS: Readonly<Record<string, string>> = { '~': 'contains', '^': 'begins' };

function condition(text: string): { attribute: string; is: string; value?: string | number } {
  const found = COMPARISON.exec(text.trim());
  if (!found) throw new UsageError(`--where ${text}: write attribute=value, attribute>=5, name~word or name^begin`);
  const [, attribute = '', sign = '', value = ''] = found;
  // Order is of numbers; everything else is compared as it is written.
  const ordered = sign.startsWith('<') || sign.startsWith('>');
  return {
    attribute,
    is: WORDS[sign] ?? sign,
    value: ordered && value !== '' && !Number.isNaN(Number(value)) ? Number(value) : value,
  };
}

/** `days=3`, `set=true`, `registers=1-0:1.8.0,1-0:2.8.0` (lists by comma where the name is a plural), `mapping={"Anlegg":"code"}`. */
export function parametersOf(list: readonly string[]): Record<string, unknown> {
  const out: Record<string, unknown> = {};
  for (const text of list) {
    const at = text.indexOf('=');
    if (at < 1) throw new UsageError(`--param ${text}: write name=value`);
    const name = text.slice(0, at);
    const value = text.slice(at + 1);
    if (name === 'registers' || name === 'profiles') out[name] = pieces([value]);
    else if (value.startsWith('{')) out[name] = objectOf(text, value);
    else if (value === 'true' || value === 'false') out[name] = value === 'true';
    else out[name] = /^-?\d{1,15}(\.\d+)?$/.test(value) ? Number(value) : value;
  }
  return out;
}

function objectOf(text: string, value: string): unknown {
  try {
    return JSON.parse(value);
  } catch {
    throw new UsageError(`--param ${text.slice(0, 60)}: what begins with { must be JSON`);
  }
}

const defined = (fields: Record<string, unknown>): Record<string, unknown> =>
  Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined));

/**
 * The definition that the words make, as the API takes it. What is not said comes from `before` (a change), from the preset of the kind, or
 * from the server. @throws UsageError
 */
export function definitionOf(
  kind: string,
  words: TaskWords,
  before?: Readonly<Record<string, unknown>>,
): Record<string, unknown> {
  if (!(TASK_KINDS as readonly string[]).includes(kind))
    throw new UsageError(`${kind} is no kind of task; there are ${TASK_KINDS.join(', ')}`);
  const preset = PRESETS[kind as keyof typeof PRESETS]?.definition;
  const base: Readonly<Record<string, unknown>> = before ?? (preset as unknown as Record<string, unknown>) ?? { kind };
  const schedule = (base.schedule ?? {}) as Record<string, unknown>;
  const recurrence = recurrenceOf(words) ?? (schedule.recurrence as Recurrence | undefined);
  if (!recurrence) throw new UsageError('say when: --every day --at 00:30, --cron, --once or --order');
  const target = defined({
    ...(base.target as object | undefined),
    group: words.group ?? (base.target as { group?: string } | undefined)?.group,
    ...defined({
      types: words.type,
      q: words.q,
      under: words.under,
      meters: words.meter ? pieces(words.meter) : undefined,
      where: words.where?.map(condition),
    }),
  });
  const rule = defined({
    tries: words.tries === undefined ? undefined : number('tries', words.tries),
    pause: words.pause,
    factor: words.factor === undefined ? undefined : number('factor', words.factor),
    decay: words.decay === undefined ? undefined : number('decay', words.decay),
    giveUpAfter: words.giveUpAfter,
  });
  return defined({
    ...base,
    kind: kind as TaskKind,
    parameters: { ...(base.parameters as object | undefined), ...parametersOf(words.param ?? []) },
    target,
    schedule: defined({
      ...schedule,
      recurrence,
      shift: words.shift ?? schedule.shift,
      specialDays: words.special ? pieces(words.special) : schedule.specialDays,
      repeated: words.each === undefined ? schedule.repeated : words.each ? 'each' : 'first',
      from: words.from ?? schedule.from,
      until: words.until ?? schedule.until,
    }),
    timeZone: words.zone ?? base.timeZone,
    priority: words.priority === undefined ? base.priority : number('priority', words.priority),
    windows: words.window ? words.window.map(window) : base.windows,
    retry: Object.keys(rule).length === 0 ? base.retry : { ...(base.retry as object | undefined), ...rule },
    lifetime: words.lifetime ?? base.lifetime,
    missed: words.missed ?? base.missed,
    enough: words.enough === undefined ? base.enough : share(words.enough),
  });
}

function window(text: string) {
  try {
    return parseWindow(text);
  } catch (error) {
    throw new UsageError((error as Error).message);
  }
}

function share(text: string): number {
  const percent = /^(\d{1,3}(\.\d+)?)\s*%$/.exec(text.trim());
  const value = percent ? Number(percent[1]) / 100 : number('enough', text);
  if (value < 0 || value > 1) throw new UsageError(`--enough ${text}: write 0.95 or 95%`);
  return value;
}

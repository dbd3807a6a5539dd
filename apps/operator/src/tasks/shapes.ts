/** What the server says of tasks, flows and runs, and how it is shown. Times are epoch ms. */
import { printWindow, type Recurrence, type TimeWindow } from '@amiable/tasks';
import type { Column } from '../table.ts';

export interface TaskShape {
  readonly id: string;
  readonly name: string;
  readonly kind?: string;
  readonly state: string;
  readonly version: number;
  readonly definition: Readonly<Record<string, unknown>>;
  readonly creator: string;
  readonly nextDue: number | null;
}

export interface RunShape {
  readonly id: string;
  readonly what: 'task' | 'flow';
  readonly step: string | null;
  readonly kind: string | null;
  readonly name: string;
  readonly state: 'waiting' | 'running' | 'paused' | 'done' | 'failed' | 'cancelled';
  readonly priority: number;
  readonly due: number;
  readonly started: number | null;
  readonly ended: number | null;
  readonly creator: string;
  readonly expanded: boolean;
  readonly counts: {
    readonly total: number;
    readonly done: number;
    readonly failed: number;
    readonly givenUp: number;
    readonly expired: number;
    readonly cancelled: number;
    readonly tries: number;
    readonly stored: number;
  };
  readonly note: string | null;
}

export interface JobShape {
  readonly meter: string;
  readonly serial: string;
  readonly state: string;
  readonly attempts: number;
  readonly ready: number | null;
  readonly worker: string | null;
  readonly stored: number;
  readonly reason: string | null;
}

/** `2026-11-20 14:30` of this machine's zone. */
export function localTime(ms: number | null): string | null {
  if (ms === null) return null;
  const date = new Date(ms);
  const two = (n: number): string => String(n).padStart(2, '0');
  return `${date.getFullYear()}-${two(date.getMonth() + 1)}-${two(date.getDate())} ${two(date.getHours())}:${two(date.getMinutes())}`;
}

const NAMES = ['mon', 'tue', 'wed', 'thu', 'fri', 'sat', 'sun'];
const clock = (minute: number): string =>
  `${String(Math.floor(minute / 60)).padStart(2, '0')}:${String(minute % 60).padStart(2, '0')}`;

/** A schedule in a few words. */
export function inWords(recurrence: Recurrence): string {
  switch (recurrence.type) {
    case 'daily':
      return `every day ${recurrence.at.map(clock).join(', ')}`;
    case 'weekly':
      return `${recurrence.days.map((day) => NAMES[day - 1]).join(', ')} ${recurrence.at.map(clock).join(', ')}`;
    case 'monthly': {
      const days = recurrence.on.map((on) => {
        if ('day' in on)
          return on.day === -1 ? 'last day' : on.day < 0 ? `${-on.day} days from the end` : `day ${on.day}`;
        if ('weekday' in on) return `${on.nth === -1 ? 'last' : `${on.nth}.`} ${NAMES[on.weekday - 1]}`;
        return on.workday === -1 ? 'last working day' : `working day ${on.workday}`;
      });
      return `monthly ${days.join(', ')} ${recurrence.at.map(clock).join(', ')}`;
    }
    case 'cron':
      return `cron ${recurrence.expression}`;
    case 'once':
      return `once ${recurrence.at.replace('T', ' ')}`;
    default:
      return recurrence.type === 'order' ? 'on order' : 'spontaneous';
  }
}

/** Meters in a few words. */
export function targetInWords(target: Readonly<Record<string, unknown>> | undefined): string {
  const words = Object.entries(target ?? {}).map(([name, value]) => {
    if (name === 'meters') return `${(value as string[]).length} meters`;
    if (name === 'where')
      return (value as { attribute: string; is: string; value: unknown }[])
        .map((c) => `${c.attribute} ${c.is} ${String(c.value ?? '')}`.trim())
        .join(', ');
    return `${name} ${Array.isArray(value) ? value.join(', ') : String(value)}`;
  });
  return words.length === 0 ? 'all meters' : words.join('; ');
}

export const windowsInWords = (windows: readonly TimeWindow[] | undefined): string =>
  windows === undefined || windows.length === 0 ? 'always' : windows.map(printWindow).join('; ');

const recurrenceIn = (task: TaskShape): Recurrence =>
  (task.definition.schedule as { recurrence: Recurrence }).recurrence;

export const TASK_COLUMNS: readonly Column<TaskShape>[] = [
  { name: 'no', of: ({ id }) => id, right: true },
  { name: 'name', of: ({ name }) => name, cut: true },
  { name: 'kind', of: ({ kind }) => kind },
  { name: 'state', of: ({ state }) => state },
  { name: 'when', of: (task) => inWords(recurrenceIn(task)), cut: true },
  { name: 'meters', of: ({ definition }) => targetInWords(definition.target as Record<string, unknown>), cut: true },
  { name: 'next', of: ({ nextDue }) => localTime(nextDue) },
];

export const FLOW_COLUMNS: readonly Column<TaskShape>[] = [
  { name: 'no', of: ({ id }) => id, right: true },
  { name: 'name', of: ({ name }) => name, cut: true },
  { name: 'state', of: ({ state }) => state },
  { name: 'when', of: (task) => inWords(recurrenceIn(task)), cut: true },
  { name: 'steps', of: ({ definition }) => (definition.steps as unknown[]).length, right: true },
  { name: 'next', of: ({ nextDue }) => localTime(nextDue) },
];

export const undone = ({ counts }: RunShape): number =>
  counts.failed + counts.givenUp + counts.expired + counts.cancelled;

export const RUN_COLUMNS: readonly Column<RunShape>[] = [
  { name: 'no', of: ({ id }) => id, right: true },
  { name: 'name', of: ({ name }) => name, cut: true },
  { name: 'kind', of: ({ kind, what }) => kind ?? what },
  { name: 'state', of: ({ state }) => state },
  { name: 'due', of: ({ due }) => localTime(due) },
  { name: 'meters', of: ({ counts }) => counts.total, right: true },
  { name: 'done', of: ({ counts }) => counts.done, right: true },
  { name: 'not', of: undone, right: true },
  { name: 'values', of: ({ counts }) => counts.stored, right: true },
  { name: 'note', of: ({ note }) => note ?? '', cut: true },
];

export const JOB_COLUMNS: readonly Column<JobShape>[] = [
  { name: 'meter', of: ({ meter }) => meter, right: true },
  { name: 'serial', of: ({ serial }) => serial, cut: true },
  { name: 'state', of: ({ state }) => state },
  { name: 'tries', of: ({ attempts }) => attempts, right: true },
  { name: 'values', of: ({ stored }) => stored, right: true },
  { name: 'next try', of: ({ ready, state }) => (state === 'waiting' ? localTime(ready) : '') },
  { name: 'reason', of: ({ reason }) => reason ?? '', cut: true },
];

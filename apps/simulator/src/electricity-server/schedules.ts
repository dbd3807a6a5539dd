/**
 * Scripts and when they are executed (IEC 62056-6-2 clauses 4.5.2 and 4.5.7: Script table, Single action schedule).
 *
 * Decides: which scripts there are; the next time that a schedule names, by the meter's clock, wildcards included. Times
 * that passed while the module was down are not made good. Leaves out: the objects that show it (objects/control.ts).
 */
import { localToUtc, toLocal } from '@amiable/calendar';
import { nextExecution } from '@amiable/cosem';
import type { DlmsDate, DlmsTime } from '@amiable/dlms';
import { RESULT } from '@amiable/dlms';
import { type Answer, keptValue } from './define.ts';
import { push } from './push.ts';
import type { ServedMeter } from './served.ts';

const SECOND = 1000;

export interface ScheduledAction {
  /** Virtual time. */
  readonly at: number;
  readonly table: string;
  readonly script: number;
}

const invoke = (classId: number, name: string, index: number) => ({
  service_id: { type: 'enum', value: 2 },
  class_id: classId,
  logical_name: name,
  index,
  parameter: { type: 'integer', value: 0 },
});
const script = (id: number, ...actions: readonly unknown[]) => ({ script_identifier: id, actions });

export const SCRIPT_TABLES: readonly {
  readonly obis: string;
  readonly meaning: string;
  readonly scripts: readonly unknown[];
  /** Executed by the meter alone. */
  readonly fixed?: boolean;
  readonly needs?: 'disconnecter';
}[] = [
  {
    obis: '0-0:10.0.100',
    meaning: 'Tariffication script table: scripts 1 and 2 are the rates, executed by the activity calendar alone',
    scripts: [script(1), script(2)],
    fixed: true,
  },
  {
    obis: '0-0:10.0.103',
    meaning: 'Output control script table: 1 off, 2 on, executed by the activity calendar alone',
    scripts: [script(1), script(2)],
    fixed: true,
  },
  {
    obis: '0-0:10.0.106',
    meaning: 'Disconnect script table: 1 disconnect, 2 enable the local connection',
    scripts: [script(1, invoke(70, '0-0:96.3.10', 1)), script(2, invoke(70, '0-0:96.3.10', 2))],
    needs: 'disconnecter',
  },
  {
    obis: '0-0:10.0.107',
    meaning: 'Image activation script table: 1 activate',
    scripts: [script(1, invoke(18, '0-0:44.0.0', 4))],
  },
  {
    obis: '0-0:10.0.108',
    meaning: 'Push script table: 1 push',
    scripts: [script(1, invoke(40, '0-0:25.9.0', 1))],
  },
];

export const SCHEDULES: readonly {
  readonly obis: string;
  readonly meaning: string;
  readonly table: string;
  readonly script: number;
  readonly needs?: string;
  readonly fixed?: readonly unknown[];
}[] = [
  {
    obis: '0-0:15.0.0',
    meaning: 'End of billing period: the monthly profile is captured at 00:00 of the first (cannot be changed)',
    table: '0-0:10.0.1',
    script: 1,
    fixed: [{ time: { hour: 0, minute: 0, second: 0, hundredths: 0 }, date: { day: 1 } }],
  },
  {
    obis: '0-0:15.0.1',
    meaning: 'Disconnect control: when script 1 or 2 of 0-0:10.0.106 is executed',
    table: '0-0:10.0.106',
    script: 1,
    needs: 'disconnecter',
  },
  {
    obis: '0-0:15.0.2',
    meaning: 'Image activation: when the verified image becomes active',
    table: '0-0:10.0.107',
    script: 1,
  },
  { obis: '0-0:15.0.4', meaning: 'Push: when the registers are pushed', table: '0-0:10.0.108', script: 1 },
];

export function executeScript(m: ServedMeter, table: string, selector: number): Answer {
  const key = `${table}/${selector}`;
  if (key === '0-0:10.0.106/1') return m.engine.remoteDisconnect();
  if (key === '0-0:10.0.106/2') return m.engine.remoteReconnect();
  if (key === '0-0:10.0.107/1') return m.engine.imageActivate();
  if (key === '0-0:10.0.108/1') return push(m);
  return RESULT.otherReason;
}

export function runScheduled(m: ServedMeter, action: ScheduledAction): void {
  executeScript(m, action.table, action.script);
}

/** The earliest of all that schedules name after the present. */
export function nextScheduled(m: ServedMeter): ScheduledAction | undefined {
  let first: ScheduledAction | undefined;
  // Nobody has written a schedule: the rule, and cheap.
  if (m.settings.size === 0) return undefined;
  for (const schedule of SCHEDULES) {
    if (schedule.fixed) continue;
    const times = keptValue(m, 22, 0, schedule.obis, 4) as { time: DlmsTime; date: DlmsDate }[] | undefined;
    if (!times) continue;
    const chosen = keptValue(m, 22, 0, schedule.obis, 2)?.script_selector ?? schedule.script;
    for (const { time, date } of times) {
      const clock = nextOccurrence(m, time, date);
      if (clock === undefined) continue;
      const at = m.engine.now + (clock - m.engine.clock.utc);
      if (!first || at < first.at) first = { at, table: schedule.table, script: chosen };
    }
  }
  return first;
}

/**
 * The next instant of the meter's clock after now that time and date name. Minutes and less that are not specified are 0: nobody
 * means a hundred times a second.
 */
function nextOccurrence(
  m: ServedMeter,
  { hour, minute = 0, second = 0 }: DlmsTime,
  date: DlmsDate,
): number | undefined {
  const { zone } = m.engine.config;
  const now = m.engine.clock.utc;
  const time = { ...(hour !== undefined && { hour }), minute, second, hundredths: 0 };
  let from = Math.floor(toLocal(zone, now) / SECOND + 1) * SECOND;
  // In autumn local time comes a second time: what is found may be past.
  for (let tries = 0; tries < 4; tries++) {
    const wall = nextExecution([{ time, date }], from);
    if (wall === undefined) return undefined;
    const at = localToUtc(zone, wall, { after: now });
    if (at > now) return at;
    from = wall + SECOND;
  }
  return undefined;
}

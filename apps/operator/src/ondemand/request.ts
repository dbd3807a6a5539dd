/** From the words of `amiable ondemand` to what is asked of the server, and the shapes of its answer. */
import { UsageError } from '../action.ts';

export interface Given {
  readonly set?: string;
  readonly registers?: string;
  readonly profile?: string;
  readonly from?: string;
  readonly to?: string;
  readonly events?: boolean;
  readonly log?: string;
  readonly again?: boolean;
}

export interface ReadRegister {
  readonly obis: string;
  readonly name: string;
  readonly unit: string | null;
  readonly value: string;
  readonly time: string;
}

export interface OneRead {
  readonly id: string;
  readonly meter: string;
  readonly serial: string;
  readonly state: 'waiting' | 'running' | 'done' | 'failed' | 'cancelled';
  readonly sentence: string;
  readonly result: {
    readonly registers?: readonly ReadRegister[];
    readonly profile?: {
      readonly name: string;
      readonly columns: readonly { readonly obis: string; readonly name: string; readonly unit: string | null }[];
      readonly rows: readonly { readonly time: string; readonly values: readonly (string | null)[] }[];
      readonly cut: boolean;
    };
    readonly events?: readonly {
      readonly time: string;
      readonly code: number;
      readonly event: string;
      readonly log: string;
    }[];
  } | null;
}

const DAY = 86_400_000;

/** Local to this machine unless a zone is said. @throws UsageError */
function timeOf(option: string, text: string): string {
  const form = /^\d{4}-\d{2}-\d{2}([T ]\d{2}:\d{2}(:\d{2})?(Z|[+-]\d{2}:?\d{2})?)?$/;
  const at = form.test(text) ? Date.parse(text.length === 10 ? `${text}T00:00` : text.replace(' ', 'T')) : Number.NaN;
  if (Number.isNaN(at)) throw new UsageError(`${option} ${text}: write 2026-11-18 or 2026-11-18T12:00`);
  return new Date(at).toISOString();
}

/** @throws UsageError where options do not go together */
export function requestOf(given: Given, now: number): object {
  const { set, registers, profile, from, to, events, log, again } = given;
  const kinds = [
    set !== undefined || registers !== undefined,
    profile !== undefined,
    events === true || log !== undefined,
  ].filter(Boolean).length;
  if (kinds > 1) throw new UsageError('say one of --set or --registers, --profile, --events');
  const span = from !== undefined || to !== undefined;
  if (events || log !== undefined) {
    if (again) throw new UsageError('--again is for profiles; registers and events are always read');
    if (to !== undefined) throw new UsageError('--to: events are read from --from on, all of them');
    return {
      what: 'events',
      ...(log !== undefined && { log }),
      ...(from !== undefined && { from: timeOf('--from', from) }),
    };
  }
  // A span alone means the load profile.
  if (profile !== undefined || (span && kinds === 0)) {
    const end = to === undefined ? new Date(now).toISOString() : timeOf('--to', to);
    const begin = from === undefined ? new Date(Date.parse(end) - DAY).toISOString() : timeOf('--from', from);
    if (begin >= end) throw new UsageError('--from has to lie before --to');
    return { what: 'profile', profile: profile ?? 'load', from: begin, to: end, ...(again && { again }) };
  }
  if (again) throw new UsageError('--again is for profiles; registers and events are always read');
  if (span) throw new UsageError('--from and --to are for profiles and events; registers are read as they are now');
  if (set !== undefined && registers !== undefined) throw new UsageError('say --set or --registers, not both');
  if (registers !== undefined) {
    const codes = registers
      .split(',')
      .map((code) => code.trim())
      .filter((code) => code !== '');
    if (codes.length === 0) throw new UsageError('--registers: OBIS codes joined by commas, such as 1-0:1.8.0');
    return { what: 'registers', registers: codes };
  }
  return { what: 'registers', ...(set !== undefined && { set }) };
}

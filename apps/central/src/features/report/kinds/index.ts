/** The reports that come with the program. */
import type { ReportKind } from '../kind.ts';
import { communication, completeness, gaps, work } from './acquisition.ts';
import { bills, validation } from './money.ts';
import { audit, users } from './people.ts';
import { events, losses, outages } from './supply.ts';
import { consumers, estimated } from './values.ts';

export const REPORT_KINDS: ReadonlyMap<string, ReportKind> = new Map(
  [
    completeness,
    gaps,
    validation,
    estimated,
    consumers,
    bills,
    outages,
    losses,
    events,
    communication,
    work,
    audit,
    users,
  ].map((one) => [one.name, one]),
);

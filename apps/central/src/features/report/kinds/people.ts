/** Reports on people: who there is and what they may, and what they did. */
import { z } from 'zod';
import { kind, spanOf, spanShape, spanWords } from '../kind.ts';
import { MOST_ROWS, type ReportCell } from '../table.ts';

const PAGE = 1000;

export const users = kind({
  name: 'users',
  title: 'Users and their rights',
  summary: 'accounts with groups, segments, and when they were used last',
  needs: ['user:view', 'group:view'],
  parameters: z.strictObject({}),
  async make(call) {
    const { access } = call.context.store;
    const groups = new Map((await access.groups()).map((group) => [group.id, group]));
    const rows: ReportCell[][] = [];
    let after: string | undefined;
    do {
      const page = await access.users({ limit: PAGE, ...(after === undefined ? {} : { after }) });
      for (const user of page.users) {
        const own = user.groups.map((id) => groups.get(id));
        const privileges = new Set(own.flatMap((group) => group?.privileges ?? []));
        rows.push([
          user.name,
          own.map((group) => group?.name ?? '?').join(', '),
          privileges.size,
          user.segments === 'all' ? 'all' : user.segments.join(', '),
          user.disabled ? 'disabled' : 'active',
          user.lastLogin ?? null,
        ]);
      }
      after = page.next ?? undefined;
    } while (after !== undefined && rows.length < MOST_ROWS);
    return {
      asked: [],
      columns: [
        { name: 'name', label: 'User', type: 'text' },
        { name: 'groups', label: 'Groups', type: 'text' },
        { name: 'privileges', label: 'Privileges', type: 'integer' },
        { name: 'segments', label: 'Segments', type: 'text' },
        { name: 'state', label: 'State', type: 'text' },
        { name: 'last', label: 'Last log-in', type: 'time' },
      ],
      rows,
      notes: [],
    };
  },
});

export const audit = kind({
  name: 'audit',
  title: 'Audit log',
  summary: 'who changed or saw what, and when',
  needs: ['audit:view'],
  parameters: z.strictObject({
    ...spanShape,
    user: z.string().max(100).optional().describe('number of a user'),
    object: z.string().max(200).optional().describe('whole, or its beginning with * at the end'),
  }),
  async make(call, given) {
    const span = spanOf({ ...given, period: given.period ?? 'week' }, call, 1100);
    const rows: ReportCell[][] = [];
    let before: string | undefined;
    for (;;) {
      const found = await call.context.store.access.auditLog({
        from: span.from,
        to: span.to,
        limit: PAGE,
        ...(given.user === undefined ? {} : { user: given.user }),
        ...(given.object === undefined ? {} : { object: given.object }),
        ...(before === undefined ? {} : { before }),
      });
      for (const e of found)
        rows.push([e.at, e.who, e.action, e.object ?? null, e.detail ? JSON.stringify(e.detail) : null]);
      if (found.length < PAGE || rows.length >= MOST_ROWS) break;
      before = found.at(-1)?.id;
    }
    return {
      asked: [spanWords(span, call)],
      columns: [
        { name: 'at', label: 'When', type: 'time' },
        { name: 'who', label: 'Who', type: 'text' },
        { name: 'action', label: 'What', type: 'text' },
        { name: 'object', label: 'Of what', type: 'text' },
        { name: 'detail', label: 'Detail', type: 'text' },
      ],
      rows,
      notes: rows.length >= MOST_ROWS ? [`Cut after ${rows.length} rows.`] : [],
    };
  },
});

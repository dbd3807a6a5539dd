/**
 * The rules of distributed PostgreSQL as a lint over syntax trees. A statement that breaks one works on one server and
 * fails, or answers wrongly, past one machine.
 */
type Node = Record<string, unknown>;

/** Distributed by meter. */
export const BIG = new Set([
  'block',
  'block_default',
  'block_stage',
  'message',
  'message_default',
  'meter_state',
  'live',
  'dirty',
  'attribute',
  'event',
  'event_default',
  'readout_state',
  'log_state',
  'gap',
  'arrival',
  'bill',
  'validation_estimate',
  'validation_exception',
  'validation_state',
  'determinant',
]);
/** On every node, rarely written. */
export const REFERENCE = new Set([
  'meter',
  'meter_key',
  'register',
  'layout',
  'source',
  'calendar',
  'readout_set',
  'connection',
  'connection_secret',
  'format',
  'format_version',
  'destination',
  'destination_secret',
  'node',
  'premises',
  'link',
  'meter_type',
  'transformer_ratio',
  'attribute_definition',
  'meter_group',
  'meter_group_member',
  'price_series',
  'price_point',
  'price_source',
  'formula',
  'formula_version',
  'balance_area',
  'balance_area_version',
  'validation_rule_set',
  'validation_rule_version',
  'tariff',
  'tariff_version',
  'contract',
]);
/** On the coordinator only. */
export const LOCAL = new Set([
  'delivery',
  'delivery_part',
  'readings_import',
  'command',
  'task',
  'task_version',
  'flow',
  'flow_version',
  'occurrence',
  'run',
  'job',
  'work_lane',
  'work_meter',
  'channel',
  'work_worker',
  'change_log',
  'value_edit',
  'setting',
  'meter_change',
  'unplaced',
  'migration',
  'journal_writer',
  'transaction',
  'transaction_default',
  'planned_interruption',
  'completeness',
  'invocation_counter',
  'registry_change',
  'audit',
  'first_code',
  'segment',
  'session',
  'token',
  'user_account',
  'user_group',
  'user_in_group',
  'user_segment',
  'import_connection',
  'import_link',
  'import_meter',
  'import_node',
  'import_ratio',
  'import_run',
  'import_type',
  'report',
  'report_result',
  'formula_state',
  'formula_run',
  'balance_day',
  'balance_alarm',
  'billing_run',
  'billing_release',
]);

/** They give another answer each time, or by session. */
const VOLATILE = new Set([
  'random',
  'nextval',
  'clock_timestamp',
  'now',
  'statement_timestamp',
  'transaction_timestamp',
  'gen_random_uuid',
  'timeofday',
  'setval',
  'currval',
  'txid_current',
]);
const OUR_FUNCTIONS = new Set([
  'unpack',
  'unpack_times',
  'unpack_quality',
  'unpack_message',
  'scaled',
  'quality_name',
  'trigrams',
  'words',
]);

function* walk(
  node: unknown,
  path: readonly string[] = [],
): Generator<{ type: string; node: Node; path: readonly string[] }> {
  if (Array.isArray(node)) for (const item of node) yield* walk(item, path);
  else if (node !== null && typeof node === 'object')
    for (const [key, value] of Object.entries(node)) {
      if (/^[A-Z]/.test(key) && value !== null && typeof value === 'object')
        yield { type: key, node: value as Node, path };
      // Some nodes stand without their name where the grammar allows one kind only.
      else if (['relation', 'onConflictClause', 'withClause', 'larg', 'rarg'].includes(key))
        yield { type: key, node: value as Node, path };
      yield* walk(value, [...path, key]);
    }
}

const find = (tree: unknown, type: string): Node[] => [...walk(tree)].filter((n) => n.type === type).map((n) => n.node);
const names = (list: unknown): string[] =>
  ((list as { String?: { sval?: string } }[] | undefined) ?? []).map((item) => item.String?.sval ?? '*');
const functionName = (call: Node): string => names(call.funcname).at(-1) ?? '';

function tables(tree: unknown): { schema: string; name: string }[] {
  const ranges = [...find(tree, 'RangeVar'), ...find(tree, 'relation')].filter((n) => typeof n.relname === 'string');
  return ranges.map((r) => ({ schema: (r.schemaname as string | undefined) ?? '', name: r.relname as string }));
}

const isBig = (name: string): boolean => BIG.has(name) || /^(block|message|event)_\d/.test(name);

/** What is wrong with one statement of a syntax tree, in words. */
export function faults(tree: unknown): string[] {
  const out: string[] = [];
  const all = tables(tree);
  const big = all.filter((t) => isBig(t.name));
  const reference = all.filter((t) => REFERENCE.has(t.name));
  const ctes = new Set(find(tree, 'CommonTableExpr').map((c) => c.ctename as string));
  for (const t of all)
    if (!(t.schema === 'amiable' || t.name.startsWith('pg_') || ctes.has(t.name) || t.schema === 'pg_catalog'))
      out.push(`${t.name} is not schema-qualified`);
  if (find(tree, 'MergeStmt').length > 0) out.push('MERGE');
  if (find(tree, 'CreateTrigStmt').length + find(tree, 'RuleStmt').length + find(tree, 'CreatePolicyStmt').length > 0)
    out.push('a trigger, rule or row policy');
  for (const c of find(tree, 'Constraint')) if (c.contype === 'CONSTR_FOREIGN') out.push('a foreign key');
  for (const lock of find(tree, 'LockingClause'))
    if (lock.waitPolicy === 'LockWaitSkip' && big.length + reference.length > 0)
      out.push('SKIP LOCKED on a big or reference table');
  if (find(tree, 'LockingClause').length > 0 && big.length > 0) out.push('SELECT FOR UPDATE on a big table');
  for (const column of find(tree, 'ColumnRef'))
    if (['ctid', 'xmin', 'xmax'].includes(names(column.fields).at(-1) ?? '')) out.push('a system column');
  if (find(tree, 'SQLValueFunction').length > 0) out.push('current_timestamp and the like');
  for (const call of find(tree, 'FuncCall')) {
    const name = functionName(call);
    if (VOLATILE.has(name)) out.push(`${name}()`);
    if (name === 'date_trunc' && (call.args as unknown[]).length < 3) out.push('date_trunc without a zone');
    if (OUR_FUNCTIONS.has(name) && names(call.funcname).length < 2) out.push(`${name}() is not schema-qualified`);
  }
  for (const clause of [...find(tree, 'OnConflictClause'), ...find(tree, 'onConflictClause')]) {
    if (find(clause.targetList, 'FuncCall').length > 0) out.push('a function call in DO UPDATE');
    const first = find(clause.infer, 'IndexElem')[0]?.name;
    if (big.length > 0 && first !== 'meter') out.push('ON CONFLICT of a big table does not begin with meter');
  }
  if (big.length > 0) {
    if ([...find(tree, 'WithClause'), ...find(tree, 'withClause')].some((w) => w.recursive))
      out.push('a recursive CTE');
    if (find(tree, 'GroupingSet').length > 0) out.push('ROLLUP, CUBE or GROUPING SETS');
    for (const insert of find(tree, 'InsertStmt'))
      if (find(insert, 'RangeFunction').length > 0 && isBig(((insert.relation as Node).relname as string) ?? ''))
        out.push('INSERT into a big table out of unnest; use VALUES or COPY');
  }
  for (const copy of find(tree, 'CopyStmt')) if (copy.is_from && copy.whereClause) out.push('COPY FROM … WHERE');
  for (const sub of find(tree, 'RangeSubselect'))
    if (sub.lateral && find(sub, 'SelectStmt').some((s) => s.limitCount) && tables(sub).some((t) => isBig(t.name)))
      out.push('LATERAL … LIMIT over a big table');
  for (const select of find(tree, 'SelectStmt')) {
    const outside = tables(select.fromClause);
    for (const link of [...find(select.targetList, 'SubLink'), ...find(select.whereClause, 'SubLink')])
      if (outside.some((t) => REFERENCE.has(t.name)) && tables(link).some((t) => isBig(t.name)))
        out.push('a subquery over a big table for rows of a reference table');
  }
  out.push(...joins(tree));
  return out;
}

/** Big tables meet only by meter. */
function joins(tree: unknown): string[] {
  const out: string[] = [];
  const statements = ['SelectStmt', 'DeleteStmt', 'UpdateStmt'].flatMap((type) => find(tree, type));
  for (const statement of statements) {
    const own = [
      statement.fromClause,
      statement.usingClause,
      statement.relation ? { relation: statement.relation } : undefined,
    ];
    const count = own.flatMap((part) => direct(part)).filter(isBig).length;
    if (count < 2) continue;
    const conditions = [statement.whereClause, ...find(own, 'JoinExpr').map((j) => j.quals)];
    const equal = conditions
      .flatMap((c) => find({ c }, 'A_Expr'))
      .filter((e) => {
        const sides = [e.lexpr, e.rexpr].map((s) =>
          names(((s as Node | undefined)?.ColumnRef as Node | undefined)?.fields),
        );
        return sides.every((side) => side.length === 2 && side[1] === 'meter');
      });
    if (equal.length < count - 1) out.push('big tables are joined without meter = meter');
  }
  return out;
}

/** Tables of a FROM clause, those of subqueries left out. */
function direct(part: unknown): string[] {
  if (Array.isArray(part)) return part.flatMap(direct);
  if (part === null || typeof part !== 'object') return [];
  return Object.entries(part).flatMap(([key, value]) => {
    if (key === 'RangeVar' || key === 'relation') return [(value as Node).relname as string];
    if (key === 'JoinExpr' || key === 'larg' || key === 'rarg') return direct(value);
    return [];
  });
}

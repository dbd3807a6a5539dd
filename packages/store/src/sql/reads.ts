/** Statements about reads on demand: runs of one meter that somebody ordered without a task. Local to the coordinator. */
export const readsSql = {
  pending: `select count(*)::int as n from amiable.run
    where state in ('waiting', 'running', 'paused') and task is null and creator = $1 and definition ? 'onDemand'`,
  ofMeter: `select id::text as id from amiable.run
    where task is null and cardinality(meters) = 1 and meters[1] = $1 and definition ? 'onDemand' order by id desc limit $2`,
} as const;

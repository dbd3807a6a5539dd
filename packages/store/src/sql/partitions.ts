/**
 * Partitions. Their names and bounds follow from the day or month, so these texts are made, not listed; nothing but
 * numbers goes into them.
 */
const two = (n: number): string => String(n).padStart(2, '0');

const DAY = 86_400_000;

/** A UTC day as days since 1970. */
export function dayText(day: number): string {
  return new Date(day * DAY).toISOString().slice(0, 10);
}

/** The month of a day: months since 1970. */
export function monthOf(day: number): number {
  const date = new Date(day * DAY);
  return (date.getUTCFullYear() - 1970) * 12 + date.getUTCMonth();
}

const monthText = (month: number): string => `${1970 + Math.floor(month / 12)}-${two((month % 12) + 1)}-01`;

export const blockPartition = (month: number): string => `block_${monthText(month).slice(0, 7).replace('-', '_')}`;
export const messagePartition = (day: number): string => `message_${dayText(day).replaceAll('-', '_')}`;

export const eventPartition = (month: number): string => `event_${monthText(month).slice(0, 7).replace('-', '_')}`;
export const transactionPartition = (month: number): string =>
  `transaction_${monthText(month).slice(0, 7).replace('-', '_')}`;
/** The first id of a transaction in a month: see journal/ids.ts. */
const firstTransaction = (month: number): bigint =>
  month < 600 ? 0n : BigInt(Date.parse(monthText(month)) - Date.UTC(2020, 0, 1)) << 22n;

export const partitionSql = {
  lockTimeout: "set local lock_timeout = '3s'",
  list: `select p.relname as parent, c.relname as name from pg_inherits i
    join pg_class c on c.oid = i.inhrelid join pg_class p on p.oid = i.inhparent
    join pg_namespace n on n.oid = p.relnamespace where n.nspname = 'amiable' and p.relkind = 'p'`,
  createBlock: (month: number): string =>
    `create table if not exists amiable.${blockPartition(month)} partition of amiable.block for values from ('${monthText(month)}') to ('${monthText(month + 1)}')`,
  externalBlock: (month: number): string =>
    `alter table amiable.${blockPartition(month)} alter column v set storage external`,
  createMessage: (day: number): string =>
    `create table if not exists amiable.${messagePartition(day)} partition of amiable.message for values from ('${dayText(day)} 00:00:00+00') to ('${dayText(day + 1)} 00:00:00+00')`,
  lockMessage: (day: number): string => `lock table amiable.${messagePartition(day)} in access exclusive mode`,
  dropMessage: (day: number): string => `drop table amiable.${messagePartition(day)}`,
  createEvent: (month: number): string =>
    `create table if not exists amiable.${eventPartition(month)} partition of amiable.event for values from ('${monthText(month)} 00:00:00+00') to ('${monthText(month + 1)} 00:00:00+00')`,
  createTransaction: (month: number): string =>
    `create table if not exists amiable.${transactionPartition(month)} partition of amiable.transaction for values from (${firstTransaction(month)}) to (${firstTransaction(month + 1)})`,
  dropTransaction: (month: number): string => `drop table if exists amiable.${transactionPartition(month)}`,
};

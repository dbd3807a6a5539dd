/**
 * Every statement of the store by name, for the guard that reads their syntax trees: what runs on one server must run on
 * a distributed one. Statements that are made (partitions, COPY, multi-row VALUES) stand here as examples.
 */
import { accessSql } from './access.ts';
import { balanceSql } from './balance.ts';
import { billingSql } from './billing.ts';
import { blockSql, insertChanges, probeBlocks, upsertBlocks } from './blocks.ts';
import { bulkSql } from './bulk.ts';
import { catalogueSql, insertMeters, insertRegisters } from './catalogue.ts';
import { compactSql } from './compact.ts';
import { deliverySql } from './delivery.ts';
import { eventSql, insertEvents } from './events.ts';
import { exportSql } from './export.ts';
import { fleetSql } from './fleet.ts';
import { formulaSql } from './formulas.ts';
import {
  ingestSql,
  insertAttributes,
  insertDirty,
  insertMessages,
  insertUnplaced,
  upsertLive,
  upsertMeterStates,
} from './ingest.ts';
import { appendArrivals, intervalSql, upsertMeterings } from './intervals.ts';
import { journalSql } from './journal.ts';
import { missingSql, upsertGaps } from './missing.ts';
import { outageSql } from './outages.ts';
import { partitionSql } from './partitions.ts';
import { priceSql } from './prices.ts';
import { hotSql, querySql } from './query.ts';
import {
  notePeers,
  readoutSql,
  reserveCounters,
  upsertConnections,
  upsertLogStates,
  upsertSecrets,
  upsertStates,
} from './readout.ts';
import { readsSql } from './reads.ts';
import { registrySql } from './registry.ts';
import { reportSql } from './reports.ts';
import { selectionExamples } from './selection.ts';
import { insertEstimates, upsertExceptions, validationSql } from './validation.ts';
import { rowsText } from './values.ts';
import { channelSql, flowSql, leaseSql, taskSql, workSql } from './work.ts';

export interface Statement {
  readonly name: string;
  readonly text: string;
}

type Texts = Readonly<Record<string, string | ((...args: never[]) => string)>>;

/** Arguments for the made ones. */
const EXAMPLES: Readonly<Record<string, readonly unknown[]>> = {
  'block.copyDiffering': [20_000, 20_001],
  'block.copyBlocks': [['1', '2'], [1, 2], 20_000, 20_001],
  'bulk.analyze': ['meter'],
  'bulk.clear': ['meter'],
  'bulk.copy': ['meter'],
  'bulk.dropIndex': ['amiable.meter_life'],
  'bulk.refuse': ['link'],
  'bulk.stored': ['meter'],
  'compact.copyMessages': [['1', '2'], 0, 1],
  'compact.registersOfDays': [['1'], 20_000, 20_001],
  'fleet.copyPacked': [1, 900_000, 20_000, 20_001, ['1']],
  'hot.copy': ['1', 0, 1],
  'interval.copyPacked': [['1', '2'], [1, 2], 20_000, 20_001],
  'missing.copyHeaders': [['1', '2'], [1, 2], 20_000, 20_001],
  'validation.copyDaily': [['1', '2'], [1, 2], 20_000, 20_001],
  'validation.copyHeaders': [['1', '2'], [1, 2], 20_000, 20_001],
  'validation.copyStates': [['1', '2'], [1, 2], 20_000, 20_001],
  'registry.indexValue': [1, "it's"],
  'registry.indexText': [1, "it's"],
  'registry.indexRuns': [1, "it's"],
  'registry.dropIndexes': [1],
};

const GROUPS: Readonly<Record<string, Texts>> = {
  access: accessSql,
  billing: billingSql,
  balance: balanceSql,
  block: blockSql as Texts,
  bulk: bulkSql as Texts,
  catalogue: catalogueSql,
  compact: compactSql as Texts,
  delivery: deliverySql,
  event: eventSql,
  export: exportSql,
  fleet: fleetSql as Texts,
  formula: formulaSql,
  hot: hotSql as Texts,
  ingest: ingestSql,
  interval: intervalSql as Texts,
  journal: journalSql,
  missing: missingSql as Texts,
  outage: outageSql,
  report: reportSql,
  lease: leaseSql,
  partition: partitionSql as Texts,
  price: priceSql,
  query: querySql,
  reads: readsSql,
  readout: readoutSql,
  registry: registrySql as Texts,
  channel: channelSql,
  flow: flowSql,
  task: taskSql,
  validation: validationSql as Texts,
  work: workSql,
};

const ROWS = [
  appendArrivals,
  upsertMeterings,
  notePeers,
  reserveCounters,
  upsertConnections,
  upsertLogStates,
  upsertSecrets,
  upsertStates,
  insertAttributes,
  insertChanges,
  insertDirty,
  insertEstimates,
  insertEvents,
  insertMessages,
  insertMeters,
  insertRegisters,
  insertUnplaced,
  probeBlocks,
  upsertBlocks,
  upsertExceptions,
  upsertGaps,
  upsertLive,
  upsertMeterStates,
];

export function allStatements(): Statement[] {
  const out: Statement[] = [];
  for (const [group, texts] of Object.entries(GROUPS))
    for (const [key, text] of Object.entries(texts)) {
      const name = `${group}.${key}`;
      // Partitions take a number of days or months.
      const args = EXAMPLES[name] ?? [600];
      out.push({ name, text: typeof text === 'string' ? text : text(...(args as never[])) });
    }
  for (const [name, text] of Object.entries(selectionExamples)) out.push({ name, text });
  for (const statement of ROWS)
    for (const rows of [1, 3]) out.push({ name: `${statement.name}.${rows}`, text: rowsText(statement, rows) });
  return out;
}

export * from './access/types.ts';
export { type BackupOptions, type BackupResult, backup, type Progress } from './backup/backup.ts';
export { BackupError } from './backup/format.ts';
export { type RestoreOptions, type RestoreResult, restore } from './backup/restore.ts';
export { type VerifyOptions, verifyBackup } from './backup/verify.ts';
export * from './balance/types.ts';
export * from './billing/types.ts';
export * from './delivery/types.ts';
export { takeInstanceLock } from './embedded/instance-lock.ts';
export { runningUrl } from './embedded/running.ts';
export { type Embedded, type EmbeddedOptions, startEmbedded } from './embedded/supervisor.ts';
export { EmbeddedError } from './embedded/trouble.ts';
export type * from './events/types.ts';
export type * from './formulas/types.ts';
export type { Store } from './interface.ts';
export * from './intervals/types.ts';
export { seenIn } from './journal/query.ts';
export type * from './journal/types.ts';
export { type Migration, MigrationError, migrate } from './migrate.ts';
export type * from './outages/types.ts';
export type * from './prices/types.ts';
export type * from './readout/completeness-types.ts';
export { BUILT_IN_SETS } from './readout/sets.ts';
export * from './readout/types.ts';
export type { AttributeObject, Attributes, AttributeType, AttributeValue } from './registry/attributes.ts';
export {
  type BulkCount,
  type BulkFault,
  type BulkFaultCode,
  type BulkLoad,
  type BulkOptions,
  type BulkPhase,
  type BulkResult,
  Cancelled,
  MAX_BULK_FAULTS,
} from './registry/bulk.ts';
export type * from './registry/bulk-rows.ts';
export type { DefinitionFields, GroupFields, MeterGroup, MeterType, MeterTypeFields } from './registry/catalogue.ts';
export type {
  AttributeDefinition,
  ExchangeStore,
  ExportPart,
  ExportRow,
  ImportRun,
  ImportState,
} from './registry/exchange.ts';
export { IMPORT_STATES } from './registry/exchange.ts';
export type { Correction, NewLink } from './registry/links.ts';
export type { EntryPatch, Life, MeterEntry, NewEntry, Place } from './registry/meters.ts';
export {
  MAY_STAND_UNDER,
  type NewNode,
  NODE_KINDS,
  type NodePatch,
  type Premises,
  type TreeNode,
} from './registry/nodes.ts';
export type { By, NodeRow } from './registry/parts.ts';
export type { Multiplier, Ratio, RatioKind, Rational } from './registry/ratios.ts';
export type { RegistryChange, RegistryStore } from './registry/registry.ts';
export { BOUNDS, COLUMNS, isPersonal, PERSONAL, PLACES } from './registry/selection.ts';
export type { Mark } from './registry/selector.ts';
export type { Counts, Summary } from './registry/summary.ts';
export type * from './registry/types.ts';
export {
  type NewResult,
  REPORT_FORMATS,
  type Report,
  type ReportFormat,
  type ReportOutput,
  type ReportResult,
  type ReportStore,
} from './reports/reports.ts';
export { migrations } from './schema/migrations.ts';
export { GIVEN } from './sql/bulk.ts';
export { openStore } from './store.ts';
export * from './types.ts';
export { MOST_CHANGES } from './validation/exceptions.ts';
export type * from './validation/types.ts';
export { EXCEPTION_STATES } from './validation/types.ts';
export type * from './work/types.ts';

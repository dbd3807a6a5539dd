export { STREET_GUEST } from './access/demo.ts';
export { type Central, type CentralOptions, startCentral } from './central.ts';
export { exportRegistry } from './features/exchange/export.ts';
export { createImports, type ImportOptions, type Imports } from './features/exchange/run.ts';
export { openMeterKeys } from './keys/meter-keys.ts';
export { portMeters, redecoder } from './keys/reprocess.ts';
export { openVault } from './keys/vault.ts';

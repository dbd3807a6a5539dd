export { type Central, type CentralOptions, startCentral } from './central.ts';
export { openMeterKeys } from './keys/meter-keys.ts';
export { portMeters, redecoder } from './keys/reprocess.ts';
export { openVault } from './keys/vault.ts';

/** The commands of billing: `amiable tariff`, `amiable contract`, `amiable bill` (docs/billing.md). */
export { billCommand } from './bills.ts';
export { contractCommand } from './contracts.ts';
export { tariffCommand } from './tariffs.ts';

export {
  auditCommand,
  groupCommand,
  loginCommand,
  logoutCommand,
  passwordCommand,
  personCommand,
  segmentCommand,
  tokenCommand,
  userCommand,
  whoamiCommand,
} from './access/command.ts';
export { connectionCommand } from './acquisition/command.ts';
export { apiCommand } from './api/command.ts';
export { balanceCommand } from './balances/command.ts';
export { billCommand, contractCommand, tariffCommand } from './billing/command.ts';
export { commandCommand, deliveryCommand, formatCommand, readingsCommand } from './delivery/command.ts';
export { exportCommand, importCommand } from './exchange/command.ts';
export { formulaCommand } from './formulas/command.ts';
export { historyCommand } from './history/command.ts';
export { completenessCommand, eventsCommand, logCommand, outagesCommand } from './journal/command.ts';
export { onDemandCommand } from './ondemand/command.ts';
export { backupsCommand } from './operations/backups.ts';
export { pricesCommand } from './prices/command.ts';
export { registryCommand } from './registry/command.ts';
export { reportCommand } from './reports/command.ts';
export { flowCommand, runCommand, taskCommand } from './tasks/command.ts';
export { validationCommand } from './validation/command.ts';
export { valuesCommand } from './values/command.ts';

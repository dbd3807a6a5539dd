export { apiCommand } from './api/command.ts';
export { exportCommand, importCommand } from './exchange/command.ts';
export { onDemandCommand } from './ondemand/command.ts';
export { backupsCommand } from './operations/backups.ts';
export { flowCommand, runCommand, taskCommand } from './tasks/command.ts';

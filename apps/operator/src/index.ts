export { apiCommand } from './api/command.ts';
export { backupsCommand } from './operations/backups.ts';

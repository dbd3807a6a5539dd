export { apiCommand } from './api/command.ts';

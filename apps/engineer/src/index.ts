export { dlmsCommand } from './dlms/command.ts';
export { explainCommand } from './explain/command.ts';

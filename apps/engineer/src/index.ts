export { explainCommand } from './explain/command.ts';

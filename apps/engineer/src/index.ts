export { dlmsCommand } from './dlms/command.ts';
export { explainCommand } from './explain/command.ts';
export { handheldCommand } from './handheld/command.ts';
export { mbusCommand } from './mbus/command.ts';
export { opticalCommand } from './optical/command.ts';

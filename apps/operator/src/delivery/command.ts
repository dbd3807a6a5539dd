/** `amiable format`, `delivery`, `readings`, `command`: what goes to other systems and comes from them. */
export { commandCommand } from './commands.ts';
export { deliveryCommand } from './deliveries.ts';
export { formatCommand } from './formats.ts';
export { readingsCommand } from './readings.ts';

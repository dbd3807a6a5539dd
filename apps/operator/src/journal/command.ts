/** What the log, the events and the completeness report give on a command line. */
export { completenessCommand } from './completeness.ts';
export { eventsCommand } from './events.ts';
export { logCommand } from './log.ts';
export { outagesCommand } from './outages.ts';

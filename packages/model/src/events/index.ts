export {
  CATALOGUE,
  type CatalogueEvent,
  EVENT_CATEGORIES,
  type EventCategory,
  SEVERITIES,
  type Severity,
  UNKNOWN_EVENT,
} from './catalogue.ts';
export { EVENT_SOURCES, eventOf, eventsOfMbusStatus, eventsOfStatusWord } from './sources.ts';

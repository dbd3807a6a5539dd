import { eventOf } from '@amiable/model/events';
import { expect, it } from 'vitest';
import { EVENTS } from '../src/electricity/events.ts';

it('every event of the virtual meter has a word in the catalogue', () => {
  for (const code of Object.values(EVENTS))
    expect(eventOf('amiable-virtual', code).event, String(code)).not.toBe('unknown');
  expect(eventOf('amiable-virtual', EVENTS.phaseOutageL2)).toMatchObject({ phase: 2, begins: true, category: 'power' });
  expect(eventOf('amiable-virtual', EVENTS.slaveBack3)).toMatchObject({ channel: 3, ends: ['slave-silent-3'] });
});

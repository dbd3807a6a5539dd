/** The keys of the wall display, without a browser. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { periodOf, readAddress, turn, type WallState, writeAddress } from '../src/wall/turn.ts';

const AROUND = { meters: ['1', '2', '30'], words: ['Tag', 'Woche', 'Monat', 'Jahr'] };
const START: WallState = { period: { unit: 'day', offset: 0 }, meter: '1', knob: 'time', typed: '', refused: '' };
const press = (...keys: string[]): WallState => keys.reduce((state, key) => turn(state, key, AROUND) ?? state, START);
const type = (text: string): WallState => press(...text, 'Enter');

describe('the keys of the wall display', () => {
  it('left and right step in time and never into the future', () => {
    expect(press('ArrowLeft', 'ArrowLeft', 'ArrowRight').period).toEqual({ unit: 'day', offset: -1 });
    expect(press('ArrowRight').period.offset).toBe(0);
  });
  it('up and down choose the period and stop at its ends; a new one begins at now', () => {
    expect(press('ArrowLeft', 'ArrowUp', 'ArrowUp', 'ArrowUp', 'ArrowUp').period).toEqual({ unit: 'year', offset: 0 });
    expect(press('ArrowDown').period.unit).toBe('day');
  });
  it('an encoder turns what Enter has chosen, around and around', () => {
    expect(press('Enter', 'ArrowLeft').period.unit).toBe('year');
    expect(press('Enter', 'Enter', 'ArrowLeft').meter).toBe('30');
    expect(press('Enter', 'Enter', 'ArrowRight', 'ArrowRight', 'ArrowRight').meter).toBe('1');
    expect(press('Enter', 'Enter', 'Enter').knob).toBe('time');
    expect(press('Enter', 'ArrowLeft', 'Home')).toMatchObject({ knob: 'time', period: { unit: 'year', offset: 0 } });
  });
  it.each([
    ['week, -2', 'week', -2],
    ['month -1', 'month', -1],
    ['Woche,-3', 'week', -3],
    ['jahr', 'year', 0],
    ['-5', 'day', -5],
    ['week 3', 'week', 0],
  ])('%s typed is %s %i', (text, unit, offset) => {
    expect(type(text)).toMatchObject({ period: { unit, offset }, typed: '', refused: '' });
  });
  it('refuses what is no period, and forgets it at the next key', () => {
    expect(type('fortnight').refused).toBe('fortnight');
    expect(press(...'x', 'Enter', 'ArrowLeft')).toMatchObject({ refused: '', period: { offset: -1 } });
    expect(press(...'we', 'Backspace', 'Backspace').typed).toBe('');
    expect(turn(START, 'F5', AROUND)).toBeUndefined();
    expect(turn(START, ' ', AROUND)).toBeUndefined();
    expect(periodOf('', START.period, AROUND.words)).toBeUndefined();
  });
  it('whatever is pressed, the state stays sensible', () => {
    const keys = fc.oneof(
      fc.constantFrom(
        'ArrowLeft',
        'ArrowRight',
        'ArrowUp',
        'ArrowDown',
        'Enter',
        'Home',
        'PageUp',
        'PageDown',
        'Escape',
        'Backspace',
      ),
      fc.string({ minLength: 1, maxLength: 1 }),
    );
    fc.assert(
      fc.property(fc.array(keys, { maxLength: 60 }), (pressed) => {
        const state = press(...pressed);
        expect(state.period.offset).toBeLessThanOrEqual(0);
        expect(AROUND.meters).toContain(state.meter);
        expect(state.typed.length).toBeLessThanOrEqual(24);
        const [path, search = ''] = writeAddress(state, '').split('?') as [string, string?];
        expect(readAddress(path, search)).toEqual({ period: state.period, meter: state.meter });
      }),
    );
  });
  it('reads addresses of every form, keeps what else they say', () => {
    expect(readAddress('/display', 'format=week,-2&meter=3')).toEqual({
      period: { unit: 'week', offset: -2 },
      meter: '3',
    });
    expect(readAddress('/display', 'format=month&offset=-4').period).toEqual({ unit: 'month', offset: -4 });
    expect(readAddress('/display/nonsense/1', 'meter=x')).toEqual({ period: { unit: 'day', offset: 0 }, meter: '' });
    expect(writeAddress({ period: { unit: 'week', offset: -1 }, meter: '3' }, 'format=day&lang=nb')).toBe(
      '/display/week/-1?lang=nb&meter=3',
    );
  });
});

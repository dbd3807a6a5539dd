/** The disconnecter against the table of what is possible in which mode, and over power failures. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { DEVICE_STATUS, type Meter } from '../../src/electricity/index.ts';
import { DAY, events, forward, HOUR, meter, SECOND } from './helpers.ts';

const ok = { done: true };

describe('the disconnecter', () => {
  it('is delivered connected and in local mode', () => {
    expect(meter().disconnecter).toEqual({
      fitted: true,
      mode: 'local',
      connected: true,
      localConnectionEnabled: false,
      lastCause: 'none',
      controlState: 1,
      controlMode: 1,
    });
  });

  it('local mode: the button does both, remote only disconnects', () => {
    const m = meter();
    expect(m.pressButton()).toEqual(ok);
    expect(m.disconnecter).toMatchObject({ connected: false, lastCause: 'local', controlState: 2 });
    expect(m.remoteReconnect()).toMatchObject({ done: false, reason: 'mode' });
    expect(m.pressButton()).toEqual(ok);
    expect(m.disconnecter.connected).toBe(true);
    expect(m.remoteDisconnect()).toEqual(ok);
    expect(m.disconnecter).toMatchObject({ connected: false, lastCause: 'remote', controlState: 2 });
    expect(m.remoteDisconnect()).toMatchObject({ done: false, reason: 'state' });
    expect(m.pressButton()).toEqual(ok);
    expect(events(m, 'disconnecter')).toEqual([
      'disconnectedLocally',
      'connectedLocally',
      'disconnectedRemotely',
      'connectedLocally',
    ]);
    expect(events(m)).toEqual([]);
  });

  it('remote mode: the button connects once it is enabled, and never disconnects', () => {
    const m = meter();
    expect(m.setDisconnecterMode('remote')).toEqual(ok);
    expect(m.disconnecter.controlMode).toBe(3);
    expect(m.pressButton()).toMatchObject({ done: false, reason: 'mode' });
    expect(m.remoteReconnect()).toMatchObject({ done: false, reason: 'state' });
    expect(m.remoteDisconnect()).toEqual(ok);
    expect(m.disconnecter.controlState).toBe(0);
    expect(m.pressButton()).toMatchObject({ done: false, reason: 'state' });
    expect(m.remoteReconnect()).toEqual(ok);
    expect(m.disconnecter).toMatchObject({ connected: false, localConnectionEnabled: true, controlState: 2 });
    expect(m.pressButton()).toEqual(ok);
    expect(m.disconnecter).toMatchObject({ connected: true, localConnectionEnabled: false, controlState: 1 });
    expect(m.pressButton()).toMatchObject({ done: false, reason: 'mode' });
    expect(events(m, 'disconnecter')).toEqual([
      'remoteMode',
      'disconnectedRemotely',
      'localConnectionEnabled',
      'connectedLocally',
    ]);
  });

  it('an enabled connection can be taken back, and ends with a change of mode', () => {
    const m = meter();
    m.setDisconnecterMode('remote');
    m.remoteDisconnect();
    m.remoteReconnect();
    expect(m.remoteDisconnect()).toEqual(ok);
    expect(m.disconnecter).toMatchObject({ localConnectionEnabled: false, controlState: 0 });
    m.remoteReconnect();
    m.setDisconnecterMode('local');
    m.setDisconnecterMode('remote');
    expect(m.disconnecter).toMatchObject({ connected: false, localConnectionEnabled: false, controlState: 0 });
    expect(events(m, 'disconnecter').filter((name) => name === 'localConnectionWithdrawn')).toHaveLength(1);
  });

  it('stays as it is over a power failure', () => {
    const m = meter();
    m.setDisconnecterMode('remote');
    m.remoteDisconnect();
    m.remoteReconnect();
    const before = m.disconnecter;
    m.setMains(false);
    forward(m, 8 * DAY);
    expect(m.pressButton()).toMatchObject({ done: false, reason: 'power-down' });
    expect(m.disconnecter).toEqual(before);
    m.setMains(true);
    expect(m.disconnecter).toEqual(before);
  });

  it('shows in the status of what is logged', () => {
    const m = meter();
    m.pressButton();
    expect(m.log('disconnecter').entry(0).status & DEVICE_STATUS.disconnected).not.toBe(0);
  });

  it('keeps 20 entries in its log, the newest', () => {
    const m = meter();
    for (let i = 0; i < 25; i++) {
      forward(m, SECOND);
      m.pressButton();
    }
    const log = m.log('disconnecter');
    expect([log.capacity, log.length]).toEqual([20, 20]);
    expect(events(m, 'disconnecter').at(-1)).toBe('disconnectedLocally');
    expect(log.entry(0).at).toBe(m.now - 19 * SECOND);
    m.clearLog('disconnecter');
    expect(log.length).toBe(0);
    expect(events(m)).toEqual(['logCleared']);
  });

  it('is not there where it is not fitted', () => {
    const m = meter({ config: { disconnecter: false } });
    for (const outcome of [m.pressButton(), m.remoteDisconnect(), m.remoteReconnect(), m.setDisconnecterMode('remote')])
      expect(outcome).toMatchObject({ done: false, reason: 'not-fitted' });
    expect(m.disconnecter).toMatchObject({ connected: true, controlMode: 0, controlState: 1 });
  });

  it('agrees with a table of states', () => {
    // mode, connected, enabled → what each input gives; undefined: refused.
    type State = 'Lc' | 'Ld' | 'Rc' | 'Rd' | 'Re';
    const table: Record<string, Partial<Record<State, State>>> = {
      button: { Lc: 'Ld', Ld: 'Lc', Re: 'Rc' },
      off: { Lc: 'Ld', Rc: 'Rd', Re: 'Rd' },
      on: { Rd: 'Re' },
      local: { Lc: 'Lc', Ld: 'Ld', Rc: 'Lc', Rd: 'Ld', Re: 'Ld' },
      remote: { Lc: 'Rc', Ld: 'Rd', Rc: 'Rc', Rd: 'Rd', Re: 'Re' },
      failure: { Lc: 'Lc', Ld: 'Ld', Rc: 'Rc', Rd: 'Rd', Re: 'Re' },
    };
    const act: Record<string, (m: Meter) => { readonly done: boolean }> = {
      button: (m) => m.pressButton(),
      off: (m) => m.remoteDisconnect(),
      on: (m) => m.remoteReconnect(),
      local: (m) => m.setDisconnecterMode('local'),
      remote: (m) => m.setDisconnecterMode('remote'),
      failure: (m) => {
        m.setMains(false);
        forward(m, HOUR);
        m.setMains(true);
        return { done: true };
      },
    };
    fc.assert(
      fc.property(fc.array(fc.constantFrom(...Object.keys(table)), { maxLength: 30 }), (inputs) => {
        const m = meter();
        let state: State = 'Lc';
        for (const input of inputs) {
          const next: State | undefined = table[input]?.[state];
          expect(act[input]?.(m).done).toBe(next !== undefined);
          state = next ?? state;
          const { mode, connected, localConnectionEnabled } = m.disconnecter;
          const seen = `${mode === 'local' ? 'L' : 'R'}${connected ? 'c' : localConnectionEnabled ? 'e' : 'd'}`;
          expect(seen).toBe(state);
        }
      }),
    );
  });
});

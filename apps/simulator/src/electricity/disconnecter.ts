/**
 * The disconnecter (§7.3.5), and its face as COSEM Disconnect control.
 *
 * Local mode: the button connects and disconnects; remote disconnection is possible, remote connection is not. Remote mode: the
 * button only connects, once, after the local connection was enabled. The relay is bistable: a power failure changes nothing,
 * and without mains nothing switches. Delivered in local mode, connected. Every change is logged with its cause.
 *
 * COSEM: local mode is control_mode 1 and a disconnected meter in it is ready for reconnection (2), since the button will do;
 * remote mode is control_mode 3, where it is disconnected (0) until remote_reconnect has made it ready (2).
 */
import type { Core } from './core.ts';
import { EVENTS } from './events.ts';
import { logEvent } from './log.ts';
import { DONE, refuse } from './outcome.ts';
import type { DisconnecterMode, DisconnecterState, Outcome } from './state-types.ts';

/** Called after the relay has moved. */
export type Moved = (core: Core) => void;

function unable(core: Core): Outcome | undefined {
  if (!core.config.disconnecter) return refuse('not-fitted', 'this meter has no disconnecter');
  if (!core.s.powered) return refuse('power-down', 'the module has no mains');
  return undefined;
}

function disconnect(core: Core, cause: 'local' | 'remote', moved: Moved): Outcome {
  const { s } = core;
  s.connected = false;
  s.cause = cause;
  moved(core);
  logEvent(core, cause === 'local' ? EVENTS.disconnectedLocally : EVENTS.disconnectedRemotely);
  return DONE;
}

export function pressButton(core: Core, moved: Moved): Outcome {
  const { s } = core;
  const no = unable(core);
  if (no) return no;
  if (s.connected) {
    if (s.mode === 'remote') return refuse('mode', 'local disconnection is not possible in remote operation mode');
    return disconnect(core, 'local', moved);
  }
  if (s.mode === 'remote' && !s.enabled) return refuse('state', 'local connection is not enabled');
  s.connected = true;
  s.enabled = false;
  s.cause = 'local';
  moved(core);
  logEvent(core, EVENTS.connectedLocally);
  return DONE;
}

/** Also takes back an enabled local connection. */
export function remoteDisconnect(core: Core, moved: Moved): Outcome {
  const { s } = core;
  const no = unable(core);
  if (no) return no;
  if (s.enabled) {
    s.enabled = false;
    s.cause = 'remote';
    logEvent(core, EVENTS.localConnectionWithdrawn);
    return DONE;
  }
  if (!s.connected) return refuse('state', 'the premises are disconnected already');
  return disconnect(core, 'remote', moved);
}

export function remoteReconnect(core: Core): Outcome {
  const { s } = core;
  const no = unable(core);
  if (no) return no;
  if (s.mode === 'local') return refuse('mode', 'remote connection is not possible in local operation mode');
  if (s.connected) return refuse('state', 'the premises are connected already');
  if (s.enabled) return refuse('state', 'local connection is enabled already');
  s.enabled = true;
  s.cause = 'remote';
  logEvent(core, EVENTS.localConnectionEnabled);
  return DONE;
}

export function setMode(core: Core, mode: DisconnecterMode): Outcome {
  const { s } = core;
  const no = unable(core);
  if (no) return no;
  if (mode === s.mode) return DONE;
  s.mode = mode;
  s.enabled = false;
  logEvent(core, mode === 'local' ? EVENTS.localMode : EVENTS.remoteMode);
  return DONE;
}

export function viewDisconnecter(core: Core): DisconnecterState {
  const { s, config } = core;
  const ready = s.enabled || s.mode === 'local';
  return {
    fitted: config.disconnecter,
    mode: s.mode,
    connected: s.connected,
    localConnectionEnabled: s.enabled,
    lastCause: s.cause,
    controlState: s.connected ? 1 : ready ? 2 : 0,
    controlMode: !config.disconnecter ? 0 : s.mode === 'local' ? 1 : 3,
  };
}

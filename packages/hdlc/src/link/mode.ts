/**
 * The mode of a link as tables (IEC 62056-46 clause 6.4.3): which of SNRM, UA, DISC, DM and FRMR leads where. What goes on
 * within `connected` is transfer.ts. Effects are words; client.ts and server.ts carry them out.
 */
import type { Step, Table } from '@amiable/fsm';

// ---------------------------------------------------------------- client

export type ClientMode =
  | { readonly type: 'disconnected' }
  /** SNRM was sent `attempt` times. */
  | { readonly type: 'connecting'; readonly attempt: number }
  | { readonly type: 'connected' }
  /** DISC was sent `attempt` times. */
  | { readonly type: 'disconnecting'; readonly attempt: number };

export type ClientModeInput =
  | { readonly type: 'connect' | 'disconnect' | 'ua' | 'dm' | 'frmr' | 'broken' }
  /** The response timeout passed; `retries` is N2. */
  | { readonly type: 'timeout'; readonly retries: number };

export type ClientModeEffect =
  | 'sendSnrm'
  | 'sendDisc'
  | 'up'
  /** `disconnected('requested')`, `disconnected('peer')`. */
  | 'downRequested'
  | 'downPeer'
  /** `failed`: the peer refused, or said nothing for too long, or broke the rules. */
  | 'refused'
  | 'silent'
  | 'broken'
  /** A frame of no sense here. */
  | 'ignored';

type ClientStep = Step<ClientMode, ClientModeEffect>;
const to = <S, E>(state: S, ...effects: E[]): Step<S, E> => ({ state, effects });
const DISCONNECTED: ClientMode = { type: 'disconnected' };
const CONNECTED: ClientMode = { type: 'connected' };

const STEP = {
  snrm: to<ClientMode, ClientModeEffect>({ type: 'connecting', attempt: 1 }, 'sendSnrm'),
  disc: to<ClientMode, ClientModeEffect>({ type: 'disconnecting', attempt: 1 }, 'sendDisc'),
  up: to<ClientMode, ClientModeEffect>(CONNECTED, 'up'),
  downRequested: to<ClientMode, ClientModeEffect>(DISCONNECTED, 'downRequested'),
  downPeer: to<ClientMode, ClientModeEffect>(DISCONNECTED, 'downPeer'),
  refused: to<ClientMode, ClientModeEffect>(DISCONNECTED, 'refused'),
  silent: to<ClientMode, ClientModeEffect>(DISCONNECTED, 'silent'),
  broken: to<ClientMode, ClientModeEffect>(DISCONNECTED, 'broken'),
};
const ignored = (state: ClientMode): ClientStep => to(state, 'ignored');
const nothing = (state: ClientMode): ClientStep => to(state);

export const CLIENT_MODE: Table<ClientMode, ClientModeInput, ClientModeEffect> = {
  disconnected: {
    connect: () => STEP.snrm,
    disconnect: nothing,
    ua: ignored,
    dm: ignored,
    frmr: ignored,
    broken: nothing,
    timeout: nothing,
  },
  connecting: {
    disconnect: () => STEP.disc,
    ua: () => STEP.up,
    dm: () => STEP.refused,
    frmr: () => STEP.refused,
    broken: () => STEP.broken,
    timeout: ({ attempt }, { retries }) =>
      attempt > retries ? STEP.silent : to({ type: 'connecting', attempt: attempt + 1 }, 'sendSnrm'),
  },
  connected: {
    disconnect: () => STEP.disc,
    // The answer to an SNRM that was sent twice.
    ua: ignored,
    dm: () => STEP.downPeer,
    frmr: () => STEP.refused,
    broken: () => STEP.broken,
    timeout: () => STEP.silent,
  },
  disconnecting: {
    disconnect: nothing,
    ua: () => STEP.downRequested,
    dm: () => STEP.downRequested,
    // The server knows DISC only as the way out of its reject condition; it is sent again at the timeout.
    frmr: ignored,
    broken: () => STEP.broken,
    timeout: ({ attempt }, { retries }) =>
      attempt > retries ? STEP.silent : to({ type: 'disconnecting', attempt: attempt + 1 }, 'sendDisc'),
  },
};

// ---------------------------------------------------------------- server

export type ServerMode =
  | { readonly type: 'disconnected' }
  | { readonly type: 'connected' }
  /** FRMR was sent: only SNRM and DISC lead out. */
  | { readonly type: 'rejecting' };

export type ServerModeInput =
  /** `repeated`: nothing was exchanged since an SNRM with the same parameters; `room`: another link may be had. */
  | { readonly type: 'snrm'; readonly repeated: boolean; readonly room: boolean }
  | { readonly type: 'disc' | 'reject' | 'inactive' | 'close' | 'lost' }
  /** Any other command with the poll bit. */
  | { readonly type: 'poll' };

export type ServerModeEffect =
  | 'sendUa'
  | 'sendDm'
  | 'sendFrmr'
  /** Go on with the transfer. */
  | 'answer'
  | 'up'
  | 'downRequested'
  | 'downPeer'
  | 'downReconnected'
  | 'downInactive'
  | 'failed'
  /** The link's memory is given back. */
  | 'forget';

const OFF: ServerMode = { type: 'disconnected' };
const ON: ServerMode = { type: 'connected' };
const REJECTING: ServerMode = { type: 'rejecting' };
type ServerStep = Step<ServerMode, ServerModeEffect>;
const on = (state: ServerMode, ...effects: ServerModeEffect[]): ServerStep => ({ state, effects });

const SERVER = {
  accept: on(ON, 'up', 'sendUa'),
  dm: on(OFF, 'sendDm', 'forget'),
  again: on(ON, 'sendUa'),
  anew: on(ON, 'downReconnected', 'up', 'sendUa'),
  bye: on(OFF, 'downPeer', 'sendUa', 'forget'),
  byeRejected: on(OFF, 'sendUa', 'forget'),
  reject: on(REJECTING, 'failed', 'sendFrmr'),
  inactive: on(OFF, 'downInactive', 'forget'),
  close: on(OFF, 'downRequested', 'forget'),
  lost: on(OFF, 'downPeer', 'forget'),
  forget: on(OFF, 'forget'),
  frmr: on(REJECTING, 'sendFrmr'),
  answer: on(ON, 'answer'),
};

export const SERVER_MODE: Table<ServerMode, ServerModeInput, ServerModeEffect> = {
  disconnected: {
    snrm: (_, { room }) => (room ? SERVER.accept : SERVER.dm),
    disc: () => SERVER.dm,
    poll: () => SERVER.dm,
    close: () => SERVER.forget,
    lost: () => SERVER.forget,
    inactive: () => SERVER.forget,
  },
  connected: {
    snrm: (_, { repeated }) => (repeated ? SERVER.again : SERVER.anew),
    disc: () => SERVER.bye,
    reject: () => SERVER.reject,
    poll: () => SERVER.answer,
    inactive: () => SERVER.inactive,
    close: () => SERVER.close,
    lost: () => SERVER.lost,
  },
  rejecting: {
    snrm: () => SERVER.accept,
    disc: () => SERVER.byeRejected,
    reject: () => SERVER.frmr,
    poll: () => SERVER.frmr,
    inactive: () => SERVER.forget,
    close: () => SERVER.forget,
    lost: () => SERVER.forget,
  },
};

/** Carries out what the table of machine.ts decides: the part of the supervisor that lives as long as the server. */
import { type Machine, run } from '@amiable/fsm';
import { type ServerEffect, type ServerInput, type ServerState, serverTable } from './machine.ts';
import type { Server } from './postmaster.ts';
import { EmbeddedError } from './trouble.ts';
import { type Watch, type WatchPlan, watchServer } from './watch.ts';

export interface Session {
  readonly opened: Promise<{ adopted: boolean }>;
  pid(): number | undefined;
  stop(): Promise<void>;
}

export interface Means extends WatchPlan {
  readonly onGiveUp: ((reason: Error) => void) | undefined;
  adopt(): Promise<Server | undefined>;
  stopLeftOver(): Promise<void>;
  launch(started: (server: Server) => void): Promise<Server>;
  shutDown(pid: number): Promise<void>;
  explainEnd(server: Server): Promise<Error>;
  released(): Promise<void>;
}

export function supervise(means: Means): Session {
  let server: Server | undefined;
  let watch: Watch | undefined;
  let timer: NodeJS.Timeout | undefined;
  let everOpened = false;
  let resolveOpened: (value: { adopted: boolean }) => void;
  let rejectOpened: (reason: Error) => void;
  const opened = new Promise<{ adopted: boolean }>((res, rej) => {
    resolveOpened = res;
    rejectOpened = rej;
  });
  let resolveClosed: () => void;
  let rejectClosed: (reason: unknown) => void;
  const closed = new Promise<void>((res, rej) => {
    resolveClosed = res;
    rejectClosed = rej;
  });
  // Whoever calls stop() hears of it; nobody else has to.
  closed.catch(() => {});

  const ended = (reason: Error): void => {
    const kind = reason instanceof EmbeddedError ? reason.kind : 'crash';
    machine.send({ type: 'ended', at: Date.now(), reason, kind });
  };

  const bring = async (): Promise<void> => {
    try {
      let current = everOpened ? undefined : await means.adopt();
      if (!current) {
        await means.stopLeftOver();
        current = await means.launch((begun) => {
          server = begun;
          if (machine.state.type === 'stopping') void end();
        });
      }
      const mine = current;
      server = mine;
      if (machine.state.type === 'stopping') return void end();
      const gone = (): void => {
        if (server !== mine) return;
        server = undefined;
        watch?.close();
        watch = undefined;
        void means.explainEnd(mine).then(ended);
      };
      watch = watchServer(means, mine, gone);
      if (mine.child) {
        if (mine.child.exitCode !== null || mine.child.signalCode !== null) return gone();
        mine.child.once('exit', gone);
      }
      await watch.ready;
      if (server === mine && (machine.state.type === 'opening' || machine.state.type === 'starting'))
        machine.send({ type: 'ready' });
    } catch (error) {
      const reason = error instanceof Error ? error : new Error(String(error));
      const begun = server;
      server = undefined;
      watch?.close();
      watch = undefined;
      // A server that answers but is not usable (wrong password, held by another) must not stay behind as our child.
      if (begun?.child && begun.child.exitCode === null && begun.child.signalCode === null) {
        begun.child.removeAllListeners('exit');
        await means.shutDown(begun.pid).catch(() => {});
      }
      ended(reason);
    }
  };

  const end = async (): Promise<void> => {
    const current = server;
    if (!current) return; // Not yet begun: bring() calls again.
    server = undefined;
    watch?.close();
    watch = undefined;
    try {
      await means.shutDown(current.pid);
      machine.send({ type: 'ended', at: Date.now(), reason: new Error('stopped'), kind: 'crash' });
    } catch (error) {
      rejectClosed(error);
    }
  };

  const perform = (effect: ServerEffect): void => {
    switch (effect.do) {
      case 'launch':
        void bring();
        return;
      case 'wait':
        timer = setTimeout(() => machine.send({ type: 'due' }), effect.ms);
        return;
      case 'cancelWait':
        clearTimeout(timer);
        return;
      case 'shutDown':
        void end();
        return;
      case 'tell':
        means.log(effect.text);
        return;
      case 'opened':
        if (everOpened) means.log('The database server is running again.');
        everOpened = true;
        resolveOpened({ adopted: server?.adopted ?? false });
        return;
      case 'closed':
        means.released().then(resolveClosed, rejectClosed);
        return;
      case 'giveUp':
        rejectOpened(effect.reason);
        if (everOpened) {
          means.log(`${effect.reason.message} It ended too often: giving up.`);
          means.onGiveUp?.(effect.reason);
        }
        return;
    }
  };

  const machine: Machine<ServerState, ServerInput> = run(serverTable, { type: 'opening' } as ServerState, perform);
  void bring();
  return {
    opened,
    pid: () => server?.pid,
    async stop() {
      machine.send({ type: 'stop' });
      await closed;
    },
  };
}

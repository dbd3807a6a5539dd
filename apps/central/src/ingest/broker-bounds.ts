/**
 * Bounds what the embedded broker keeps in memory for its clients. A broker owes a subscriber everything (MQTT 3.1.1,
 * 3.1.2.4 and 4.1), memory does not: of a session that is away the newest messages wait, a subscriber that reads too
 * slowly misses some, and neither holds up the readers. Nothing of this is the store: what was acknowledged is in the
 * database whatever a subscriber got of it.
 */
import { Readable } from 'node:stream';

/** Unsent bytes of a connection beyond which messages pass it by. */
export const MAX_BACKLOG = 256 * 1024;
/** Sessions that outlive their connection. */
const MAX_SESSIONS = 1000;
/** What waits for one session, and for all together. */
const MAX_WAITING = 1000;
const MAX_WAITING_BYTES = 64 * 1024 * 1024;
/** Topics with a retained status, and the longest status. */
const MAX_RETAINED = 10_000;
export const MAX_STATUS = 4096;
export const MAX_SUBSCRIPTIONS = 100;

export interface Packet {
  readonly cmd: string;
  readonly topic?: string;
  readonly payload?: string | Uint8Array;
  readonly brokerId?: string;
  readonly brokerCounter?: number;
  messageId?: number | undefined;
}

/** The part of the broker's persistence that holds what waits for sessions. */
export interface Outgoing {
  outgoingEnqueue(sub: { clientId: string }, packet: Packet): Promise<void>;
  outgoingEnqueueCombi(subs: readonly { clientId: string }[], packet: Packet): Promise<void>;
  outgoingUpdate(client: { id: string }, packet: Packet): Promise<void>;
  outgoingClearMessageId(client: { id: string }, packet: Packet): Promise<Packet | undefined>;
  outgoingStream(client: { id: string }): Readable;
}

const sizeOf = (packet: Packet): number => 200 + (packet.topic?.length ?? 0) + (packet.payload?.length ?? 0);

export interface Sessions extends Outgoing {
  /** A client comes; false when it wants a session kept and too many are. */
  admit(id: string, clean: boolean): boolean;
  readonly bytes: number;
}

export function createSessions(maxWaiting = MAX_WAITING, maxBytes = MAX_WAITING_BYTES): Sessions {
  const sessions = new Map<string, Packet[]>();
  let bytes = 0;

  const forget = (queue: Packet[], at: number): Packet | undefined => {
    const [gone] = queue.splice(at, 1);
    if (gone) bytes -= sizeOf(gone);
    return gone;
  };
  function enqueue(id: string, packet: Packet): void {
    // Sessions that end with their connection have no queue.
    const queue = sessions.get(id);
    if (!queue) return;
    if (queue.length >= maxWaiting) forget(queue, 0);
    if (bytes + sizeOf(packet) > maxBytes) return;
    queue.push({ ...packet });
    bytes += sizeOf(packet);
  }
  const sameMessage = (a: Packet, b: Packet): boolean =>
    a.brokerId !== undefined && a.brokerId === b.brokerId && a.brokerCounter === b.brokerCounter;

  return {
    admit(id, clean) {
      if (clean) {
        for (const packet of sessions.get(id) ?? []) bytes -= sizeOf(packet);
        sessions.delete(id);
      } else if (!sessions.has(id)) {
        if (sessions.size >= MAX_SESSIONS) return false;
        sessions.set(id, []);
      }
      return true;
    },
    async outgoingEnqueue(sub, packet) {
      enqueue(sub.clientId, packet);
    },
    async outgoingEnqueueCombi(subs, packet) {
      for (const sub of subs) enqueue(sub.clientId, packet);
    },
    // One that is not found was let go of: it is sent all the same, but not again.
    async outgoingUpdate(client, packet) {
      const queue = sessions.get(client.id) ?? [];
      const at = queue.findIndex(
        (waiting) =>
          sameMessage(waiting, packet) ||
          (waiting.brokerId !== packet.brokerId && waiting.messageId === packet.messageId),
      );
      const found = queue[at];
      if (!found) return;
      if (sameMessage(found, packet)) found.messageId = packet.messageId;
      else {
        bytes += sizeOf(packet) - sizeOf(found);
        queue[at] = packet;
      }
    },
    async outgoingClearMessageId(client, packet) {
      const queue = sessions.get(client.id) ?? [];
      const at = queue.findIndex((waiting) =>
        packet.messageId ? waiting.messageId === packet.messageId : sameMessage(waiting, packet),
      );
      return at < 0 ? undefined : forget(queue, at);
    },
    outgoingStream: (client) => Readable.from([...(sessions.get(client.id) ?? [])]),
    get bytes() {
      return bytes;
    },
  };
}

/** @returns whether a status may be retained: topics that have one always, new ones up to a bound */
export function createRetainedBound(max = MAX_RETAINED): (topic: string, empty: boolean) => boolean {
  const topics = new Set<string>();
  return (topic, empty) => {
    if (empty) topics.delete(topic);
    else if (topics.size >= max && !topics.has(topic)) return false;
    else topics.add(topic);
    return true;
  };
}

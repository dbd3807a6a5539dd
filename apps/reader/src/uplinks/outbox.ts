/**
 * Where an uplink takes its messages from, in order: the queue in memory of one run, or a cursor in the spool on disk. What is
 * taken stays until it is dropped, so whatever happens to the connection, it comes again.
 */
export interface Outbox {
  /** Still to be delivered. */
  readonly length: number;
  /** Given up, because there was no room for them. */
  readonly lost: number;
  /** The lines after the first `skip`, at most `items` and `bytes` of them but at least one when there is one. */
  look(skip: number, items: number, bytes: number): readonly string[];
  /** The first `n` are done with: the other side has them for good. */
  drop(n: number): void;
  /** Nothing that was looked at is under way any more: a new connection begins at the first line. */
  again(): void;
  /** Set by the uplink; called whenever something came in. */
  onPut: () => void;
  /** The end comes: what waits for its time does not wait any longer. */
  hurry(): void;
  /** Nobody empties it any more. */
  close(): void;
}

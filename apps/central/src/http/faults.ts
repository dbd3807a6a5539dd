/** Faults of the server in its log: each in full the first time, then counted, so that a page that keeps asking does not fill a disk. */

const QUIET = 60_000;
const MAX_KINDS = 200;

export function createFaultLog(
  log: (line: string) => void,
  now: () => number = Date.now,
): { tell(method: string, route: string, error: Error): void } {
  const kinds = new Map<string, { told: number; since: number }>();
  return {
    tell(method, route, error) {
      const kind = `${method} ${route}: ${error.message}`;
      const seen = kinds.get(kind);
      if (seen && now() - seen.told < QUIET) {
        seen.since++;
        return;
      }
      if (kinds.size >= MAX_KINDS) kinds.clear();
      log(
        seen
          ? `http: ${kind} (${seen.since + 1} times more)`
          : `http: ${method} ${route}: ${error.stack ?? error.message}`,
      );
      kinds.set(kind, { told: now(), since: 0 });
    },
  };
}

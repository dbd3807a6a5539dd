/** One read on demand, watched until it is over: by its events, and by asking where these do not come. */
import { useEffect, useState } from 'react';
import { isOver, type Read, readEvent, readEventsAddress, readsApi } from './api.ts';

/** Between two questions, ms. */
const POLL = 2000;

export function useRead(started: Read | undefined): Read | undefined {
  const [seen, setSeen] = useState<Read>();
  const id = started && !isOver(started) ? started.id : undefined;
  useEffect(() => {
    if (id === undefined) return;
    let over = false;
    let timer: ReturnType<typeof setTimeout> | undefined;
    const take = (read: Read) => {
      setSeen(read);
      if (!isOver(read)) return;
      over = true;
      source.close();
    };
    const poll = async () => {
      if (over) return;
      try {
        take(await readsApi.get(id));
      } catch {
        // Asked again; whoever waits can cancel.
      }
      if (!over) timer = setTimeout(poll, POLL);
    };
    const source = new EventSource(readEventsAddress(id));
    source.addEventListener('read', (event: MessageEvent<string>) => {
      const read = readEvent(event.data);
      if (read) take(read);
    });
    const end = () => {
      source.close();
      if (!over) timer ??= setTimeout(poll, 0);
    };
    source.addEventListener('end', end);
    source.onerror = end;
    return () => {
      over = true;
      clearTimeout(timer);
      source.close();
    };
  }, [id]);
  return seen && seen.id === started?.id ? seen : started;
}

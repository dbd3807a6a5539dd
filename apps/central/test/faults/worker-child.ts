/** A worker as a process of its own, to be killed: address of the database, simulated time, when that was, speed, name. */
import { openStore } from '@amiable/store';
import { startWorker } from '../../src/acquisition/index.ts';
import { vault } from './site.ts';
import { fastClock } from './time.ts';

const [url = '', base = '', since = '', speed = '', name = ''] = process.argv.slice(2);
const clock = fastClock(Number(base), Number(since), Number(speed));
const store = await openStore({ url, migrate: false });
startWorker({ store, vault, name, now: clock.now, clock, poll: 400, pause: 200, hold: 60_000, batch: 2, sessions: 8 });
process.stdout.write('started\n');

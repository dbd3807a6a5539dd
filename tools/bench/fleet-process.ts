/** The process that tools/bench/fleet.ts measures: `count` virtual meters, `asleep` or `awake`. Prints its wrapper port. */
import { meterOptions } from '../../apps/simulator/src/electricity-server/options.ts';
import { startMeters } from '../../apps/simulator/src/electricity-server/run.ts';

const [count = '1', mode] = process.argv.slice(2);
const options = meterOptions({ count, port: 0, page: false, history: mode === 'awake' ? '1d' : '0' });
const running = await startMeters(options, () => {});
if (mode === 'awake') for (const meter of running.meters) meter.live();
process.stdout.write(`${running.wrapperPorts[0]}\n`);
// Lives as long as its parent holds its input.
process.stdin.on('end', () => process.exit(0)).resume();

/** An Amiable of its own for tests: starts the embedded server on a folder, tells where, and waits to be killed. */
import { startEmbedded } from '../src/embedded/supervisor.ts';

const dataDir = process.argv[2]!;
try {
  const started = await startEmbedded({
    dataDir,
    sync: process.argv[3] === 'sync',
    log: (line) => console.error(line),
  });
  console.log(JSON.stringify({ url: started.url, pid: started.pid, adopted: started.adopted }));
  process.on('SIGTERM', () => void started.stop().then(() => process.exit(0)));
} catch (error) {
  console.log(JSON.stringify({ error: (error as Error).message, name: (error as Error).name }));
  process.exit(1);
}

/**
 * The reader that is killed: the service with one port and three uplinks (HTTP, MQTT, and one of a minute to nowhere). Tells on
 * stdout, by a write of its own, the id of each message once it is in the spool, so that who killed it knows what must
 * not be lost.
 */
import { writeSync } from 'node:fs';
import { systemClock } from '@amiable/io';
import { type ReaderConfig, startReader } from '@amiable/reader';

const [folder = '', portText = '', httpPort = '', mqttPort = '', apiKey = ''] = process.argv.slice(2);
const pace = { interval: 0, thin: false };
const config: ReaderConfig = {
  reader: 'soak',
  ports: [
    {
      name: 'han0',
      device: `127.0.0.1:${portText}`,
      protocol: 'auto',
      patience: 20_000,
      signals: 'none',
      keys: [],
      zone: 'Europe/Oslo',
      maxClockError: 400 * 86_400_000,
    },
  ],
  uplinks: [
    { type: 'post', name: 'post', url: `http://127.0.0.1:${httpPort}/api/v1/messages`, apiKey, tls: {}, ...pace },
    {
      type: 'mqtt',
      name: 'mqtt',
      connection: { host: '127.0.0.1', port: Number(mqttPort), secure: false, clientId: 'soak', tls: {} },
      topic: 'amiable/soak/message',
      statusTopic: 'amiable/soak/status',
      ...pace,
    },
  ],
  spool: { folder, maxBytes: 2e9 },
  page: { host: '127.0.0.1', port: 0, names: [], openStatus: false },
  gateways: {},
};

let ids = '';
const service = await startReader(config, {
  clock: systemClock,
  random: Math.random,
  tell: (line) => process.stderr.write(`${line}\n`),
});
service.onMessage((m) => {
  ids += `${m.id}\n`;
  // A group at a time: the listener is called for all messages of a write in one go.
  if (ids.length > 30_000) told();
  else if (ids.length === 33) setImmediate(told);
});
function told(): void {
  const text = Buffer.from(ids);
  ids = '';
  for (let done = 0; done < text.length; )
    try {
      done += writeSync(1, text, done);
    } catch (error) {
      // The pipe is full for a moment.
      if ((error as NodeJS.ErrnoException).code !== 'EAGAIN') throw error;
    }
}
let most = 0;
setInterval(() => {
  most = Math.max(most, process.memoryUsage().rss);
  const { uplinks } = service.status();
  writeSync(1, `# ${Math.round(most / 1e6)} ${uplinks.map((u) => `${u.name}:${u.waiting}`).join(' ')}\n`);
}, 250);
writeSync(1, '# ready\n');
process.on('SIGTERM', () => void service.stop().then(() => process.exit(0)));

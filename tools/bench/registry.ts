/**
 * The registry: a million meters out of a CSV file into an empty embedded PostgreSQL, the same file once more (nothing changes), a
 * dry run, and the export; time, rows a second and the memory of this process at its highest.
 */
import { createWriteStream, mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createImports, exportRegistry, type ImportOptions } from '@amiable/central';
import { type Caller, checkDigit10, PRIVILEGES } from '@amiable/model';
import { openStore, startEmbedded } from '@amiable/store';
import type { Figure } from './figure.ts';

const CALLER: Caller = { kind: 'system', name: 'bench', privileges: new Set(PRIVILEGES), scope: 'all' };

export async function benchRegistry(options: { smoke?: boolean } = {}): Promise<Figure[]> {
  const meters = options.smoke ? 1000 : Number(process.env.METERS ?? 1_000_000);
  const figures: Figure[] = [];
  const folder = mkdtempSync(join(tmpdir(), 'amiable-bench-'));
  const embedded = await startEmbedded({ dataDir: join(folder, 'data') });
  try {
    const store = await openStore({ url: embedded.url });
    const imports = createImports({ store, now: Date.now, timeZone: 'Europe/Oslo', log: () => {} });
    const path = join(folder, 'meters.csv');
    await generate(path, meters);
    const work = () => processorTime(join(folder, 'data'));
    const put = (name: string, value: number, unit: string): void => {
      figures.push({ name: `registry: ${name}`, value, unit });
    };
    put('size of the file', statSync(path).size / 1e6, 'MB');
    const form: ImportOptions = {
      format: 'csv',
      name: 'meters.csv',
      kind: 'meter',
      dry: false,
      takeGood: false,
      mapping: {},
      forms: { 'meter.utility-serial': 'asset' },
    };
    const run = async (name: string, form: ImportOptions): Promise<void> => {
      let most = 0;
      const look = setInterval(() => {
        most = Math.max(most, process.memoryUsage.rss());
      }, 100);
      const before = work();
      const begun = performance.now();
      const status = await imports.file(path, form, CALLER);
      const seconds = (performance.now() - begun) / 1000;
      const after = work();
      clearInterval(look);
      const { report } = status;
      if (status.state !== 'done' || !report || report.inserted + report.changed + report.same !== meters)
        throw new Error(`the import ended ${status.state}: ${JSON.stringify(report).slice(0, 500)}`);
      put(`${name}, ${meters.toLocaleString('en')} meters`, seconds, 's');
      // What other programs on the machine take from the elapsed time, they do not take from this.
      put(`${name}, processor time of the program`, after.own - before.own, 's');
      if (after.database > 0) put(`${name}, processor time of the database`, after.database - before.database, 's');
      put(`${name}, resident memory of the program at its highest`, most / 1e6, 'MB');
    };
    await run('checked only (dry run)', { ...form, dry: true });
    await run('imported into an empty registry', form);
    await run('the same file again', form);
    const begun = performance.now();
    let bytes = 0;
    for await (const piece of exportRegistry(store, { format: 'csv', kinds: ['meter'], caller: CALLER }))
      bytes += piece.length;
    const seconds = (performance.now() - begun) / 1000;
    put('exported as CSV', seconds, 's');
    put('exported, size', bytes / 1e6, 'MB');
    await imports.close();
    await store.close();
  } finally {
    await embedded.stop();
    rmSync(folder, { recursive: true, force: true });
  }
  return figures;
}

/** Seconds of processor time of this process, and of the database's (Linux; 0 elsewhere). */
function processorTime(data: string): { readonly own: number; readonly database: number } {
  const { user, system } = process.cpuUsage();
  const own = (user + system) / 1e6;
  let ticks = 0;
  try {
    const postmaster = readFileSync(join(data, 'postgres/postmaster.pid'), 'utf8').split('\n')[0] as string;
    for (const pid of readdirSync('/proc')) {
      if (!/^\d+$/.test(pid)) continue;
      let fields: string[];
      try {
        fields = readFileSync(`/proc/${pid}/stat`, 'utf8')
          .replace(/^.*\) /s, '')
          .split(' ');
      } catch {
        continue;
      }
      // Its own time, and with the postmaster that of children that have ended.
      if (pid === postmaster) for (const i of [11, 12, 13, 14]) ticks += Number(fields[i]);
      else if (fields[1] === postmaster) ticks += Number(fields[11]) + Number(fields[12]);
    }
  } catch {
    return { own, database: 0 };
  }
  return { own, database: ticks / 100 };
}

/** Meters as a utility has them: asset numbers with check digits, places, a few types. */
async function generate(path: string, meters: number): Promise<void> {
  const out = createWriteStream(path);
  out.write('serial,utility-serial,name,place,time-zone,maker,type,phases,param-id,config-id\r\n');
  let text = '';
  for (let i = 1; i <= meters; i++) {
    const number = `73500${String(i % 10_000).padStart(4, '0')}${String(i).padStart(7, '0').slice(-6)}`.padEnd(15, '7');
    const street = i % 2 ? `Storgata ${i % 300}` : `"Øvre gate ${i % 300}, nord"`;
    text += `${6_970_000_000_000 + i},${number}${checkDigit10(number)},Meter ${i},${street},Europe/Oslo,Kaifa,MA304H${i % 7},${i % 3 ? 3 : 1},P${i % 20},C-2026-${i % 50}\r\n`;
    if (text.length < 1 << 20 && i < meters) continue;
    if (!out.write(text)) await new Promise<void>((resolve) => out.once('drain', () => resolve()));
    text = '';
  }
  await new Promise<void>((resolve, reject) => out.end((error?: Error | null) => (error ? reject(error) : resolve())));
}

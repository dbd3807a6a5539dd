/**
 * Builds the page into `dist`; `amiable start` runs it when it is due, by hand: `npm -w @amiable/web run build`. Every file also
 * gets a gzip sibling, so that a server need not compress.
 */
import { readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { gzipSync } from 'node:zlib';
import react from '@vitejs/plugin-react';
import { build, type InlineConfig, type Plugin } from 'vite';
import { distFolder, root } from './dist.ts';

/** Parts of the schema library that write JSON schemas: every schema holds on to them, and the page never makes one. */
const UNUSED = /[\\/]zod[\\/]v4[\\/]core[\\/](to-json-schema|json-schema-processors|json-schema-generator)\.js$/;

/** Leaves names of theirs in place, each doing nothing: 5 kB less to load before the street shows. */
function withoutJsonSchemas(): Plugin {
  return {
    name: 'without-json-schemas',
    enforce: 'pre',
    load(id) {
      if (!UNUSED.test(id)) return null;
      const names = readFileSync(id, 'utf8').matchAll(/^export (?:const|function|class) (\w+)/gm);
      return [
        'const none = () => () => undefined;',
        ...[...names].map(([, name]) => `export const ${name} = none;`),
      ].join('\n');
    },
  };
}

/** The configuration that the build and the development server share. */
export function webConfig(): InlineConfig {
  return {
    configFile: false,
    root,
    logLevel: 'warn',
    plugins: [react(), withoutJsonSchemas()],
    worker: { format: 'es' },
    build: { outDir: distFolder, emptyOutDir: true, target: 'es2022', modulePreload: { polyfill: false } },
  };
}

export interface BuiltFile {
  readonly name: string;
  readonly bytes: number;
  readonly gzip: number;
}

function compress(folder: string, below: string, out: BuiltFile[]): BuiltFile[] {
  for (const name of readdirSync(folder)) {
    const path = join(folder, name);
    if (statSync(path).isDirectory()) compress(path, `${below}${name}/`, out);
    else if (/\.(js|css|html|svg|webmanifest)$/.test(name)) {
      const bytes = readFileSync(path);
      const packed = gzipSync(bytes, { level: 9 });
      writeFileSync(`${path}.gz`, packed);
      out.push({ name: below + name, bytes: bytes.length, gzip: packed.length });
    }
  }
  return out;
}

export async function buildWeb(): Promise<readonly BuiltFile[]> {
  // A test that builds the page has an environment of its own, and would leave the development build behind for `amiable start`.
  const before = process.env.NODE_ENV;
  process.env.NODE_ENV = 'production';
  try {
    await build({ ...webConfig(), mode: 'production' });
  } finally {
    if (before === undefined) delete process.env.NODE_ENV;
    else process.env.NODE_ENV = before;
  }
  return compress(distFolder, '', []);
}

if (process.argv[1] && import.meta.url === pathToFileURL(process.argv[1]).href) {
  for (const file of await buildWeb()) {
    console.log(`${file.name.padEnd(44)} ${String(file.bytes).padStart(8)} B ${String(file.gzip).padStart(7)} B gzip`);
  }
}

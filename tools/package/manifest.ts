/**
 * The package.json of the package, put in place of the workspace's while `npm pack` runs (`prepack`) and taken away again after
 * it (`postpack`): with the command, without workspaces, scripts and development tools.
 *
 * The workspace's own must not name the command: `npx amiable` would then run what was built last, not the sources.
 */
import { existsSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const file = fileURLToPath(new URL('../../package.json', import.meta.url));
const kept = fileURLToPath(new URL('../../dist/package.workspace.json', import.meta.url));

if (process.argv[2] === 'restore') {
  if (existsSync(kept)) renameSync(kept, file);
} else {
  if (!existsSync(fileURLToPath(new URL('../../dist/app/start.js', import.meta.url))))
    throw new Error('there is nothing to pack yet: run `npm run build` first');
  const text = readFileSync(file, 'utf8');
  const { workspaces: _w, scripts: _s, devDependencies: _d, overrides: _o, ...manifest } = JSON.parse(text);
  writeFileSync(kept, text);
  writeFileSync(file, `${JSON.stringify({ ...manifest, bin: { amiable: 'dist/app/start.js' } }, null, 2)}\n`);
}

#!/usr/bin/env node
// Runs the command from its TypeScript sources: no build in development.
import { register } from 'tsx/esm/api';

register();
const { main } = await import('../src/main.ts');
await main(process.argv);

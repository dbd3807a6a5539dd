#!/usr/bin/env node
// The command `amiable` of the package.
import { main } from './amiable.js';

await main(process.argv);

/** Where the parts lie: the environment of the tools, read once. */
import { homedir } from 'node:os';
import { join, resolve } from 'node:path';

/** `GATEHOUSE_CACHE`, or `gatehouse` in the user's cache directory. */
export const cacheDirectory =
  process.env['GATEHOUSE_CACHE'] === undefined
    ? join(process.env['XDG_CACHE_HOME'] ?? join(homedir(), '.cache'), 'gatehouse')
    : resolve(process.env['GATEHOUSE_CACHE']);

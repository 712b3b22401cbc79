/** Other people's clients, for tests of egress: older Nodes, Python with its HTTP libraries, published MCP servers. */
import { join } from 'node:path';
import { cacheDirectory } from '../config.ts';
import { installNpm, installPython } from '../installs.ts';
import { cachedPart } from '../part.ts';

const PACKAGES = {
  '@modelcontextprotocol/server-github': '2025.4.8',
  node20: 'npm:node@20.20.0',
  node22: 'npm:node@22.23.0',
};

export const runtimes = cachedPart(cacheDirectory, {
  name: 'runtimes',
  version: '1',
  about: 'Node 20 and 22, Python with HTTP clients, MCP servers that others published',
  minutes: 2,
  files: [
    'python/bin/python',
    'node_modules/node20/bin/node',
    'node_modules/node22/bin/node',
    'node_modules/@modelcontextprotocol/server-github/dist/index.js',
  ],
  build: async (directory, say) => {
    say('making a Python environment');
    await installPython(directory, join(import.meta.dirname, 'requirements.txt'));
    say('installing Nodes and MCP servers');
    await installNpm(directory, PACKAGES);
  },
});

/** What masking is measured with: data that other projects generate, and MCP servers that others published. */
import { join } from 'node:path';
import { cacheDirectory } from '../config.ts';
import { installNpm, installPython } from '../installs.ts';
import { cachedPart } from '../part.ts';

const SERVERS = {
  '@modelcontextprotocol/server-filesystem': '2026.8.31',
  '@modelcontextprotocol/server-memory': '2026.8.31',
  '@modelcontextprotocol/server-sequential-thinking': '2026.8.31',
};

export const measures = cachedPart(cacheDirectory, {
  name: 'measures',
  version: '1',
  about: 'Faker, python-stdnum and MCP servers, to measure masking with',
  minutes: 1,
  files: ['python/bin/python', ...Object.keys(SERVERS).map((name) => `node_modules/${name}/dist/index.js`)],
  build: async (directory, say) => {
    say('making a Python environment');
    await installPython(directory, join(import.meta.dirname, 'requirements.txt'));
    say('installing MCP servers');
    await installNpm(directory, SERVERS);
  },
});

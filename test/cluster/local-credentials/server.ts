/**
 * The published MCP server for PostgreSQL, unchanged, as a server over HTTP: each of its calls goes to that program, which
 * is given the URL of its database and speaks stdio. One tool more reads the file of LICENCE_FILE.
 */
import { readFileSync } from 'node:fs';
import { toNodeHandler } from '@modelcontextprotocol/node';
import { Client } from '@modelcontextprotocol/sdk/client/index.js';
import { StdioClientTransport } from '@modelcontextprotocol/sdk/client/stdio.js';
import { createMcpHandler, McpServer } from '@modelcontextprotocol/server';
import { createHash } from 'node:crypto';
import { z } from 'zod';
import { listen } from '../../fixtures/mcp/listen.ts';

const [program = '', databaseUrl = ''] = process.argv.slice(2);
let running: Client | undefined;

/** It ends when its database ends an idle connection; whoever runs it starts it again. */
async function database(): Promise<Client> {
  if (running !== undefined) return running;
  const client = new Client({ name: 'bridge', version: '1.0.0' });
  client.onclose = () => (running = undefined);
  await client.connect(
    new StdioClientTransport({
      command: process.execPath,
      args: [program, databaseUrl],
      stderr: 'inherit',
    }),
  );
  return (running = client);
}

const textResult = z.object({ content: z.array(z.object({ type: z.literal('text'), text: z.string() })) });

function buildServer(): McpServer {
  const server = new McpServer({ name: 'orders', version: '1.0.0' });
  server.registerTool(
    'query',
    { description: 'Runs a read-only SQL query', inputSchema: z.object({ sql: z.string() }) },
    async ({ sql }) => {
      const client = await database();
      return textResult.parse(await client.callTool({ name: 'query', arguments: { sql } }));
    },
  );
  server.registerTool('licence', { description: 'Reads the licence: its digest, and itself' }, () => {
    const text = readFileSync(process.env['LICENCE_FILE'] ?? '', 'utf8');
    const digest = createHash('sha256').update(text).digest('hex');
    return { content: [{ type: 'text', text: `${digest} ${text}` }] };
  });
  return server;
}

await listen(Number(process.env['PORT'] ?? 0), toNodeHandler(createMcpHandler(buildServer)));

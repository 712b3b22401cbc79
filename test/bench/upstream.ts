/**
 * A lean MCP server of 2026-07-28: one POST, one JSON answer of about 1 KB. Prints its URL when it listens.
 * It does no more than an answer needs, so that what is measured is what stands in front of it.
 */
import { createServer } from 'node:http';
import { z } from 'zod';
import { portOf } from '../fixtures/mcp/listen.ts';

const call = z.object({ id: z.union([z.string(), z.number()]), method: z.string() });

const rows = Array.from({ length: 6 }, (_, index) => ({
  id: 1000 + index,
  customer: `Customer ${index} of the northern district`,
  item: 'Desk lamp, brass, adjustable',
  total: 49.5 + index,
  note: 'Leave with the neighbour.',
}));

const results: Readonly<Record<string, unknown>> = {
  'tools/call': { content: [{ type: 'text', text: JSON.stringify(rows) }] },
  'tools/list': {
    tools: [
      {
        name: 'query',
        description: 'Runs a query',
        inputSchema: { type: 'object', properties: { sql: { type: 'string' } }, required: ['sql'] },
      },
    ],
    ttlMs: 60_000,
    cacheScope: 'private',
  },
  'server/discover': { supportedVersions: ['2026-07-28'], capabilities: { tools: {} } },
};

const server = createServer((req, res) => {
  const chunks: Buffer[] = [];
  req.on('data', (chunk: Buffer) => chunks.push(chunk));
  req.on('end', () => {
    const { id, method } = call.parse(JSON.parse(Buffer.concat(chunks).toString('utf8')));
    const result = results[method];
    const body = Buffer.from(
      JSON.stringify(
        result === undefined
          ? { jsonrpc: '2.0', id, error: { code: -32601, message: 'Method not found' } }
          : { jsonrpc: '2.0', id, result: { resultType: 'complete', ...result } },
      ),
    );
    res.writeHead(result === undefined ? 404 : 200, {
      'content-type': 'application/json',
      'content-length': body.length,
    });
    res.end(body);
  });
});
server.keepAliveTimeout = 60_000;
server.listen(0, '127.0.0.1', () => console.log(`http://127.0.0.1:${portOf(server)}/mcp`));
process.once('SIGTERM', () => process.exit(0));

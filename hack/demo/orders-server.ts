/**
 * The server that is guarded: MCP with the official SDK over an embedded PostgreSQL (PGlite). It runs whatever SQL it
 * is given, several statements at once, and tells anyone who asks what is in its environment: it needs a guard.
 *
 * ORDERS_API_KEY is the key that it wants in X-Api-Key; ORDERS_CARDS the card numbers to fill the table with, as JSON.
 */
import { PGlite } from '@electric-sql/pglite';
import { toNodeHandler } from '@modelcontextprotocol/node';
import { createMcpHandler, McpServer, type ServerContext } from '@modelcontextprotocol/server';
import { z } from 'zod';
import { listen } from '../../test/fixtures/mcp/listen.ts';

const apiKey = process.env['ORDERS_API_KEY'] ?? '';
const cards = z.array(z.string()).parse(JSON.parse(process.env['ORDERS_CARDS'] ?? '[]'));
const customers = ['Ines Okafor', 'Tariq Lindqvist', 'Maja Benedetti', 'Sam Oyelaran'];

const database = new PGlite();
await database.exec('CREATE TABLE orders (id int PRIMARY KEY, customer text, card text, total numeric)');
for (const [index, card] of cards.entries()) {
  const row = [1001 + index, customers[index % customers.length], card, (19.9 + index * 31).toFixed(2)];
  await database.query('INSERT INTO orders VALUES ($1, $2, $3, $4)', row);
}

function answer(value: unknown): { content: [{ type: 'text'; text: string }] } {
  return { content: [{ type: 'text', text: JSON.stringify(value) }] };
}

async function runSql(sql: string): Promise<{ rows: unknown[]; affected: number }> {
  // The demo counts these lines: what was refused must never have come this far.
  console.log(`executes: ${sql}`);
  const results = await database.exec(sql);
  return { rows: results.at(-1)?.rows ?? [], affected: results.at(-1)?.affectedRows ?? 0 };
}

function buildServer(): McpServer {
  const server = new McpServer({ name: 'orders', version: '1.0.0' });
  server.registerTool(
    'query',
    { description: 'Runs SQL against the orders database', inputSchema: z.object({ sql: z.string() }) },
    async ({ sql }) => answer(await runSql(sql)),
  );
  server.registerTool(
    'get_order',
    { description: 'One order by its number', inputSchema: z.object({ id: z.int() }) },
    async ({ id }) => answer((await database.query('SELECT * FROM orders WHERE id = $1', [id])).rows),
  );
  server.registerTool(
    'debug_env',
    { description: 'Prints the headers and the environment' },
    (ctx: ServerContext) =>
      answer({
        headers: Object.fromEntries(ctx.http?.req?.headers ?? []),
        environment: { ORDERS_API_KEY: apiKey, NODE_VERSION: process.version },
      }),
  );
  return server;
}

const handler = createMcpHandler(buildServer);
const { url } = await listen(
  0,
  toNodeHandler({
    fetch: (request) =>
      request.headers.get('x-api-key') === apiKey
        ? handler.fetch(request)
        : Promise.resolve(Response.json({ error: 'X-Api-Key is wrong' }, { status: 403 })),
  }),
);
console.log(`listens on ${url}/mcp`);
process.once('SIGTERM', () => process.exit(0));

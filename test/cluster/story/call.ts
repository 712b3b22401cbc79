/**
 * A client as people write them, with the official SDK: calls one tool and prints the result or the error as JSON.
 *
 *   node call.mjs URL TOKEN_FILE TOOL ARGUMENTS
 */
import { readFileSync } from 'node:fs';
import { Client, StreamableHTTPClientTransport } from '@modelcontextprotocol/client';
import { z } from 'zod';

const [url = '', tokenFile = '', tool = '', given = '{}'] = process.argv.slice(2);
const authorization = `Bearer ${readFileSync(tokenFile, 'utf8').trim()}`;

const client = new Client({ name: 'story', version: '1.0.0' });
const transport = new StreamableHTTPClientTransport(new URL(url), {
  requestInit: { headers: { authorization } },
});
try {
  await client.connect(transport);
  const args = z.record(z.string(), z.unknown()).parse(JSON.parse(given));
  const { content, isError } = await client.callTool({ name: tool, arguments: args });
  console.log(JSON.stringify({ content, isError }));
} catch (error) {
  console.log(JSON.stringify({ error: error instanceof Error ? error.message : String(error) }));
} finally {
  await client.close();
}

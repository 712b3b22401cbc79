/** A person at a desk: signed in, with an MCP client of the official SDK, and their token in a file for the CLI. */
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Client, StreamableHTTPClientTransport } from '@modelcontextprotocol/client';
import type { Parts } from './parts.ts';
import { signIn } from './sign-in.ts';

export interface Sent {
  readonly headers: Headers;
  readonly body: string;
}

export interface Desk extends AsyncDisposable {
  readonly name: string;
  readonly client: Client;
  readonly tokenFile: string;
  /** The text of a tool's result, and whether it is an error. */
  readonly call: (
    tool: string,
    args?: Record<string, unknown>,
  ) => Promise<{ text: string; isError: boolean }>;
  /** What the client posted last, to be sent once more by hand. */
  readonly lastSent: () => Sent;
}

export async function sitDown(name: string, parts: Parts): Promise<Desk> {
  const token = await signIn(name, parts.url);
  const tokenFile = join(parts.scratch, `${name}.token`);
  await writeFile(tokenFile, token, { mode: 0o600 });
  let last: Sent | undefined;
  const transport = new StreamableHTTPClientTransport(new URL(parts.url), {
    requestInit: { headers: { authorization: `Bearer ${token}` } },
    fetch: (url, init) => {
      if (typeof init?.body === 'string') last = { headers: new Headers(init.headers), body: init.body };
      return fetch(url, init);
    },
  });
  const client = new Client(
    { name: 'desk-client', version: '1.0.0' },
    { versionNegotiation: { mode: 'auto' } },
  );
  await client.connect(transport);
  return {
    name,
    client,
    tokenFile,
    call: async (tool, args = {}) => {
      const result = await client.callTool({ name: tool, arguments: args });
      const text = result.content
        .map((block) => (block.type === 'text' ? block.text : `(${block.type})`))
        .join('\n');
      return { text, isError: result.isError ?? false };
    },
    lastSent: () => {
      if (last === undefined) throw new Error(`${name} has sent nothing yet.`);
      return last;
    },
    [Symbol.asyncDispose]: () => client.close(),
  };
}

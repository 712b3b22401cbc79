/** The official SDK's clients, 1.x and 2.x, over both HTTP transports, behind one face. */
import {
  Client as ClientV2,
  SSEClientTransport as SseV2,
  StreamableHTTPClientTransport as HttpV2,
} from '@modelcontextprotocol/client';
import { Client as ClientV1 } from '@modelcontextprotocol/sdk/client/index.js';
import { SSEClientTransport as SseV1 } from '@modelcontextprotocol/sdk/client/sse.js';
import { StreamableHTTPClientTransport as HttpV1 } from '@modelcontextprotocol/sdk/client/streamableHttp.js';
import { ElicitRequestSchema } from '@modelcontextprotocol/sdk/types.js';

export type Over = 'HTTP' | 'SSE';

/** What a person answers when a server asks. */
const answer = {
  action: 'accept',
  content: { name: 'Ana', username: 'ana', email: 'ana@example.test', ok: true, color: 'green' },
} as const;
const info = { name: 'gatehouse-test', version: '1.0.0' };
const capabilities = { elicitation: {} };

export interface OfficialClient extends AsyncDisposable {
  readonly revision: string | undefined;
  readonly toolNames: () => Promise<string[]>;
  /** The text of a tool's result. `onProgress` is told of each step as it comes. */
  readonly call: (
    tool: string,
    args?: Record<string, unknown>,
    onProgress?: (progress: number) => void,
  ) => Promise<string>;
}

export async function connectV1(url: string, over: Over): Promise<OfficialClient> {
  const client = new ClientV1(info, { capabilities });
  client.setRequestHandler(ElicitRequestSchema, () => ({ ...answer }));
  // Deprecated, and what clients of 2024-11-05 have.
  // eslint-disable-next-line @typescript-eslint/no-deprecated
  const transport = over === 'SSE' ? new SseV1(new URL(url)) : new HttpV1(new URL(url));
  await client.connect(transport);
  return {
    revision: undefined,
    toolNames: async () => (await client.listTools()).tools.map((tool) => tool.name),
    call: async (name, args = {}, onProgress) => {
      const onprogress = (progress: { progress: number }): void => onProgress?.(progress.progress);
      return textOf(await client.callTool({ name, arguments: args }, undefined, { onprogress }));
    },
    [Symbol.asyncDispose]: () => client.close(),
  };
}

/** `auto` agrees on 2026-07-28 where the server has it; `legacy` opens a session as before. */
export async function connectV2(
  url: string,
  over: Over,
  mode: 'auto' | 'legacy' = 'legacy',
): Promise<OfficialClient> {
  const client = new ClientV2(info, { capabilities, versionNegotiation: { mode } });
  client.setRequestHandler('elicitation/create', () => ({ ...answer }));
  // eslint-disable-next-line @typescript-eslint/no-deprecated -- as above
  await client.connect(over === 'SSE' ? new SseV2(new URL(url)) : new HttpV2(new URL(url)));
  return {
    revision: client.getNegotiatedProtocolVersion(),
    toolNames: async () => (await client.listTools()).tools.map((tool) => tool.name),
    call: async (name, args = {}, onProgress) => {
      const onprogress = (progress: { progress: number }): void => onProgress?.(progress.progress);
      return textOf(await client.callTool({ name, arguments: args }, { onprogress }));
    },
    [Symbol.asyncDispose]: () => client.close(),
  };
}

function textOf(result: object): string {
  const content = 'content' in result && Array.isArray(result.content) ? result.content : [];
  return content.map((block: unknown) => JSON.stringify(block)).join('\n');
}

/** MCP of 2026-07-28 by hand, for what no SDK would send. */

const _meta = {
  'io.modelcontextprotocol/protocolVersion': '2026-07-28',
  'io.modelcontextprotocol/clientInfo': { name: 'by-hand', version: '1.0.0' },
  'io.modelcontextprotocol/clientCapabilities': {},
};

export interface RawRequest {
  readonly headers: Headers | Record<string, string>;
  readonly body: string;
}

export function toolCall(name: string, args: Readonly<Record<string, unknown>>): RawRequest {
  return {
    headers: {
      'content-type': 'application/json',
      accept: 'application/json, text/event-stream',
      'mcp-protocol-version': '2026-07-28',
      'mcp-method': 'tools/call',
      'mcp-name': name,
    },
    body: JSON.stringify({
      jsonrpc: '2.0',
      id: 1,
      method: 'tools/call',
      params: { name, arguments: args, _meta },
    }),
  };
}

export function post(url: string, { headers, body }: RawRequest): Promise<Response> {
  return fetch(url, { method: 'POST', headers, body });
}

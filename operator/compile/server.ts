/** spec.server → where the proxy finds the server, and where clients find the proxy. */
import type { ServerSpec } from '#bundle';
import type { McpGateway } from '#crds';

type Server = McpGateway['spec']['server'];

export function compileServer(server: Server): ServerSpec {
  const { transport, command, passthrough } = server;
  const path = server.path ?? (transport === 'SSE' ? '/sse' : '/mcp');
  const url = upstreamUrl(server, path);
  return {
    transport,
    ...(url !== undefined && { url }),
    ...(command !== undefined && { command }),
    path,
    passthrough,
  };
}

/** A server in the pod listens on loopback; a URL that has no path means the usual one. */
function upstreamUrl({ port, url }: Server, path: string): string | undefined {
  if (port !== undefined) return `http://127.0.0.1:${port}${path}`;
  if (url === undefined) return undefined;
  const parsed = new URL(url);
  if (/^https?:\/\/[^/?]+(?:\?|$)/i.test(url)) parsed.pathname = path;
  return parsed.href;
}

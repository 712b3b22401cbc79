import type { Desk } from './desk.ts';
import type { Parts } from './parts.ts';

/** What can be opened and tried while everything stays up. */
export function whatToTry(parts: Parts, ana: Desk, bo: Desk): string {
  const approvals = `--admin ${parts.admin} --token`;
  return `
Everything stays up until Ctrl-C.

  MCP endpoint     ${parts.url}   (any MCP client; sign in as ana or bo, any password)
  OIDC provider    ${parts.issuer}/.well-known/openid-configuration
  Console          ${parts.admin}/console/   (sign in as bo, any password)
  Metrics          ${parts.admin}/metrics
  Manifests        ${parts.manifests}   (edit one and save: it is in force at once)

  Call a tool as Ana:
    curl -s ${parts.url} -H "Authorization: Bearer $(cat ${ana.tokenFile})" \\
      -H 'Content-Type: application/json' -H 'Accept: application/json, text/event-stream' \\
      -H 'MCP-Protocol-Version: 2026-07-28' -H 'Mcp-Method: tools/call' -H 'Mcp-Name: query' -d '{"jsonrpc":"2.0","id":1,
      "method":"tools/call","params":{"name":"query","arguments":{"sql":"UPDATE orders SET total = 0"},
      "_meta":{"io.modelcontextprotocol/protocolVersion":"2026-07-28","io.modelcontextprotocol/clientCapabilities":{}}}}'
  Decide as Bo:
    hack/gatehouse approvals list ${approvals} ${bo.tokenFile}
    hack/gatehouse approvals approve ID ${approvals} ${bo.tokenFile}
  Read the record:
    hack/gatehouse sessions list --store ${parts.store}
    hack/gatehouse sessions verify --store ${parts.store}
`;
}

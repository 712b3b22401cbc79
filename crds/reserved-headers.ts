/**
 * Headers that belong to the connection or to MCP itself (RFC 9110, 7.6.1; MCP Streamable HTTP); a credential there would
 * break or bypass what they mean.
 */
export const RESERVED_HEADERS =
  /^(?:host|connection|content-.*|transfer-encoding|te|trailer|upgrade|keep-alive|proxy-.*|accept.*|mcp-.*|last-event-id|origin|expect)$/i;

/** Which of a client's headers travel on. A list of what may, because what may not is endless. */
const FORWARDED = [
  'accept-language',
  'baggage',
  'mcp-method',
  'mcp-name',
  'mcp-protocol-version',
  'traceparent',
  'tracestate',
  'user-agent',
  'x-request-id',
];
const PARAMETER = 'mcp-param-';

/** Headers towards the server. The client's token, cookies, session id and addresses stay here. */
export function forwardedHeaders(
  headers: Readonly<Record<string, string | string[] | undefined>>,
): Record<string, string> {
  const forwarded: Record<string, string> = {};
  for (const name of FORWARDED) {
    const value = headers[name];
    if (typeof value === 'string') forwarded[name] = value;
  }
  for (const [name, value] of Object.entries(headers)) {
    // 2026-07-28: an intermediary passes on the parameter headers that it does not know.
    if (name.startsWith(PARAMETER) && typeof value === 'string') forwarded[name] = value;
  }
  return forwarded;
}

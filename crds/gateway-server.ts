/** McpGateway spec.server: where the server is and how it speaks. */
import { z } from 'zod';
import type { CrossRule } from './shapes.ts';
import { line, objectName, withRules } from './shapes.ts';

const port = z.int().min(1).max(65535);

const path = z
  .string()
  .min(1)
  .max(1024)
  .regex(/^\/[!-"$->@-~]*$/, 'must be a path that begins with "/" and has neither "?" nor "#"');

/** An absolute http or https URL without user, password and fragment. */
export const httpUrl = z
  .string()
  .max(2048)
  .regex(/^https?:\/\/[!-"$-~]+$/, 'must be an http:// or https:// URL without a fragment')
  .refine((text) => URL.canParse(text), 'must be a valid URL')
  .refine((text) => !hasUser(text), 'must not hold a user or a password; use a credential');

function hasUser(text: string): boolean {
  const url = URL.parse(text);
  return url !== null && (url.username !== '' || url.password !== '');
}

const method = z.enum(['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS']);

const passthrough = z.strictObject({
  path: path.describe('Path beside the MCP path; "*" stands for any run of characters, "/" included.'),
  methods: z.array(method).min(1).max(7).default(['GET']),
});

const members = z.strictObject({
  container: objectName
    .optional()
    .describe('The container of the server; without it the only one, else the one that owns the port.'),
  runAsUser: z
    .int()
    .min(1)
    .max(2_147_483_647)
    .default(1000)
    .describe('Written where the pod states no user.'),
  transport: z.enum(['StreamableHTTP', 'SSE', 'Stdio']).default('StreamableHTTP'),
  port: port.optional().describe('Port of the pod that the server listens on.'),
  url: httpUrl
    .optional()
    .describe('Address of a server that is no pod; its path is the MCP path of the server.'),
  path: path
    .optional()
    .describe('The MCP path that clients use; without it /mcp, or /sse for transport SSE.'),
  command: z
    .array(line(4096))
    .min(1)
    .max(64)
    .optional()
    .describe('Program and arguments, for transport Stdio.'),
  openPorts: z.array(port).max(32).default([]).describe('Other inbound ports that stay reachable.'),
  passthrough: z
    .array(passthrough)
    .max(64)
    .default([])
    .describe('Paths beside the MCP path that are forwarded: identified, masked as text, recorded.'),
  mayAsk: z
    .array(z.enum(['Sampling', 'Elicitation', 'Roots']))
    .max(3)
    .default([])
    .describe('What the server may ask of its clients; what is not listed is refused to it.'),
});

type Server = z.output<typeof members>;

const rules: readonly CrossRule<Server>[] = [
  {
    cel: "(self.transport == 'Stdio') == has(self.command)",
    message: 'must have command with transport Stdio, and with no other transport',
    holds: (server) => (server.transport === 'Stdio') === (server.command !== undefined),
  },
  {
    cel: 'size([has(self.command), has(self.port), has(self.url)].filter(x, x)) == 1',
    message: 'must have exactly one of port, url and (with transport Stdio) command',
    holds: (server) =>
      [server.command, server.port, server.url].filter((member) => member !== undefined).length === 1,
  },
];

export const gatewayServer = withRules(members, rules);

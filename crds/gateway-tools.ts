/** McpGateway spec.tools: which definitions of tools clients may see. */
import { z } from 'zod';
import { line, withRules } from './shapes.ts';

/** More tools than this are never pinned, and so never shown where they must be. */
export const MAX_TOOLS = 1024;
export const MAX_TOOL_NAME = 256;

export const toolDigest = z
  .string()
  .max(71)
  .regex(/^sha256:[0-9a-f]{64}$/, 'must be sha256: and 64 hexadecimal digits');

const pin = z.strictObject({
  name: line(MAX_TOOL_NAME),
  digest: toolDigest.describe(
    'Of the definition; `gatehouse tools` prints it, and status names it when a tool changed.',
  ),
});

const members = z.strictObject({
  integrity: z
    .enum(['FirstUse', 'Pinned', 'Off'])
    .default('FirstUse')
    .describe(
      'FirstUse pins a definition when it is first seen; Pinned shows pinned tools alone. A tool whose definition is another one is hidden and refused.',
    ),
  pins: z
    .array(pin)
    .max(MAX_TOOLS)
    .default([])
    .describe('Accepted definitions. A tool that is named here may have these and no other.'),
});

export const gatewayTools = withRules(members, [
  {
    cel: "!has(self.integrity) || self.integrity != 'Off' || !has(self.pins) || size(self.pins) == 0",
    message: 'must have no pins with integrity Off, which looks at none',
    holds: ({ integrity, pins }) => integrity !== 'Off' || pins.length === 0,
  },
]);

/** What the operator remembers of a gateway's tools, in status or in its state directory. */
export const knownTool = z.object({
  name: line(MAX_TOOL_NAME),
  digest: toolDigest.describe('Of the definition that was seen first.'),
  seen: toolDigest.optional().describe('Of the definition that was seen last, where it is another one.'),
});
export const knownTools = z.array(knownTool).max(MAX_TOOLS);

export type KnownTool = z.output<typeof knownTool>;

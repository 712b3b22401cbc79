/** spec.tools and what was seen of a gateway's tools → what proxies hold by, and what a person should know. */
import type { Bundle, ToolPin } from '#bundle';
import type { McpGateway } from '#crds';
import type { KnownTool } from '../../crds/gateway-tools.ts';
import { lastSeen } from '../tools/known.ts';
import { titleOf } from './conditions.ts';
import { revisionOf } from './revision.ts';

export function compileFirstSeen(gateway: McpGateway, known: readonly KnownTool[]): Bundle['firstSeen'] {
  const counts = gateway.spec.tools.integrity === 'FirstUse';
  const pins = counts ? known.map(({ name, digest }) => ({ name, digest })) : [];
  return { revision: pins.length === 0 ? '' : revisionOf(pins), pins };
}

/** More than these are counted, not named. */
const MAX_NAMED = 16;

/** Tools whose last definition nobody has accepted, a sentence each that says how to. */
export function warningsOfTools(gateway: McpGateway, known: readonly KnownTool[]): string[] {
  const { integrity, pins } = gateway.spec.tools;
  if (integrity === 'Off') return [];
  const title = titleOf(gateway);
  const changed = known.filter((tool) => !acceptedOf(tool, pins, integrity).includes(lastSeen(tool)));
  const sentences = changed.slice(0, MAX_NAMED).map((tool) => {
    const name = JSON.stringify(tool.name);
    const why =
      pins.some((pin) => pin.name === tool.name) || integrity === 'FirstUse'
        ? 'has changed since it was accepted'
        : 'is not pinned';
    return `${title}: the tool ${name} ${why}, so it is hidden and refused; to accept it as it is now, add {name: ${name}, digest: "${lastSeen(tool)}"} to spec.tools.pins.`;
  });
  const more = changed.length - sentences.length;
  return more > 0
    ? [...sentences, `${title}: ${more} more tools are hidden and refused for the same reason.`]
    : sentences;
}

function acceptedOf(
  tool: KnownTool,
  pins: readonly ToolPin[],
  integrity: 'FirstUse' | 'Pinned',
): readonly string[] {
  const pinned = pins.filter(({ name }) => name === tool.name).map(({ digest }) => digest);
  if (pinned.length > 0 || integrity === 'Pinned') return pinned;
  return [tool.digest];
}

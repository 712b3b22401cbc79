/** What is remembered of the tools of gateways. Pure, but for the two who keep it. */
import type { ToolPin } from '../../crds/bundle.ts';
import { MAX_TOOLS, type KnownTool } from '../../crds/gateway-tools.ts';

/** Where the tools of gateways are kept: in the status of the gateway, or in a file of a standalone installation. */
export interface ToolMemory {
  /** Of a gateway (`namespace/name`), as they are known now. */
  of(gateway: string): readonly KnownTool[];
  /** Takes in what a proxy saw; durable when it returns. True where something was new. */
  note(gateway: string, seen: readonly ToolPin[]): Promise<boolean>;
}

/** The first definition of a tool stays; a later one is noted beside it. The very same array where nothing is new. */
export function withSeen(known: readonly KnownTool[], seen: readonly ToolPin[]): readonly KnownTool[] {
  const byName = new Map(known.map((tool) => [tool.name, tool]));
  let isNew = false;
  for (const { name, digest } of seen) {
    const before = byName.get(name);
    if (before === undefined && byName.size >= MAX_TOOLS) continue;
    if (before !== undefined && lastSeen(before) === digest) continue;
    isNew = true;
    byName.set(name, nextOf(before, { name, digest }));
  }
  return isNew ? [...byName.values()] : known;
}

function nextOf(before: KnownTool | undefined, { name, digest }: ToolPin): KnownTool {
  if (before === undefined || before.digest === digest) return { name, digest };
  return { name, digest: before.digest, seen: digest };
}

export function lastSeen({ digest, seen }: KnownTool): string {
  return seen ?? digest;
}

/** Tools of a cluster's gateways: in their status, which only the operator may write, by compare-and-swap. */
import { z } from 'zod';
import { knownTools, type KnownTool } from '../../crds/gateway-tools.ts';
import { GatehouseError } from '../../lib/errors.ts';
import type { KubeClient } from '../source/kubernetes/client.ts';
import { isRefused } from '../source/kubernetes/errors.ts';
import { pathOf } from '../source/kubernetes/resource.ts';
import { POLICY_RESOURCES } from '../source/kubernetes/resources.ts';
import { withSeen, type ToolMemory } from './known.ts';

export class ToolsContended extends GatehouseError {
  readonly code = 'tools_contended';
}

export interface StatusToolMemory extends ToolMemory {
  /** Takes up what is kept, as a watch tells it: the status of each gateway by its key. */
  observe(statuses: Iterable<readonly [gateway: string, status: unknown]>): void;
}

const MAX_RACES = 10;

const withTools = z.looseObject({ tools: knownTools.default([]) });
const gatewayObject = z.looseObject({
  metadata: z.looseObject({ resourceVersion: z.string() }),
  status: z.unknown().optional(),
});

export function createStatusToolMemory(client: Pick<KubeClient, 'request'>): StatusToolMemory {
  let kept: ReadonlyMap<string, readonly KnownTool[]> = new Map();

  const attempt = async (gateway: string, seen: Parameters<ToolMemory['note']>[1]): Promise<boolean> => {
    const [namespace = '', name = ''] = gateway.split('/');
    const where = { namespace, name };
    const found = gatewayObject.parse(
      await client.request({ method: 'GET', path: pathOf(POLICY_RESOURCES.McpGateway, where) }),
    );
    const known = toolsIn(found.status);
    const tools = withSeen(known, seen);
    if (tools === known) return false;
    await client.request({
      method: 'PATCH',
      patch: 'merge',
      path: pathOf(POLICY_RESOURCES.McpGateway, { ...where, subresource: 'status' }),
      // Named, so that whoever was first has not written in vain.
      body: { metadata: { resourceVersion: found.metadata.resourceVersion }, status: { tools } },
    });
    return true;
  };

  return {
    of: (gateway) => kept.get(gateway) ?? [],
    observe: (statuses) => {
      kept = new Map([...statuses].map(([gateway, status]) => [gateway, toolsIn(status)]));
    },
    note: async (gateway, seen) => {
      for (let race = 0; race < MAX_RACES; race += 1) {
        try {
          return await attempt(gateway, seen);
        } catch (error) {
          // Gone meanwhile: it has no tools.
          if (isRefused(error, 404)) return false;
          if (!isRefused(error, 409)) throw error;
        }
      }
      throw new ToolsContended(`The status of McpGateway ${gateway} is being changed by too many at once.`);
    },
  };
}

function toolsIn(status: unknown): readonly KnownTool[] {
  return withTools.safeParse(status ?? {}).data?.tools ?? [];
}

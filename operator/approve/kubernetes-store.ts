/** ApprovalRequests in the API server: a watch for reading, compare-and-swap by resourceVersion for writing. */
import { isDeepStrictEqual } from 'node:util';
import { z } from 'zod';
import { approvalRequestSpec, approvalRequestStatus } from '../../crds/approval-request.ts';
import { API_VERSION } from '../../crds/index.ts';
import type { Clock } from '../../lib/clock.ts';
import type { Logger } from '../../lib/log.ts';
import type { KubeClient } from '../source/kubernetes/client.ts';
import { isRefused } from '../source/kubernetes/errors.ts';
import { listAll } from '../source/kubernetes/list.ts';
import { startReflector } from '../source/kubernetes/reflector.ts';
import { namespacedMeta, pathOf, type Resource } from '../source/kubernetes/resource.ts';
import type { ApprovalRequest } from './object.ts';
import type { ApprovalStore } from './store.ts';

/** What was just created has no status yet, and is as if it waited. */
const stored = z.object({
  metadata: namespacedMeta,
  spec: approvalRequestSpec,
  status: approvalRequestStatus.loose().optional(),
});
type Stored = z.output<typeof stored>;

export const APPROVAL_REQUESTS: Resource<Stored> = {
  apiVersion: API_VERSION,
  plural: 'approvalrequests',
  schema: stored,
};

export interface KubernetesStore extends ApprovalStore {
  hasSynced(): boolean;
  stop(): Promise<void>;
}

interface StoreDeps {
  readonly client: KubeClient;
  readonly clock: Clock;
  readonly log: Logger;
  readonly random: () => number;
}

const WRITER = 'gatehouse';
const LIST_TIMEOUT_MS = 10_000;

/** Ids are names that are unlike in the whole cluster, so they are found without their namespace. */
export function openKubernetesStore(deps: StoreDeps): KubernetesStore {
  const { client } = deps;
  const kept = new Map<string, ApprovalRequest>();
  const listeners = new Set<(request: ApprovalRequest) => void>();

  /** Own writes come back by the watch, perhaps after later ones: the newest version holds. */
  const keep = (request: ApprovalRequest): ApprovalRequest => {
    const before = kept.get(request.metadata.name);
    if (before !== undefined && !isNewer(request, before)) return before;
    kept.set(request.metadata.name, request);
    for (const listener of listeners) listener(request);
    return request;
  };
  const reflector = startReflector(
    {
      resource: APPROVAL_REQUESTS,
      onChange: ({ type, object }) => {
        if (type === 'deleted') kept.delete(object.metadata.name);
        else keep(requestOf(object));
      },
    },
    deps,
  );

  /** Another replica may have created or changed it a moment ago. */
  const look = async (id: string): Promise<ApprovalRequest | undefined> => {
    const { items } = await listAll(client, {
      path: pathOf(APPROVAL_REQUESTS),
      query: { fieldSelector: `metadata.name=${id}` },
      signal: AbortSignal.timeout(LIST_TIMEOUT_MS),
    });
    const [found] = items.map((item) => stored.parse(item));
    return found === undefined ? undefined : keep(requestOf(found));
  };
  const put = async (request: ApprovalRequest, subresource?: string): Promise<ApprovalRequest> => {
    const { namespace, name } = request.metadata;
    const path = pathOf(APPROVAL_REQUESTS, { namespace, name, ...(subresource && { subresource }) });
    const answer = await client.request({
      method: 'PUT',
      path,
      query: { fieldManager: WRITER },
      body: request,
    });
    return keep(readStored(answer));
  };

  /** Spec and status are two writes; the second names the version that the first made. */
  const write = async (request: ApprovalRequest): Promise<ApprovalRequest> => {
    const before = kept.get(request.metadata.name);
    const isDecided = !isDeepStrictEqual(before?.spec, request.spec);
    const base = isDecided ? await put(request) : request;
    if (isDeepStrictEqual((isDecided ? base : before)?.status, request.status)) return base;
    return put({ ...request, metadata: base.metadata }, 'status');
  };

  return {
    hasSynced: () => reflector.hasSynced(),
    stop: () => reflector.stop(),
    get: async (id) => (isName(id) ? (kept.get(id) ?? (await look(id))) : undefined),
    latest: async (id) => (isName(id) ? look(id) : undefined),
    list: () => Promise.resolve([...kept.values()]),
    create: async (request) => {
      const { namespace, name } = request.metadata;
      const answer = await client.request({
        method: 'POST',
        path: pathOf(APPROVAL_REQUESTS, { namespace }),
        query: { fieldManager: WRITER },
        body: { ...request, metadata: { namespace, name } },
      });
      const created = keep(readStored(answer));
      // A status is written apart from the rest, and a request without one waits as well: kubectl shows it so.
      return put({ ...created, status: request.status }, 'status').catch(() => created);
    },
    update: async (request) => {
      try {
        return await write(request);
      } catch (error) {
        if (!isRefused(error, 409) && !isRefused(error, 404)) throw error;
        // What was kept is old; the next step begins from what is there, if anything is.
        kept.delete(request.metadata.name);
        if (isRefused(error, 409)) await look(request.metadata.name);
        return undefined;
      }
    },
    remove: async (id) => {
      const request = kept.get(id);
      if (request === undefined) return;
      const { namespace, name, resourceVersion } = request.metadata;
      try {
        const body = { preconditions: { resourceVersion } };
        await client.request({
          method: 'DELETE',
          path: pathOf(APPROVAL_REQUESTS, { namespace, name }),
          body,
        });
      } catch (error) {
        if (!isRefused(error, 404) && !isRefused(error, 409)) throw error;
      }
      kept.delete(id);
    },
    watch: (listener) => {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
  };
}

/** What an answer of the API server says of a request; throws where it has no form that can be read. */
export function readStored(value: unknown): ApprovalRequest {
  return requestOf(stored.parse(value));
}

function requestOf({ metadata, spec, status }: Stored): ApprovalRequest {
  const { name, namespace, resourceVersion, creationTimestamp } = metadata;
  return {
    apiVersion: API_VERSION,
    kind: 'ApprovalRequest',
    metadata: { name, namespace, resourceVersion, creationTimestamp },
    spec,
    status: {
      ...status,
      phase: status?.phase ?? 'Pending',
      lastTransitionTime: status?.lastTransitionTime ?? creationTimestamp,
    },
  };
}

/** Versions of one object can be compared as numbers: KEP-5504, and every API server before it. */
function isNewer(one: ApprovalRequest, other: ApprovalRequest): boolean {
  return BigInt(one.metadata.resourceVersion) > BigInt(other.metadata.resourceVersion);
}

function isName(id: string): boolean {
  return /^[a-z0-9][a-z0-9.-]{0,252}$/.test(id);
}

/** The approvals of a cluster, for a person with a kubeconfig: read and decided as objects, under their own name. */
import { z } from 'zod';
import { APPROVAL_REQUESTS, readStored } from '../../operator/approve/kubernetes-store.ts';
import { openKubeClient, type KubeClient } from '../../operator/source/kubernetes/client.ts';
import { isRefused } from '../../operator/source/kubernetes/errors.ts';
import { listAll } from '../../operator/source/kubernetes/list.ts';
import { pathOf } from '../../operator/source/kubernetes/resource.ts';
import { ApprovalsRefused, type ApprovalRequest, type ApprovalsClient } from './client.ts';

export { KubeConfigError } from '../../operator/source/kubernetes/errors.ts';

const TIMEOUT_MS = 15_000;
/** The operator draws the conclusion from a decision; usually within milliseconds. */
const SETTLES_WITHIN_MS = 5_000;
const LOOK_MS = 100;
const MOST_RACES = 5;

const selfReview = z.object({ status: z.object({ userInfo: z.object({ username: z.string().min(1) }) }) });

export interface Kubeconfig {
  readonly file: string | undefined;
  readonly context: string | undefined;
  /** Only this namespace; without it every one. */
  readonly namespace: string | undefined;
}

export interface KubernetesApprovals extends ApprovalsClient {
  close(): Promise<void>;
}

/** Throws KubeConfigError where there is no kubeconfig that can be used. */
export function openKubernetesApprovals({ namespace, ...kubeconfig }: Kubeconfig): KubernetesApprovals {
  const client = openKubeClient({ from: 'kubeconfig', ...kubeconfig });
  return { ...kubernetesApprovals(client, namespace), close: () => client.close() };
}

function kubernetesApprovals(client: KubeClient, namespace: string | undefined): ApprovalsClient {
  const list = async (fieldSelector?: string): Promise<ApprovalRequest[]> => {
    const listed = await listAll(client, {
      path: pathOf(APPROVAL_REQUESTS, { namespace }),
      query: { fieldSelector },
      signal: AbortSignal.timeout(TIMEOUT_MS),
    });
    return listed.items.map(readStored);
  };
  const get = async (id: string): Promise<ApprovalRequest> => {
    const [found] = await list(`metadata.name=${id}`);
    if (found === undefined) throw new ApprovalsRefused('not_found', 'There is no such approval.');
    return found;
  };
  return {
    list: async () => (await list()).sort((one, other) => ageOf(one) - ageOf(other)),
    get,
    decide: async (id, verdict, comment) => {
      const by = await whoAmI(client);
      const decision = {
        ...{ by, verdict, via: 'kubectl', at: new Date().toISOString() },
        ...(comment !== undefined && { comment }),
      };
      for (let race = 1; ; race += 1) {
        const request = await get(id);
        checkDecidable(request);
        try {
          await append(client, request, decision);
          break;
        } catch (error) {
          // The operator writes too, as what channels were told; then the decision is made on what is there now.
          const { resourceVersion } = (await get(id)).metadata;
          if (race >= MOST_RACES || resourceVersion === request.metadata.resourceVersion) throw error;
        }
      }
      return settledSoon(() => get(id));
    },
  };
}

function ageOf({ metadata }: ApprovalRequest): number {
  return -Date.parse(metadata.creationTimestamp);
}

function checkDecidable({ metadata, spec, status }: ApprovalRequest): void {
  if (status.phase !== 'Pending') {
    throw new ApprovalsRefused(
      'already_decided',
      `The approval ${metadata.name} is ${status.phase} already.`,
    );
  }
  if (spec.requester.kubernetesUsername === undefined) {
    throw new ApprovalsRefused(
      'not_mapped',
      `Nobody can tell whether you are ${spec.requester.username}, who made this call: the installation has no approvers.usernames for ${spec.requester.issuer}. Decide with --admin and --token.`,
    );
  }
}

/** The test holds for the version that was read, so that nothing is decided that has changed meanwhile. */
async function append(client: KubeClient, request: ApprovalRequest, decision: object): Promise<void> {
  const { namespace, name, resourceVersion } = request.metadata;
  try {
    await client.request({
      method: 'PATCH',
      patch: 'json',
      path: pathOf(APPROVAL_REQUESTS, { namespace, name }),
      body: [
        { op: 'test', path: '/metadata/resourceVersion', value: resourceVersion },
        { op: 'add', path: '/spec/decisions/-', value: decision },
      ],
    });
  } catch (error) {
    if (!isRefused(error, 422) && !isRefused(error, 409)) throw error;
    const message = error instanceof Error ? error.message : '';
    throw new ApprovalsRefused('refused', `The API server refused the decision: ${message}`, {
      cause: error,
    });
  }
}

async function whoAmI(client: KubeClient): Promise<string> {
  const answer = await client.request({
    method: 'POST',
    path: '/apis/authentication.k8s.io/v1/selfsubjectreviews',
    body: { apiVersion: 'authentication.k8s.io/v1', kind: 'SelfSubjectReview' },
  });
  return selfReview.parse(answer).status.userInfo.username;
}

async function settledSoon(look: () => Promise<ApprovalRequest>): Promise<ApprovalRequest> {
  const end = performance.now() + SETTLES_WITHIN_MS;
  for (;;) {
    const request = await look();
    if (request.status.phase !== 'Pending' || performance.now() > end) return request;
    await new Promise((resolve) => setTimeout(resolve, LOOK_MS));
  }
}

/** Tokens that the API server vouches for: which pod shows it, and for which audience it was made. */
import { createHash } from 'node:crypto';
import { z } from 'zod';
import { CONTROL_AUDIENCE } from '../../crds/audiences.ts';
import type { KubeClient } from '../source/kubernetes/client.ts';

/** A pod by a token that names it. */
export interface ReviewedPod {
  readonly namespace: string;
  readonly name: string;
  readonly uid: string;
}

/** `undefined` for a token that proves no pod. Throws where the API server does not answer. */
export type ReviewToken = (token: string) => Promise<ReviewedPod | undefined>;

/** A token that was good a moment ago is good now; a pod that is gone is found out by its UID, not here. */
const BELIEVED_MS = 60_000;
/** So that a token which is no good is not asked about with every attempt. */
const REFUSED_MS = 10_000;
const CACHED = 4096;

const review = z.object({
  status: z.object({
    authenticated: z.boolean().default(false),
    audiences: z.array(z.string()).default([]),
    user: z
      .object({
        username: z.string().default(''),
        extra: z.record(z.string(), z.array(z.string())).default({}),
      })
      .prefault({}),
  }),
});

export function createTokenReview(deps: {
  client: Pick<KubeClient, 'request'>;
  now: () => number;
}): ReviewToken {
  // By digest: what is remembered must not be worth stealing.
  const known = new Map<string, { readonly pod: ReviewedPod | undefined; readonly until: number }>();
  return async (token) => {
    const key = createHash('sha256').update(token).digest('base64');
    const entry = known.get(key);
    if (entry !== undefined && deps.now() < entry.until) return entry.pod;
    const pod = podIn(
      await deps.client.request({
        method: 'POST',
        path: '/apis/authentication.k8s.io/v1/tokenreviews',
        body: {
          apiVersion: 'authentication.k8s.io/v1',
          kind: 'TokenReview',
          spec: { token, audiences: [CONTROL_AUDIENCE] },
        },
      }),
    );
    known.delete(key);
    known.set(key, { pod, until: deps.now() + (pod === undefined ? REFUSED_MS : BELIEVED_MS) });
    const oldest = known.keys().next();
    if (known.size > CACHED && oldest.done !== true) known.delete(oldest.value);
    return pod;
  };
}

function podIn(answer: unknown): ReviewedPod | undefined {
  const { status } = review.parse(answer);
  // A server that knows no audiences leaves them out, and would take any token of the cluster.
  if (!status.authenticated || !status.audiences.includes(CONTROL_AUDIENCE)) return undefined;
  const [, namespace] = /^system:serviceaccount:([^:]+):[^:]+$/.exec(status.user.username) ?? [];
  const name = only(status.user.extra['authentication.kubernetes.io/pod-name']);
  const uid = only(status.user.extra['authentication.kubernetes.io/pod-uid']);
  if (namespace === undefined || name === undefined || uid === undefined) return undefined;
  return { namespace, name, uid };
}

function only(values: readonly string[] | undefined): string | undefined {
  return values?.length === 1 ? values[0] : undefined;
}

/** Who may write in a cluster: sidecars, by the token of the control audience that the API server vouches for. */
import { createTokenReview } from '../publish/token-review.ts';
import type { KubeClient } from '../source/kubernetes/client.ts';
import type { FindWriter } from './writers.ts';

/** A writer is called by its pod, `namespace/name`. Rejects while the API server does not answer: nobody is let in. */
export function reviewedWriters(client: Pick<KubeClient, 'request'>, now: () => number): FindWriter {
  const review = createTokenReview({ client, now });
  return async (token) => {
    const pod = await review(token);
    return pod === undefined ? undefined : `${pod.namespace}/${pod.name}`;
  };
}

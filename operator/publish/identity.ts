/** Who asks on the control API. In a cluster TokenReview says so; here it is the holder of a token we gave out. */
import { createHash, timingSafeEqual } from 'node:crypto';

export interface PodIdentity {
  /** Names the proxy in logs and status. */
  readonly name: string;
  /** The gateways it serves, asked anew each time; it reaches nothing of any other. */
  readonly gateways: 'all' | Pick<ReadonlySet<string>, 'has'>;
  /** Whether it is not known yet what it serves: then it is told nothing, which is something else than no gateway. */
  readonly isPending?: () => boolean;
}

export interface TokenReviewer {
  /** `undefined` for a token that proves nothing. */
  review(token: string): Promise<PodIdentity | undefined>;
}

export function serves(identity: PodIdentity, gateway: string): boolean {
  return identity.gateways === 'all' || identity.gateways.has(gateway);
}

/** Knows a fixed set of tokens by their SHA-256, so that it holds nothing worth stealing. */
export function fixedTokens(known: readonly { sha256: string; identity: PodIdentity }[]): TokenReviewer {
  const entries = known.map(({ sha256, identity }) => ({ digest: Buffer.from(sha256, 'hex'), identity }));
  return {
    review: (token) => {
      const digest = createHash('sha256').update(token).digest();
      return Promise.resolve(entries.find((entry) => timingSafeEqual(entry.digest, digest))?.identity);
    },
  };
}

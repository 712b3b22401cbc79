/** How many leases one gateway may hold and make, so that no flood of sessions becomes a flood of leases. */
import type { Clock } from '../../../lib/clock.ts';
import { RateLimit } from '../../lib/rate-limit.ts';

export interface LeaseLimits {
  /** Leases held at once, those that are being made included. */
  readonly held: number;
  readonly mintsPerMinute: number;
  /** Requests for leases that are under way at once. */
  readonly atOnce: number;
}

/** Of a lender that is told nothing else: what a gateway says by default, for Vault and the upstream to bear. */
export const LEASE_LIMITS: LeaseLimits = { held: 500, mintsPerMinute: 300, atOnce: 8 };

export class Caps {
  /** Those in force: a policy may change them. */
  readonly #limits: () => LeaseLimits;
  readonly #rate: RateLimit;
  readonly #waiting: (() => void)[] = [];
  #minting = 0;
  #running = 0;

  constructor(limits: () => LeaseLimits, clock: Clock) {
    this.#limits = limits;
    this.#rate = new RateLimit(() => clock.now());
  }

  /** Why no lease may be made now, as the end of a sentence; undefined when one may. `held`: those there are. */
  refusal(held: number): string | undefined {
    const { held: most, mintsPerMinute } = this.#limits();
    if (held + this.#minting >= most)
      return `this gateway holds as many leases as it may (${most}); try again when sessions have ended`;
    const wait = this.#rate.take('', mintsPerMinute);
    if (wait > 0)
      return `this gateway made as many leases in a minute as it may (${mintsPerMinute}); try again in ${wait} s`;
    return undefined;
  }

  /** Runs `mint` when its turn has come. */
  async run<T>(mint: () => Promise<T>): Promise<T> {
    this.#minting += 1;
    try {
      if (this.#running >= this.#limits().atOnce)
        await new Promise<void>((resolve) => this.#waiting.push(resolve));
      else this.#running += 1;
      return await mint();
    } finally {
      this.#minting -= 1;
      const next = this.#waiting.shift();
      // The turn goes on to whoever waits.
      if (next === undefined) this.#running -= 1;
      else next();
    }
  }
}

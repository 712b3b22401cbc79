/** Keeps the gateways as the operator says, and as it last said where a start finds it away. */
import type { Bundle } from '#bundle';
import type { BundleSet } from '#control';
import { sentenceOf } from '../lib/errors.ts';
import type { Logger } from '../lib/log.ts';
import { followBundles } from './control/bundles.ts';
import type { ControlClient } from './control/client.ts';
import type { LastBundles } from './control/last-bundles.ts';
import type { Roots } from './control/roots.ts';
import type { Gateways } from './gateways.ts';

export interface Following {
  readonly client: ControlClient;
  readonly gateways: Pick<Gateways, 'apply'>;
  readonly last: LastBundles;
  readonly roots: Pick<Roots, 'take'>;
  readonly log: Logger;
  /** Aborted when the process is told to end. */
  readonly stop: AbortSignal;
  /** Called once, with the first policies in force. */
  readonly onReady: () => void;
  /** How long a start waits for the operator before it goes by what it last said, milliseconds. */
  readonly patienceMs?: number;
}

/** What is new comes before what is kept; an operator that is there answers well within this. */
const PATIENCE_MS = 2_000;

/** Returns when the process is told to end. */
export async function follow(following: Following): Promise<void> {
  const { client, log, stop } = following;
  const feed = new Feed(following);
  const fallback = setTimeout(() => void feed.recall(), following.patienceMs ?? PATIENCE_MS);
  try {
    await followBundles({
      client,
      log,
      signal: stop,
      random: Math.random,
      onBundles: (set) => feed.take(set),
    });
  } finally {
    clearTimeout(fallback);
  }
}

class Feed {
  readonly #following: Following;
  #heard = false;
  #ready = false;
  /** One set after the other: a kept one that is being compiled does not overtake the operator's. */
  #queue: Promise<void> = Promise.resolve();

  constructor(following: Following) {
    this.#following = following;
  }

  /** What the operator says. */
  take({ bundles, roots }: BundleSet): Promise<void> {
    this.#heard = true;
    return this.#enqueue(async () => {
      // First: what comes after may need a new connection.
      if (roots !== undefined) await this.#trust(roots);
      await this.#apply(bundles);
      await this.#keep(bundles);
    });
  }

  /** What it said before this process started, unless it has spoken since. */
  async recall(): Promise<void> {
    const { last, log } = this.#following;
    const bundles = await last.load();
    if (bundles === undefined || this.#heard) return;
    log.warn(
      'the operator does not answer; the policies that were in force before this start are in force again',
    );
    await this.#enqueue(() => this.#apply(bundles));
  }

  #enqueue(step: () => Promise<void>): Promise<void> {
    this.#queue = this.#queue.then(step);
    return this.#queue;
  }

  async #apply(bundles: readonly Bundle[]): Promise<void> {
    const { client, gateways, log, onReady } = this.#following;
    const applied = await gateways.apply(bundles);
    for (const body of applied) {
      await client
        .tell({ method: 'POST', path: '/v1/applied', body })
        .catch((error: unknown) =>
          log.warn({ reason: sentenceOf(error) }, 'the operator was not told what is in force'),
        );
    }
    if (this.#ready) return;
    this.#ready = true;
    onReady();
  }

  async #trust(pem: string): Promise<void> {
    try {
      await this.#following.roots.take(pem);
    } catch (error) {
      this.#following.log.error({ reason: sentenceOf(error) }, 'new roots could not be taken up');
    }
  }

  async #keep(bundles: readonly Bundle[]): Promise<void> {
    try {
      await this.#following.last.keep(bundles);
    } catch (error) {
      this.#following.log.warn(
        { reason: sentenceOf(error) },
        'a start without the operator will find no policies',
      );
    }
  }
}

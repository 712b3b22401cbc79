/** What was said of the values that the proxy holds, so that a worker that starts later can be told all of it. */

export interface KnownUpdate {
  readonly owner: string;
  readonly values: readonly string[];
  /** Milliseconds since the epoch. */
  readonly at: number;
}

/** Longer than values are matched that nobody holds any more. */
const KEEP_MS = 2 * 3_600_000;
const FORGET_EVERY_MS = 60_000;

export class KnownHistory {
  /** By owner, oldest first. Of those that were followed by another, only what may still be matched. */
  readonly #updates = new Map<string, readonly KnownUpdate[]>();
  #forgetAt = 0;

  add(update: KnownUpdate): void {
    this.#updates.set(update.owner, [...(this.#updates.get(update.owner) ?? []), update]);
    this.#keep(update.owner, update.at);
    this.#forget(update.at);
  }

  /** In the order in which it happened. */
  get all(): readonly KnownUpdate[] {
    return [...this.#updates.values()].flat().toSorted((a, b) => a.at - b.at);
  }

  /** There may be thousands of owners: they are gone through now and then. */
  #forget(now: number): void {
    if (now < this.#forgetAt) return;
    this.#forgetAt = now + FORGET_EVERY_MS;
    for (const owner of this.#updates.keys()) this.#keep(owner, now);
  }

  /** What an owner holds, and what it held until lately. */
  #keep(owner: string, now: number): void {
    const all = this.#updates.get(owner) ?? [];
    const kept = all.filter(({ values, at }, index) => {
      const until = index + 1 < all.length ? all[index + 1]?.at : values.length === 0 ? at : Infinity;
      return (until ?? Infinity) + KEEP_MS > now;
    });
    if (kept.length === 0) this.#updates.delete(owner);
    else this.#updates.set(owner, kept);
  }
}

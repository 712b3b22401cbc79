import { StreamMemory } from '../mask/index.ts';
import type { Tails } from './protocol.ts';

/** Places of a message that are told of; what a stream keeps in mind is bounded as well. */
const MAX_PLACES = 64;

/** What a stream brought, in a form that another thread can go on with. */
export class StreamTails extends StreamMemory {
  readonly #places = new Set<string>();

  override remember(place: string, text: string): void {
    super.remember(place, text);
    // The newest last, and none that the memory itself has let go of.
    this.#places.delete(place);
    this.#places.add(place);
    const [oldest] = this.#places;
    if (this.#places.size > MAX_PLACES && oldest !== undefined) this.#places.delete(oldest);
  }

  get tails(): Tails {
    return [...this.#places].map((place) => [place, this.tail(place)] as const);
  }

  take(tails: Tails): void {
    for (const [place, text] of tails) this.remember(place, text);
  }
}

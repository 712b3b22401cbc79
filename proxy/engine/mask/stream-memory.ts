import { Lru } from '../../../lib/lru.ts';

/** Nothing that is looked for over several texts is longer. */
const MAX_TAIL = 4096;
/** Places of texts that a stream may bring by turns. */
const MAX_PLACES = 64;

/** The ends of texts by place, the newest last. */
export type Tails = readonly (readonly [place: string, text: string])[];

/** The ends of the texts that a stream brought last, by the place in its messages where they stood. */
export class StreamMemory {
  readonly #tails = new Lru<string, string>(MAX_PLACES);

  tail(place: string): string {
    return this.#tails.get(place) ?? '';
  }

  /** `text` is everything that is known of the place, its newest at the end. */
  remember(place: string, text: string): void {
    this.#tails.set(place, text.slice(-MAX_TAIL));
  }

  /** All of it, for another thread to go on with. */
  get tails(): Tails {
    return [...this.#tails.entries()];
  }

  take(tails: Tails): void {
    for (const [place, text] of tails) this.remember(place, text);
  }
}

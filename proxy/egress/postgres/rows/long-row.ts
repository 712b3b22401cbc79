import { Budget } from '../../../engine/mask/budget.ts';
import type { KnownSecrets } from '../../../engine/mask/index.ts';

export type Known = Pick<KnownSecrets, 'mayHold' | 'longest' | 'find' | 'isEmpty'>;

const STAR = 0x2a;

/**
 * Looks through rows that are too long to be kept for values that the proxy holds. They are overwritten in place, since
 * the length of the row has left already; as many bytes as a value may have are held back, for one that goes on.
 */
export class LongRow {
  readonly #known: Known;
  #held: Buffer = Buffer.alloc(0);

  constructor(known: Known) {
    this.#known = known;
  }

  /** What may leave by now of the bytes so far. */
  take(part: Buffer, isLast: boolean): Buffer {
    const bytes = this.#held.length === 0 ? part : Buffer.concat([this.#held, part]);
    overwriteKnown(bytes, this.#known);
    const keep = isLast ? 0 : Math.min(this.#known.longest, bytes.length);
    // A copy: what it is a part of is the memory of a whole read.
    this.#held = Buffer.from(bytes.subarray(bytes.length - keep));
    return bytes.subarray(0, bytes.length - keep);
  }
}

/** Puts asterisks in the place of values that the proxy holds. */
export function overwriteKnown(bytes: Buffer, known: Known): void {
  if (known.isEmpty || !known.mayHold(bytes)) return;
  for (const { start, end } of known.find(bytes.toString('latin1'), new Budget(Infinity)))
    bytes.fill(STAR, start, end);
}

/** The Merkle tree of RFC 6962, section 2.1, grown leaf by leaf in logarithmic memory. */
import { createHash } from 'node:crypto';

const LEAF = Buffer.from([0]);
const NODE = Buffer.from([1]);

export function leafHash(data: Uint8Array): Buffer {
  return createHash('sha256').update(LEAF).update(data).digest();
}

export function nodeHash(left: Uint8Array, right: Uint8Array): Buffer {
  return createHash('sha256').update(NODE).update(left).update(right).digest();
}

/** A perfect subtree: `size` is a power of two. */
export interface Subtree {
  readonly size: number;
  readonly hash: Buffer;
}

/** The perfect subtrees of a tree, largest first: one for each bit of its size. */
export class CompactRange {
  readonly #subtrees: Subtree[];
  #size: number;

  constructor(subtrees: readonly Subtree[] = []) {
    this.#subtrees = [...subtrees];
    this.#size = subtrees.reduce((sum, { size }) => sum + size, 0);
  }

  /** The tree of `size` leaves from the hashes of its subtrees, or undefined when their number does not fit. */
  static from(size: number, hashes: readonly Buffer[]): CompactRange | undefined {
    const sizes = subtreeSizes(size);
    if (sizes.length !== hashes.length) return undefined;
    return new CompactRange(sizes.flatMap((of, i) => ({ size: of, hash: hashes[i] ?? Buffer.alloc(0) })));
  }

  get size(): number {
    return this.#size;
  }

  get subtrees(): readonly Subtree[] {
    return this.#subtrees;
  }

  clone(): CompactRange {
    return new CompactRange(this.#subtrees);
  }

  append(leaf: Buffer): void {
    let right: Subtree = { size: 1, hash: leaf };
    for (let left = this.#subtrees.at(-1); left?.size === right.size; left = this.#subtrees.at(-1)) {
      this.#subtrees.pop();
      right = { size: left.size + right.size, hash: nodeHash(left.hash, right.hash) };
    }
    this.#subtrees.push(right);
    this.#size += 1;
  }

  /** The Merkle tree hash; of no leaves, the hash of nothing. */
  root(): Buffer {
    const last = this.#subtrees.at(-1);
    if (last === undefined) return createHash('sha256').digest();
    return this.#subtrees.slice(0, -1).reduceRight((right, left) => nodeHash(left.hash, right), last.hash);
  }
}

/** Powers of two that add up to `size`, largest first. Sizes go beyond 32 bits, so no bit operators. */
function subtreeSizes(size: number): number[] {
  const sizes: number[] = [];
  for (let power = 2 ** 52, rest = size; rest > 0; power /= 2) {
    if (power > rest) continue;
    sizes.push(power);
    rest -= power;
  }
  return sizes;
}

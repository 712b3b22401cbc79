/** Proofs that an entry is in a log: audit paths of RFC 6962, section 2.1.1. */
import { nodeHash, type Subtree } from '../../operator/record/merkle.ts';

/** A node above a tracked leaf; its sibling and parent are known once the tree has grown over it. */
interface Tracked {
  sibling?: Buffer;
  parent?: Tracked;
}

interface TrackedSubtree extends Subtree {
  readonly tracked: Tracked | undefined;
}

/** Grows a tree and remembers the audit paths of chosen leaves. Paths share their nodes, so many cost little. */
export class ProofTree {
  readonly #subtrees: TrackedSubtree[];
  readonly #leaves: Tracked[] = [];

  constructor(start: readonly Subtree[]) {
    this.#subtrees = start.map((subtree) => ({ ...subtree, tracked: undefined }));
  }

  append(leaf: Buffer, track: boolean): void {
    const tracked: Tracked | undefined = track ? {} : undefined;
    if (tracked !== undefined) this.#leaves.push(tracked);
    let right: TrackedSubtree = { size: 1, hash: leaf, tracked };
    for (let left = this.#subtrees.at(-1); left?.size === right.size; left = this.#subtrees.at(-1)) {
      this.#subtrees.pop();
      right = join(left, right);
    }
    this.#subtrees.push(right);
  }

  /** Ends the growth: the root (undefined of no leaves), and the audit paths of the tracked leaves in their order. */
  finish(): { root: Buffer | undefined; paths: Buffer[][] } {
    const [last, ...lefts] = this.#subtrees.toReversed();
    const top = lefts.reduce<TrackedSubtree | undefined>((right, left) => right && join(left, right), last);
    return { root: top?.hash, paths: this.#leaves.map(pathFrom) };
  }
}

function join(left: TrackedSubtree, right: TrackedSubtree): TrackedSubtree {
  const tracked: Tracked | undefined = (left.tracked ?? right.tracked) ? {} : undefined;
  climb(left.tracked, right.hash, tracked);
  climb(right.tracked, left.hash, tracked);
  return { size: left.size + right.size, hash: nodeHash(left.hash, right.hash), tracked };
}

function climb(node: Tracked | undefined, sibling: Buffer, parent: Tracked | undefined): void {
  if (node === undefined || parent === undefined) return;
  node.sibling = sibling;
  node.parent = parent;
}

function pathFrom(leaf: Tracked): Buffer[] {
  const path: Buffer[] = [];
  for (let node: Tracked | undefined = leaf; node?.sibling !== undefined; node = node.parent)
    path.push(node.sibling);
  return path;
}

/** The root that a leaf and its audit path lead to (RFC 9162, section 2.1.3.2), or undefined when they do not fit. */
export function rootFromPath(
  leaf: Buffer,
  at: { index: number; size: number },
  path: readonly Buffer[],
): Buffer | undefined {
  let index = at.index;
  let last = at.size - 1;
  if (index > last) return undefined;
  let hash = leaf;
  for (const sibling of path) {
    if (last === 0) return undefined;
    if (index % 2 === 1 || index === last) {
      hash = nodeHash(sibling, hash);
      while (index % 2 === 0 && index !== 0) {
        index = index / 2;
        last = Math.floor(last / 2);
      }
    } else {
      hash = nodeHash(hash, sibling);
    }
    index = Math.floor(index / 2);
    last = Math.floor(last / 2);
  }
  return last === 0 ? hash : undefined;
}

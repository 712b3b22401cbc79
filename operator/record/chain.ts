/** Does a batch continue its stream? Decided before anything is written. */
import { FIRST_PREV } from '../../crds/control.ts';

/** What the log holds of a stream. */
export interface StreamHead {
  /** Whose stream it is: who delivered its first line. */
  readonly from: string;
  /** Sequence number that comes next. */
  readonly next: number;
  /** Hash of the last line. */
  readonly head: string;
}

/** A line of a batch, read and hashed. */
export interface ChainedLine {
  readonly seq: number;
  readonly prev: string;
  readonly hash: string;
  /** Without the newline. */
  readonly bytes: Buffer;
}

export interface LineBatch {
  readonly stream: string;
  readonly from: string;
  /** At least one. */
  readonly lines: readonly ChainedLine[];
}

export type Verdict =
  /** `fresh` is what is not stored yet; it is empty for a batch that was delivered before. */
  | { readonly kind: 'accept'; readonly fresh: readonly ChainedLine[]; readonly head: StreamHead }
  | { readonly kind: 'out_of_sequence'; readonly expected: number; readonly message: string }
  | { readonly kind: 'chain_broken'; readonly expected: number; readonly message: string };

/**
 * Judges a batch against the stream as it is stored. Lines that are stored already are accepted again when the
 * batch reaches the stored head: every line is bound to the one before it, so equal heads mean equal lines.
 */
export function judgeBatch(batch: LineBatch, stored: StreamHead | undefined): Verdict {
  const head = stored ?? { from: batch.from, next: 0, head: FIRST_PREV };
  const { next } = head;
  const broken = (message: string): Verdict => ({ kind: 'chain_broken', expected: next, message });
  const flaw = innerFlaw(batch.lines);
  if (flaw !== undefined) return broken(flaw);
  if (head.from !== batch.from) return broken('The stream belongs to another writer.');

  const first = batch.lines[0];
  const last = batch.lines.at(-1);
  if (first === undefined || last === undefined || first.seq > next || last.seq + 1 < next) {
    return { kind: 'out_of_sequence', expected: next, message: `The stream goes on at ${next}.` };
  }
  const overlap = next - first.seq;
  if (hashBefore(batch.lines, overlap) !== head.head) {
    return broken(`Another line is stored as the one before ${next}.`);
  }
  return {
    kind: 'accept',
    fresh: batch.lines.slice(overlap),
    head: { from: head.from, next: last.seq + 1, head: last.hash },
  };
}

/** What the batch claims is the hash of the line before its line `index`. */
function hashBefore(lines: readonly ChainedLine[], index: number): string | undefined {
  return index === 0 ? lines[0]?.prev : lines[index - 1]?.hash;
}

function innerFlaw(lines: readonly ChainedLine[]): string | undefined {
  for (const [i, line] of lines.entries()) {
    const before = lines[i - 1];
    if (before === undefined) continue;
    if (line.seq !== before.seq + 1) return `Line ${before.seq} is followed by ${line.seq}.`;
    if (line.prev !== before.hash) return `Line ${line.seq} does not name the hash of the line before it.`;
  }
  return lines[0]?.seq === 0 && lines[0].prev !== FIRST_PREV ? 'Line 0 names a line before it.' : undefined;
}

/**
 * Finds many literals in one pass (Aho and Corasick 1975), as a dense table: one load a character.
 *
 * Characters are put into at most 64 classes, which keeps the table small: letters lose their case, `-` and `_`
 * fall together with `+` and `/` (so that one literal stands for base64 and base64url), and characters beyond
 * the first 63 share classes. A hit is therefore a candidate: the caller compares the text itself.
 */
const CLASS_BITS = 6;
const CLASSES = 1 << CLASS_BITS;

/**
 * Told where a literal may end: the offset behind it and its index among the literals. Says where to go on, where that is
 * further on.
 */
export type OnCandidate = (end: number, literal: number) => number | undefined;

export class AhoCorasick {
  readonly #classes = new Uint8Array(0x10000);
  /** Next state times CLASSES; complemented where a literal ends in that state. */
  readonly #next: Int32Array;
  /** Literals that end in a state, and the nearest shorter state (by suffix) where one ends. */
  #ends: (readonly number[] | undefined)[] = [];
  #shorter: Int32Array;

  constructor(literals: readonly string[]) {
    this.#classify(literals);
    const states = 1 + literals.reduce((sum, literal) => sum + literal.length, 0);
    const table = new Int32Array(states * CLASSES);
    const used = this.#grow(literals, table);
    this.#shorter = new Int32Array(used);
    this.#next = table.slice(0, used * CLASSES);
    this.#link(used);
  }

  /** Scans in time linear in the text and the number of candidates. */
  scan(text: string, onCandidate: OnCandidate): void {
    const run = { state: 0 };
    for (let end = this.#nextEnd(text, 0, run); end !== -1;) {
      const from = this.#report(run.state >> CLASS_BITS, end, onCandidate);
      if (from > end) run.state = 0;
      end = this.#nextEnd(text, from, run);
    }
  }

  /** Where the next literal ends, or -1. By itself, because calls make a loop over arrays slow. */
  #nextEnd(text: string, from: number, run: { state: number }): number {
    const next = this.#next;
    const classes = this.#classes;
    let state = run.state;
    for (let at = from; at < text.length; at += 1) {
      state = next[state + (classes[text.charCodeAt(at)] ?? 0)] ?? 0;
      if (state >= 0) continue;
      run.state = ~state;
      return at + 1;
    }
    return -1;
  }

  /** Where to go on. */
  #report(state: number, end: number, onCandidate: OnCandidate): number {
    let from = end;
    for (let at = state; at !== 0; at = this.#shorter[at] ?? 0) {
      for (const literal of this.#ends[at] ?? []) from = Math.max(from, onCandidate(end, literal) ?? end);
    }
    return from;
  }

  #classify(literals: readonly string[]): void {
    let count = 0;
    for (const literal of literals) {
      for (let at = 0; at < literal.length; at += 1) {
        const code = literal.charCodeAt(at);
        if (this.#classes[code] !== 0) continue;
        const shared = 1 + (count % (CLASSES - 1));
        for (const same of alike(code)) this.#classes[same] = shared;
        count += 1;
      }
    }
  }

  /** Builds the trie and says how many states it has. */
  #grow(literals: readonly string[], table: Int32Array): number {
    let used = 1;
    for (const [index, literal] of literals.entries()) {
      let state = 0;
      for (let at = 0; at < literal.length; at += 1) {
        const cell = state * CLASSES + (this.#classes[literal.charCodeAt(at)] ?? 0);
        if (table[cell] === 0) {
          table[cell] = used;
          used += 1;
        }
        state = table[cell] ?? 0;
      }
      if (state !== 0) this.#ends[state] = [...(this.#ends[state] ?? []), index];
    }
    return used;
  }

  /** Breadth first: a state's missing transitions are those of its longest proper suffix, which is done before it. */
  #link(used: number): void {
    const suffix = new Int32Array(used);
    const queue = new Int32Array(used);
    let queued = 1;
    for (let at = 0; at < queued; at += 1) queued = this.#linkState(queue[at] ?? 0, suffix, queue, queued);
    this.#arrange(queue);
  }

  /** Puts the children of a state into the queue; how many are in it then. */
  #linkState(state: number, suffix: Int32Array, queue: Int32Array, queued: number): number {
    const next = this.#next;
    const row = state * CLASSES;
    const suffixRow = (suffix[state] ?? 0) * CLASSES;
    let count = queued;
    for (let cls = 0; cls < CLASSES; cls += 1) {
      const child = next[row + cls] ?? 0;
      const viaSuffix = state === 0 ? 0 : (next[suffixRow + cls] ?? 0);
      if (child === 0) {
        next[row + cls] = viaSuffix;
        continue;
      }
      suffix[child] = viaSuffix;
      this.#shorter[child] = this.#endsAt(viaSuffix) ? viaSuffix : (this.#shorter[viaSuffix] ?? 0);
      queue[count] = child;
      count += 1;
    }
    return count;
  }

  /**
   * Numbers the states in that order: a text mostly moves between the first few, which then lie together. Counted by hand,
   * because there are many cells.
   */
  #arrange(order: Int32Array): void {
    const old = this.#next.slice();
    const rank = new Int32Array(order.length);
    const cells = new Int32Array(order.length);
    for (const [at, state] of order.entries()) {
      const reports = this.#endsAt(state) || this.#shorter[state] !== 0;
      rank[state] = at;
      cells[state] = reports ? ~(at * CLASSES) : at * CLASSES;
    }
    for (let at = 0; at < order.length; at += 1) {
      const row = (order[at] ?? 0) * CLASSES;
      for (let cls = 0; cls < CLASSES; cls += 1)
        this.#next[at * CLASSES + cls] = cells[old[row + cls] ?? 0] ?? 0;
    }
    const ends = this.#ends;
    const shorter = this.#shorter;
    this.#ends = Array.from(order, (state) => ends[state]);
    this.#shorter = Int32Array.from(order, (state) => rank[shorter[state] ?? 0] ?? 0);
  }

  #endsAt(state: number): boolean {
    return this.#ends[state] !== undefined;
  }
}

/** The characters that share a class with this one. */
function alike(code: number): number[] {
  const character = String.fromCharCode(code);
  if ('+-'.includes(character)) return [0x2b, 0x2d];
  if ('/_'.includes(character)) return [0x2f, 0x5f];
  const lower = character.toLowerCase();
  const upper = character.toUpperCase();
  return [
    code,
    ...(lower.length === 1 ? [lower.charCodeAt(0)] : []),
    ...(upper.length === 1 ? [upper.charCodeAt(0)] : []),
  ];
}

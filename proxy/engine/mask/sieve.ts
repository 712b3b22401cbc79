/**
 * Tells of bytes whether one of many literals may stand in them, faster than any automaton that looks at each byte:
 * it looks at three bytes and skips as far as no literal can reach (Wu and Manber 1994). A yes is a maybe.
 */
const BLOCK = 3;
const CLASS_BITS = 6;

/** Letters lose their case, and the alphabets of base64 and base64url fall together, as in the index of known values. */
const CLASSES = Uint8Array.from({ length: 256 }, (_, byte) => {
  const character = String.fromCharCode(byte).toLowerCase();
  const folded = character === '-' ? '+' : character === '_' ? '/' : character;
  return folded.charCodeAt(0) & ((1 << CLASS_BITS) - 1);
});

export class Sieve {
  /** The beginnings of the literals, all as long as the shortest of them. */
  readonly #window: number;
  /** By the classes of three bytes: how far the window may move on. */
  readonly #shifts: Uint8Array;
  /** The last three classes of a window → the windows that end so. */
  readonly #ending = new Map<number, Uint8Array[]>();

  /** Each literal has at least three bytes. */
  constructor(literals: readonly Uint8Array[]) {
    this.#window = literals.reduce((least, { length }) => Math.min(least, length), 255);
    this.#shifts = new Uint8Array(1 << (BLOCK * CLASS_BITS)).fill(this.#window - BLOCK + 1);
    for (const literal of literals) this.#add(literal.subarray(0, this.#window));
  }

  /** False: none of the literals stands in the bytes. */
  mayHold(bytes: Uint8Array): boolean {
    const shifts = this.#shifts;
    for (let end = this.#window; end <= bytes.length;) {
      const block = blockAt(bytes, end - BLOCK);
      const shift = shifts[block] ?? 0;
      if (shift === 0 && this.#endsAt(bytes, end, block)) return true;
      end += shift === 0 ? 1 : shift;
    }
    return false;
  }

  #add(window: Uint8Array): void {
    for (let at = 0; at + BLOCK <= window.length; at += 1) {
      const block = blockAt(window, at);
      this.#shifts[block] = Math.min(this.#shifts[block] ?? 0, window.length - BLOCK - at);
    }
    const last = blockAt(window, window.length - BLOCK);
    this.#ending.set(last, [...(this.#ending.get(last) ?? []), window]);
  }

  #endsAt(bytes: Uint8Array, end: number, block: number): boolean {
    const windows = this.#ending.get(block) ?? [];
    return windows.some((window) =>
      window.every((byte, at) => classOf(byte) === classOf(bytes[end - window.length + at])),
    );
  }
}

function blockAt(bytes: Uint8Array, at: number): number {
  return (
    (classOf(bytes[at]) << (2 * CLASS_BITS)) | (classOf(bytes[at + 1]) << CLASS_BITS) | classOf(bytes[at + 2])
  );
}

function classOf(byte: number | undefined): number {
  return CLASSES[byte ?? 0] ?? 0;
}

/** What the server holds instead of secrets: which credential of which gateway each stands for. */

/** 128 random bits in hex, behind the prefix that the upstream's clients look for. */
const RANDOM_DIGITS = 32;

export interface Standing {
  readonly gateway: string;
  readonly credential: string;
}

export interface FoundPlaceholder extends Standing {
  readonly value: string;
}

export class Placeholders {
  readonly #standing = new Map<string, Standing>();

  /** Until the returned function is called, `value` stands for the credential. */
  add(value: string, standing: Standing): () => void {
    this.#standing.set(value, standing);
    return () => {
      if (this.#standing.get(value) === standing) this.#standing.delete(value);
    };
  }

  /** Every placeholder with one of these prefixes in a text. */
  in(text: string, prefixes: readonly string[]): FoundPlaceholder[] {
    return prefixes.flatMap((prefix) => this.#behind(prefix, text));
  }

  #behind(prefix: string, text: string): FoundPlaceholder[] {
    const size = prefix.length + RANDOM_DIGITS;
    const found: FoundPlaceholder[] = [];
    for (
      let at = text.indexOf(prefix);
      at !== -1 && at + size <= text.length;
      at = text.indexOf(prefix, at + 1)
    ) {
      const value = text.slice(at, at + size);
      const standing = this.#standing.get(value);
      if (standing !== undefined) found.push({ ...standing, value });
    }
    return found;
  }
}

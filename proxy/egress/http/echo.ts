/**
 * Hides a value that was put into a request in what the upstream answers: some echo the headers that they got, and the
 * server must not see them. The mask is as long as the value, so that lengths that were announced stay true.
 */

const MASK = '*'.charCodeAt(0);
/** A shorter value stands in any body by chance, and masking it would spoil the body. */
const SHORTEST = 8;

/** The ways in which headers are shown: as they are, in JSON, in HTML, in a URL. */
function shownAs(value: string): string[] {
  const html = value
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;')
    .replaceAll('"', '&quot;');
  const json = JSON.stringify(value).slice(1, -1);
  return [value, json, json.replaceAll('/', String.raw`\/`), html, encodeURIComponent(value)];
}

export class Echo {
  readonly #needles: readonly Buffer[];
  /** The end of what came, which may be the beginning of a value. */
  #held: Buffer = Buffer.alloc(0);

  /** `values` are what no answer may show. */
  constructor(values: readonly string[]) {
    const shown = values.filter((value) => value.length >= SHORTEST).flatMap(shownAs);
    this.#needles = [...new Set(shown)].map((text) => Buffer.from(text, 'latin1'));
  }

  get isEmpty(): boolean {
    return this.#needles.length === 0;
  }

  /** A whole text, such as the value of a header. */
  text(text: string): string {
    const bytes = Buffer.from(text, 'latin1');
    return this.#mask(bytes) ? bytes.toString('latin1') : text;
  }

  /** The next piece of a body: what of it may leave. The rest leaves with a later piece or with `flush`. */
  push(chunk: Buffer): Buffer {
    const bytes = this.#held.length === 0 ? chunk : Buffer.concat([this.#held, chunk]);
    this.#mask(bytes);
    const keep = this.#openEnd(bytes);
    this.#held = keep === 0 ? this.#held.subarray(0, 0) : Buffer.from(bytes.subarray(bytes.length - keep));
    return keep === 0 ? bytes : bytes.subarray(0, bytes.length - keep);
  }

  flush(): Buffer {
    const rest = this.#held;
    this.#held = Buffer.alloc(0);
    return rest;
  }

  /** In place: a chunk is nobody else's. */
  #mask(bytes: Buffer): boolean {
    let found = false;
    for (const needle of this.#needles) {
      for (let at = bytes.indexOf(needle); at !== -1; at = bytes.indexOf(needle, at + needle.length)) {
        bytes.fill(MASK, at, at + needle.length);
        found = true;
      }
    }
    return found;
  }

  /** How many bytes at the end are the beginning of a needle: mostly none, so an event that ends is not held up. */
  #openEnd(bytes: Buffer): number {
    let longest = 0;
    for (const needle of this.#needles) {
      const most = Math.min(needle.length - 1, bytes.length);
      const from = bytes.length - most;
      for (
        let at = bytes.indexOf(needle[0] ?? 0, from);
        at !== -1 && bytes.length - at > longest;
        at = bytes.indexOf(needle[0] ?? 0, at + 1)
      ) {
        const size = bytes.length - at;
        if (bytes.compare(needle, 0, size, at) === 0) longest = size;
      }
    }
    return longest;
  }
}

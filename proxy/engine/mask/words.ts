/** The words of a text, parted by space, quotes and backslashes: how long they are, asked for places one behind another. */
export class Words {
  readonly #text: string;
  #start = 0;
  #end = 0;

  constructor(text: string) {
    this.#text = text;
  }

  /** Where the word ends that was asked about last. */
  get end(): number {
    return this.#end;
  }

  /** Characters of the word around `at`. Each character is looked at a few times at most. */
  lengthAt(at: number): number {
    if (at >= this.#end || at < this.#start) this.#look(at);
    return this.#end - this.#start;
  }

  #look(at: number): void {
    let start = at;
    let end = at;
    // What lies before the place that was asked for last has been seen to end there.
    const known = at >= this.#end ? this.#end : 0;
    while (start > known && isOfWord(this.#text.charCodeAt(start - 1))) start -= 1;
    while (isOfWord(this.#text.charCodeAt(end))) end += 1;
    this.#start = start;
    this.#end = end;
  }
}

/** Neither space nor quote nor backslash; nor the NaN beyond the ends of a text. */
function isOfWord(code: number): boolean {
  return code > 0x20 && code !== 0x22 && code !== 0x5c;
}

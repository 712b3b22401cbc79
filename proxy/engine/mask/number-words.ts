/** The words that tell what a number is, before it or in its key. */

/** A longer word may be a part of another. */
const SHORT = 4;
/** As far back as a detector sees, where quotes and line ends take two characters. */
const NEAR = 128;

export class NumberWords {
  readonly #any: RegExp | undefined;

  /** In lower case. */
  constructor(words: readonly string[]) {
    if (words.length > 0) this.#any = new RegExp([...new Set(words)].map(patternOf).join('|'));
  }

  get areNone(): boolean {
    return this.#any === undefined;
  }

  /** Whether a key tells what number its value is. */
  areIn(key: string): boolean {
    return this.#any?.test(key) === true;
  }

  /** Whether a word may stand before `at` in a JSON text, or in a text in its strings. False is certain. */
  mayStandBefore(text: string, at: number): boolean {
    const before = text.slice(Math.max(0, at - NEAR), at);
    return this.areIn(before) || before.includes('\\\\');
  }
}

/** A short word stands by itself, in camel case and behind an escape too. */
function patternOf(word: string): string {
  const [first = '', ...rest] = Array.from(word, eitherCase);
  if (word.length > SHORT) return [first, ...rest].join('');
  const begin = `(?<![A-Za-z])${first}|(?<=[a-z])${word.charAt(0).toUpperCase()}|(?<=\\\\[nrt])${first}`;
  return `(?:${begin})${rest.join('')}(?![a-z])`;
}

function eitherCase(character: string): string {
  const upper = character.toUpperCase();
  return upper === character ? character : `[${character}${upper}]`;
}

import { filler, type LiteralDetector } from './detector.ts';

export interface TokenFormat {
  readonly name: string;
  readonly description: string;
  readonly source: string;
  /** What every token begins with; case counts. */
  readonly prefixes: readonly string[];
  /** A character class of RE2, such as `[A-Za-z0-9]`. */
  readonly alphabet: string;
  /** How many characters follow the prefix: one number, or least and most. */
  readonly length: number | readonly [number, number];
  /** What must follow those characters, as RE2, and an example of it. */
  readonly suffix?: { readonly pattern: string; readonly example: string };
  readonly valid?: LiteralDetector['valid'];
  /** Characters the example is made of, in place of the alphabet. */
  readonly exampleOf: string;
  /** A value whose checksum is right, where the format has one. */
  readonly examples?: LiteralDetector['examples'];
}

/** The commonest format: a prefix that the vendor owns, and so many characters of an alphabet. */
export function token(format: TokenFormat): LiteralDetector {
  const [least, most] = typeof format.length === 'number' ? [format.length, format.length] : format.length;
  const prefix = format.prefixes.map(quote).join('|');
  const count = least === most ? `{${least}}` : `{${least},${most}}`;
  const { valid, examples = () => examplesOf(format, least) } = format;
  return {
    cue: 'literal',
    name: format.name,
    description: format.description,
    source: format.source,
    literals: format.prefixes.map((text) => text.toLowerCase()),
    pattern: `(?:${prefix})${format.alphabet}${count}${format.suffix?.pattern ?? ''}`,
    reach: { before: 0, after: most + 256 },
    ...(valid === undefined ? {} : { valid }),
    examples,
  };
}

function examplesOf(format: TokenFormat, length: number): ReturnType<LiteralDetector['examples']> {
  const suffix = format.suffix?.example ?? '';
  const body = filler(format.exampleOf, length);
  return {
    positive: format.prefixes.map((prefix) => prefix + body + suffix),
    negative: format.prefixes.flatMap((prefix) => [
      prefix,
      prefix + body.slice(0, Math.floor(length / 2) - 1),
      `${body}${suffix}`,
      `x${prefix}${body}${suffix}`,
    ]),
  };
}

function quote(text: string): string {
  return text.replace(/[.*+?^${}()|[\]\\/-]/g, '\\$&');
}

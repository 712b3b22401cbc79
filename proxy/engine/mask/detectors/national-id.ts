/** National identifiers that prove themselves by check digits. Those written as bare digits need a word beside them. */
import { before, type NumberDetector, type Surroundings } from './detector.ts';

export interface Identifier {
  readonly name: string;
  readonly description: string;
  readonly source: string;
  readonly pattern: RegExp;
  readonly begins?: NumberDetector['begins'];
  readonly parted?: NumberDetector['parted'];
  /** Takes the value without its separators. */
  readonly checks: (compact: string) => boolean;
  /** In lower case: one must stand before the value or in its key, where its shape alone does not prove it. */
  readonly words?: readonly string[];
  /** A writing that nothing but the identifier has. Default: with any separator. */
  readonly shape?: RegExp;
  /** A valid value, written with as many separators as it may have; the check digits in it are found when the example is built. */
  readonly example: string;
  /** The same in another writing. */
  readonly also?: string;
}

/** A shape that no value has: groups of three are amounts in half of Europe. */
export const NEVER = /(?!)/;

/** An example with `#` for what checks: the first filling that passes. */
function fill(template: string, passes: (value: string) => boolean): string {
  const places = template.split('#').length - 1;
  for (let number = 0; number < 10 ** places; number += 1) {
    const digits = String(number).padStart(places, '0');
    let at = 0;
    const value = template.replaceAll('#', () => digits.charAt(at++));
    if (passes(compactOf(value))) return value;
  }
  return template;
}

function compactOf(value: string): string {
  return value.replaceAll(/[ .\-/+]/g, '').toUpperCase();
}

export function identifier(format: Identifier): NumberDetector {
  const {
    name,
    description,
    source,
    pattern,
    begins,
    parted,
    checks,
    words,
    shape = /[ .\-/]/,
    example,
    also,
  } = format;
  const proves = (value: string, around: Surroundings): boolean => {
    if (words === undefined || shape.test(value)) return true;
    const said = before(around);
    return words.some((one) => names(said, one) || names(around.key ?? '', one));
  };
  return {
    cue: 'digits',
    name,
    description,
    source,
    pattern,
    ...(begins === undefined ? leastOf(example) : { begins }),
    ...(parted === undefined ? {} : { parted }),
    ...(words === undefined ? {} : { words }),
    mayBe: (value, named) => (named || words === undefined || shape.test(value)) && checks(compactOf(value)),
    valid: (value, around) => proves(value, around) && checks(compactOf(value)),
    normalize: compactOf,
    examples: () => {
      const valid = fill(example, checks);
      const bare = compactOf(valid);
      const wrong = Array.from('0123456789', (digit) => valid.replace(/\d(?=\D*$)/, digit)).find(
        (one) => !checks(compactOf(one)),
      );
      return {
        positive: [
          ...(words === undefined || shape.test(valid) ? [valid] : words.map((one) => `${one} ${valid}`)),
          ...(also === undefined ? [] : [fill(also, checks)]),
        ],
        negative: [
          wrong ?? '',
          `1${valid}`,
          `${valid}1`,
          `9${bare}9`,
          ...(words === undefined ? [] : [bare]),
        ],
      };
    },
  };
}

/** What there is of digits in every writing of what the example is of. */
function leastOf(example: string): Pick<NumberDetector, 'leastDigits' | 'leastInARow'> {
  const rows = example.match(/[0-9#]+/g) ?? [];
  const lengths = rows.map(({ length }) => length);
  return { leastDigits: lengths.reduce((sum, length) => sum + length, 0), leastInARow: Math.max(...lengths) };
}

/** Whether a text holds a word; a short one must stand by itself, or as a part of camel case. */
function names(text: string, word: string): boolean {
  if (word.length > 4) return text.toLowerCase().includes(word);
  return [text, text.replaceAll(/([a-z])([A-Z])/g, '$1 $2')].some((one) =>
    one
      .toLowerCase()
      .split(/[^a-z]+/)
      .includes(word),
  );
}

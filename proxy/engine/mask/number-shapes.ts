import type { NumberDetector } from './detectors/detector.ts';
import { isDigit } from './kinds.ts';
import type { Stretch } from './number-scan.ts';

/** Longer parts of a text have too many shapes to be remembered. */
const MOST_CHARACTERS = 48;
const SHAPES_REMEMBERED = 4096;
const ZERO = 0x30;

interface Known {
  readonly shape: string;
  readonly detectors: readonly NumberDetector[];
}

/**
 * Which detectors are worth a try on a part of a text, by its shape: the part with every digit as 0. The numbers of a text
 * have few shapes, and a pattern matches no part whose shape it does not match with any digit in the place of each.
 */
export class NumberShapes {
  readonly #detectors: readonly NumberDetector[];
  readonly #loose: readonly (RegExp | undefined)[];
  readonly #known = new Map<number, Known>();

  constructor(detectors: readonly NumberDetector[]) {
    this.#detectors = detectors;
    this.#loose = detectors.map(({ pattern }) => loosened(pattern));
  }

  /** In their order. `digits` and `inARow` are those of the stretch that the part is. */
  detectorsFor(
    part: string,
    { digits, inARow }: Pick<Stretch, 'digits' | 'inARow'>,
  ): readonly NumberDetector[] {
    if (part.length > MOST_CHARACTERS) return this.#byCount(digits, inARow);
    const hash = hashOf(part);
    const known = this.#known.get(hash);
    if (known !== undefined && hasShape(part, known.shape)) return known.detectors;
    if (this.#known.size >= SHAPES_REMEMBERED) this.#known.clear();
    const shape = part.replaceAll(/[1-9]/g, '0');
    const detectors = this.#detectors.filter((_, at) => this.#loose[at]?.test(shape) !== false);
    this.#known.set(hash, { shape, detectors });
    return detectors;
  }

  #byCount(digits: number, inARow: number): readonly NumberDetector[] {
    return this.#detectors.filter(
      ({ leastDigits = 0, leastInARow = 0 }) => leastDigits <= digits && leastInARow <= inARow,
    );
  }
}

function hashOf(part: string): number {
  let hash = part.length;
  for (let at = 0; at < part.length; at += 1) {
    const code = part.charCodeAt(at);
    hash = (Math.imul(hash, 31) + (isDigit(code) ? ZERO : code)) | 0;
  }
  return hash;
}

function hasShape(part: string, shape: string): boolean {
  if (part.length !== shape.length) return false;
  for (let at = 0; at < part.length; at += 1) {
    const code = part.charCodeAt(at);
    if ((isDigit(code) ? ZERO : code) !== shape.charCodeAt(at)) return false;
  }
  return true;
}

const LOOKS_FOR_NONE = /\(\?<?!([^()]*)\)/g;
const TOKEN = /\\.|\{[0-9,]+\}|\[(?:\\.|[^\]\\])*\]|[1-9]/g;

/**
 * The pattern where 0 stands for any digit. Undefined where that cannot be said of it: where it must not be followed or
 * preceded by some digits, or takes none of some.
 */
export function loosened({ source, flags }: RegExp): RegExp | undefined {
  for (const [, inside = ''] of source.matchAll(LOOKS_FOR_NONE))
    if (/[0-9]/.test(inside.replaceAll('0-9', ''))) return undefined;
  if (/\[\^[^\]]*[0-9]/.test(source)) return undefined;
  const loose = source.replaceAll(TOKEN, (token) => {
    if (token.startsWith('[')) return /[0-9]/.test(token) ? `[0${token.slice(1)}` : token;
    return token.length === 1 ? '0' : token;
  });
  return new RegExp(loose, flags.replace('g', ''));
}

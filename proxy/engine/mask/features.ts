import { continues, mayBeEncoded } from './encoded-runs.ts';
import { DIGIT, isHexDigit, MARK, walkWords, type WordSink } from './kinds.ts';
import { NumberScan, type Stretch } from './number-scan.ts';
import type { Span } from './types.ts';

const BACKSLASH = 0x5c;
const PERCENT = 0x25;

/** What a text holds that a look behind its surface, or at its numbers, would be worth. */
export interface Features {
  /** A backslash, so that escapes may hide something. */
  readonly escapes: boolean;
  /** A percent sign before two hex digits. */
  readonly percent: boolean;
  /** Characters that are invisible, or a full-width copy of an ASCII one. */
  readonly disguise: boolean;
  /** Where a number may be that a detector looks for. */
  readonly numbers: readonly Stretch[];
  /** Runs that may be base64 or hex, over the line ends of wrapped ones. */
  readonly runs: readonly Span[];
}

/** One linear pass. */
export function featuresOf(text: string): Features {
  const scan = new FeatureScan(text);
  walkWords(text, scan);
  scan.end();
  return scan;
}

class FeatureScan implements WordSink, Features {
  escapes = false;
  percent = false;
  disguise = false;
  readonly numbers: Stretch[] = [];
  readonly runs: Span[] = [];
  readonly #text: string;
  readonly #scan: NumberScan;

  constructor(text: string) {
    this.#text = text;
    this.#scan = new NumberScan(text, (stretch) => this.numbers.push(stretch));
  }

  word(start: number, end: number, kinds: number): void {
    if ((kinds & DIGIT) !== 0) this.#scan.word(start, end, kinds);
    else this.#scan.letters();
    if (mayBeEncoded(this.#text, start, end, kinds)) this.#run({ start, end });
  }

  other(at: number, code: number, kind: number): number {
    this.#scan.breakAt(at + 1);
    if (kind === MARK) this.#mark(at, code);
    return at + 1;
  }

  end(): void {
    this.#scan.end();
  }

  #mark(at: number, code: number): void {
    if (code === BACKSLASH) this.escapes = true;
    else if (code !== PERCENT) this.disguise = true;
    else if (isHexDigit(this.#text.charCodeAt(at + 1)) && isHexDigit(this.#text.charCodeAt(at + 2)))
      this.percent = true;
  }

  #run(run: Span): void {
    const last = this.runs.at(-1);
    if (last !== undefined && continues(this.#text, last, run.start))
      this.runs[this.runs.length - 1] = { start: last.start, end: run.end };
    else this.runs.push(run);
  }
}

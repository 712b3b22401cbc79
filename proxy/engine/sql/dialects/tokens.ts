/** Tokens, and the rules by which a dialect cuts a text into them. */
export interface LexRules {
  /** `--` begins a comment only before a space or the end (MySQL). */
  readonly dashNeedsSpace?: boolean;
  readonly hashComment?: boolean;
  readonly slashComment?: boolean;
  readonly nestedComments?: boolean;
  /** Comments that MySQL runs, each from the server version that it names: run them, or skip them. */
  readonly executableComments?: 'run' | 'skip';
  /** Quotes around text. */
  readonly strings: string;
  /** Quotes around names; `[` closes with `]`. */
  readonly names: string;
  /** A backslash keeps the quote behind it from ending a string. */
  readonly stringEscapes?: boolean;
  /** The same in quoted names (BigQuery). */
  readonly nameEscapes?: boolean;
  /** Quotes that stand for themselves when they are doubled inside. */
  readonly doubled: string;
  /** `'''…'''` (BigQuery). */
  readonly tripleQuotes?: boolean;
  /** Letters that may stand before a string, such as N, X, r, b. None of them changes where a string ends. */
  readonly prefixes?: string;
  /** `$$…$$` is text (Snowflake). */
  readonly dollarStrings?: boolean;
  /** Characters that words may hold beyond letters, digits and `_`. */
  readonly wordExtras?: string;
  /** Characters that variables and temporary names begin with. */
  readonly sigils?: string;
}

export type TokenKind = 'word' | 'name' | 'string' | 'number' | 'variable' | 'symbol';

export interface Token {
  readonly kind: TokenKind;
  /** Words in upper case; names and strings without quotes; variables with their sign. */
  readonly text: string;
  /** As it stands in the text, without quotes. */
  readonly source: string;
}

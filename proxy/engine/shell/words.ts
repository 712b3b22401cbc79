import type { Word as ShellWord, WordPart } from 'unbash';
import type { Word } from './facts.ts';

/** The word's value where the text alone says it; undefined for expansions, substitutions, globs and braces. */
export function valueOf(word: ShellWord): Word {
  return (word.parts ?? []).every(isConstant) ? word.value : undefined;
}

function isConstant(part: WordPart): boolean {
  switch (part.type) {
    case 'Literal':
    case 'SingleQuoted':
    case 'AnsiCQuoted':
      return true;
    case 'DoubleQuoted':
    case 'LocaleString':
      return part.parts.every(isConstant);
    default:
      return false;
  }
}

/** Lists in tables are written as text: words between spaces. */
export function list(text: string): string[] {
  return text.trim().split(/\s+/);
}

/** Variables that decide which program runs, or what it loads before it does anything. */
export const steering = new RegExp(
  `^(PATH|IFS|ENV|BASH_ENV|SHELLOPTS|PS4|PROMPT_COMMAND|EDITOR|VISUAL|PAGER|LESSOPEN|BROWSER|KUBECONFIG|NODE_OPTIONS|NODE_PATH|
JAVA_TOOL_OPTIONS|(LD|DYLD|GIT|PYTHON|PERL5|RUBY)\\w*)$`.replaceAll('\n', ''),
);

/** `a[$(…)]` runs a command where arithmetic reads it, even out of single quotes. */
export function holdsSubscript(text: string): boolean {
  return text.includes('[') && (text.includes('$(') || text.includes('`'));
}

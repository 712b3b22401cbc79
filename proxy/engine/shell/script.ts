/** Walks a script of shell: every command in it counts, wherever it stands, whether it would run or not. */
import { forEachChild, parse, type Command, type Redirection, type SyntaxNode } from 'unbash';
import type { EffectCollector, Surroundings, Word } from './facts.ts';
import { holdsSubscript, steering, valueOf } from './words.ts';

export const MAX_SCRIPT_LENGTH = 32 * 1024;
/** The parser reads what is nested once for every level around it. */
const MAX_NESTING = 48;
const MAX_HEREDOCS = 64;

export interface ScriptContext {
  readonly found: EffectCollector;
  /** Judges one command of the script. */
  command(words: readonly Word[], stdin: Surroundings['stdin']): void;
}

export function walkScript(text: string, context: ScriptContext): void {
  if (text.length > MAX_SCRIPT_LENGTH || isTooNested(text)) {
    context.found.add('Unparsable');
    return;
  }
  const script = parse(text);
  const functions = new Set<string>();
  visit(script, { context, functions, piped: false });
}

/** Counts brackets whether they are quoted or not, so that no quoting can hide them from the count. */
function isTooNested(text: string): boolean {
  let depth = 0;
  let deepest = 0;
  for (const character of text) {
    if ('({['.includes(character)) deepest = Math.max(deepest, ++depth);
    else if (')}]'.includes(character)) depth = Math.max(0, depth - 1);
  }
  return deepest > MAX_NESTING || text.split('<<', MAX_HEREDOCS + 2).length - 1 > MAX_HEREDOCS;
}

interface Place {
  readonly context: ScriptContext;
  /** Names that the script defines: their bodies are judged where they stand. */
  readonly functions: Set<string>;
  /** Whether standard input comes from the command before it. */
  readonly piped: boolean;
}

function visit(node: SyntaxNode, place: Place): void {
  inspect(node, place);
  const inPipe = node.type === 'Pipeline';
  let index = 0;
  forEachChild(node, (child) => {
    visit(child, inPipe ? { ...place, piped: index++ > node.prefixes.length } : place);
  });
}

/** What a node does of its own, beyond the nodes inside it. */
function inspect(node: SyntaxNode, place: Place): void {
  const { found } = place.context;
  switch (node.type) {
    case 'Command':
      command(node, place);
      return;
    case 'Redirect':
      redirect(node.operator, node.target && valueOf(node.target), found);
      return;
    case 'Function':
      defineFunction(valueOf(node.name), place);
      return;
    default:
      if (isBroken(node)) found.add('Unparsable');
      if (runsLater(node)) found.add('Dynamic');
  }
}

/** Text that the grammar refuses, or that nests deeper than the parser goes. */
function isBroken(node: SyntaxNode): boolean {
  switch (node.type) {
    case 'Script':
      return 'errors' in node && (node.errors?.length ?? 0) > 0;
    case 'CommandExpansion':
    case 'ProcessSubstitution':
    case 'ArithmeticCommandExpansion':
      return node.script === undefined;
    default:
      return false;
  }
}

/** What steers later commands, or evaluates text that was not parsed here. */
function runsLater(node: SyntaxNode): boolean {
  switch (node.type) {
    case 'Assignment':
      return (
        steering.test(node.name) ||
        holdsSubscript(node.value.type === 'Word' ? (valueOf(node.value) ?? '') : '')
      );
    case 'For':
      return steering.test(valueOf(node.name) ?? 'PATH');
    case 'ArithmeticWord':
      return holdsSubscript(node.value);
    case 'TestBinary':
      return [node.left, node.right].some((word) => holdsSubscript(valueOf(word) ?? ''));
    default:
      // `${x@P}` expands the value once more, as a prompt.
      return node.type === 'Transform';
  }
}

function defineFunction(name: Word, { functions, context }: Place): void {
  if (name === undefined) context.found.add('Dynamic');
  else functions.add(name);
}

const HARMLESS_FILES = new Set(['/dev/null', '/dev/stdout', '/dev/stderr', '/dev/tty']);

function redirect(operator: string, target: Word, found: EffectCollector): void {
  if (/^\/dev\/(tcp|udp)\//.test(target ?? '')) found.add('Dynamic');
  if (writes(operator, target ?? ''))
    found.add(target?.startsWith('/dev/') === true ? 'Destructive' : 'Write');
}

function writes(operator: string, target: string): boolean {
  if (operator === '<' || operator === '<&' || HARMLESS_FILES.has(target)) return false;
  // Between file descriptors: `2>&1`, `>&-`.
  return !(operator.endsWith('&') && /^(\d+-?|-)$/.test(target));
}

function command(node: Command, place: Place): void {
  if (node.name === undefined) return;
  const name = valueOf(node.name);
  if (name !== undefined && place.functions.has(name)) return;
  const rest = node.args.map((word) => (word.type === 'Word' ? valueOf(word) : assignmentWord(word)));
  place.context.command([name, ...rest], stdinOf(node.redirects, place.piped));
}

/** `name=value` behind a command, as of `export`; the value may hold expansions. */
function assignmentWord({ text, value }: Extract<Command['args'][number], { type: 'Assignment' }>): Word {
  return value.type === 'Word' && valueOf(value) !== undefined ? text : undefined;
}

function stdinOf(redirects: readonly Redirection[], piped: boolean): Surroundings['stdin'] {
  const input = redirects.findLast(({ operator }) => operator.startsWith('<'));
  if (input === undefined) return piped ? 'unknown' : undefined;
  if (input.type === 'HereDoc') return input.body.parts === undefined ? { text: input.body.text } : 'unknown';
  const text = input.type === 'HereString' && input.target !== undefined ? valueOf(input.target) : undefined;
  return text === undefined ? 'unknown' : { text };
}

/** The CEL environment of Gatehouse: its variables, RE2 behind `matches`, and bounds on size, depth and cost. */
import {
  Environment,
  EvaluationError,
  ParseError,
  type ASTNode,
  type ParseResult,
} from '@marcbachmann/cel-js';
import { RE2JS } from 're2js';
import { z } from 'zod';
import { sentenceOf } from '../lib/errors.ts';
import type { Budget } from './cel-values.ts';

const callerFields = {
  provider: 'string',
  issuer: 'string',
  subject: 'string',
  username: 'string',
  clientId: 'string',
  groups: 'list<string>',
  serviceAccount: 'string',
  spiffeId: 'string',
  claims: 'map<string, dyn>',
  anonymous: 'bool',
};
const requestFields = {
  method: 'string',
  tool: 'string',
  prompt: 'string',
  resource: 'string',
  name: 'string',
  arguments: 'map<string, dyn>',
};
const sessionFields = { id: 'string', era: 'string', revision: 'string' };
const callFields = { classes: 'list<string>', targets: 'list<string>', risk: 'int' };

/** Every variable with its fields and their CEL types. */
export const celFields = {
  caller: callerFields,
  request: requestFields,
  session: sessionFields,
  call: callFields,
};

/** Where a condition stands: an access rule is judged before a call is parsed, so it has no `call`. */
export type CelPlace = 'access' | 'rule';

export const celVariableNames: Readonly<Record<CelPlace, readonly (keyof typeof celFields)[]>> = {
  access: ['caller', 'request', 'session'],
  rule: ['caller', 'request', 'session', 'call'],
};

const limits = {
  maxAstNodes: 1000,
  maxDepth: 32,
  maxListElements: 256,
  maxMapEntries: 256,
  maxCallArguments: 8,
};

export function createCelEnvironment(place: CelPlace, budget: Budget): Environment {
  const environment = new Environment({
    unlistedVariablesAreDyn: false,
    homogeneousAggregateLiterals: false,
    limits,
  });
  for (const name of celVariableNames[place]) environment.registerVariable(name, { schema: celFields[name] });
  // The library looks a macro up by its name alone; a receiver that its own overload does not have lets ours be added.
  environment.registerFunction('bool.matches(ast): bool', matchesMacro(budget));
  environment.registerFunction('bool.bind(ast, ast, ast): bool', ({ args }: MacroArguments) => {
    throw new ParseError('cel.bind() is not available', args[0]);
  });
  return environment;
}

interface MacroArguments {
  readonly args: readonly ASTNode[];
  readonly receiver: ASTNode;
}
interface Checker {
  check(node: unknown, context: unknown): { readonly type: string; readonly kind: string };
  getType(name: string): unknown;
}
interface Evaluator {
  run(node: unknown, context: unknown): unknown;
}

/**
 * `text.matches('re')` with RE2 instead of JavaScript's backtracking engine (design, section 5, rule 8). The pattern
 * is a literal, so that a wrong one is refused with the manifest.
 */
function matchesMacro(budget: Budget) {
  return ({ args, receiver }: MacroArguments) => {
    const pattern = compilePattern(args[0]);
    return {
      async: false,
      typeCheck(checker: Checker, _macro: unknown, context: unknown): unknown {
        const type = checker.check(receiver, context);
        if (type.type !== 'string' && type.kind !== 'dyn') {
          throw new ParseError(`matches() needs a string, got ${type.type}`, receiver);
        }
        return checker.getType('bool');
      },
      evaluate(evaluator: Evaluator, _macro: unknown, context: unknown): boolean {
        const text = evaluator.run(receiver, context);
        if (typeof text !== 'string') {
          throw new EvaluationError({
            code: 'matches_on_no_string',
            message: 'matches() needs a string',
            node: receiver,
          });
        }
        budget.spend(text.length + 8);
        return pattern.test(text);
      },
    };
  };
}

function compilePattern(node: ASTNode | undefined): RE2JS {
  if (node?.op !== 'value' || typeof node.args !== 'string') {
    throw new ParseError('matches() needs its pattern as a string literal', node);
  }
  try {
    return RE2JS.compile(node.args);
  } catch (error) {
    throw new ParseError(`matches() needs an RE2 pattern, ${sentenceOf(error)}`, node, error);
  }
}

interface Node {
  evaluate(evaluator: unknown, node: unknown, context: unknown): unknown;
}
const isNode = (value: unknown): value is Node =>
  typeof value === 'object' && value !== null && 'evaluate' in value && typeof value.evaluate === 'function';
const comprehension = z.object({ args: z.looseObject({ iterable: z.custom<Node>(isNode) }) });

/**
 * Charges every `all`, `exists`, `exists_one`, `map` and `filter` for the elements it is about to visit. The library
 * has no bound on cost of its own and offers no hook, so the range of each iteration is replaced by one that counts
 * (a test proves that every macro is found). Call it once, after the type check.
 */
export function chargeIterations(parsed: ParseResult, budget: Budget): void {
  const seen = new Set<object>();
  const visit = (value: unknown): void => {
    if (typeof value !== 'object' || value === null || seen.has(value)) return;
    seen.add(value);
    if (Array.isArray(value)) {
      value.forEach(visit);
      return;
    }
    if (!isNode(value)) return;
    const meta: unknown = Reflect.get(value, 'meta');
    const alternate: unknown =
      typeof meta === 'object' && meta !== null ? Reflect.get(meta, 'alternate') : undefined;
    charge(alternate, budget);
    visit(alternate);
    const args: unknown = Reflect.get(value, 'args');
    if (Array.isArray(args)) args.forEach(visit);
    else visit(args);
  };
  visit(parsed.ast);
}

function charge(node: unknown, budget: Budget): void {
  const found = comprehension.safeParse(node);
  if (!found.success || typeof node !== 'object' || node === null) return;
  const args: unknown = Reflect.get(node, 'args');
  if (typeof args !== 'object' || args === null) return;
  const range = found.data.args.iterable;
  const counted: Node = {
    evaluate(evaluator, _node, context) {
      const items = range.evaluate(evaluator, range, context);
      budget.iterate(lengthOf(items));
      return items;
    },
  };
  Reflect.set(args, 'iterable', counted);
}

function lengthOf(items: unknown): number {
  if (Array.isArray(items)) return items.length;
  if (items instanceof Map || items instanceof Set) return items.size;
  return typeof items === 'object' && items !== null ? Object.keys(items).length : 0;
}

/**
 * Conditions in manifests: CEL over `caller`, `request`, `session` and, in approval rules, `call`. A missing field is
 * an error; has() asks for it. What an error means is the caller's to say: no grant in an access rule, a match in an
 * approval rule (design, section 3).
 */
import {
  EvaluationError,
  ParseError,
  type ParseResult,
  TypeError as CelTypeError,
} from '@marcbachmann/cel-js';
import { GatehouseError, sentenceOf } from '../lib/errors.ts';
import {
  celFields,
  celVariableNames,
  chargeIterations,
  createCelEnvironment,
  type CelPlace,
} from './cel-environment.ts';
import { Budget, sizeOf, toCel } from './cel-values.ts';

export type { CelPlace } from './cel-environment.ts';

/** A condition that cannot be used, as a sentence that says where it is wrong and what may stand there. */
export class CelError extends GatehouseError {
  readonly code = 'cel_invalid';
}

/** What a condition speaks of. A member that is `undefined` is a field that is missing. */
export interface CelVariables {
  readonly caller: {
    readonly provider: string;
    readonly issuer: string;
    readonly subject: string;
    readonly username: string;
    readonly clientId: string | undefined;
    readonly groups: readonly string[];
    readonly serviceAccount: string | undefined;
    readonly spiffeId: string | undefined;
    readonly claims: Readonly<Record<string, unknown>>;
    readonly anonymous: boolean;
  };
  readonly request: {
    readonly method: string;
    readonly tool: string | undefined;
    readonly prompt: string | undefined;
    readonly resource: string | undefined;
    /** The tool's or prompt's name, or the resource's URI. */
    readonly name: string | undefined;
    /** JSON; a bigint stands for a whole number beyond 2^53. Any other number that is not exact cannot be compared. */
    readonly arguments: unknown;
  };
  readonly session: { readonly id: string; readonly era: string; readonly revision: string };
  /** What the call was parsed to do. Access rules have none. */
  readonly call?: {
    readonly classes: readonly string[];
    readonly targets: readonly string[];
    readonly risk: number;
  };
}

export type CelResult =
  { readonly ok: true; readonly value: boolean } | { readonly ok: false; readonly error: string };

export interface CompiledCel {
  readonly expression: string;
  /** Never throws. The error is one sentence and holds no value of the variables. */
  evaluate(variables: CelVariables): CelResult;
}

export const MAX_CEL_LENGTH = 4096;

const places = { access: environmentOf('access'), rule: environmentOf('rule') };

function environmentOf(place: CelPlace): {
  budget: Budget;
  environment: ReturnType<typeof createCelEnvironment>;
} {
  const budget = new Budget();
  return { budget, environment: createCelEnvironment(place, budget) };
}

/**
 * Compiles a condition for an access rule or an approval rule.
 * @throws CelError where it does not parse, uses what is not there, or cannot be true or false.
 */
export function compileCel(expression: string, place: CelPlace = 'rule'): CompiledCel {
  const { budget, environment } = places[place];
  if (expression.length > MAX_CEL_LENGTH) {
    throw new CelError(
      `the condition has ${expression.length} characters; at most ${MAX_CEL_LENGTH} are allowed`,
    );
  }
  const parsed = checked(expression, place, () => {
    const result = environment.parse(expression);
    const { error, type } = result.check();
    if (error !== undefined) throw error;
    return { result, type };
  });
  if (parsed.type !== 'bool' && parsed.type !== 'dyn') {
    throw new CelError(`the condition gives ${parsed.type ?? 'nothing'}; it must give true or false (bool)`);
  }
  chargeIterations(parsed.result, budget);
  return { expression, evaluate: (variables) => evaluate(parsed.result, variables, budget) };
}

function checked<T>(expression: string, place: CelPlace, parse: () => T): T {
  try {
    return parse();
  } catch (error) {
    throw new CelError(sentence(error, expression, place), { cause: error });
  }
}

function sentence(error: unknown, expression: string, place: CelPlace): string {
  if (!(error instanceof ParseError || error instanceof CelTypeError))
    return `the condition is no CEL: ${sentenceOf(error)}`;
  const at = error.range === undefined ? '' : ` at ${positionOf(expression, error.range.start)}`;
  return `the condition is wrong${at}: ${lower(error.summary)}${allowed(error.code, expression, error.range, place)}`;
}

function positionOf(expression: string, offset: number): string {
  const before = expression.slice(0, offset).split('\n');
  const column = (before.at(-1)?.length ?? 0) + 1;
  return before.length === 1 ? `character ${column}` : `line ${before.length}, character ${column}`;
}

function lower(text: string): string {
  return text.charAt(0).toLowerCase() + text.slice(1);
}

/** Says what may stand where an unknown name stands. */
function allowed(
  code: string,
  expression: string,
  range: { readonly start: number } | undefined,
  place: CelPlace,
): string {
  const variables = celVariableNames[place];
  if (code === 'unknown_variable') return `; the variables are ${variables.join(', ')}`;
  if (code !== 'no_such_key') return '';
  const before = expression.slice(0, range?.start ?? 0).trimEnd();
  const owner = variables.find((name) => before.endsWith(`${name}.`) || before.endsWith(name));
  return owner === undefined ? '' : `; ${owner} has ${Object.keys(celFields[owner]).join(', ')}`;
}

function evaluate(parsed: ParseResult, variables: CelVariables, budget: Budget): CelResult {
  budget.reset();
  try {
    const value: unknown = parsed(contextOf(variables, budget));
    if (typeof value === 'boolean') return { ok: true, value };
    return { ok: false, error: 'the condition gave a value that is neither true nor false' };
  } catch (error) {
    return { ok: false, error: evaluationSentence(error, parsed.ast.input) };
  }
}

function contextOf({ caller, request, session, call }: CelVariables, budget: Budget): object {
  const { method, tool, prompt, resource, name } = request;
  return {
    caller: { ...caller, claims: toCel(caller.claims) },
    request: {
      ...{ method, tool, prompt, resource, name },
      // Arguments are the caller's to choose and may be large: they are read only where a condition asks for them.
      get arguments() {
        const given = request.arguments;
        if (given === undefined) return undefined;
        const value = toCel(given);
        budget.sawArguments(sizeOf(value));
        return value;
      },
    },
    session,
    ...(call === undefined ? {} : { call: { ...call, risk: BigInt(Math.round(call.risk)) } }),
  };
}

/** From the error's code and place alone, because the library's messages quote values. */
function evaluationSentence(error: unknown, expression: string): string {
  if (!(error instanceof EvaluationError)) return 'the condition could not be evaluated';
  const at = error.range === undefined ? '' : ` at ${positionOf(expression, error.range.start)}`;
  return `the condition ended in an error${at}: ${error.code.replaceAll('_', ' ')}`;
}

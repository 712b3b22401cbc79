import { FunctionExpressionType, JSONPathEnvironment, type JSONPathQuery } from 'json-p3';
import { RE2JS } from 're2js';
import { MaskPolicyError } from './types.ts';

/**
 * RFC 9535 with its match and search on RE2, since the library's own would run an administrator's pattern on
 * traffic with backtracking.
 */
function environment(): JSONPathEnvironment {
  const env = new JSONPathEnvironment({ maxRecursionDepth: 512 });
  env.functionRegister.set(
    'match',
    regexpFunction((regexp, text) => regexp.matches(text)),
  );
  env.functionRegister.set(
    'search',
    regexpFunction((regexp, text) => regexp.test(text)),
  );
  return env;
}

type FilterFunction = JSONPathEnvironment['functionRegister'] extends Map<string, infer F> ? F : never;

function regexpFunction(test: (regexp: RE2JS, text: string) => boolean): FilterFunction {
  const compiled = new Map<string, RE2JS | undefined>();
  return {
    argTypes: [FunctionExpressionType.ValueType, FunctionExpressionType.ValueType],
    returnType: FunctionExpressionType.LogicalType,
    call: (text: unknown, pattern: unknown): boolean => {
      if (typeof text !== 'string' || typeof pattern !== 'string') return false;
      if (!compiled.has(pattern) && compiled.size < 256) compiled.set(pattern, compileOrNothing(pattern));
      const regexp = compiled.get(pattern);
      return regexp !== undefined && test(regexp, text);
    },
  };
}

function compileOrNothing(pattern: string): RE2JS | undefined {
  try {
    return RE2JS.compile(pattern);
  } catch {
    // RFC 9535 section 2.4.6: what is no I-Regexp matches nothing.
    return undefined;
  }
}

const ENVIRONMENT = environment();

/** Compiles a query, or throws MaskPolicyError with a sentence that begins with `where`. */
export function compileQuery(query: string, where: string): JSONPathQuery {
  // Each `..` multiplies the values visited by the depth of the text.
  if ((query.match(/\.\./g)?.length ?? 0) > 2) {
    throw new MaskPolicyError(
      `${where} holds a JSONPath with more than two "..": ${query}; name the members instead.`,
    );
  }
  try {
    return ENVIRONMENT.compile(query);
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    throw new MaskPolicyError(`${where} holds "${query}", which is no JSONPath of RFC 9535: ${why}.`, {
      cause: error,
    });
  }
}

/** Where the values that a query selects lie, as steps from the value it is put to. */
export function locationsOf(query: JSONPathQuery, value: unknown): (string | number)[][] {
  return query.query(asJson(value)).nodes.map(({ location }) => location);
}

type JsonValue = Parameters<JSONPathQuery['query']>[0];

/** JSON.parse makes nothing but JSON values. */
function asJson(value: unknown): JsonValue {
  return value as JsonValue;
}

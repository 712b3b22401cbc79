/**
 * Whether a masked value may stand where a tool's outputSchema describes what stands there. A modest check, on the
 * side of no: it follows properties, patternProperties, additionalProperties, items, prefixItems, local $ref and
 * allOf/anyOf/oneOf to the masked value, and there minds type, const, enum, pattern, minLength and maxLength; any
 * `format` counts as broken. Conditions (if, dependentSchemas, not) are not followed.
 */
import { RE2JS } from 're2js';

type Step = string | number;

/** Steps of $ref and combinators that are followed; more is taken for a circle. */
const MAX_HOPS = 64;

/** Whether the string may stand at the place. */
export function admitsString(schema: unknown, steps: readonly Step[], value: string): boolean {
  return admits({ root: schema, value }, schema, steps, MAX_HOPS);
}

/** Whether a member may have another key in the place of this one. */
export function admitsOtherKey(schema: unknown, steps: readonly Step[], key: string): boolean {
  return leavesAt(schema, schema, steps, MAX_HOPS).every((at) => {
    const declared =
      member(member(at, 'properties'), key) !== undefined || asArray(member(at, 'required')).includes(key);
    const closed =
      member(at, 'additionalProperties') === false || member(at, 'unevaluatedProperties') === false;
    return (
      !declared &&
      !closed &&
      member(at, 'propertyNames') === undefined &&
      member(at, 'patternProperties') === undefined
    );
  });
}

interface Question {
  readonly root: unknown;
  readonly value: string;
}

function admits(question: Question, schema: unknown, steps: readonly Step[], hops: number): boolean {
  if (typeof schema === 'boolean' || schema === undefined) return schema !== false;
  if (hops === 0) return false;
  const also = (one: unknown): boolean => admits(question, one, steps, hops - 1);
  const ref = member(schema, '$ref');
  const required = [
    ...asArray(member(schema, 'allOf')),
    ...(ref === undefined ? [] : [resolve(question.root, ref)]),
  ];
  const choices = ['anyOf', 'oneOf']
    .map((name) => asArray(member(schema, name)))
    .filter(({ length }) => length > 0);
  if (!required.every(also) || !choices.every((options) => options.some(also))) return false;
  const [step, ...rest] = steps;
  if (step === undefined) return admitsHere(schema, question.value);
  return childrenOf(schema, step).every((child) => admits(question, child, rest, hops));
}

/** The schemas that a value at the place must meet, choices taken together. */
function leavesAt(root: unknown, schema: unknown, steps: readonly Step[], hops: number): unknown[] {
  if (typeof schema !== 'object' || schema === null || hops === 0) return [];
  const combined = ['allOf', 'anyOf', 'oneOf'].flatMap((name) => asArray(member(schema, name)));
  const ref = member(schema, '$ref');
  const aside = [...combined, ...(ref === undefined ? [] : [resolve(root, ref)])];
  const [step, ...rest] = steps;
  const here = step === undefined ? [schema] : [];
  const below = step === undefined ? [] : childrenOf(schema, step);
  return [
    ...here,
    ...aside.flatMap((one) => leavesAt(root, one, steps, hops - 1)),
    ...below.flatMap((one) => leavesAt(root, one, rest, hops - 1)),
  ];
}

function childrenOf(schema: unknown, step: Step): unknown[] {
  if (typeof step === 'number') {
    const prefix = asArray(member(schema, 'prefixItems'));
    const child = step < prefix.length ? prefix[step] : member(schema, 'items');
    return child === undefined ? [] : [child];
  }
  const named = member(member(schema, 'properties'), step);
  const patterns = member(schema, 'patternProperties');
  const matching = typeof patterns === 'object' && patterns !== null ? Object.entries(patterns) : [];
  const found = [
    ...(named === undefined ? [] : [named]),
    ...matching.filter(([pattern]) => matches(pattern, step)).map(([, child]: [string, unknown]) => child),
  ];
  const other = member(schema, 'additionalProperties');
  return found.length === 0 && other !== undefined ? [other] : found;
}

function admitsHere(schema: unknown, value: string): boolean {
  const type = member(schema, 'type');
  const choices = member(schema, 'enum');
  const constant = member(schema, 'const');
  if (type !== undefined && type !== 'string' && !asArray(type).includes('string')) return false;
  if (choices !== undefined && !asArray(choices).includes(value)) return false;
  if (constant !== undefined && constant !== value) return false;
  return (
    member(schema, 'format') === undefined && admitsLength(schema, value) && admitsPattern(schema, value)
  );
}

function admitsLength(schema: unknown, value: string): boolean {
  const least = member(schema, 'minLength');
  const most = member(schema, 'maxLength');
  // JSON Schema counts characters, not UTF-16 units.
  const length = Array.from(value).length;
  return !(typeof least === 'number' && length < least) && !(typeof most === 'number' && length > most);
}

function admitsPattern(schema: unknown, value: string): boolean {
  const pattern = member(schema, 'pattern');
  return pattern === undefined || (typeof pattern === 'string' && matches(pattern, value));
}

/** JSON Schema patterns are ECMAScript; one that RE2 cannot read counts as not matched. */
function matches(pattern: string, value: string): boolean {
  try {
    return RE2JS.compile(pattern).test(value);
  } catch {
    return false;
  }
}

/** A JSON Pointer within the schema; a reference to anywhere else admits nothing. */
function resolve(root: unknown, ref: unknown): unknown {
  if (typeof ref !== 'string' || !ref.startsWith('#')) return false;
  const steps = ref.slice(1).split('/').slice(1);
  const found = steps.reduce<unknown>(
    (at, step) => memberOrElement(at, step.replaceAll('~1', '/').replaceAll('~0', '~')),
    root,
  );
  return found ?? false;
}

function memberOrElement(value: unknown, key: string): unknown {
  return Array.isArray(value) ? value[Number(key)] : member(value, key);
}

function member(value: unknown, key: string): unknown {
  return typeof value === 'object' && value !== null && Object.hasOwn(value, key)
    ? Reflect.get(value, key)
    : undefined;
}

function asArray(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : [];
}

/** What zod found, in words that complete the sentence "<path> …". */
import type { z } from 'zod';
import { nearest } from './nearest.ts';
import type { StructuralSchema } from './structural.ts';

export type Path = readonly (string | number)[];

export interface Fault {
  readonly path: Path;
  readonly message: string;
}

/** `spec.identity[0].oidc`, and `metadata.labels["a/b"]` where a name would be misread. */
export function pathText(path: Path): string {
  const text = path.map((step) => {
    if (typeof step === 'number') return `[${step}]`;
    return /^[A-Za-z_][A-Za-z0-9_-]*$/.test(step) ? `.${step}` : `[${JSON.stringify(step.slice(0, 64))}]`;
  });
  return text.join('').replace(/^\./, '');
}

/** `spec.server.url must be …` as a whole sentence. */
export function sentenceOfFault({ path, message }: Fault): string {
  const place = pathText(path);
  return `${place === '' ? '' : `${place} `}${message}${/[.?]$/.test(message) ? '' : '.'}`;
}

/** The faults of one issue; unknown fields are told with what `schema` knows at their place. */
export function faultsOf(issue: z.core.$ZodIssue, schema: StructuralSchema): Fault[] {
  const path = issue.path.map((step) => (typeof step === 'symbol' ? String(step) : step));
  if (issue.code === 'unrecognized_keys') {
    const known = knownFields(schema, path);
    return issue.keys.map((key) => ({ path: [...path, key], message: unknownField(key, known) }));
  }
  return [{ path, message: messageOf(issue) }];
}

export function unknownField(key: string, known: readonly string[]): string {
  const meant = nearest(key, known);
  const help = meant === undefined ? `known are ${known.join(', ')}` : `did you mean "${meant}"?`;
  return known.length === 0 ? 'is not a field; none is known here' : `is not a field; ${help}`;
}

function knownFields(schema: StructuralSchema, path: Path): readonly string[] {
  let at: StructuralSchema | undefined = schema;
  for (const step of path) {
    at = typeof step === 'number' ? at?.items : (at?.properties?.[step] ?? at?.additionalProperties);
  }
  return Object.keys(at?.properties ?? {});
}

function messageOf(issue: z.core.$ZodIssue): string {
  switch (issue.code) {
    case 'invalid_type':
      return wrongType(typeName(issue.expected), issue.input);
    case 'invalid_value':
      return wrongValue(issue.values.map(String), issue.input);
    case 'too_small':
      return `must ${bound('at least', issue.minimum, issue.origin)}`;
    case 'too_big':
      return `must ${bound('at most', issue.maximum, issue.origin)}`;
    default:
      return issue.message;
  }
}

function wrongType(expected: string, input: unknown): string {
  return input === undefined
    ? `is missing; it must be ${expected}`
    : `must be ${expected}, not ${kindOf(input)}`;
}

function wrongValue(values: readonly string[], input: unknown): string {
  const allowed = values.length === 1 ? (values[0] ?? '') : `one of ${values.join(', ')}`;
  if (input === undefined) return `is missing; it must be ${allowed}`;
  const given = typeof input === 'string' ? JSON.stringify(input.slice(0, 64)) : kindOf(input);
  return `must be ${allowed}, not ${given}`;
}

function bound(relation: string, limit: number | bigint, origin: string): string {
  const amount = `${relation} ${String(limit)}`;
  if (origin === 'string') return Number(limit) === 1 ? 'not be empty' : `have ${amount} characters`;
  if (origin === 'array') return `have ${amount} ${Number(limit) === 1 ? 'entry' : 'entries'}`;
  return `be ${amount}`;
}

const TYPE_NAMES: Readonly<Record<string, string>> = {
  string: 'a string',
  number: 'a number',
  int: 'a whole number',
  boolean: 'true or false',
  array: 'a list',
  object: 'an object',
  record: 'an object',
};

function typeName(expected: string): string {
  return TYPE_NAMES[expected] ?? expected;
}

function kindOf(value: unknown): string {
  if (value === null) return 'null';
  if (Array.isArray(value)) return 'a list';
  if (typeof value === 'boolean') return value ? 'true' : 'false';
  if (typeof value === 'number') return String(value);
  return TYPE_NAMES[typeof value] ?? typeof value;
}

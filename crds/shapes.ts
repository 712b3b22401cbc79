/**
 * Pieces that several kinds share. Every schema here is flat on its input side, because structural schemas of
 * Kubernetes know no `oneOf`; what needs two fields is a rule that stands in CEL for the API server and as a
 * predicate for everyone else, with one sentence for both.
 */
import { z } from 'zod';
import { parseDuration, parseSize } from './units.ts';

/** A rule over several fields. `message` completes the sentence "<path> …". */
export interface CrossRule<T> {
  readonly cel: string;
  readonly message: string;
  readonly holds: (value: T) => boolean;
}

/** Adds rules to a schema: as refinements, and as x-kubernetes-validations in what is generated. */
export function withRules<S extends z.ZodType>(schema: S, rules: readonly CrossRule<z.output<S>>[]): S {
  return schema
    .superRefine((value, context) => {
      for (const rule of rules) {
        if (!rule.holds(value)) context.addIssue({ code: 'custom', message: rule.message });
      }
    })
    .meta({ 'x-kubernetes-validations': rules.map(({ cel, message }) => ({ rule: cel, message })) });
}

/** Exactly one of the members, each under its own key. */
export type OneOf<S extends z.ZodRawShape> = {
  [K in keyof S]: { readonly [P in K]: z.output<S[P]> };
}[keyof S];

/** An object with exactly one of the given members, which the parsed type says too. */
export function exactlyOne<S extends z.ZodRawShape>(members: S): z.ZodType<OneOf<S>> {
  return exactlyOneBeside({}, members);
}

/** Like {@link exactlyOne}, with further members beside the one. */
export function exactlyOneBeside<B extends z.ZodRawShape, S extends z.ZodRawShape>(
  beside: B,
  members: S,
): z.ZodType<z.output<z.ZodObject<B>> & OneOf<S>> {
  const names = Object.keys(members);
  const optional = Object.fromEntries(names.map((name) => [name, z.optional(members[name] ?? z.never())]));
  const flat = withRules(z.strictObject({ ...beside, ...optional }), [
    {
      cel: `[${names.map((name) => `has(self.${name})`).join(', ')}].filter(x, x).size() == 1`,
      message: `must have exactly one of ${names.join(', ')}`,
      holds: (value) => names.filter((name) => Object.hasOwn(value, name)).length === 1,
    },
  ]);
  // The rule above proved what the type says: one member is there and the others are not.
  return flat as unknown as z.ZodType<z.output<z.ZodObject<B>> & OneOf<S>>;
}

/** Text of one line and bounded length. */
export function line(max = 256): z.ZodString {
  return z
    .string()
    .min(1)
    .max(max)
    .regex(/^[^\r\n]*$/, 'must be one line of text');
}

const DNS_SUBDOMAIN = /^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$/;

/** Name of a Kubernetes object. */
export const objectName = z
  .string()
  .min(1)
  .max(253)
  .regex(DNS_SUBDOMAIN, 'must be a DNS name: lower-case letters, digits, "-" and "."');

/** Name of a part inside an object: a provider, a credential, a detector. */
export const partName = z
  .string()
  .min(1)
  .max(63)
  .regex(/^[a-z0-9]([-a-z0-9]*[a-z0-9])?$/, 'must consist of lower-case letters, digits and "-"');

/** Names with `*` for any run of characters, "/" included. */
export const globs = z.array(line(512)).max(256);

/** Text that is compared as it stands. */
export const texts = z.array(line(512)).max(256);

export const emptyObject = z.strictObject({});

const DURATION_PATTERN = /^([0-9]{1,9}(ms|s|m|h|d))+$/;
const DURATION_SENTENCE = 'must be a duration such as 30s, 15m, 1h30m or 90d';

/** A duration between two bounds, parsed to milliseconds. */
export function duration(min: string, max: string): z.ZodType<number, string> {
  const least = parseDuration(min) ?? 0;
  const most = parseDuration(max) ?? 0;
  return z
    .string()
    .max(32)
    .regex(DURATION_PATTERN, DURATION_SENTENCE)
    .transform((text) => parseDuration(text) ?? NaN)
    .refine((value) => value >= least && value <= most, `must lie between ${min} and ${max}`);
}

/** A size between two bounds, parsed to bytes. */
export function size(min: string, max: string): z.ZodType<number, string> {
  const least = parseSize(min) ?? 0;
  const most = parseSize(max) ?? 0;
  return z
    .string()
    .max(18)
    .regex(/^[0-9]{1,15}(k|M|G|Ki|Mi|Gi)?$/, 'must be a size such as 512Ki, 4Mi or 1048576')
    .transform((text) => parseSize(text) ?? NaN)
    .refine((value) => value >= least && value <= most, `must lie between ${min} and ${max}`);
}

const labelValue = z
  .string()
  .max(63)
  .regex(
    /^([A-Za-z0-9]([-A-Za-z0-9_.]*[A-Za-z0-9])?)?$/,
    'must be a label value: letters, digits, "-", "_" and "."',
  );

export const labels = z
  .record(z.string(), labelValue)
  .refine((value) => Object.keys(value).length <= 64, 'must have at most 64 labels')
  .meta({ maxProperties: 64 });

/** Objects whose labels include all of `matchLabels`; without any, every object. */
export const labelSelector = z.strictObject({ matchLabels: labels.prefault({}) });

export type LabelSelector = z.output<typeof labelSelector>;

/** What is true of labels that a selector selects. */
export function selects(selector: LabelSelector, labelsOf: Readonly<Record<string, string>>): boolean {
  return Object.entries(selector.matchLabels).every(([key, value]) => labelsOf[key] === value);
}

export const header = z.strictObject({
  name: z
    .string()
    .min(1)
    .max(128)
    .regex(/^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/, 'must be the name of an HTTP header'),
  value: line(4096),
});

/** Strings in another language, checked where they are parsed, so that a mistake is found before it is in force. */
import { z } from 'zod';
import { sentenceOf } from '../lib/errors.ts';
import { compileCel } from './cel.ts';
import { checkJsonPath } from './json-path.ts';
import { checkPattern, MAX_PATTERN_LENGTH } from './regex.ts';
import { parseFileTemplate, parseTemplate, type ParsedTemplate } from './template.ts';

function checked(max: number, check: (text: string) => string | undefined): z.ZodString {
  return z
    .string()
    .min(1)
    .max(max)
    .superRefine((text, context) => {
      const message = check(text);
      if (message !== undefined) context.addIssue({ code: 'custom', message });
    });
}

/** A condition in CEL over caller, request and session, and in rules over call. */
export function celCondition(place: 'access' | 'rule'): z.ZodString {
  return checked(4096, (text) => {
    try {
      compileCel(text, place);
      return undefined;
    } catch (error) {
      return `is not a condition in CEL: ${sentenceOf(error)}`;
    }
  });
}

export const re2Pattern = checked(MAX_PATTERN_LENGTH, checkPattern);

export const jsonPath = checked(1024, checkJsonPath);

/** A line of text with at least one `{{ field }}` of a credential. */
export const template = parsed(parseTemplate);

/** Lines of text with at least one `{{ field }}`, which may say how its value is written: `{{ field | sh }}`. */
export const fileTemplate = parsed(parseFileTemplate);

function parsed(parse: (text: string) => ParsedTemplate): z.ZodString {
  return checked(4096, (text) => {
    const parts = parse(text);
    return 'problem' in parts ? parts.problem : undefined;
  });
}

/** The fields of an answer of Vault's, as templates name them. */
import { Secret } from '../../../lib/secret.ts';

/**
 * Text as it is, numbers and booleans as JSON writes them, lists of text (a chain of certificates) one a line. What is
 * nested is no field. Values that a template could not use are left out, and its sentence says that there is none.
 */
export function fieldsOf(data: Readonly<Record<string, unknown>>): ReadonlyMap<string, Secret> {
  const fields = new Map<string, Secret>();
  for (const [name, value] of Object.entries(data)) {
    const text = textOf(value);
    if (text !== undefined) fields.set(name, new Secret(text));
  }
  return fields;
}

function textOf(value: unknown): string | undefined {
  if (typeof value === 'string') return value;
  if (typeof value === 'number' || typeof value === 'boolean') return JSON.stringify(value);
  if (Array.isArray(value) && value.length > 0 && value.every((part) => typeof part === 'string'))
    return value.join('\n');
  return undefined;
}

/** Text with fields of a credential put in. */
import type { ParsedTemplate, TemplateForm } from '../../crds/template.ts';
import type { Secret } from '../../lib/secret.ts';
import { CredentialError } from './error.ts';

/** Throws CredentialError for a field that is not there. */
export type Render = (fields: ReadonlyMap<string, Secret>) => string;

/** `credential` names it in errors, `what` says what the text is, as in "its header". Throws CredentialError. */
export function compileTemplate(credential: string, what: string, parts: ParsedTemplate): Render {
  if ('problem' in parts)
    throw new CredentialError(
      'credential_invalid',
      `The credential "${credential}" cannot be used: the value of ${what} ${parts.problem}.`,
    );
  return (fields) =>
    parts
      .map((part) =>
        'text' in part ? part.text : written(lookUp(credential, part.field, fields), part.form),
      )
      .join('');
}

function written(value: string, form: TemplateForm | undefined): string {
  if (form === 'json') return JSON.stringify(value);
  return form === 'sh' ? `'${value.replaceAll("'", String.raw`'\''`)}'` : value;
}

function lookUp(credential: string, field: string, fields: ReadonlyMap<string, Secret>): string {
  const value = fields.get(field)?.reveal();
  if (value === undefined) throw unavailable(credential, `its source has no field "${field}"`);
  if (value === '') throw unavailable(credential, `the field "${field}" of its source is empty`);
  return value;
}

export function unavailable(credential: string, why: string, cause?: unknown): CredentialError {
  return new CredentialError(
    'credential_unavailable',
    `The credential "${credential}" of this gateway is not available: ${why}.`,
    { cause },
  );
}

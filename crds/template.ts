/** The text that a credential is put into: `Bearer {{ token }}`, or a file such as `TOKEN={{ token | sh }}`. */

/** As a shell reads one word; as a JSON string, with its quotes. */
export type TemplateForm = 'sh' | 'json';

/** A part as it stands, or the name of a field of the credential, and how its value is written. */
export type TemplatePart =
  { readonly text: string } | { readonly field: string; readonly form: TemplateForm | undefined };

/** The parts of a template, or what is wrong with it, as the end of a sentence that begins with where it stands. */
export type ParsedTemplate = readonly TemplatePart[] | { readonly problem: string };

const FIELD = /^[ ]*([A-Za-z0-9_.-]{1,128})[ ]*(?:\|[ ]*([a-z0-9]+)[ ]*)?$/;

/** Of one line, in which values stand as they are. */
export function parseTemplate(template: string): ParsedTemplate {
  if (/[\r\n]/.test(template)) return { problem: 'must be one line of text' };
  const parts = parseFileTemplate(template);
  if (!('problem' in parts) && parts.some((part) => 'form' in part && part.form !== undefined))
    return { problem: 'must not say a form such as "| sh", which values in files alone have' };
  return parts;
}

/** Of any lines, in which values may have a form. */
export function parseFileTemplate(template: string): ParsedTemplate {
  const [head = '', ...rest] = template.split('{{');
  const parts: TemplatePart[] = head === '' ? [] : [{ text: head }];
  for (const piece of rest) {
    const end = piece.indexOf('}}');
    const field = end < 0 ? undefined : parseField(piece.slice(0, end));
    if (field === undefined)
      return { problem: 'must name each field between "{{" and "}}", as in "Bearer {{ token }}"' };
    if ('problem' in field) return field;
    parts.push(field);
    if (piece.length > end + 2) parts.push({ text: piece.slice(end + 2) });
  }
  if (rest.length === 0)
    return { problem: 'must have at least one field of the credential, as in "{{ token }}"' };
  return parts;
}

function parseField(text: string): TemplatePart | { readonly problem: string } | undefined {
  const [, field, form] = FIELD.exec(text) ?? [];
  if (field === undefined) return undefined;
  if (form === undefined || form === 'sh' || form === 'json') return { field, form };
  return { problem: `must not say the form "${form}": there are sh and json` };
}

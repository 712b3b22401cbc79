/** The text that a credential is put into: `Bearer {{ token }}`. */

/** A part as it stands, or the name of a field of the credential. */
export type TemplatePart = { readonly text: string } | { readonly field: string };

const FIELD = /^[ ]*([A-Za-z0-9_.-]{1,128})[ ]*$/;

/** The parts of a template, or what is wrong with it, as the end of a sentence that begins with where it stands. */
export function parseTemplate(template: string): readonly TemplatePart[] | { readonly problem: string } {
  if (/[\r\n]/.test(template)) return { problem: 'must be one line of text' };
  const [head = '', ...rest] = template.split('{{');
  const parts: TemplatePart[] = head === '' ? [] : [{ text: head }];
  for (const piece of rest) {
    const end = piece.indexOf('}}');
    const field = end < 0 ? undefined : FIELD.exec(piece.slice(0, end))?.[1];
    if (field === undefined)
      return { problem: 'must name each field between "{{" and "}}", as in "Bearer {{ token }}"' };
    parts.push({ field });
    if (piece.length > end + 2) parts.push({ text: piece.slice(end + 2) });
  }
  if (rest.length === 0)
    return { problem: 'must have at least one field of the credential, as in "{{ token }}"' };
  return parts;
}

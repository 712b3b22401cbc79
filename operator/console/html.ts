/** HTML text. Whatever is put into a template is escaped, unless it came from a template itself. */
export class Html {
  readonly text: string;

  constructor(text: string) {
    this.text = text;
  }
}

type Part = Html | string | number | readonly Html[];

export function html(texts: TemplateStringsArray, ...parts: readonly Part[]): Html {
  const all = texts.map((text, index) => `${text}${index < parts.length ? shown(parts[index] ?? '') : ''}`);
  return new Html(all.join(''));
}

function shown(part: Part): string {
  if (part instanceof Html) return part.text;
  if (typeof part === 'string') return escaped(part);
  if (typeof part === 'number') return String(part);
  return part.map(({ text }) => text).join('');
}

const ENTITIES: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
};

function escaped(text: string): string {
  return text.replace(/[&<>"']/g, (character) => ENTITIES[character] ?? '');
}

/**
 * Globs over names and URIs: `*` stands for any text, `/` included; every other character for itself. A glob
 * covers the whole name and minds upper and lower case.
 */
export function compileGlobs(patterns: readonly string[]): (name: string) => boolean {
  const exact = new Set(patterns.filter((pattern) => !pattern.includes('*')));
  const globs = patterns.filter((pattern) => pattern.includes('*')).map(compileGlob);
  return (name) => exact.has(name) || globs.some((matches) => matches(name));
}

/** Between two stars the leftmost place of each piece is as good as any other, so nothing is tried twice. */
function compileGlob(pattern: string): (name: string) => boolean {
  const pieces = pattern.split('*');
  const first = pieces.at(0) ?? '';
  const last = pieces.at(-1) ?? '';
  const middle = pieces.slice(1, -1).filter((piece) => piece !== '');
  return (name) => {
    const end = name.length - last.length;
    if (end < first.length || !name.startsWith(first) || !name.endsWith(last)) return false;
    let from = first.length;
    for (const piece of middle) {
      const at = name.indexOf(piece, from);
      if (at === -1) return false;
      from = at + piece.length;
    }
    return from <= end;
  };
}

/** Joins what happened and why to one sentence; the reason may be a sentence itself, and its full stop is not doubled. */
export function because(what: string, why: string): string {
  return `${what}: ${why.replace(/\.+$/, '')}.`;
}

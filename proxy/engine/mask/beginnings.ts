import type { IndexedForm } from './known-forms.ts';

/** So many characters look a form up; no beginning is shorter. */
const CUE = 4;
/** So many characters of a value, or half of a short one, are more than may leave. */
const ENOUGH = 8;
/** Nothing longer is told from its beginning. */
const MAX_LENGTH = 4096;

/** Finds whether a text ends with the beginning of a value, case aside. */
export class Beginnings {
  readonly #forms = new Map<string, { readonly text: string; readonly value: string }[]>();
  #longest = 0;

  constructor(forms: readonly IndexedForm[]) {
    for (const { text, value } of forms) {
      const lower = text.toLowerCase().slice(0, MAX_LENGTH);
      const cue = lower.slice(0, CUE);
      const same = this.#forms.get(cue) ?? [];
      if (cue.length === CUE) this.#forms.set(cue, [...same, { text: lower, value }]);
      this.#longest = Math.max(this.#longest, lower.length);
    }
  }

  /** The length of the longest such beginning, 0 where there is none. */
  atEndOf(text: string, isLive: (value: string) => boolean): number {
    const lower = text.slice(-this.#longest).toLowerCase();
    for (let at = 0; at + CUE <= lower.length; at += 1) {
      const length = lower.length - at;
      const begun = (this.#forms.get(lower.slice(at, at + CUE)) ?? []).some(
        (form) =>
          length < form.text.length &&
          length >= enoughOf(form.text) &&
          form.text.startsWith(lower.slice(at)) &&
          isLive(form.value),
      );
      if (begun) return length;
    }
    return 0;
  }
}

function enoughOf(text: string): number {
  return Math.max(CUE, Math.min(ENOUGH, Math.ceil(text.length / 2)));
}

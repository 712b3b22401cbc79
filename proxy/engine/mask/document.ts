import { append } from './append.ts';
import {
  removeElements,
  scanJson,
  splice,
  tokenValue,
  type JsonEdit,
  type JsonVisitor,
} from '../../../lib/json/index.ts';
import { Cursor, type Frame, type Reached, type Standing } from './cursor.ts';
import { base64Like, bytesOf } from './base64.ts';
import { describedIn } from './described.ts';
import { examine, knownIn } from './examine.ts';
import { maskProtobuf, type Described } from './protobuf.ts';
import { Withheld, type Claim } from './ledger.ts';
import { marksIn, type Marks } from './marks.ts';
import type { Role } from './shape.ts';
import { addInToken, escaped } from './tokens.ts';
import type { Found } from './types.ts';
import type { Promised, Work } from './work.ts';

/** Where a JSON text stands. */
export interface Document extends Standing {
  readonly text: string;
  readonly path: string;
  /** How many strings of JSON are around it. */
  readonly nesting: number;
}

const NO_SEAMS_HERE: readonly Found[] = [];

/** The edits that mask a validated JSON text, in order. Throws Withheld and BudgetSpent. */
export function maskDocument(work: Work, document: Document): JsonEdit[] {
  const masker = new DocumentMasker(work, document);
  if (masker.hasNothingToDo) return [];
  scanJson(document.text, masker);
  return masker.finish();
}

class DocumentMasker implements JsonVisitor {
  readonly #work: Work;
  readonly #document: Document;
  readonly #cursor: Cursor;
  readonly #marks: Marks;
  /** Whether every string that holds an escape is looked at, and whether everything is. */
  readonly #everyEscaped: boolean;
  readonly #everyLeaf: boolean;
  /** Strings that are base64 of protobuf messages which a policy describes, by where they begin. */
  readonly #described: ReadonlyMap<number, Described>;
  readonly #edits: JsonEdit[] = [];
  /** Elements to take out, by the start of their array. */
  readonly #hidden = new Map<number, Set<number>>();
  readonly #removals: JsonEdit[] = [];
  readonly #pathHere: () => string;

  constructor(work: Work, document: Document) {
    this.#work = work;
    this.#document = document;
    this.#cursor = new Cursor(work.plan, document);
    this.#described = describedIn(document.text, work.plan);
    this.#everyLeaf = work.probe.matcher.mayMatch(document.text);
    this.#everyEscaped =
      !work.plan.readsSurface || (work.probe.known.mayBeEscaped && document.text.includes('\\'));
    this.#marks = marksIn(document.text, work.plan, work.probe);
    this.#pathHere = () => (document.nesting > 0 ? document.path : this.#cursor.path(document.path));
  }

  /** Whether the text itself tells that nothing in it is to be masked. */
  get hasNothingToDo(): boolean {
    const isDrawnIn =
      this.#document.selected.length > 0 || (this.#document.nesting === 0 && this.#work.seams.size > 0);
    return this.#marks.isEmpty && !isDrawnIn && this.#work.plan.readsSurface && !this.#everyEscaped;
  }

  /** The edits in order, without those in elements that are taken out. */
  finish(): JsonEdit[] {
    // The scan comes by them in order.
    if (this.#removals.length === 0) return this.#edits;
    const removals = new Set(this.#removals);
    const edits: JsonEdit[] = [];
    let removedTo = 0;
    // A removal comes before the edits in it, which begin no earlier.
    for (const edit of [...removals, ...this.#edits].sort((a, b) => a.start - b.start)) {
      if (edit.start < removedTo) continue;
      edits.push(edit);
      if (removals.has(edit)) removedTo = edit.end;
    }
    return edits;
  }

  openObject(start: number): void {
    this.#cursor.open(start, false);
  }

  openArray(start: number): void {
    this.#cursor.open(start, true);
  }

  closeObject(): void {
    this.#cursor.close();
  }

  closeArray(start: number, end: number): void {
    this.#cursor.close();
    const hidden = this.#hidden.get(start);
    if (hidden !== undefined)
      append(this.#removals, removeElements(this.#document.text, { start, end }, hidden));
  }

  key(start: number, end: number, plain: boolean): void {
    const { frame } = this.#cursor;
    if (frame === undefined) return;
    const key = tokenValue(this.#document.text, start, end, plain);
    frame.key = key;
    frame.shownKey = key;
    if (!this.#isLookedAt(start, end, plain)) return;
    const { probe, ledger } = this.#work;
    const found = examine(probe, key, undefined);
    // The path must not show what the key may not.
    if (found.length > 0) frame.shownKey = '…';
    const edits = ledger.decide(found, this.#pathHere, this.#cursor.here().excluded);
    if (edits.length === 0 || (frame.shape.opaqueKeys && this.#isSpokenFor('opaque'))) return;
    this.#promised()?.key(this.#cursor.steps().slice(0, -1), key);
    this.#add(start, plain, apart(frame, key, edits));
  }

  string(start: number, end: number, plain: boolean): void {
    const at = this.#cursor.next();
    const described = this.#described.get(start);
    if (described !== undefined) {
      this.#base64(start, tokenValue(this.#document.text, start, end, plain), plain, { at, described });
      return;
    }
    const seams = this.#seamsAt(start);
    if (seams.length === 0 && !this.#isPicked(at) && !this.#isLookedAt(start, end, plain)) return;
    const text = tokenValue(this.#document.text, start, end, plain);
    const { role } = at.shape;
    const place = { ...at, role, nesting: this.#document.nesting, seams, path: this.#pathHere };
    const edits = this.#work.maskString(this.#work, text, place);
    if (edits.length === 0 || this.#isSpokenFor(role)) return;
    this.#put(start, text, plain, role === 'blob' ? [wholeBlob(text, edits)] : edits);
  }

  /** A message in base64: masked field by field, and as a whole where a value the proxy holds is left in it. */
  #base64(
    start: number,
    text: string,
    plain: boolean,
    { at, described }: { readonly at: Reached; readonly described: Described },
  ): void {
    if (text === '') return;
    const where = { ...at, path: this.#pathHere };
    const bytes = bytesOf(text, this.#pathHere);
    const masked = maskProtobuf(this.#work, bytes, described, where);
    const left = knownIn(this.#work.probe, masked.toString('latin1'));
    const claims = left.map((found) => ({ ...found, start: 0, end: text.length }));
    const whole = this.#work.ledger.decide(claims, this.#pathHere, at.excluded);
    if (whole.length > 0) this.#put(start, text, plain, [wholeBlob(text, whole)]);
    else if (masked !== bytes)
      this.#put(start, text, plain, [{ start: 0, end: text.length, text: base64Like(text, masked) }]);
  }

  #put(start: number, text: string, plain: boolean, edits: readonly JsonEdit[]): void {
    this.#promised()?.value(this.#cursor.steps(), splice(text, edits));
    this.#add(start, plain, edits);
  }

  #add(start: number, plain: boolean, edits: readonly JsonEdit[]): void {
    addInToken(this.#edits, { text: this.#document.text, start, plain }, edits);
  }

  /** Seams are between strings of the message, not of JSON in its strings. */
  #seamsAt(start: number): readonly Found[] {
    return (this.#document.nesting === 0 ? this.#work.seams.get(start) : undefined) ?? NO_SEAMS_HERE;
  }

  /** Whether the place of a value, or its key, says that it is looked at whatever it holds. */
  #isPicked({ selected, key }: Reached): boolean {
    return selected.length > 0 || (key !== undefined && this.#work.plan.factsOf(key).telling);
  }

  number(start: number, end: number): void {
    const at = this.#cursor.next();
    const interesting = this.#isInteresting(start, end) || this.#isPicked(at);
    if (interesting) this.#scalar(start, end, at, interesting);
  }

  literal(start: number, end: number): void {
    const at = this.#cursor.next();
    // There is nothing to hide in null.
    if (at.selected.length > 0 && this.#document.text[start] !== 'n') this.#scalar(start, end, at, false);
  }

  /** A number or a boolean becomes a string as a whole, or stays. */
  #scalar(start: number, end: number, at: Reached, interesting: boolean): void {
    const { probe, ledger, live } = this.#work;
    const text = this.#document.text.slice(start, end);
    const whole = { start: 0, end: text.length, value: text };
    const { role } = at.shape;
    const claims: Claim[] =
      at.selected.length > 0 && (role === 'payload' || !live) ? [{ ...whole, selectedBy: at.selected }] : [];
    if (interesting) claims.push(...examine(probe, text, at.key).map((found) => ({ ...found, ...whole })));
    const masked = ledger.decide(claims, this.#pathHere, at.excluded)[0]?.text;
    if (masked === undefined || this.#isSpokenFor(role)) return;
    this.#promised()?.value(this.#cursor.steps(), masked);
    this.#edits.push({ start, end, text: `"${escaped(masked)}"` });
  }

  /**
   * What is not edited in place: an opaque value withholds the message, a name hides the element of the list that
   * offers it. In the record both are text.
   */
  #isSpokenFor(role: Role): boolean {
    if (!this.#work.live) return false;
    if (role === 'opaque') {
      const where = this.#pathHere();
      throw new Withheld(
        `The message holds a value that may not leave, at ${where}, where nothing can stand for it.`,
      );
    }
    const { list } = this.#cursor;
    if (role !== 'name' || list === undefined) return false;
    const hidden = this.#hidden.get(list.start) ?? new Set();
    this.#hidden.set(list.start, hidden.add(list.index));
    return true;
  }

  /** A promise is about the message, not about JSON in its strings. */
  #promised(): Promised | undefined {
    return this.#document.nesting === 0 ? this.#work.promise : undefined;
  }

  #isLookedAt(start: number, end: number, plain: boolean): boolean {
    return (!plain && this.#everyEscaped) || this.#isInteresting(start, end);
  }

  #isInteresting(start: number, end: number): boolean {
    return this.#everyLeaf || this.#marks.has(start, end);
  }
}

/** Edits of a key, with a number behind the last where another key of the object was masked to the same. */
function apart({ maskedKeys }: Frame, key: string, edits: readonly JsonEdit[]): JsonEdit[] {
  const masked = splice(key, edits);
  const count = (maskedKeys.get(masked) ?? 0) + 1;
  maskedKeys.set(masked, count);
  return count === 1 ? [...edits] : [...edits, { start: key.length, end: key.length, text: `#${count}` }];
}

/** Clients check that a blob is base64, so what stands for it is base64 too. */
function wholeBlob(text: string, edits: readonly JsonEdit[]): JsonEdit {
  return { start: 0, end: text.length, text: Buffer.from(edits[0]?.text ?? '').toString('base64') };
}

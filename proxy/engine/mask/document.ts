import {
  removeElements,
  scanJson,
  tokenValue,
  type JsonEdit,
  type JsonVisitor,
} from '../../../lib/json/index.ts';
import { examine, marksOf, type Probe } from './examine.ts';
import { SELECTOR_RANK, Withheld, type Claim, type Ledger } from './ledger.ts';
import type { PathTrie } from './json-path.ts';
import { pathOf, type Place } from './place.ts';
import type { Plan, Use } from './plan.ts';
import type { CompiledPolicy } from './policy.ts';
import { elementShape, memberShape, type Role, type Shape } from './shape.ts';
import { escaped, inToken } from './tokens.ts';

/** What the work on one message shares. */
export interface Work {
  readonly plan: Plan;
  readonly probe: Probe;
  readonly ledger: Ledger;
  /** Whether anybody will use the message: in the record opaque values are text like any other. */
  readonly live: boolean;
  /** Edits for the value of a string; it may hold JSON again. */
  readonly maskString: (work: Work, text: string, place: Place) => JsonEdit[];
  /** Told of each masked value inside the message, to hold it against the output schema. */
  readonly onReplaced: (steps: readonly (string | number)[], text: string, nesting: number) => void;
}

/** Where a JSON text stands. */
export interface Document {
  readonly text: string;
  readonly shape: Shape;
  /** What JSONPath queries select in it. */
  readonly trie: PathTrie | undefined;
  readonly path: string;
  readonly selected: readonly Use[];
  readonly excluded: ReadonlySet<CompiledPolicy>;
  readonly nesting: number;
}

/** The edits that mask a validated JSON text. Throws Withheld and BudgetSpent. */
export function maskDocument(work: Work, document: Document): JsonEdit[] {
  const masker = new DocumentMasker(work, document);
  scanJson(document.text, masker);
  return masker.finish();
}

/** A container on the way to the value that is being read. */
interface Frame {
  readonly shape: Shape;
  readonly trie: PathTrie | undefined;
  readonly selected: readonly Use[];
  readonly excluded: ReadonlySet<CompiledPolicy>;
  readonly start: number;
  readonly array: boolean;
  /** The member or element that is being read; what a masked key became. */
  key: string;
  shownKey: string;
  index: number;
}

class DocumentMasker implements JsonVisitor {
  readonly #work: Work;
  readonly #document: Document;
  readonly #marks: readonly number[];
  readonly #everyLeaf: boolean;
  readonly #frames: Frame[] = [];
  readonly #edits: JsonEdit[] = [];
  /** Elements to take out, by the start of their array. */
  readonly #hidden = new Map<number, Set<number>>();
  readonly #removals: JsonEdit[] = [];
  #nextMark = 0;

  constructor(work: Work, document: Document) {
    this.#work = work;
    this.#document = document;
    this.#marks = marksOf(work.probe, document.text);
    this.#everyLeaf = work.probe.matcher.mayMatch(document.text);
  }

  /** The edits, those in hidden elements dropped. */
  finish(): JsonEdit[] {
    const removals = this.#removals;
    const stays = (edit: JsonEdit): boolean =>
      !removals.some(({ start, end }) => edit.start >= start && edit.end <= end);
    return [...(removals.length === 0 ? this.#edits : this.#edits.filter(stays)), ...removals];
  }

  openObject(start: number): void {
    this.#open(start, false);
  }

  openArray(start: number): void {
    this.#open(start, true);
  }

  closeObject(): void {
    this.#frames.pop();
  }

  closeArray(start: number, end: number): void {
    this.#frames.pop();
    const hidden = this.#hidden.get(start);
    if (hidden !== undefined)
      this.#removals.push(...removeElements(this.#document.text, { start, end }, hidden));
  }

  key(start: number, end: number, plain: boolean): void {
    const frame = this.#frames.at(-1);
    if (frame === undefined) return;
    const key = tokenValue(this.#document.text, start, end, plain);
    frame.key = key;
    frame.shownKey = key;
    if (!this.#isInteresting(start, end) && plain) return;
    const found = examine(this.#work.probe, key, undefined);
    // The path must not show what the key may not.
    frame.shownKey = found.length > 0 ? '…' : key;
    const edits = this.#work.ledger.decide(
      found.map((one) => this.#work.ledger.claimOf(one)),
      () => this.#path(),
      this.#at().excluded,
    );
    if (edits.length === 0) return;
    this.#edits.push(...inToken(this.#document.text, start, plain, edits));
  }

  string(start: number, end: number, plain: boolean): void {
    const at = this.#enter();
    const secretName = at.key !== undefined && this.#work.plan.factsOf(at.key).secretName;
    if (plain && at.selected.length === 0 && !secretName && !this.#isInteresting(start, end)) return;
    const text = tokenValue(this.#document.text, start, end, plain);
    const edits = this.#work.maskString(this.#work, text, {
      ...at,
      path: () => this.#path(),
      nesting: this.#document.nesting,
    });
    if (edits.length === 0 || this.#isSpokenFor(at.role)) return;
    const replaced = at.role === 'blob' ? [wholeBlob(text, edits)] : edits;
    this.#replaced(replaced.map((edit) => edit.text).join(''));
    this.#edits.push(...inToken(this.#document.text, start, plain, replaced));
  }

  number(start: number, end: number): void {
    const at = this.#enter();
    if (at.selected.length === 0 && !this.#isInteresting(start, end)) return;
    this.#scalar(start, end, at, true);
  }

  literal(start: number, end: number): void {
    const at = this.#enter();
    if (at.selected.length > 0 && this.#document.text[start] !== 'n') this.#scalar(start, end, at, false);
  }

  /** A number or a boolean becomes a string as a whole, or stays. */
  #scalar(start: number, end: number, at: Entered, examined: boolean): void {
    const { probe, ledger } = this.#work;
    const text = this.#document.text.slice(start, end);
    const claims: Claim[] = at.selected.map((use) => ({
      start: 0,
      end: text.length,
      value: text,
      uses: [use],
      rank: SELECTOR_RANK,
    }));
    if (examined) claims.push(...examine(probe, text, at.key).map((found) => ledger.claimOf(found)));
    const edits = ledger.decide(claims, () => this.#path(), at.excluded);
    const masked = edits[0]?.text;
    if (masked === undefined || this.#isSpokenFor(at.role)) return;
    this.#replaced(masked);
    this.#edits.push({ start, end, text: `"${escaped(masked)}"` });
  }

  #open(start: number, array: boolean): void {
    const { shape, trie, selected, excluded } = this.#enter();
    this.#frames.push({ shape, trie, selected, excluded, start, array, key: '', shownKey: '', index: -1 });
  }

  /** Steps to the next value and says what holds there. */
  #enter(): Entered {
    const frame = this.#frames.at(-1);
    if (frame?.array === true) frame.index += 1;
    return this.#at();
  }

  #at(): Entered {
    const frame = this.#frames.at(-1);
    const { plan } = this.#work;
    if (frame === undefined) {
      const { shape, trie, selected, excluded } = this.#document;
      return entered(plan, { shape, trie, selected, excluded, key: undefined, role: shape.role });
    }
    const shape = frame.array ? elementShape(frame.shape) : memberShape(frame.shape, frame.key);
    const trie = frame.trie?.children.get(frame.array ? frame.index : frame.key);
    const role = shape.role;
    const key = frame.array ? this.#nearestKey() : frame.key;
    const selected = frame.array ? frame.selected : this.#armed(frame);
    return entered(plan, { shape, trie, selected, excluded: frame.excluded, key, role });
  }

  #nearestKey(): string | undefined {
    return this.#frames.findLast((frame) => !frame.array)?.key;
  }

  /** Keys of data select; keys of the protocol do not, since `name` there is not the data's. */
  #armed(frame: Frame): readonly Use[] {
    if (frame.shape.role !== 'payload' && frame.shape.role !== 'schema') return frame.selected;
    const facts = this.#work.plan.factsOf(frame.key);
    const rows = this.#frames.at(-2)?.array === true || this.#frames.length === 1;
    if (facts.byKey.length === 0 && (!rows || facts.byColumn.length === 0)) return frame.selected;
    return [...frame.selected, ...facts.byKey, ...(rows ? facts.byColumn : [])];
  }

  /**
   * What is not edited in place: an opaque value withholds the message, a name hides the element of the list that
   * offers it. In the record both are text.
   */
  #isSpokenFor(role: Role): boolean {
    if (!this.#work.live) return false;
    if (role === 'opaque') {
      throw new Withheld(
        `The message holds a value that may not leave, at ${this.#path()}, where nothing can be put in its place.`,
      );
    }
    if (role !== 'name') return false;
    const list = this.#frames.findLast((frame) => frame.array);
    if (list === undefined) return false;
    const hidden = this.#hidden.get(list.start) ?? new Set();
    this.#hidden.set(list.start, hidden.add(list.index));
    return true;
  }

  #replaced(text: string): void {
    this.#work.onReplaced(this.#steps(), text, this.#document.nesting);
  }

  #path(): string {
    return this.#document.nesting > 0 ? this.#document.path : pathOf(this.#document.path, this.#steps());
  }

  #steps(): (string | number)[] {
    return this.#frames.map((frame) => (frame.array ? frame.index : frame.shownKey));
  }

  /** Whether one of the marks lies in the token. Tokens come in order, so marks are gone through once. */
  #isInteresting(start: number, end: number): boolean {
    if (this.#everyLeaf) return true;
    while ((this.#marks[this.#nextMark] ?? Infinity) < start) this.#nextMark += 1;
    return (this.#marks[this.#nextMark] ?? Infinity) < end;
  }
}

interface Entered extends Pick<Frame, 'shape' | 'trie' | 'selected' | 'excluded'> {
  readonly key: string | undefined;
  readonly role: Role;
}

/** Adds what JSONPath queries say about the value. */
function entered(plan: Plan, at: Entered): Entered {
  const queries = at.trie?.selected ?? [];
  if (queries.length === 0) return at;
  const excluded = plan.excludedBy(queries);
  return {
    ...at,
    selected: [...at.selected, ...plan.selectedBy(queries)],
    excluded: excluded.length === 0 ? at.excluded : new Set([...at.excluded, ...excluded]),
  };
}

/** Clients check that a blob is base64, so what stands for it is base64 too. */
function wholeBlob(text: string, edits: readonly JsonEdit[]): JsonEdit {
  return { start: 0, end: text.length, text: Buffer.from(edits[0]?.text ?? '').toString('base64') };
}

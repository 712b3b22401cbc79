/** Which strings of a JSON text are base64 of messages that a policy describes. */
import { scanJson, tokenValue, type JsonVisitor } from '../../../lib/json/index.ts';
import { normalizeKey } from './keys.ts';
import type { Plan } from './plan.ts';
import { describedAs, type Described } from './protobuf.ts';

const TYPE_KEYS = new Set(['mimetype', 'contenttype', 'mediatype']);
const DATA_KEYS = new Set(['blob', 'data', 'body', 'payload', 'content', 'bytes', 'value', 'base64']);

const NONE: ReadonlyMap<number, Described> = new Map();

interface Frame {
  key: string;
  type: string | undefined;
  /** Where the tokens begin that may hold the data. */
  readonly data: number[];
}

/** By where the string's token begins: data beside a member that says its media type, in any object, in any order. */
export function describedIn(text: string, plan: Plan): ReadonlyMap<number, Described> {
  if (plan.protobuf.length === 0) return NONE;
  const finder = new Finder(text, plan);
  scanJson(text, finder);
  return finder.found;
}

class Finder implements JsonVisitor {
  readonly found = new Map<number, Described>();
  readonly #text: string;
  readonly #plan: Plan;
  readonly #frames: (Frame | undefined)[] = [];

  constructor(text: string, plan: Plan) {
    this.#text = text;
    this.#plan = plan;
  }

  openObject(): void {
    this.#frames.push({ key: '', type: undefined, data: [] });
  }

  openArray(): void {
    this.#frames.push(undefined);
  }

  closeObject(): void {
    const frame = this.#frames.pop();
    const described = describedAs(this.#plan, frame?.type);
    if (frame === undefined || described === undefined) return;
    for (const start of frame.data) this.found.set(start, described);
  }

  closeArray(): void {
    this.#frames.pop();
  }

  key(start: number, end: number, plain: boolean): void {
    const frame = this.#frames.at(-1);
    if (frame !== undefined) frame.key = normalizeKey(tokenValue(this.#text, start, end, plain));
  }

  string(start: number, end: number, plain: boolean): void {
    const frame = this.#frames.at(-1);
    if (frame === undefined) return;
    if (TYPE_KEYS.has(frame.key)) frame.type = tokenValue(this.#text, start, end, plain);
    else if (DATA_KEYS.has(frame.key)) frame.data.push(start);
  }

  number(): void {
    // Neither a type nor data.
  }

  literal(): void {
    // Neither a type nor data.
  }
}

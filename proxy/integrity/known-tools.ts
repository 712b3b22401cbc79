/** What one gateway's server has said of its tools so far. Lives on when the policy changes. */
import type { ToolPin } from '../../crds/bundle.ts';
import { MAX_TOOL_NAME, MAX_TOOLS } from '../../crds/gateway-tools.ts';

export class KnownTools {
  /** As the operator keeps them for every proxy of the gateway. */
  #kept: ReadonlyMap<string, string> = new Map();
  /** Seen here first, and not yet kept by the operator. */
  readonly #first = new Map<string, string>();
  readonly #last = new Map<string, string>();
  /** Seen since it was last asked: the first definition and the last, because which came first decides. */
  #news = new Map<string, readonly string[]>();

  /** What the operator says was seen first; where it says so, what was seen here does not count. */
  keep(pins: readonly ToolPin[]): void {
    this.#kept = new Map(pins.map(({ name, digest }) => [name, digest]));
  }

  firstOf(name: string): string | undefined {
    return this.#kept.get(name) ?? this.#first.get(name);
  }

  lastOf(name: string): string | undefined {
    return this.#last.get(name);
  }

  /** Pins what was never seen before. False where there is no room to pin it. */
  pinFirst(name: string, digest: string): boolean {
    if (this.firstOf(name) !== undefined) return true;
    if (!this.hasRoomFor(name)) return false;
    this.#first.set(name, digest);
    return true;
  }

  hasRoomFor(name: string): boolean {
    return name.length <= MAX_TOOL_NAME && this.#kept.size + this.#first.size < MAX_TOOLS;
  }

  /** Notes what the server says now. True where it said something else before, or nothing. */
  note(name: string, digest: string): boolean {
    if (this.#last.get(name) === digest) return false;
    if (!this.#last.has(name) && this.#last.size >= 2 * MAX_TOOLS) return false;
    this.#last.set(name, digest);
    if (name.length <= MAX_TOOL_NAME) this.#news.set(name, firstAndLast(this.#news.get(name), [digest]));
    return true;
  }

  /** What was noted since this was last called, by name. */
  takeNews(): ReadonlyMap<string, readonly string[]> {
    const news = this.#news;
    this.#news = new Map();
    return news;
  }
}

/** Of two sequences of digests, one after the other. */
export function firstAndLast(earlier: readonly string[] | undefined, later: readonly string[]): string[] {
  const all = [...(earlier ?? []), ...later];
  const [first] = all;
  const last = all.at(-1);
  if (first === undefined || last === undefined) return [];
  return all.length === 1 ? [first] : [first, last];
}

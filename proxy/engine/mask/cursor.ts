import { stepOf } from './place.ts';
import type { Plan, Use } from './plan.ts';
import type { CompiledPolicy } from './policy.ts';
import type { Selections } from './selections.ts';
import { elementShape, memberShape, type Shape } from './shape.ts';

/** What holds for a value because of where it stands. */
export interface Standing {
  readonly shape: Shape;
  /** What is selected in the value by place. */
  readonly trie: Selections | undefined;
  /** Who wants the value masked whatever it holds. */
  readonly selected: readonly Use[];
  /** Policies that an exclusion by path keeps away from the value. */
  readonly excluded: ReadonlySet<CompiledPolicy>;
}

/** A value that has been reached. */
export interface Reached extends Standing {
  /** Of the nearest member. */
  readonly key: string | undefined;
}

/** A container on the way to the value that is being read. */
export interface Frame extends Standing {
  readonly start: number;
  readonly array: boolean;
  /** Of the nearest member around the container. */
  readonly keyAround: string | undefined;
  /** The path from the root, from when it is first asked for: it does not change while the container is open. */
  stepsTo: string | undefined;
  index: number;
  key: string;
  /** The key as it may be shown. */
  shownKey: string;
  /** How often keys were masked to the same, so that no two members of the object get the same key. */
  readonly maskedKeys: Map<string, number>;
}

/** Follows a scan of a JSON text and knows what holds at each value. */
export class Cursor {
  readonly #plan: Plan;
  readonly #root: Standing;
  readonly #frames: Frame[] = [];

  constructor(plan: Plan, root: Standing) {
    this.#plan = plan;
    this.#root = root;
  }

  /** The innermost container. */
  get frame(): Frame | undefined {
    return this.#frames.at(-1);
  }

  /** The innermost array. */
  get list(): Frame | undefined {
    return this.#frames.findLast((frame) => frame.array);
  }

  /** Steps to the next value. */
  next(): Reached {
    const frame = this.#frames.at(-1);
    if (frame?.array === true) frame.index += 1;
    return this.here();
  }

  open(start: number, array: boolean): void {
    const { shape, trie, selected, excluded, key } = this.next();
    const maskedKeys = array ? NO_KEYS : new Map<string, number>();
    this.#frames.push({
      shape,
      trie,
      selected,
      excluded,
      start,
      array,
      keyAround: key,
      stepsTo: undefined,
      index: -1,
      key: '',
      shownKey: '',
      maskedKeys,
    });
  }

  close(): void {
    this.#frames.pop();
  }

  /** What holds at the value that is being read. */
  here(): Reached {
    const frame = this.#frames.at(-1);
    if (frame === undefined) return placed({ ...this.#root, key: undefined });
    const { array, key, keyAround, index, excluded } = frame;
    return placed({
      shape: array ? elementShape(frame.shape) : memberShape(frame.shape, key),
      trie: frame.trie?.children.get(array ? index : key),
      selected: array ? frame.selected : this.#selectedIn(frame),
      excluded,
      key: array ? keyAround : key,
    });
  }

  /** The steps to the value, in the clear. */
  steps(): (string | number)[] {
    return this.#frames.map((frame) => (frame.array ? frame.index : frame.key));
  }

  /** The path to the value, as it may be shown. */
  path(base: string): string {
    return base + this.#stepsTo(this.#frames.length);
  }

  /** From the root to what is being read under so many containers. A container of many values is described once. */
  #stepsTo(depth: number): string {
    const frame = this.#frames[depth - 1];
    if (frame === undefined) return '';
    frame.stepsTo ??= this.#stepsTo(depth - 1);
    return frame.stepsTo + stepOf(frame.array ? frame.index : frame.shownKey);
  }

  /** Keys of data select; keys of the protocol do not, since `name` there is not the data's. */
  #selectedIn(frame: Frame): readonly Use[] {
    if (frame.shape.role !== 'payload' && frame.shape.role !== 'schema') return frame.selected;
    const { uses } = this.#plan.factsOf(frame.key);
    return uses.length === 0 ? frame.selected : [...frame.selected, ...uses];
  }
}

const NO_KEYS: Map<string, number> = new Map();

/** Adds what holds for the value because of its place. */
function placed(value: Reached): Reached {
  const { trie } = value;
  if (trie === undefined || (trie.selected.length === 0 && trie.excluded.length === 0)) return value;
  return {
    ...value,
    selected: [...value.selected, ...trie.selected],
    excluded: trie.excluded.length === 0 ? value.excluded : new Set([...value.excluded, ...trie.excluded]),
  };
}

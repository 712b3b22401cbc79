/** JSON values as CEL sees them, and the bound on what one evaluation may cost. */
import { EvaluationError } from '@marcbachmann/cel-js';

/**
 * A number that neither a CEL int nor a double holds exactly. The evaluator knows no such type, so every operator that
 * touches one ends in an error and none compares it wrongly.
 */
export class InexactNumber {
  readonly inexact = true;
}

export type CelValue =
  | string
  | boolean
  | bigint
  | number
  | null
  | InexactNumber
  | readonly CelValue[]
  | ReadonlyMap<string, CelValue>;

const MIN_INT = -(2n ** 63n);
const MAX_INT = 2n ** 63n - 1n;

/**
 * JSON as CEL values: whole numbers are ints, others doubles, objects are Maps, so that a key such as
 * `constructor` is only a key.
 */
export function toCel(value: unknown): CelValue {
  switch (typeof value) {
    case 'string':
    case 'boolean':
      return value;
    case 'number':
      return celNumber(value);
    case 'bigint':
      return value >= MIN_INT && value <= MAX_INT ? value : new InexactNumber();
    default:
      return compound(value);
  }
}

function compound(value: unknown): CelValue {
  if (Array.isArray(value)) return value.map(toCel);
  if (typeof value !== 'object' || value === null) return null;
  const entries = value instanceof Map ? [...value] : Object.entries(value);
  return new Map(entries.map(([key, item]): [string, CelValue] => [String(key), toCel(item)]));
}

function celNumber(value: number): CelValue {
  if (Number.isSafeInteger(value)) return BigInt(value);
  return Number.isInteger(value) || !Number.isFinite(value) ? new InexactNumber() : value;
}

/** How much there is to look at: characters of all texts and keys, and one for each value. */
export function sizeOf(value: CelValue): number {
  if (typeof value === 'string') return value.length + 1;
  if (Array.isArray(value)) return value.reduce<number>((sum, item: CelValue) => sum + sizeOf(item), 1);
  if (!isMap(value)) return 1;
  let sum = 1;
  for (const [key, item] of value) sum += key.length + sizeOf(item);
  return sum;
}

const isMap = (value: CelValue): value is ReadonlyMap<string, CelValue> => value instanceof Map;

/** Work units of one evaluation; the whole of it is well under a second. */
const WORK = 2 ** 24;
/** Plain string search covers about this many characters for one unit of work. */
const SEARCH = 32;

/** Counts what an evaluation costs, because arguments are the caller's to choose and conditions may iterate over them. */
export class Budget {
  #left = WORK;
  #perElement = 1;
  // One error for all, because a spent budget is met again at every further step.
  readonly #spent = new EvaluationError({
    code: 'bound_of_cost_exceeded',
    message: 'the condition costs more than the bound of one evaluation allows',
  });

  reset(): void {
    this.#left = WORK;
    this.#perElement = 1;
  }

  /** Every step of an iteration may look at a whole argument, so a step costs more where arguments are large. */
  sawArguments(size: number): void {
    this.#perElement = 1 + Math.ceil(size / SEARCH);
  }

  iterate(elements: number): void {
    this.spend(elements * this.#perElement);
  }

  spend(units: number): void {
    this.#left -= units;
    if (this.#left < 0) throw this.#spent;
  }
}

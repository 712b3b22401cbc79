import type { JSONPathQuery } from 'json-p3';
import type { MaskedMessage } from '../../../lib/protobuf/index.ts';
import type { Detector } from './detectors/detector.ts';
import { isSecretName } from './detectors/entropy.ts';
import { normalizeKey } from './keys.ts';
import type { MediaType } from './media-type.ts';
import { PatternMatcher } from './pattern-matcher.ts';
import type { CompiledPolicy } from './policy.ts';

/** One policy that wants a value masked, under the name it has for that. */
export interface Use {
  readonly policy: CompiledPolicy;
  readonly label: string;
}

/** What a policy says of messages of a media type. */
export interface ProtobufUse extends MaskedMessage {
  readonly type: MediaType;
  readonly use: Use;
}

/** What a key says about its value. */
export interface KeyFacts {
  /** Who selects it by key, or by column: to the rows of a table in JSON their columns are keys. */
  readonly uses: readonly Use[];
  /** Whether it tells that its value is a secret, or what number that is: such a value is looked at. */
  readonly telling: boolean;
}

/** Who wants masked what a detector sees, and how much its name counts. */
interface Standing {
  readonly uses: readonly Use[];
  /** Vendors' formats come before general ones: the lower rank names a value that both see. */
  readonly rank: number;
}

const NOBODYS: Standing = { uses: [], rank: 0 };

const KEYS_REMEMBERED = 4096;

/** All policies that have a say in one kind of message, put together so that each text is gone through once. */
export class Plan {
  readonly matcher: PatternMatcher;
  readonly selecting: readonly { readonly query: JSONPathQuery; readonly use: Use }[];
  readonly excluding: readonly { readonly query: JSONPathQuery; readonly policy: CompiledPolicy }[];
  readonly hasColumns: boolean;
  readonly protobuf: readonly ProtobufUse[];
  readonly #standings = new Map<Detector, Standing>();
  readonly #keys = new Map<string, readonly Use[]>();
  readonly #columns = new Map<string, readonly Use[]>();
  readonly #facts = new Map<string, KeyFacts>();

  constructor(policies: readonly CompiledPolicy[]) {
    const detectors = new Set(policies.flatMap((policy) => policy.detectors));
    this.matcher = new PatternMatcher([...detectors]);
    for (const detector of detectors) {
      const users = policies.filter((policy) => policy.detectors.includes(detector));
      const uses = users.map((policy) => ({ policy, label: detector.name }));
      this.#standings.set(detector, { uses, rank: this.#standings.size });
    }
    for (const policy of policies) {
      for (const { normalized, label } of policy.keys) add(this.#keys, normalized, { policy, label });
      for (const { normalized, label } of policy.columns) add(this.#columns, normalized, { policy, label });
    }
    this.hasColumns = this.#columns.size > 0;
    this.selecting = policies.flatMap((policy) =>
      policy.paths.map(({ query, label }) => ({ query, use: { policy, label } })),
    );
    this.protobuf = policies.flatMap((policy) =>
      policy.protobuf.map(({ label, ...described }) => ({ ...described, use: { policy, label } })),
    );
    this.excluding = policies.flatMap((policy) => policy.excludedPaths.map((query) => ({ query, policy })));
  }

  /** Whether nothing is looked for, so that only values the proxy holds matter. */
  get isIdle(): boolean {
    return (
      this.#standings.size === 0 &&
      this.#keys.size === 0 &&
      !this.selectsByPlace &&
      this.protobuf.length === 0
    );
  }

  /**
   * Whether the text of a message tells where in it something is to be masked, whatever escapes stand in it; else every
   * string with an escape is looked at by itself.
   */
  get readsSurface(): boolean {
    return !this.selectsByPlace && this.protobuf.length === 0 && !this.matcher.hasPatterns;
  }

  /** Whether some key tells that its value is to be masked. */
  get wantsKeys(): boolean {
    return this.#keys.size > 0 || this.matcher.wantsMembers || !this.matcher.numbers.words.areNone;
  }

  /** Whether it matters where a value lies, beyond the key it is under. */
  get selectsByPlace(): boolean {
    return this.hasColumns || this.selecting.length > 0 || this.excluding.length > 0;
  }

  standingOf(detector: Detector): Standing {
    return this.#standings.get(detector) ?? NOBODYS;
  }

  /** Whether a key says that its value is looked at whatever it holds. */
  isPicked(key: string): boolean {
    const { uses, telling } = this.factsOf(key);
    return uses.length > 0 || telling;
  }

  columnUses(header: string): readonly Use[] {
    return this.#columns.get(normalizeKey(header)) ?? [];
  }

  /** Messages have few different keys, so what was found out about one is remembered. */
  factsOf(key: string): KeyFacts {
    const known = this.#facts.get(key);
    if (known !== undefined) return known;
    const normalized = normalizeKey(key);
    const facts = {
      uses: [...(this.#keys.get(normalized) ?? []), ...(this.#columns.get(normalized) ?? [])],
      telling: (this.matcher.wantsMembers && isSecretName(key)) || this.matcher.numbers.words.areIn(key),
    };
    if (this.#facts.size >= KEYS_REMEMBERED) this.#facts.clear();
    if (key.length <= 64) this.#facts.set(key, facts);
    return facts;
  }
}

function add(map: Map<string, readonly Use[]>, name: string, use: Use): void {
  map.set(name, [...(map.get(name) ?? []), use]);
}

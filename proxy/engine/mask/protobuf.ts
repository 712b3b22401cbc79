/** Messages of Protocol Buffers, masked field by field by their descriptors. */
import { isUtf8 } from 'node:buffer';
import { splice } from '../../../lib/json/index.ts';
import {
  ProtobufError,
  rewriteMessage,
  rewriteStream,
  type Field,
  type FieldTree,
  type MessageShape,
  type Rewriting,
} from '../../../lib/protobuf/index.ts';
import { examine, knownIn } from './examine.ts';
import { Withheld, type Claim } from './ledger.ts';
import { isDelimited, isOfType, mediaTypeOf, type MediaType } from './media-type.ts';
import type { Place } from './place.ts';
import type { Plan, ProtobufUse, Use } from './plan.ts';
import type { Found } from './types.ts';
import type { Work } from './work.ts';

/** Who has a say in what is of this media type; nobody where no policy describes it. */
export function describedAs(plan: Plan, mimeType: string | undefined): Described | undefined {
  if (plan.protobuf.length === 0 || mimeType === undefined) return undefined;
  const type = mediaTypeOf(mimeType);
  const uses = plan.protobuf.filter((use) => isOfType(type, use.type));
  return uses.length === 0 ? undefined : { type, uses };
}

/** Bytes that policies describe. */
export interface Described {
  readonly type: MediaType;
  readonly uses: readonly ProtobufUse[];
}

type Where = Pick<Place, 'path' | 'excluded' | 'selected'>;

/**
 * The bytes with what is masked in them replaced; the very same ones where nothing is. Throws Withheld for what is no
 * message of the described type, since nobody could say what is in it. Policies that describe it by the same message
 * are heard together, so that the strongest has its way.
 */
export function maskProtobuf(work: Work, bytes: Buffer, described: Described, where: Where): Buffer {
  const rewrite = isDelimited(described.type) ? rewriteStream : rewriteMessage;
  try {
    let masked: Uint8Array = bytes;
    for (const [shape, trees] of Map.groupBy(described.uses, (use) => use.shape)) {
      const at = { path: '', key: undefined, trees, uses: where.selected };
      masked = rewrite(masked, shape, at, new FieldMasker(work, where));
    }
    return masked === bytes ? bytes : Buffer.from(masked);
  } catch (error) {
    if (error instanceof ProtobufError) throw new Withheld(error.message);
    throw error;
  }
}

/** What is known of a place in a message. */
interface At {
  /** From the message, as `.card.number`. */
  readonly path: string;
  readonly key: string | undefined;
  /** What policies say of the fields here. */
  readonly trees: readonly { readonly tree: FieldTree; readonly use: Use }[];
  /** Who wants the value masked whatever it holds. */
  readonly uses: readonly Use[];
}

class FieldMasker implements Rewriting<At> {
  readonly #work: Work;
  readonly #where: Where;

  constructor(work: Work, where: Where) {
    this.#work = work;
    this.#where = where;
  }

  message(bytes: number): void {
    this.#work.probe.budget.spend(bytes);
  }

  enter(outer: At, { number, name }: Field, { isEntry }: MessageShape): At {
    const trees = outer.trees.flatMap(({ tree, use }) => {
      const inner = tree.fields.get(number);
      return inner === undefined ? [] : [{ tree: inner, use }];
    });
    const wanted = trees.filter(({ tree }) => tree.whole).map(({ use }) => use);
    return {
      path: isEntry ? outer.path : `${outer.path}.${name}`,
      key: name,
      trees,
      uses: [...outer.uses, ...wanted, ...this.#work.plan.factsOf(name).uses],
    };
  }

  string(text: string, at: At): string | undefined {
    const { uses, key } = at;
    const place = {
      ...this.#where,
      path: () => this.#pathTo(at),
      key,
      role: 'payload',
      selected: uses,
      nesting: 0,
      seams: [],
    } as const;
    const edits = this.#work.maskString(this.#work, text, place);
    return edits.length === 0 ? undefined : splice(text, edits);
  }

  bytes(value: Uint8Array, at: At): Uint8Array | undefined {
    const bytes = Buffer.from(value.buffer, value.byteOffset, value.byteLength);
    if (isUtf8(bytes)) {
      const put = this.string(bytes.toString('utf8'), at);
      return put === undefined ? undefined : Buffer.from(put);
    }
    const text = bytes.toString('latin1');
    const put = this.#decide(text, knownIn(this.#work.probe, text), at);
    return put === undefined ? undefined : Buffer.from(put);
  }

  number(text: string, at: At): boolean {
    return this.#decide(text, examine(this.#work.probe, text, at.key), at) !== undefined;
  }

  /** All that is in a field that is masked goes, what the descriptor does not know too. */
  dropsUnknown({ uses }: At): boolean {
    return uses.some(({ policy }) => policy.enforced && !this.#where.excluded.has(policy));
  }

  /** What stands for a value that goes as a whole or not at all. */
  #decide(text: string, found: readonly Found[], at: At): string | undefined {
    const { ledger } = this.#work;
    const whole = { start: 0, end: text.length, value: text };
    const claims: Claim[] = found.map((one) => ({ ...one, ...whole }));
    if (at.uses.length > 0 && text !== '') claims.push({ ...whole, selectedBy: at.uses });
    return ledger.decide(claims, () => this.#pathTo(at), this.#where.excluded)[0]?.text;
  }

  #pathTo({ path }: At): string {
    return `${this.#where.path()}${path}`;
  }
}

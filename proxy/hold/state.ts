/**
 * `requestState` of 2026-07-28 (*Multi Round-Trip Requests*). The client gets only sealed ones, bound to who it is and
 * to what it asked: our own, while a call waits for approval, and the server's, wrapped, restored byte for byte.
 */
import { randomBytes } from 'node:crypto';
import { z } from 'zod';
import { mayHaveKey, valueAt } from '../../lib/json/index.ts';
import type { Caller, ClientRequest } from '../exchange.ts';
import { removeMember, replaceValue } from '../lib/edit.ts';
import { Refusal } from '../refusal.ts';
import type { Sealer } from '../session/seal.ts';
import { ownerHash } from '../session/sessions.ts';

const sealedState = z.object({
  kind: z.enum(['hold', 'server']),
  owner: z.string(),
  /** The call it belongs to. */
  digest: z.string(),
  approval: z.string().nullable(),
  /** The server's own state, for kind `server`. */
  state: z.string(),
  nonce: z.string(),
  /** Milliseconds since the epoch. */
  expires: z.number(),
});

export type RequestState = z.infer<typeof sealedState>;

const PURPOSE = 'requestState';
/** A server's state is kept as long as a person may need to answer what it asked. */
export const STATE_LIFETIME_MS = 24 * 60 * 60 * 1000;
const MAX_REMEMBERED = 100_000;

export class RequestStates {
  readonly #now: () => number;
  /** Nonces of states that carried an approved call on; each does so once. */
  readonly #used = new Set<string>();

  constructor(now: () => number) {
    this.#now = now;
  }

  seal(
    sealer: Sealer,
    state: {
      kind: RequestState['kind'];
      caller: Caller;
      digest: string;
      approval: string | undefined;
      state: string;
      expires: number;
    },
  ): string {
    const body: RequestState = {
      kind: state.kind,
      owner: ownerHash(state.caller),
      digest: state.digest,
      approval: state.approval ?? null,
      state: state.state,
      nonce: randomBytes(12).toString('base64url'),
      expires: state.expires,
    };
    return sealer.seal(PURPOSE, JSON.stringify(body));
  }

  /** The state that a request carries; undefined when it carries none. Throws a Refusal for one that is not its own. */
  open(sealer: Sealer, request: ClientRequest, caller: Caller, digest: string): RequestState | undefined {
    const sealed = request.params['requestState'];
    if (sealed === undefined) return undefined;
    const text = typeof sealed === 'string' ? sealer.open(PURPOSE, sealed) : undefined;
    const state = text === undefined ? undefined : sealedState.parse(JSON.parse(text));
    if (state === undefined) throw invalid('was not issued by this gateway, or was changed');
    if (state.owner !== ownerHash(caller)) throw invalid('was issued to another caller');
    if (state.digest !== digest)
      throw invalid('belongs to another call: its arguments are not the ones that were asked about');
    if (state.expires < this.#now()) throw invalid('has expired; make the call again without it');
    return state;
  }

  /** Spends a state that stands for an approval. Throws a Refusal the second time. */
  spend(state: RequestState): void {
    if (this.#used.has(state.nonce))
      throw new Refusal(
        'approval_consumed',
        'This requestState was used already; the approved call runs once.',
        { as: -32602 },
      );
    this.#used.add(state.nonce);
    const [oldest] = this.#used;
    if (this.#used.size > MAX_REMEMBERED && oldest !== undefined) this.#used.delete(oldest);
  }
}

/** The request as the server is to see it: its own state back in place, ours removed. */
export function restoreState(text: string, state: RequestState | undefined): string {
  if (state === undefined) return text;
  if (state.kind === 'server') return replaceValue(text, ['params', 'requestState'], state.state);
  return removeMember(text, ['params'], 'requestState');
}

/** The server's state in an `input_required` result; undefined when the result carries none. */
export function stateOf(text: string): string | undefined {
  if (!mayHaveKey(text, 'requestState')) return undefined;
  if (valueAt(text, ['result', 'resultType']) !== 'input_required') return undefined;
  const state = valueAt(text, ['result', 'requestState']);
  return typeof state === 'string' ? state : undefined;
}

/** A tampered state is a protocol error, not a failed tool. */
function invalid(what: string): Refusal {
  return new Refusal('state_invalid', `The requestState ${what}.`, { status: 400, as: -32602 });
}

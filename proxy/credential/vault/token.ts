/** Keeps one token of Vault for one role: logs in when somebody needs it, renews it, and logs in anew before it ends. */
import type { Clock } from '../../../lib/clock.ts';
import { sentenceOf } from '../../../lib/errors.ts';
import type { Logger } from '../../../lib/log.ts';
import type { Secret } from '../../../lib/secret.ts';
import { runAt } from '../schedule.ts';
import { isCut, nextStep, type Term } from '../term.ts';
import type { VaultClient } from './client.ts';
import { asError, detailOf, isDenied, saysInvalid } from './denials.ts';
import { VaultError } from './error.ts';
import type { LoggedIn } from './login.ts';
import { backoffMs } from './retry.ts';

/** `final`: it cannot be made longer, and what hangs on it ends with it. `dead`: Vault knows it no more. */
export interface VaultToken {
  readonly value: Secret;
  readonly own: boolean;
  readonly state: 'live' | 'final' | 'dead';
  readonly term: Term;
}

type Held = { -readonly [K in keyof VaultToken]: VaultToken[K] } & { cancel: () => void };

export interface TokenKeeperDeps {
  readonly logIn: () => Promise<LoggedIn>;
  readonly client: VaultClient;
  readonly clock: Clock;
  /** [0, 1) */
  readonly random: () => number;
  readonly log: Logger;
  /** A token became final or died: what hangs on it must be looked at. */
  readonly onEnd: (token: VaultToken) => void;
  /** Told of all tokens that it holds, whenever one comes or goes. */
  readonly onTokens: (values: readonly Secret[]) => void;
}

/** Young tokens are believed: a policy that forbids to look a token up must not make us log in at every refusal. */
const TRUSTED_MS = 30_000;

export class TokenKeeper {
  readonly #deps: TokenKeeperDeps;
  #token: Held | undefined;
  #login: Promise<Held> | undefined;
  #failures = 0;
  #notBefore = Number.NEGATIVE_INFINITY;
  #lastFailure: unknown;
  /** Superseded ones that still hold leases. */
  readonly #older = new Set<Held>();
  #closed = false;

  constructor(deps: TokenKeeperDeps) {
    this.#deps = deps;
  }

  /** Does `work` with a token; once more with a new one where Vault no longer knew the first. Throws VaultError. */
  async use<T>(work: (token: VaultToken) => Promise<T>): Promise<T> {
    const token = await this.#current();
    try {
      return await work(token);
    } catch (error) {
      if (!isDenied(error) || !(await this.#isDead(token, error))) throw error;
    }
    return work(await this.#current());
  }

  /** Whether Vault still knows it. One that it does not know is dead from now on. */
  async isDead(token: VaultToken, denial: unknown): Promise<boolean> {
    const held = [...this.#all()].find((candidate) => candidate === token);
    return held === undefined ? true : this.#isDead(held, denial);
  }

  /** Gives back what was made for us; what hangs on it goes with it. */
  async close(): Promise<void> {
    this.#closed = true;
    const tokens = [...this.#all()];
    for (const token of tokens) token.cancel();
    const ours = tokens.filter(({ own, state }) => own && state !== 'dead');
    await Promise.allSettled(
      ours.map(({ value }) => this.#deps.client.write('auth/token/revoke-self', {}, value)),
    );
    this.#token = undefined;
    this.#older.clear();
    this.#tell();
  }

  #tell(): void {
    this.#deps.onTokens(Array.from(this.#all(), ({ value }) => value));
  }

  #all(): ReadonlySet<Held> {
    return new Set([...this.#older, ...(this.#token === undefined ? [] : [this.#token])]);
  }

  async #current(): Promise<Held> {
    const token = this.#token;
    if (token !== undefined && token.state !== 'dead' && token.term.until > this.#deps.clock.now())
      return token;
    return this.#logIn();
  }

  /** One login at a time; after a failure the next one waits, and until then its reason is given again. */
  #logIn(): Promise<Held> {
    if (this.#login !== undefined) return this.#login;
    if (this.#deps.clock.now() < this.#notBefore) return Promise.reject(asError(this.#lastFailure));
    this.#login = this.#logInNow().finally(() => {
      this.#login = undefined;
    });
    return this.#login;
  }

  async #logInNow(): Promise<Held> {
    const { clock, random } = this.#deps;
    const from = clock.now();
    try {
      const { token: value, ttlMs, renewable, own } = await this.#deps.logIn();
      const until = ttlMs === 0 ? Number.POSITIVE_INFINITY : from + ttlMs;
      const token: Held = {
        value,
        own,
        state: 'live',
        term: { from, until, ttlMs, renewable },
        cancel: () => undefined,
      };
      this.#failures = 0;
      this.#supersede(token);
      return token;
    } catch (error) {
      this.#lastFailure = error;
      this.#notBefore = clock.now() + backoffMs(this.#failures, random());
      this.#failures += 1;
      throw error;
    }
  }

  #supersede(token: Held): void {
    const before = this.#token;
    if (before !== undefined && before.state !== 'dead') {
      this.#older.add(before);
      runAt(this.#deps.clock, before.term.until, () => {
        this.#older.delete(before);
        this.#tell();
      });
    }
    this.#token = token;
    this.#tell();
    if (this.#closed) void this.close();
    else this.#plan(token);
  }

  #plan(token: Held): void {
    token.cancel();
    const step = nextStep(token.term, this.#deps.random());
    if (step.kind === 'none') return;
    const run = step.kind === 'renew' ? () => void this.#renew(token, 0) : () => this.#finish(token);
    token.cancel = runAt(this.#deps.clock, step.at, run);
  }

  async #renew(token: Held, attempt: number): Promise<void> {
    const from = this.#deps.clock.now();
    try {
      const { auth } = await this.#deps.client.write('auth/token/renew-self', {}, token.value);
      if (auth === undefined)
        throw new VaultError('vault_unreadable', 'Vault renewed a token and told no term');
      token.term = { ...token.term, from, until: from + auth.ttlMs, renewable: auth.renewable };
      if (isCut(token.term)) this.#finish(token);
      else this.#plan(token);
    } catch (error) {
      this.#deps.log.warn(
        { reason: sentenceOf(error), detail: detailOf(error) },
        'a token of Vault was not renewed',
      );
      if (isDenied(error) && (await this.#isDead(token, error))) return;
      if (error instanceof VaultError && error.temporary)
        this.#again(token, () => this.#renew(token, attempt + 1), attempt);
      else this.#finish(token);
    }
  }

  /** It will end: from now on a new one is used, and what hangs on the old one is told. */
  #finish(token: Held): void {
    if (token.state !== 'live' || this.#closed) return;
    token.state = 'final';
    this.#deps.onEnd(token);
    void this.#replace(token, 0);
  }

  async #replace(token: Held, attempt: number): Promise<void> {
    if (this.#token !== token) return;
    try {
      await this.#logIn();
    } catch (error) {
      this.#deps.log.warn({ reason: sentenceOf(error), detail: detailOf(error) }, 'Vault did not let us in');
      this.#again(token, () => this.#replace(token, attempt + 1), attempt);
    }
  }

  /** Tries again while the token still holds; after that, whoever needs one logs in. */
  #again(token: Held, work: () => Promise<void>, attempt: number): void {
    const { clock, random } = this.#deps;
    const at = Math.max(clock.now() + backoffMs(attempt, random()), this.#notBefore);
    if (this.#closed || at >= token.term.until) return;
    token.cancel = runAt(clock, at, () => void work());
  }

  async #isDead(token: Held, denial: unknown): Promise<boolean> {
    if (token.state === 'dead') return true;
    const known = saysInvalid(denial) ? denial : await this.#lookUp(token);
    if (known === undefined) return false;
    const young = this.#deps.clock.now() - token.term.from < TRUSTED_MS;
    if (!saysInvalid(known) && young) return false;
    token.cancel();
    token.state = 'dead';
    this.#older.delete(token);
    if (this.#token === token) this.#token = undefined;
    this.#tell();
    this.#deps.onEnd(token);
    return true;
  }

  /** The denial of a token that Vault does not know; undefined for one that it knows, or when it does not say. */
  async #lookUp(token: Held): Promise<unknown> {
    try {
      await this.#deps.client.read('auth/token/lookup-self', token.value);
      return undefined;
    } catch (error) {
      return isDenied(error) ? error : undefined;
    }
  }
}

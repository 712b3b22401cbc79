/**
 * The signing keys of one issuer: discovered, cached, rotated. An issuer that is away costs nothing as long as its
 * tokens are signed with keys already known; a key that was never seen is not believed.
 */
import { createLocalJWKSet, errors, type CryptoKey, type JSONWebKeySet } from 'jose';
import { Agent, type Dispatcher } from 'undici';
import { z } from 'zod';
import { OidcError } from './oidc-error.ts';

/** The part of undici's `fetch` that asking an issuer takes. */
export type IssuerFetch = (
  url: string,
  init: { redirect: 'error'; signal: AbortSignal; headers: Record<string, string>; dispatcher?: Dispatcher },
) => Promise<{
  readonly ok: boolean;
  readonly status: number;
  readonly body: AsyncIterable<Uint8Array> | null;
}>;

export interface IssuerDeps {
  readonly fetch: IssuerFetch;
  /** Milliseconds since the epoch. */
  readonly now: () => number;
}

/** What the header of a token says about its key. */
export interface KeyHint {
  readonly alg: string;
  readonly kid?: string;
}

export interface IssuerKeys {
  /** Every known key that may have signed a token with this header; throws OidcError when there is none. */
  candidates(header: KeyHint): Promise<readonly CryptoKey[]>;
  close(): Promise<void>;
}

interface KeySet {
  readonly select: ReturnType<typeof createLocalJWKSet>;
  readonly fetchedAt: number;
}

/** After this a refresh is started, and nobody waits for it. */
const REFRESH_AFTER_MS = 5 * 60_000;
/** After this the refresh is waited for, so that a withdrawn key does not live on where calls are rare. */
const STALE_AFTER_MS = 60 * 60_000;
/** Tokens with invented key ids must not make us flood the issuer. */
const COOLDOWN_MS = 30_000;
/** An issuer that is just starting is asked again sooner. */
const COOLDOWN_AFTER_FAILURE_MS = 5_000;
const FETCH_TIMEOUT_MS = 5_000;
const MAX_ANSWER_BYTES = 1024 * 1024;

/** The keys of an issuer that somebody else asked; a key that is not among them is not believed. */
export function localKeys(jwks: JSONWebKeySet): IssuerKeys {
  const keys: KeySet = { select: createLocalJWKSet(jwks), fetchedAt: 0 };
  return {
    candidates: async (header) => {
      const found = await matching(keys, header);
      if (found.length > 0) return found;
      throw unknownKey();
    },
    close: () => Promise.resolve(),
  };
}

const discovery = z.object({ issuer: z.string(), jwks_uri: z.url() });
const keySet = z.object({ keys: z.array(z.looseObject({ kty: z.string() })).max(256) });

export function createIssuerKeys(
  issuer: { readonly issuer: string; readonly caBundle?: string | undefined },
  deps: IssuerDeps,
): IssuerKeys {
  const agent = issuer.caBundle === undefined ? undefined : new Agent({ connect: { ca: issuer.caBundle } });
  let current: KeySet | undefined;
  let attemptedAt = Number.NEGATIVE_INFINITY;
  let failure: OidcError | undefined;
  let running: Promise<void> | undefined;

  const load = async (): Promise<void> => {
    attemptedAt = deps.now();
    try {
      current = {
        select: createLocalJWKSet(await fetchKeys(issuer.issuer, deps, agent)),
        fetchedAt: deps.now(),
      };
      failure = undefined;
    } catch (cause) {
      failure = unavailable(issuer.issuer, cause);
    }
  };
  /** One request at a time, and none within the cooldown of the last. */
  const refresh = (): Promise<void> => {
    const cooldown = failure === undefined ? COOLDOWN_MS : COOLDOWN_AFTER_FAILURE_MS;
    if (running === undefined && deps.now() - attemptedAt < cooldown) return Promise.resolve();
    running ??= load().finally(() => {
      running = undefined;
    });
    return running;
  };

  const freshen = async (): Promise<void> => {
    const age = current === undefined ? Number.POSITIVE_INFINITY : deps.now() - current.fetchedAt;
    if (age > STALE_AFTER_MS) await refresh();
    else if (age > REFRESH_AFTER_MS) void refresh();
  };

  return {
    candidates: async (header) => {
      await freshen();
      const known = await matching(current, header);
      if (known.length > 0) return known;
      await refresh();
      const found = await matching(current, header);
      if (found.length > 0) return found;
      throw failure ?? unknownKey();
    },
    close: async () => {
      await agent?.close();
    },
  };
}

async function matching(keys: KeySet | undefined, header: KeyHint): Promise<CryptoKey[]> {
  if (keys === undefined) return [];
  try {
    return [await keys.select({ ...header })];
  } catch (error) {
    if (error instanceof errors.JWKSMultipleMatchingKeys) return all(error);
    // A key that the platform cannot import is as good as none.
    return [];
  }
}

async function all<T>(values: AsyncIterable<T>): Promise<T[]> {
  const found: T[] = [];
  for await (const value of values) found.push(value);
  return found;
}

async function fetchKeys(issuer: string, deps: IssuerDeps, agent: Agent | undefined): Promise<JSONWebKeySet> {
  const address = `${issuer.replace(/\/$/, '')}/.well-known/openid-configuration`;
  const found = discovery.parse(await fetchJson(address, deps, agent));
  if (found.issuer !== issuer) {
    throw new Error(`The configuration at ${address} names another issuer: ${found.issuer}.`);
  }
  if (issuer.startsWith('https:') && !found.jwks_uri.startsWith('https:')) {
    throw new Error(
      `The issuer ${issuer} offers its keys at an address that is not https: ${found.jwks_uri}.`,
    );
  }
  return keySet.parse(await fetchJson(found.jwks_uri, deps, agent));
}

async function fetchJson(url: string, deps: IssuerDeps, agent: Agent | undefined): Promise<unknown> {
  const response = await deps.fetch(url, {
    redirect: 'error',
    signal: AbortSignal.timeout(FETCH_TIMEOUT_MS),
    headers: { accept: 'application/json' },
    ...(agent && { dispatcher: agent }),
  });
  const body = await readBounded(response.body);
  if (!response.ok) throw new Error(`${url} answered with status ${String(response.status)}.`);
  return JSON.parse(body);
}

async function readBounded(body: AsyncIterable<Uint8Array> | null): Promise<string> {
  const chunks: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of body ?? []) {
    size += chunk.byteLength;
    if (size > MAX_ANSWER_BYTES) throw new Error('The answer of the issuer is larger than 1 MiB.');
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString('utf8');
}

function unavailable(issuer: string, cause: unknown): OidcError {
  return new OidcError('issuer_unavailable', `The keys of the issuer ${issuer} could not be fetched.`, {
    cause,
  });
}

function unknownKey(): OidcError {
  return new OidcError(
    'token_bad_signature',
    'The token is signed with a key that its issuer does not publish.',
  );
}
